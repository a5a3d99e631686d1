//! Modules see only what stands above them in the architecture, and unsafe code has an address.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up; a module may use those before it, and its own.
const LAYERS: [&str; 19] = [
    "error",
    "shape",
    "spacing",
    "scratch",
    "view",
    "executor",
    "math",
    "simd",
    "element",
    "rows",
    "disjoint",
    "tree",
    "distance",
    "activation",
    "loss",
    "surface",
    "metric",
    "capi",
    "lib",
];

/// The floor of the arithmetic: real types, lanes and their functions know each other.
const ARITHMETIC: [&str; 3] = ["math", "simd", "element"];

/// Files that may hold unsafe code.
const UNSAFE: [&str; 23] = [
    "scratch.rs",
    "disjoint.rs",
    "simd/level.rs",
    "simd/half_precision.rs",
    "simd/memory.rs",
    "simd/register.rs",
    "simd/by_turns.rs",
    "simd/vector.rs",
    "simd/shorts.rs",
    "simd/sse2.rs",
    "simd/neon.rs",
    "simd/wasm.rs",
    "simd/avx2.rs",
    "simd/avx512.rs",
    "distance/volume.rs",
    "distance/tile.rs",
    "distance/buffers.rs",
    "loss/output.rs",
    "loss/outgoing.rs",
    "loss/driver.rs",
    "loss/field_maker.rs",
    "loss/masks.rs",
    "capi/",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn each_source(mut check: impl FnMut(&str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 40);
    for path in found {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        check(&name, &fs::read_to_string(&path).unwrap());
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

#[test]
fn imports_go_one_way() {
    each_source(|name, text| {
        let module = name.split('/').next().unwrap().trim_end_matches(".rs");
        let own = layer(module).unwrap_or_else(|| panic!("{name} is in no layer"));
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for rest in line.split("crate::").skip(1) {
                let used: String =
                    rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let Some(used_layer) = layer(&used) else { continue };
                let floor = ARITHMETIC.contains(&module) && ARITHMETIC.contains(&used.as_str());
                assert!(used_layer <= own || floor, "{name} uses {used}: {line}");
            }
        }
    });
}

#[test]
fn unsafe_code_has_an_address() {
    each_source(|name, text| {
        let holds = text.lines().any(|line| {
            let code = line.split("//").next().unwrap();
            code.contains("unsafe ") && !code.contains("unsafe_code")
        });
        let allowed = UNSAFE.iter().any(|place| name.starts_with(place));
        assert!(!holds || allowed, "{name} holds unsafe code");
    });
}
