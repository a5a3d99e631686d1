//! The command-line tool of `examples/evaluate` as people run it: exit status, messages, files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/data.rs"]
mod data;
#[path = "support/image_files.rs"]
mod image_files;

use image_files::{DATA_OFFSET, KINDS, Kind, Nifti, gzip, npy};
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
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("evaluate_tool").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    text(&path)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_string()
}

fn run(arguments: &[&str]) -> Output {
    Command::new(&*TOOL).args(arguments).output().unwrap()
}

/// What a run prints that must succeed.
fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a run that must be refused.
fn refuses(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
}

/// The JSON of a run that must succeed.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let file = text(&folder.join("out.json"));
    succeeds(&[arguments, &["--json", &file]].concat());
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

#[track_caller]
fn near(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs().max(1e-3), "{found} {expected}");
}

/// Lines of a CSV file as maps.
fn csv_lines(path: &Path) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// A prediction and a reference of 6 x 5 x 4 voxels (x, y, z) with two classes.
fn small_pair() -> (Nifti, Nifti) {
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

/// Pairs whose two maps are there as they were published, and the tree of the reference.
fn original_pairs(data: &Path) -> Vec<(String, String, Option<String>)> {
    let description = |name: &str| -> Value {
        let text = fs::read_to_string(data.join(format!("{name}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let published = |name: &str| {
        let file = format!("originals/{name}.nii.gz");
        description(name)["source"]["original_file"] == file && data.join(file).is_file()
    };
    let lines = csv_lines(&data.join("pairs.csv")).into_iter();
    let names = lines.map(|line| (line["prediction"].clone(), line["reference"].clone()));
    let whole =
        names.filter(|(prediction, reference)| published(prediction) && published(reference));
    whole
        .map(|(prediction, reference)| {
            let tree = description(&reference)["label_tree"].as_str().map(str::to_string);
            (prediction, reference, tree)
        })
        .collect()
}

/// The stored volumes were turned and cropped without touching a structure, so that counts and
/// distances of the originals are theirs.
#[test]
fn originals_agree_with_the_expected_metrics() {
    let Some(data) = data::shared("data") else { return };
    let folder = folder("originals");
    let expected = csv_lines(&data.join("expected_metrics.csv"));
    let nodes = csv_lines(&data.join("expected_tree_counts.csv"));
    let pairs = original_pairs(&data);
    assert!(pairs.len() >= 9, "{pairs:?}");
    for (prediction, reference, tree) in &pairs {
        let of_pair = |line: &&HashMap<String, String>| {
            line["prediction"] == *prediction && line["reference"] == *reference
        };
        let file = |name: &str| text(&data.join(format!("originals/{name}.nii.gz")));
        let files = [file(prediction), file(reference)];
        let mut arguments: Vec<&str> = files.iter().map(String::as_str).collect();
        let tree_file = tree.as_ref().map(|tree| text(&data.join(tree)));
        if let Some(tree) = &tree_file {
            arguments.extend(["--tree", tree]);
        }
        let results = json(&folder, &arguments);
        let case = &results["cases"][0];
        let classes = case["classes"].as_array().unwrap();
        let expected: Vec<_> = expected.iter().filter(of_pair).collect();
        assert_eq!(classes.len(), expected.len(), "{prediction}");
        for line in expected {
            let label = line["label"].parse::<i64>().unwrap();
            let class = classes.iter().find(|class| class["label"] == label).unwrap();
            check_class(class, line);
        }
        for line in nodes.iter().filter(of_pair) {
            let (node, name) = (line["node_id"].parse::<i64>().unwrap(), &line["node_name"]);
            let rows = case["nodes"].as_array().unwrap().iter().chain(classes);
            let Some(row) = rows.into_iter().find(|row| row["node"] == node) else {
                let nowhere = line["n_ref"] == "0" && line["n_pred"] == "0";
                assert!(nowhere || name == "root" || name == "background", "{name}");
                continue;
            };
            assert_eq!(row["name"], name.as_str());
            check_counts(row, line);
        }
    }
}

fn check_counts(row: &Value, line: &HashMap<String, String>) {
    for (key, column) in [
        ("reference_voxels", "n_ref"),
        ("prediction_voxels", "n_pred"),
        ("common_voxels", "n_intersection"),
    ] {
        assert_eq!(row[key].to_string(), line[column], "{key} of {}", row["name"]);
    }
    near(number(row, "dice"), line["dice"].parse().unwrap(), 1e-6);
}

fn check_class(class: &Value, line: &HashMap<String, String>) {
    check_counts(class, line);
    let one_sided = line["hd_mm"].is_empty();
    assert_eq!(class["state"] != "both present", one_sided, "{class}");
    for key in ["hd_mm", "hd95_mm", "assd_mm"] {
        match line[key].parse::<f64>() {
            Ok(expected) => {
                // The file has six digits behind the point.
                let error = (number(class, key) - expected).abs();
                assert!(error <= 6e-7 + 1e-6 * expected, "{key}: {expected}, {class}");
            }
            Err(_) => assert!(class[key].is_null(), "{key} {class}"),
        }
    }
    for (key, column) in
        [("reference_surface", "n_border_ref"), ("prediction_surface", "n_border_pred")]
    {
        if !one_sided {
            assert_eq!(number(class, key).to_string(), line[column], "{class}");
        }
    }
}

/// Numbers from medpy 0.5.2 and surface-distance 0.1 for two classes of one pair.
#[test]
fn conventions_are_those_of_the_tools() {
    let Some(data) = data::shared("data") else { return };
    let folder = folder("conventions");
    let file = |name: &str| text(&data.join(format!("originals/glioma_a_{name}.nii.gz")));
    let (prediction, reference) = (file("pred_scan"), file("ref"));
    let class = |tool: &[&str], label: i64| {
        let files = [prediction.as_str(), &reference, "--tolerances", "1"];
        let results = json(&folder, &[&files[..], tool].concat());
        let classes = results["cases"][0]["classes"].as_array().unwrap().clone();
        classes.into_iter().find(|class| class["label"] == label).unwrap()
    };
    let plain = class(&[], 1);
    assert_eq!(plain, class(&["--like", "monai"], 1));
    assert_eq!(plain, class(&["--like", "metrics-reloaded"], 1));
    near(number(&plain, "hd95_mm"), 4.0, 1e-6);

    let medpy = class(&["--like", "medpy"], 1);
    near(number(&medpy, "hd95_mm"), 3.0, 1e-6);
    near(number(&medpy, "hd_mm"), 7.874_007_874, 1e-6);
    near(number(&medpy, "assd_mm"), 0.723_421_746, 1e-6);
    near(number(&medpy, "mean_prediction_to_reference_mm"), 0.941_559_344, 1e-6);

    for (label, [hd95, hd, to_prediction, to_reference, nsd, area]) in [
        (
            1,
            [
                3.605_551_275,
                7.141_428_429,
                0.195_909_891,
                0.684_175_374,
                0.888_635_575,
                2_228.905_699,
            ],
        ),
        (4, [1.0, 5.656_854_249, 0.214_164_560, 0.141_747_853, 0.990_469_784, 3_172.087_757]),
    ] {
        let deepmind = class(&["--like", "deepmind"], label);
        near(number(&deepmind, "hd95_mm"), hd95, 1e-6);
        near(number(&deepmind, "hd_mm"), hd, 1e-6);
        near(number(&deepmind, "mean_reference_to_prediction_mm"), to_prediction, 1e-6);
        near(number(&deepmind, "mean_prediction_to_reference_mm"), to_reference, 1e-6);
        near(number(&deepmind, "nsd_1mm"), nsd, 1e-6);
        near(number(&deepmind, "reference_surface"), area, 1e-6);
    }
}

/// One pair in every element type, byte order and packing, scaled or not.
#[test]
fn files_of_every_type_say_the_same() {
    let folder = folder("types");
    let (prediction, reference) = small_pair();
    let reference_file = write(&folder, "reference.nii", reference.bytes());
    let classes = |name: &str, bytes: Vec<u8>, more: &[&str]| {
        let file = write(&folder, name, bytes);
        let results = json(&folder, &[&[&file, reference_file.as_str()], more].concat());
        results["cases"][0]["classes"].clone()
    };
    let expected = classes("plain.nii", prediction.bytes(), &[]);
    assert_eq!(expected.as_array().unwrap().len(), 2);
    for kind in KINDS {
        for big in [false, true] {
            let file = Nifti { kind, big, ..prediction.clone() };
            assert_eq!(classes("other.nii", file.bytes(), &[]), expected, "{kind:?} {big}");
            assert_eq!(classes("other.nii.gz", gzip(&file.bytes()), &[]), expected, "{kind:?}");
        }
    }
    // What is packed is known by its first bytes, not by its name.
    assert_eq!(classes("packed.nii", gzip(&prediction.bytes()), &[]), expected);
    // 255 is stored for label 2, as tools do that scale to the whole range.
    let values = prediction.values.iter().map(|value| (value * 127.5).round());
    let values: Vec<f64> = values.map(|value| if value == 128.0 { 127.0 } else { value }).collect();
    let slope = 1.0 / 127.5;
    let off = Nifti { values: values.clone(), slope, ..prediction.clone() };
    says(&refuses(&[&write(&folder, "off.nii", off.bytes()), &reference_file]), &["is no label"]);
    let values = prediction.values.iter().map(|value| value * 50.0 + 10.0).collect();
    let scaled = Nifti { values, slope: 0.02, intercept: -0.2, ..prediction.clone() };
    assert_eq!(classes("scaled.nii", scaled.bytes(), &[]), expected);
    // Metres and micrometres.
    for (units, factor) in [(1, 1e-3), (3, 1e3), (0, 1.0)] {
        let pixdim = prediction.pixdim.map(|step| step * factor);
        let file = Nifti { units, pixdim, ..prediction.clone() };
        let found = classes("units.nii", file.bytes(), &[]);
        near(number(&found[0], "hd_mm"), number(&expected[0], "hd_mm"), 1e-6);
    }
    let spaced = classes("plain.nii", prediction.bytes(), &["--spacing", "6,1.5,1"]);
    assert_eq!(number(&spaced[0], "hd_mm"), 2.0 * number(&expected[0], "hd_mm"));
}

/// NumPy's files in both orders, against the NIfTI file of the same labels.
#[test]
fn npy_files_agree_with_nifti() {
    let folder = folder("npy");
    let (prediction, reference) = small_pair();
    let nifti =
        [write(&folder, "p.nii", prediction.bytes()), write(&folder, "r.nii", reference.bytes())];
    let expected = &json(&folder, &[&nifti[0], &nifti[1]])["cases"][0]["classes"];
    let shape = [4, 5, 6];
    let fortran = |values: &[f64]| -> Vec<f64> {
        let places = (0..120).map(|place| {
            let (z, y, x) = (place % 4, place / 4 % 5, place / 20);
            values[(z * 5 + y) * 6 + x]
        });
        places.collect()
    };
    for kind in KINDS {
        for big in [false, true] {
            let first = npy(&shape, false, kind, big, &prediction.values);
            let second = npy(&shape, true, kind, big, &fortran(&reference.values));
            let files = [write(&folder, "p.npy", first), write(&folder, "r.npy", second)];
            let found = json(&folder, &[&files[0], &files[1], "--spacing", "3,0.75,0.5"]);
            assert_eq!(&found["cases"][0]["classes"], expected, "{kind:?} {big}");
        }
    }
    let file = write(&folder, "p.npy", npy(&shape, false, Kind::I16, false, &prediction.values));
    says(&refuses(&[&file, &file]), &["--spacing"]);
    says(&refuses(&[&file, &file, "--spacing", "1,2"]), &["2 spacings for 3 axes"]);
    let bytes = fs::read(&file).unwrap();
    for length in [0, 5, 9, 40, 100, bytes.len() - 1] {
        let file = write(&folder, "cut.npy", &bytes[..length]);
        says(&refuses(&[&file, &file, "--spacing", "1,1,1"]), &["cut.npy"]);
    }
    let huge = npy(&[usize::MAX, 4], false, Kind::U8, false, &[0.0]);
    let file = write(&folder, "huge.npy", huge);
    refuses(&[&file, &file, "--spacing", "1,1"]);
    let complex = String::from_utf8_lossy(&bytes[..64]).into_owned();
    assert!(complex.contains("i2"));
    let text = bytes.iter().map(|&byte| if byte == b'i' { b'c' } else { byte });
    let file = write(&folder, "complex.npy", text.collect::<Vec<_>>());
    refuses(&[&file, &file, "--spacing", "1,1,1"]);
}

/// Pairs that do not lie on one grid, with both values.
#[test]
fn differing_grids_are_refused() {
    let folder = folder("grids");
    let (prediction, reference) = small_pair();
    let reference_file = write(&folder, "reference.nii", reference.bytes());
    let against =
        |file: &Nifti| refuses(&[&write(&folder, "prediction.nii", file.bytes()), &reference_file]);
    let shape = Nifti { dim: vec![5, 6, 4], ..prediction.clone() };
    says(&against(&shape), &["shapes differ", "4x6x5", "4x5x6"]);
    let spacing = Nifti { pixdim: [0.5, 0.75, 3.01], ..prediction.clone() };
    says(&against(&spacing), &["spacings differ", "3.01", "3x0.75x0.5"]);
    let near = Nifti { pixdim: [0.5, 0.75, 3.0 + 1e-4], ..prediction.clone() };
    let near = write(&folder, "near.nii", near.bytes());
    succeeds(&[&near, &reference_file]);
    let moved = Nifti { qform: Some([0.0, 0.0, 0.0, 0.0, 0.01, 0.0]), ..prediction.clone() };
    says(&against(&moved), &["affines differ in row 1, column 3", "0.01"]);
    let mirrored = Nifti { qfac: -1.0, ..prediction.clone() };
    says(&against(&mirrored), &["affines differ in row 2, column 2"]);
    // The same orientation as sform and as qform: half a turn about z.
    let turned =
        |file: &Nifti| Nifti { qform: Some([0.0, 0.0, 1.0, 7.0, 8.0, 9.0]), ..file.clone() };
    let sform = [[-0.5, 0.0, 0.0, 7.0], [0.0, -0.75, 0.0, 8.0], [0.0, 0.0, 3.0, 9.0]];
    let as_sform = Nifti { sform: Some(sform), qform: None, ..reference.clone() };
    succeeds(&[
        &write(&folder, "qform.nii", turned(&prediction).bytes()),
        &write(&folder, "sform.nii", as_sform.bytes()),
    ]);
    let blank = Nifti { qform: None, ..prediction.clone() };
    let blank = run(&[&write(&folder, "blank.nii", blank.bytes()), &reference_file]);
    assert!(blank.status.success());
    says(&String::from_utf8_lossy(&blank.stderr), &["warning", "no orientation"]);
}

#[test]
fn bad_files_and_options_are_refused() {
    let folder = folder("refusals");
    let (prediction, _) = small_pair();
    let good = write(&folder, "good.nii", prediction.bytes());
    says(&refuses(&[&good]), &["REFERENCE"]);
    says(&refuses(&[&good, &good, "--speed", "9"]), &["--speed"]);
    says(&refuses(&[&good, &good, "--like", "itk"]), &["itk", "metrics-reloaded"]);
    says(&refuses(&[&good, &good, "--percentiles", "95,101"]), &["101", "0 to 100"]);
    says(&refuses(&[&good, &good, "--tolerances", "-1"]), &["-1"]);
    says(&refuses(&[&good, &good, "--tolerances", "nan"]), &["nan"]);
    says(&refuses(&[&good, &good, "--spacing", "1,0,1"]), &["\"0\""]);
    says(&refuses(&[&good, &good, "--threads", "0"]), &["0"]);
    says(&refuses(&[&good, "nowhere.nii"]), &["nowhere.nii: no such file"]);
    says(&refuses(&[&good, &text(&folder)]), &["folder"]);
    says(&refuses(&[&good, &write(&folder, "a.txt", "x")]), &["a.txt", "not a .nii"]);
    says(&refuses(&[&good, &good, "--json", "/nowhere/x.json"]), &["/nowhere/x.json"]);
    says(&refuses(&[&good, &good, "--csv", "/nowhere/x.csv"]), &["/nowhere/x.csv"]);
    says(&refuses(&[&good, &good, "--picture", "/nowhere/x.svg"]), &["/nowhere/x.svg"]);

    let bad = |name: &str, bytes: Vec<u8>, words: &[&str]| {
        let file = write(&folder, name, bytes);
        let message = refuses(&[&file, &good]);
        says(&message, words);
        says(&message, &[name]);
    };
    let bytes = prediction.bytes();
    bad("garbage.nii", b"no image at all".repeat(99), &["not a NIfTI file"]);
    bad("empty.nii", Vec::new(), &["shorter than a NIfTI header"]);
    bad("cut.nii", bytes[..bytes.len() - 1].to_vec(), &["cut off"]);
    let packed = gzip(&bytes);
    bad("cut.nii.gz", packed[..packed.len() / 2].to_vec(), &["cut.nii.gz"]);
    let mut flipped = packed.clone();
    let checksum = flipped.len() - 6;
    flipped[checksum] ^= 1;
    bad("flipped.nii.gz", flipped, &["damaged"]);

    let patched = |offset: usize, bytes: &[u8]| {
        let mut file = prediction.bytes();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        file
    };
    bad("second.nii", patched(0, &540i32.to_le_bytes()), &["NIfTI-2"]);
    bad("pair.nii", patched(344, b"ni1\0"), &["another file"]);
    bad("bits.nii", patched(72, &16i16.to_le_bytes()), &["bitpix is 16"]);
    bad("colour.nii", [patched(70, &128i16.to_le_bytes())].concat(), &["bitpix"]);
    bad("unit.nii", patched(123, &[7]), &["xyzt_units"]);
    bad("flat.nii", patched(80, &0f32.to_le_bytes()), &["pixdim[1]", "--spacing"]);
    bad("nan.nii", patched(84, &f32::NAN.to_le_bytes()), &["pixdim[2]"]);
    bad("offset.nii", patched(108, &(-1f32).to_le_bytes()), &["vox_offset"]);
    bad("far.nii", patched(108, &1e9f32.to_le_bytes()), &["cut off"]);
    let time = Nifti { dim: vec![6, 5, 2, 2], ..prediction.clone() };
    bad("time.nii", time.bytes(), &["4 axes"]);
    let long = [patched(42, &30000i16.to_le_bytes())].concat();
    bad("long.nii", long, &["cut off"]);

    let float = |value: f64| {
        let mut file = Nifti { kind: Kind::F32, ..prediction.clone() };
        file.values[6 * 5 * 2 + 6 * 3 + 4] = value;
        file.bytes()
    };
    bad("half.nii", float(0.5), &["0.5 is no label", "[2, 3, 4]"]);
    bad("none.nii", float(f64::NAN), &["NaN", "[2, 3, 4]"]);
    bad("large.nii", float(1e10), &["too large"]);
    let many = Nifti {
        kind: Kind::I32,
        ..Nifti::new(&[100, 100], &(0..10000).map(f64::from).collect::<Vec<_>>())
    };
    let file = write(&folder, "image.nii", many.bytes());
    says(&refuses(&[&file, &file]), &["4096 labels"]);
}

/// Headers with one wrong byte, and files of every length, are measured or refused.
#[test]
fn damaged_headers_never_crash() {
    let folder = folder("damaged");
    let (prediction, reference) = small_pair();
    let reference = write(&folder, "reference.nii", reference.bytes());
    let bytes = prediction.bytes();
    let survives = |bytes: &[u8], what: &str| {
        let output = run(&[&write(&folder, "damaged.nii", bytes), &reference]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{what}: {errors}");
        assert_eq!(output.status.code() == Some(1), errors.contains("error:"), "{what}: {errors}");
    };
    for offset in 0..DATA_OFFSET {
        // Fields that hold text alone.
        if (4..40).contains(&offset) || (148..252).contains(&offset) {
            continue;
        }
        for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[offset] = value;
            survives(&damaged, &format!("byte {offset} = {value}"));
        }
    }
    for length in (0..bytes.len()).step_by(23) {
        survives(&bytes[..length], &format!("{length} bytes"));
    }
}

#[test]
fn trees_are_checked() {
    let folder = folder("trees");
    let (prediction, reference) = small_pair();
    let files =
        [write(&folder, "p.nii", prediction.bytes()), write(&folder, "r.nii", reference.bytes())];
    let with = |lines: &str| {
        let tree =
            write(&folder, "tree.csv", format!("node_id,parent_id,name,leaf_label\n{lines}"));
        [files[0].clone(), files[1].clone(), "--tree".to_string(), tree]
    };
    let refused = |lines: &str, words: &[&str]| {
        let arguments = with(lines);
        says(&refuses(&arguments.each_ref().map(String::as_str)), words);
    };
    refused("0,-1,root,\n1,0,background,0\n2,0,one,1\n", &["label 2 has no leaf", "prediction"]);
    refused("0,-1,root,\n1,0,background,0\n2,0,one,1\n3,0,two,\n", &["leaf", "two"]);
    refused("0,-1,root,\n1,0,background,0\n1,0,one,1\n", &["node 1", "twice"]);
    refused("0,-1,root,\n1,7,background,0\n", &["parent 7"]);
    refused("0,-1,root,\n1,0,a,0\n2,0,b,0\n", &["two leaves have label 0"]);
    refused("0,-1,root,\n1,0,a,zero\n", &["line 3", "\"zero\""]);
    refused("0,-1,root,\n1,2,a,\n2,1,b,\n3,0,c,0\n", &["ancestor"]);
    refused("", &["root"]);
    refused("0,-1\n", &["line: 2"]);

    let good = with(
        "10,-1,root,\n11,10,background,0\n12,10,\"both, together\",\n13,12,one,1\n14,12,two,2\n",
    );
    let good = good.each_ref().map(String::as_str);
    let results = json(&folder, &good);
    let case = &results["cases"][0];
    assert_eq!(case["nodes"][0]["name"], "both, together");
    assert_eq!(case["classes"][1]["name"], "two");
    assert!(number(&case["nodes"][0], "hd_mm") > 0.0);
    assert!(number(case, "mean_tree_distance") > 0.0);
    let printed = succeeds(&good);
    says(&printed, &["both, together", "  one", "  two", "mean tree distance"]);
}

/// One class on one side alone, an ignored label, the background.
#[test]
fn undefined_numbers_have_a_reason() {
    let folder = folder("undefined");
    let (prediction, mut reference) = small_pair();
    reference.values.iter_mut().for_each(|value| *value = if *value == 2.0 { 7.0 } else { *value });
    let files =
        [write(&folder, "p.nii", prediction.bytes()), write(&folder, "r.nii", reference.bytes())];
    let arguments = [files[0].as_str(), &files[1], "--tolerances", "1"];
    let printed = succeeds(&arguments);
    says(&printed, &["prediction empty", "reference empty", " -", "NSD@1"]);
    assert!(!printed.contains("NaN") && !printed.contains("inf"), "{printed}");
    let results = json(&folder, &arguments);
    let class = &results["cases"][0]["classes"][1];
    assert_eq!((&class["label"], &class["state"]), (&2.into(), &"reference empty".into()));
    assert!(class["hd_mm"].is_null());
    assert_eq!(number(class, "nsd_1mm"), 0.0);

    let ignored = json(&folder, &[&arguments[..], &["--ignore", "7"]].concat());
    let classes = ignored["cases"][0]["classes"].as_array().unwrap();
    // Class 2 was predicted nowhere else.
    assert_eq!(classes.len(), 1);
    assert_eq!(classes[0]["assd_mm"], results["cases"][0]["classes"][0]["assd_mm"]);
    let counted = json(&folder, &[&arguments[..], &["--include-background"]].concat());
    let classes = counted["cases"][0]["classes"].as_array().unwrap();
    assert_eq!(classes[0]["label"], 0);
    assert!(number(&classes[0], "hd_mm") > 0.0);
    let empty = Nifti::new(&[6, 5, 4], &[0.0; 120]);
    let empty = write(&folder, "empty.nii", Nifti { pixdim: [0.5, 0.75, 3.0], ..empty }.bytes());
    let picture = text(&folder.join("empty.svg"));
    says(&succeeds(&[&empty, &empty, "--picture", &picture]), &["0 classes"]);
}

/// A picture is drawn of volumes, planes and lines, with what XML must not hold in the names.
#[test]
fn pictures_are_drawn() {
    let folder = folder("pictures");
    let lines = "0,-1,root,\n1,0,background,0\n2,0,<a & \"b\">,1\n3,0,two,2\n";
    let tree =
        format!("node_id,parent_id,name,leaf_label\n{}", lines.replace("<a & \"b\">", "<a & b>"));
    let tree = write(&folder, "tree.csv", tree);
    let (prediction, reference) = small_pair();
    for dim in [&[6, 5, 4][..], &[6, 20], &[120], &[6, 1, 20], &[1, 1, 120]] {
        let shaped = |file: &Nifti| Nifti { dim: dim.to_vec(), ..file.clone() }.bytes();
        let files = [
            write(&folder, "p.nii", shaped(&prediction)),
            write(&folder, "r.nii", shaped(&reference)),
        ];
        let picture = folder.join("picture.svg");
        let path = text(&picture);
        let arguments = [&files[0], &files[1], "--tree", &tree, "--picture", &path, "--image"];
        succeeds(&[&arguments[..], &[&files[1]]].concat());
        let drawn = fs::read_to_string(&picture).unwrap();
        says(&drawn, &["<svg", "</svg>", "&lt;a &amp; b&gt;", "two", "data:image/png;base64,"]);
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
    }
}

/// Folders: cases by name, a summary, every line in the CSV, and refused cases named.
#[test]
fn folders_are_matched_by_name() {
    let folder = folder("folders");
    let (prediction, reference) = small_pair();
    for name in ["a.nii", "b.nii.gz", "c.nii"] {
        let pack = |file: &Nifti| {
            let bytes = file.bytes();
            if name.ends_with("gz") { gzip(&bytes) } else { bytes }
        };
        write(&folder, &format!("predictions/{name}"), pack(&prediction));
        write(&folder, &format!("references/{}", name.replace(".gz", "")), pack(&reference));
    }
    write(&folder, "predictions/notes.txt", "not a label map");
    let folders = [text(&folder.join("predictions")), text(&folder.join("references"))];
    let csv = folder.join("out.csv");
    let csv_path = text(&csv);
    let plain = [folders[0].as_str(), &folders[1], "--csv", &csv_path];
    for threads in ["1", "2", "16"] {
        let results = json(&folder, &[&plain[..], &["--threads", threads]].concat());
        let cases = results["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        assert!(cases.iter().all(|case| case["classes"] == cases[0]["classes"]));
        let summary = &results["summary"][0];
        assert_eq!(summary["cases"], 3);
        near(number(&summary["metrics"]["dice"], "standard_deviation"), 0.0, 1e-12);
        let lines = csv_lines(&csv);
        assert_eq!(lines.len(), 6);
        let names: Vec<_> = lines.iter().map(|line| line["case"].as_str()).collect();
        assert_eq!(names, ["a", "a", "b", "b", "c", "c"]);
        let dice = number(&cases[0]["classes"][0], "dice").to_string();
        assert_eq!(lines[0]["dice"], dice);
    }
    says(&succeeds(&plain), &["Means over the classes", "±", "a", "b", "c"]);

    write(&folder, "predictions/lone.nii", prediction.bytes());
    let output = run(&plain);
    assert!(output.status.success());
    says(&String::from_utf8_lossy(&output.stderr), &["warning", "without a reference: lone"]);
    write(&folder, "references/missed.nii", reference.bytes());
    says(&refuses(&plain), &["without a prediction: missed", "--allow-missing"]);
    succeeds(&[&plain[..], &["--allow-missing"]].concat());

    let shape = Nifti { dim: vec![5, 6, 4], ..reference.clone() };
    write(&folder, "references/b.nii", shape.bytes());
    let results = folder.join("partial.json");
    let path = text(&results);
    let refused = refuses(&[&plain[..], &["--allow-missing", "--json", &path]].concat());
    says(&refused, &["error: b: shapes differ"]);
    let results: Value = serde_json::from_str(&fs::read_to_string(results).unwrap()).unwrap();
    assert_eq!(results["cases"].as_array().unwrap().len(), 2);
    assert_eq!(results["failed"][0]["case"], "b");
    write(&folder, "references/a.npy", "");
    says(&refuses(&plain), &["one name"]);
}

#[test]
fn help_tells_the_conventions() {
    let help = succeeds(&["--help"]);
    says(&help, &["Usage", "monai", "deepmind", "medpy", "metrics-reloaded", "--tolerances"]);
}
