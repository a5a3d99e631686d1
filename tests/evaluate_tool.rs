//! The command-line tool of `examples/evaluate` as people run it: exit status, messages, files; here
//! against what other tools find in published label maps.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/data.rs"]
mod data;
mod tool;

use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use tool::{csv_lines, folder, json, near, number, text};

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
