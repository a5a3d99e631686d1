//! The C interface as C and C++ people meet it: headers, programs and symbols, with the compilers of
//! the system and the static library as it is shipped.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-pedantic", "-Werror"];
const SANITIZERS: [&str; 2] =
    ["-fsanitize=address,undefined", "-fno-sanitize-recover=address,undefined"];

/// A C and a C++ compiler of one make.
struct Toolchain {
    c: &'static str,
    cpp: &'static str,
}

const TOOLCHAINS: [Toolchain; 2] =
    [Toolchain { c: "gcc", cpp: "g++" }, Toolchain { c: "clang", cpp: "clang++" }];

/// Says so on the real stderr: what a passing test prints with `eprintln!` is not shown.
fn skipped(what: &str) {
    let line = format!("SKIPPED: c_programs: {what}\n");
    stderr().write_all(line.as_bytes()).unwrap();
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The compilers that are there, after a line about those that are not.
static FOUND: LazyLock<Vec<&'static Toolchain>> = LazyLock::new(|| {
    let (found, missing): (Vec<_>, Vec<_>) =
        TOOLCHAINS.iter().partition(|toolchain| exists(toolchain.c) && exists(toolchain.cpp));
    for toolchain in missing {
        skipped(&format!("no {} and {} here", toolchain.c, toolchain.cpp));
    }
    assert!(!found.is_empty(), "neither gcc nor clang");
    found
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where programs are built.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_programs");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn target_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_path_buf()
}

/// Runs a command that must succeed.
fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    output
}

/// The static library; the shared one is built beside it.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
    let (target, mut cargo) = (target_folder(), Command::new(env!("CARGO")));
    cargo.current_dir(root()).arg("cshared");
    succeed(cargo.env("CARGO_TARGET_DIR", &target).env_remove("CARGO_BUILD_TARGET"));
    target.join("capi").join("libsegloss.a")
});

/// A compiler with the include path and all warnings as errors.
fn compiler(program: &str, standard: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(format!("-std={standard}")).args(WARNINGS);
    command.arg("-I").arg(root().join("include"));
    command
}

/// Compiles a program, links it with the static library and runs it.
fn run(name: &str, command: Command, source: &Path, arguments: &[&str]) -> String {
    run_with(&LIBRARY, name, command, source, arguments)
}

/// The same with a library of the caller's choice.
fn run_with(
    library: &Path,
    name: &str,
    mut command: Command,
    source: &Path,
    arguments: &[&str],
) -> String {
    let program = folder().join(name);
    succeed(command.arg(source).arg(library).args(arguments).arg("-o").arg(&program));
    let output = succeed(&mut Command::new(&program));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The C programs of the README compile as C99 and print what their last comment says.
#[test]
fn readme_programs() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let programs = readme.split("```c\n").skip(1);
    assert_eq!(programs.clone().count(), 3);
    for (index, program) in programs.enumerate() {
        let (program, _) = program.split_once("```").unwrap();
        let source = folder().join(format!("readme_{index}.c"));
        fs::write(&source, program).unwrap();
        let (_, comment) = program.rsplit_once("/* ").unwrap();
        let (expected, _) = comment.split_once(" */").unwrap();
        let name = format!("readme_{index}");
        let printed = run(&name, compiler(FOUND[0].c, "c99"), &source, &[]);
        assert_eq!(printed.trim(), expected);
    }
}

/// The README's lines of C++ compile and run on buffers of the shape that they name.
#[test]
fn readme_lines_of_cpp() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let lines: Vec<_> = readme.split("```cpp\n").skip(1).collect();
    let [lines] = lines[..] else { panic!("{} blocks of C++", lines.len()) };
    let (lines, _) = lines.split_once("```").unwrap();
    let source = folder().join("readme.cpp");
    let program = format!(
        "#include <cstdio>\n#include <vector>\n#include \"segloss.hpp\"\n\nint main() {{\n\
         const std::size_t voxels = 64 * 128 * 128;\n\
         std::vector<float> scores(5 * voxels), gradient(5 * voxels);\n\
         std::vector<unsigned char> labels(voxels);\n\
         {lines}std::printf(\"%.4f\\n\", value);\n}}\n"
    );
    fs::write(&source, program).unwrap();
    let printed = run("readme_cpp", compiler(FOUND[0].cpp, "c++17"), &source, &[]);
    // Probabilities of 1/5, and the first class everywhere: Dice 1 - 0.4 / 1.2 of it and 1 of the other
    // four, and half of ln 5.
    assert_eq!(printed.trim(), "1.7381");
}

