//! What is written: tables, files, pictures, summaries.

use super::image_files::{Nifti, gzip};
use super::{
    csv_lines, folder, json, near, number, refuses, run, says, small_pair, succeeds, text, write,
};
use serde_json::Value;
use std::fs;

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
    assert_eq!(results["refused"][0]["case"], "b");
    write(&folder, "references/a.npy", "");
    says(&refuses(&plain), &["one name"]);
}

#[test]
fn help_tells_the_conventions() {
    let help = succeeds(&["--help"]);
    says(&help, &["Usage", "monai", "deepmind", "medpy", "metrics-reloaded", "--tolerances"]);
}
