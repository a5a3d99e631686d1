//! Metrics against recorded values: golden files, and real label maps with their trees.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/data.rs"]
mod data;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/volume.rs"]
mod volume;

use data::shared;
use maps::{Maps, TableRow};
use segloss::{
    LabelPair, LabelTree, OverlapCounts, OverlapMetric, Spacing, collapse_labels, count_overlap,
    count_tree_overlap,
};
use std::fs;
use volume::{TreeFile, read_table};

fn count(pair: &LabelPair<'_>) -> Vec<OverlapCounts> {
    let mut counts = vec![OverlapCounts::default(); pair.classes];
    count_overlap(pair, None, &mut counts).unwrap();
    counts
}

fn is_of(row: &TableRow, names: &TableRow) -> bool {
    ["prediction", "reference"].iter().all(|&side| row[side] == names[side])
}

fn assert_is_row(own: &OverlapCounts, row: &TableRow) {
    let number = |column: &str| row[column].parse::<u64>().unwrap();
    assert_eq!(own.true_positive, number("n_intersection"), "{row:?}");
    assert_eq!(own.true_positive + own.false_negative, number("n_ref"), "{row:?}");
    assert_eq!(own.true_positive + own.false_positive, number("n_pred"), "{row:?}");
    let dice = own.score(OverlapMetric::Dice, f64::NAN);
    let expected = row["dice"].parse().unwrap_or(f64::NAN);
    assert!((dice - expected).abs() < 1e-9 || dice.is_nan() && expected.is_nan(), "{dice} {row:?}");
}

#[test]
fn golden_counts() {
    let Some(folder) = shared("golden") else { return };
    let mut cases = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("metrics_") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let map = |name: &str| -> Vec<u8> {
            let values = json[name]["values"].as_array().unwrap();
            values.iter().map(|value| value.as_u64().unwrap() as u8).collect()
        };
        let shape = json["prediction"]["shape"].as_array().unwrap();
        let extent: Vec<usize> = shape.iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let (prediction, reference) = (map("prediction"), map("reference"));
        let pair = LabelPair {
            extent: &extent,
            spacing: Spacing::voxels(extent.len()).unwrap(),
            classes: 2,
            prediction: prediction[..].into(),
            reference: reference[..].into(),
            ignore: None,
        };
        let expected = |name: &str| json["overlap"][name].as_u64().unwrap();
        let expected = OverlapCounts {
            true_positive: expected("true_positive"),
            false_positive: expected("false_positive"),
            false_negative: expected("false_negative"),
            true_negative: expected("true_negative"),
        };
        assert_eq!(count(&pair)[1], expected, "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 5, "{cases} golden cases");
}

#[test]
fn real_label_maps() {
    let Some(folder) = shared("data") else { return };
    let table = read_table(&folder, "expected_metrics.csv");
    let mut rows = 0;
    for names in &read_table(&folder, "pairs.csv") {
        let maps = Maps::read(&folder, names);
        // Labels as the files hold them: a class for every byte.
        let found = count(&maps.pair(256, &maps.prediction[..], &maps.reference[..]));
        for row in table.iter().filter(|row| is_of(row, names)) {
            assert_is_row(&found[row["label"].parse::<usize>().unwrap()], row);
            rows += 1;
        }
        let total: u64 = found.iter().map(|own| own.true_positive + own.false_negative).sum();
        assert_eq!(total, maps.extent.iter().product::<usize>() as u64);
    }
    assert_eq!(rows, table.len());
    assert!(rows > 400, "{rows} rows");
}

/// Counts of every node, and the same again by collapsing the maps to every level.
#[test]
fn real_label_trees() {
    let Some(folder) = shared("data") else { return };
    let table = read_table(&folder, "expected_tree_counts.csv");
    let mut rows = 0;
    for names in &read_table(&folder, "pairs.csv") {
        let mut trees: Vec<&String> =
            table.iter().filter(|row| is_of(row, names)).map(|row| &row["tree"]).collect();
        trees.dedup();
        for tree_name in trees {
            let maps = Maps::read(&folder, names);
            let file = TreeFile::read(&folder, tree_name);
            let leaves: Vec<i32> = file.leaf_of_class.iter().map(|&leaf| leaf as i32).collect();
            let (nodes, classes) = (file.parent.len(), leaves.len());
            let mut storage = vec![0; LabelTree::storage_bytes(nodes, classes).unwrap()];
            let tree = LabelTree::new(&file.parent, None, &leaves, &mut storage).unwrap();
            let to_classes = |labels: &[u8]| -> Vec<u16> {
                labels.iter().map(|&label| file.class_of(label) as u16).collect()
            };
            let (prediction, reference) =
                (to_classes(&maps.prediction), to_classes(&maps.reference));
            let pair = maps.pair(classes, &prediction[..], &reference[..]);
            let mut found = vec![OverlapCounts::default(); nodes];
            let distances = count_tree_overlap(&pair, &tree, &mut found).unwrap();
            assert_eq!(distances.counted_voxels, prediction.len() as u64);
            let slow = prediction.iter().zip(&reference);
            let slow = slow.map(|(&p, &r)| tree.distance(usize::from(p), usize::from(r)));
            assert_eq!(distances.total_distance, slow.sum::<f64>(), "{names:?}");
            for row in table.iter().filter(|row| is_of(row, names) && &row["tree"] == tree_name) {
                let node: usize = row["node_id"].parse().unwrap();
                assert_eq!(row["node_name"].trim_matches('"'), file.names[node]);
                assert_is_row(&found[node], row);
                rows += 1;
            }
            for depth in 0..=tree.max_depth() {
                let mut collapsed = [vec![0; prediction.len()], vec![0; prediction.len()]];
                for (to, from) in collapsed.iter_mut().zip([&prediction, &reference]) {
                    collapse_labels(&tree, depth, from[..].into(), None, to).unwrap();
                }
                let level = count(&maps.pair(nodes, &collapsed[0][..], &collapsed[1][..]));
                for (node, (own, level)) in found.iter().zip(&level).enumerate() {
                    let leaf = file.leaf_of_class.contains(&node);
                    let at_level = tree.depth(node).unwrap();
                    if at_level == depth || leaf && at_level < depth {
                        assert_eq!(own, level, "{tree_name} {node}");
                    }
                }
            }
        }
    }
    assert_eq!(rows, table.len());
    assert!(rows > 500, "{rows} rows");
}