/// The library of the Makefile leaves the functions of <math.h> to the caller's own.
#[test]
fn mathematical_functions_stay_the_callers() {
    let build = folder().join("library");
    let mut make = Command::new("make");
    make.arg("-C").arg(root().join("c_examples")).args(["library", "BUILD_LIBRARY=cshared"]);
    make.arg(format!("BUILD={}", build.display())).env("CARGO", env!("CARGO"));
    succeed(make.env_remove("MAKEFLAGS"));
    let program = folder().join("math");
    let mut command = compiler(FOUND[0].c, "c99");
    command.arg(root().join("tests/c/math.c")).arg(build.join("libsegloss.a"));
    succeed(command.args(["-lm", "-o"]).arg(&program));
    let output = succeed(Command::new(&program).arg("7"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2 3\n");
}

/// Flags of the sanitisers where compiler and system have them.
static SANITIZER_FLAGS: LazyLock<&'static [&'static str]> = LazyLock::new(|| {
    let source = folder().join("sanitizers.c");
    fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    let program = folder().join("sanitizers");
    let mut command = Command::new(FOUND[0].c);
    let compiled = command.args(SANITIZERS).arg(&source).arg("-o").arg(&program).output();
    let works = compiled.is_ok_and(|output| output.status.success())
        && Command::new(&program).output().is_ok_and(|output| output.status.success());
    if works {
        return &SANITIZERS;
    }
    skipped("the compiler has no address and undefined behaviour sanitisers");
    &[]
});

/// Compiles one line that includes a header.
fn compile_header(program: &str, standard: &str, header: &str, language: &str) {
    let name = header.replace('/', "_");
    let source = folder().join(format!("{program}_{standard}_{name}.{language}"));
    fs::write(&source, format!("#include \"{header}\"\nint main(void) {{ return 0; }}\n")).unwrap();
    let mut command = compiler(program, standard);
    succeed(command.arg("-c").arg(&source).arg("-o").arg(source.with_extension("o")));
}

#[test]
fn headers_compile_without_warning() {
    for toolchain in &*FOUND {
        for standard in ["c99", "c11"] {
            compile_header(toolchain.c, standard, "segloss.h", "c");
        }
        for standard in ["c++11", "c++14", "c++17", "c++20"] {
            compile_header(toolchain.cpp, standard, "segloss.h", "cpp");
        }
        for standard in ["c++17", "c++20"] {
            compile_header(toolchain.cpp, standard, "segloss.hpp", "cpp");
        }
        for entry in fs::read_dir(root().join("include").join("segloss")).unwrap() {
            let part = entry.unwrap().file_name().into_string().unwrap();
            compile_header(toolchain.cpp, "c++17", &format!("segloss/{part}"), "cpp");
        }
    }
}

/// Runs a program of tests/c under sanitisers.
fn run_c_tests(name: &str) {
    let source = root().join("tests").join("c").join(format!("{name}.c"));
    let mut command = compiler(FOUND[0].c, "c11");
    command.args(["-g", "-O1"]).args(*SANITIZER_FLAGS);
    run(name, command, &source, &["-lm", "-pthread"]);
}

#[test]
fn refusals() {
    run_c_tests("refusals");
}

#[test]
fn refusals_that_depend_on_the_data() {
    run_c_tests("data");
}

#[test]
fn scratch_overlaps_and_gradients_in_place() {
    run_c_tests("memory");
}

#[test]
fn trees() {
    run_c_tests("trees");
}

#[test]
fn metrics() {
    run_c_tests("metrics");
}

#[test]
fn refusals_of_metrics() {
    run_c_tests("metric_refusals");
}

#[test]
fn distances() {
    run_c_tests("distances");
}

#[test]
fn refusals_of_distances() {
    run_c_tests("distance_refusals");
}

#[test]
fn terms_on_distance_fields() {
    run_c_tests("hausdorff");
}

#[test]
fn surfaces() {
    run_c_tests("surfaces");
}

#[test]
fn refusals_of_surfaces() {
    run_c_tests("surface_refusals");
}

#[test]
fn executors() {
    run_c_tests("executors");
}

#[test]
fn values_against_closed_forms() {
    run_c_tests("values");
}

/// Runs a C++ program of tests/c as C++17 and C++20 with all compilers, one under sanitisers.
fn run_cpp_tests(name: &str) {
    for standard in ["c++17", "c++20"] {
        for toolchain in &*FOUND {
            let source = root().join("tests").join("c").join(format!("{name}.cpp"));
            let mut command = compiler(toolchain.cpp, standard);
            command.args(["-g", "-O1"]);
            if toolchain.cpp == FOUND[0].cpp {
                command.args(*SANITIZER_FLAGS);
            }
            run(&format!("{name}_{}_{standard}", toolchain.cpp), command, &source, &[]);
        }
    }
}

#[test]
fn cpp_wrapper() {
    run_cpp_tests("wrapper");
}

#[test]
fn cpp_wrapper_of_distances_and_metrics() {
    run_cpp_tests("wrapper_metrics");
}

fn example(name: &str) -> PathBuf {
    root().join("c_examples").join(name)
}

#[test]
fn example_first_loss_with_either_library() {
    let shared = LIBRARY.with_extension(std::env::consts::DLL_EXTENSION);
    for (library, name) in [(&*LIBRARY, "first_loss"), (&shared, "first_loss_shared")] {
        let command = compiler(FOUND[0].c, "c99");
        let printed = run_with(library, name, command, &example("first_loss.c"), &[]);
        assert!(printed.contains("Dice 0.191884 + cross-entropy 0.241288"), "{printed}");
    }
}

#[test]
fn example_metrics() {
    let printed = run("metrics", compiler(FOUND[0].c, "c99"), &example("metrics.c"), &[]);
    assert_eq!(printed.matches("1  0.8676   1.600   1.600").count(), 2, "{printed}");
    assert_eq!(printed.matches("3  not in the prediction").count(), 2, "{printed}");
}

#[test]
fn example_openmp() {
    let source = folder().join("openmp_probe.cpp");
    fs::write(&source, "#include <omp.h>\nint main() { return omp_get_max_threads() < 1; }\n")
        .unwrap();
    let mut probe = Command::new(FOUND[0].cpp);
    probe.arg("-fopenmp").arg(&source).arg("-o").arg(folder().join("openmp_probe"));
    if !probe.output().is_ok_and(|output| output.status.success()) {
        skipped("the compiler has no OpenMP");
        return;
    }
    let mut command = compiler(FOUND[0].cpp, "c++17");
    command.args(["-O2", "-fopenmp"]);
    let printed = run("openmp", command, &example("openmp.cpp"), &[]);
    assert!(printed.contains("the same bits"), "{printed}");
}

/// What the kernels of the CUDA example compute, without CUDA.
#[test]
fn example_cuda_kernels_on_the_host() {
    let source = folder().join("cuda_kernels.cpp");
    let program = "#include \"cuda_check.hpp\"\n\
                   int main() { return cuda_example::check_on_host() ? 0 : 1; }\n";
    fs::write(&source, program).unwrap();
    let mut command = compiler(FOUND[0].cpp, "c++17");
    command.args(["-g", "-O1"]).args(*SANITIZER_FLAGS).arg("-I").arg(example(""));
    let printed = run("cuda_kernels", command, &source, &[]);
    assert!(printed.contains("kernels on the host: right"), "{printed}");
}

#[test]
fn example_freestanding() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        skipped("the freestanding example is for Linux on x86-64");
        return;
    }
    let mut command = compiler(FOUND[0].c, "c11");
    command.args(["-O2", "-ffreestanding", "-nostdlib", "-static", "-fno-stack-protector"]);
    let printed = run("freestanding", command, &example("freestanding.c"), &[]);
    assert!(printed.contains("are right"), "{printed}");
}

