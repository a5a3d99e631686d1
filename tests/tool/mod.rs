//! Runs the tool, and reads what it wrote.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

pub mod image_files;
mod output;
mod reading;
mod refusals;

use image_files::Nifti;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// The tool, built as this test is.
static TOOL: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--example",
        "evaluate",
    ]);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    if profile == "release" {
        cargo.arg("--release");
    }
    cargo.env("CARGO_TARGET_DIR", target).env_remove("CARGO_BUILD_TARGET");
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join(profile).join("examples").join("evaluate")
});

/// An empty folder of a test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluate_tool").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    text(&path)
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_string()
}

pub fn run(arguments: &[&str]) -> Output {
    Command::new(&*TOOL).args(arguments).output().unwrap()
}

/// What a run prints that must succeed.
pub fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a run that must be refused.
pub fn refuses(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[track_caller]
pub fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
}

/// The JSON of a run that must succeed.
pub fn json(folder: &Path, arguments: &[&str]) -> Value {
    let file = text(&folder.join("out.json"));
    succeeds(&[arguments, &["--json", &file]].concat());
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

#[track_caller]
pub fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-3), "{found} {expected}");
}

/// Lines of a CSV file as maps.
pub fn csv_lines(path: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// A prediction and a reference of 6 x 5 x 4 voxels (x, y, z) with two classes.
pub fn small_pair() -> (Nifti, Nifti) {
    let map = |shift: usize| {
        let voxels = (0..120).map(|index| {
            let (x, y, z) = (index % 6, index / 6 % 5, index / 30);
            let one = (1..4).contains(&(x + 1 - shift)) && (1..4).contains(&y) && z > 0;
            f64::from(u8::from(one) + 2 * u8::from(x == 5 && y > shift))
        });
        Nifti { pixdim: [0.5, 0.75, 3.0], ..Nifti::new(&[6, 5, 4], &voxels.collect::<Vec<_>>()) }
    };
    (map(1), map(0))
}
