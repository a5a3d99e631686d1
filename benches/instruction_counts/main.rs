//! Instructions per call, counted by callgrind: what a busy machine cannot blur.
//!
//! `cargo bench --bench instruction_counts` compares with `recorded.txt` and fails where a call
//! takes over 5 % more; `-- --record` writes that file anew. valgrind has no AVX-512: what is
//! counted is the AVX2 level. Another compiler makes other counts, so `recorded.txt` names its own,
//! and with another one nothing is compared.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod cases;
#[path = "../inputs/mod.rs"]
mod inputs;

use cases::CASES;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, thread};

const MOST_GROWTH: f64 = 0.05;
const RECORD: &str = "cargo bench --bench instruction_counts -- --record";

/// Where callgrind counts, found by its name.
#[inline(never)]
fn count_instructions_of(call: &mut dyn FnMut()) {
    call();
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["--record"] => record(),
        // this program under valgrind
        ["--case", name] => {
            CASES.iter().find(|case| case.0 == *name).unwrap().1();
            ExitCode::SUCCESS
        }
        // names meant for other benches
        _ => ExitCode::SUCCESS,
    }
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instruction_counts/recorded.txt")
}

fn output_of(command: &mut Command) -> (String, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn compiler() -> String {
    output_of(Command::new("rustc").arg("--version")).0.trim().to_owned()
}

fn count(case: &str) -> u64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg("--toggle-collect=*count_instructions_of*");
    valgrind.arg(env::current_exe().unwrap()).args(["--case", case]);
    let report = output_of(&mut valgrind).1;
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let count = collected.unwrap_or_else(|| panic!("no count in {report}")).1.trim();
    count.parse().unwrap()
}

/// Counts of all cases, by as many valgrinds as there are processors.
fn counts() -> Vec<u64> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut counts = vec![0; CASES.len()];
    thread::scope(|scope| {
        for (cases, counts) in CASES
            .chunks(CASES.len().div_ceil(threads))
            .zip(counts.chunks_mut(CASES.len().div_ceil(threads)))
        {
            scope.spawn(move || {
                for (case, to) in cases.iter().zip(counts) {
                    *to = count(case.0);
                }
            });
        }
    });
    counts
}

/// Whether counts can be taken here; says why not.
fn available() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
    #[cfg(not(target_arch = "x86_64"))]
    let has_avx2 = false;
    let has_valgrind = Command::new("valgrind").arg("--version").output().is_ok();
    for (there, what) in [(has_avx2, "AVX2 with F16C"), (has_valgrind, "valgrind")] {
        if !there {
            println!("SKIPPED: instruction counts: no {what} here");
        }
    }
    has_avx2 && has_valgrind
}

fn record() -> ExitCode {
    if !available() {
        return ExitCode::FAILURE;
    }
    let mut text = format!("{}\n", compiler());
    for (case, count) in CASES.iter().zip(counts()) {
        writeln!(text, "{count:>10} {}", case.0).unwrap();
    }
    fs::write(recorded(), &text).unwrap();
    print!("{text}");
    ExitCode::SUCCESS
}

fn check() -> ExitCode {
    if !available() {
        return ExitCode::SUCCESS;
    }
    let text = fs::read_to_string(recorded()).unwrap();
    let (with, limits) = text.split_once('\n').unwrap();
    let here = compiler();
    if with != here {
        println!("SKIPPED: instruction counts: recorded with {with}, this is {here}: {RECORD}");
        return ExitCode::SUCCESS;
    }
    let limit = |case: &str| {
        let mut lines = limits.lines().filter_map(|line| line.trim().split_once(' '));
        lines.find(|(_, name)| *name == case).map(|(count, _)| count.parse::<u64>().unwrap())
    };
    let (mut failed, mut shrunk) = (false, false);
    for (case, count) in CASES.iter().zip(counts()) {
        let Some(before) = limit(case.0) else {
            println!("FAILED: {} is not recorded", case.0);
            failed = true;
            continue;
        };
        let growth = count as f64 / before as f64 - 1.0;
        let grown = growth > MOST_GROWTH;
        let mark = if grown { "  FAILED: too many" } else { "" };
        println!("{count:>10} {:+6.1} % {}{mark}", 100.0 * growth, case.0);
        failed |= grown;
        shrunk |= growth < -MOST_GROWTH;
    }
    if failed {
        println!("where this is meant: {RECORD}");
        return ExitCode::FAILURE;
    }
    if shrunk {
        println!("fewer than recorded, which lets as many come back: {RECORD}");
    }
    ExitCode::SUCCESS
}