/// Symbols of the object of this crate in a static library, with the letter of their kind.
fn own_symbols(library: &Path) -> Option<BTreeSet<(char, String)>> {
    if !cfg!(target_os = "linux") || !exists("nm") {
        skipped("symbols are looked at with nm on Linux");
        return None;
    }
    let output = succeed(Command::new("nm").arg(library));
    let mut inside = false;
    let mut symbols = BTreeSet::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(member) = line.strip_suffix(':') {
            inside = member.starts_with("segloss");
            continue;
        }
        let mut words = line.split_whitespace().rev();
        if let (true, Some(name), Some(kind)) = (inside, words.next(), words.next()) {
            symbols.insert((kind.chars().next().unwrap(), name.to_owned()));
        }
    }
    assert!(!symbols.is_empty(), "{}: no object of this crate", library.display());
    Some(symbols)
}

fn undefined(symbols: &BTreeSet<(char, String)>) -> BTreeSet<&str> {
    symbols.iter().filter(|(kind, _)| *kind == 'U').map(|(_, name)| name.as_str()).collect()
}

#[test]
fn library_needs_nothing_and_cannot_panic() {
    let Some(symbols) = own_symbols(&LIBRARY) else {
        return;
    };
    let allowed = BTreeSet::from(["memcpy", "memmove", "memset", "memcmp", "bcmp"]);
    let missing: Vec<_> = undefined(&symbols).difference(&allowed).copied().collect();
    assert!(missing.is_empty(), "undefined symbols: {missing:?}");
    let panics: Vec<_> = symbols.iter().filter(|(_, name)| name.contains("panic")).collect();
    assert!(panics.is_empty(), "panic code: {panics:?}");
}

/// Names that begin with `segloss_` and are followed by an opening parenthesis.
fn declared_functions(header: &str) -> BTreeSet<&str> {
    header
        .lines()
        .filter(|line| line.ends_with([',', ')', ';']) && !line.starts_with(['/', ' ', '#']))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("segloss_"))
        .collect()
}

#[test]
fn library_defines_what_the_header_declares() {
    let Some(symbols) = own_symbols(&LIBRARY) else {
        return;
    };
    let header = fs::read_to_string(root().join("include").join("segloss.h")).unwrap();
    let defined = symbols.iter().filter(|(kind, _)| *kind == 'T').map(|(_, name)| name.as_str());
    assert_eq!(declared_functions(&header), defined.collect());
}

/// An index that may be out of range must show in the symbols, or
/// `library_needs_nothing_and_cannot_panic` shows nothing: a library of one function, with the panic
/// handler of this one.
#[test]
fn planted_panic_is_found() {
    let handler = root().join("src/capi/panic_handler.rs");
    let build = |name: &str, body: &str| {
        let source = folder().join(format!("{name}.rs"));
        let function = "#[unsafe(no_mangle)]\npub extern \"C\" fn planted(index: usize) -> u8";
        let text = format!(
            "#![no_std]\n#[path = {handler:?}]\nmod panic_handler;\n{function} {{ {body} }}\n"
        );
        fs::write(&source, text).unwrap();
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-type", "staticlib", "-O", "-C", "lto=fat"]);
        rustc.args(["-C", "codegen-units=1", "-C", "panic=abort", "--out-dir"]);
        succeed(rustc.arg(folder()).arg(&source));
        own_symbols(&folder().join(format!("lib{name}.a")))
    };
    let planted = build("segloss_planted", "[1, 2, 3][index]");
    let harmless = build("segloss_harmless", "[1, 2, 3].get(index).copied().unwrap_or(0)");
    let (Some(planted), Some(harmless)) = (planted, harmless) else {
        return;
    };
    assert!(undefined(&planted).contains("segloss_contains_panic_code"), "{planted:?}");
    assert!(undefined(&harmless).is_empty(), "{harmless:?}");
}
