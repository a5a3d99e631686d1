//! Overlap and surface distances of the inner nodes of the tree.

use crate::measure::{Measured, Row, Settings, surfaces};
use crate::tree_file::TreeFile;
use anyhow::Result;
use segloss::{
    Executor, LabelPair, LabelTree, Labels, OverlapCounts, collapse_labels, count_tree_overlap,
};

/// Adds what a case says of the nodes: overlap in one pass, surfaces level by level.
pub(crate) fn measure(
    measured: &mut Measured,
    file: &TreeFile,
    pair: &LabelPair,
    settings: &Settings,
    executor: &dyn Executor,
) -> Result<()> {
    file.with_tree(|tree| {
        let mut counts = vec![OverlapCounts::default(); tree.nodes()];
        measured.tree_distances = Some(count_tree_overlap(pair, tree, &mut counts)?);
        for depth in 1..tree.max_depth() {
            let mut level = rows_at(depth, file, tree, &counts);
            if !level.is_empty() {
                measure_level(&mut level, depth, tree, pair, settings, executor)?;
            }
            measured.nodes.append(&mut level);
        }
        Ok(())
    })
}

/// Inner nodes at a depth that have a voxel in either map.
fn rows_at(depth: usize, file: &TreeFile, tree: &LabelTree, counts: &[OverlapCounts]) -> Vec<Row> {
    let mut inner = vec![true; tree.nodes()];
    for class in 0..tree.classes() {
        if let Some(place) = tree.leaf(class).and_then(|leaf| inner.get_mut(leaf)) {
            *place = false;
        }
    }
    let nodes = inner.into_iter().zip(counts).enumerate();
    let level = nodes.filter(|&(node, (inner, _))| inner && tree.depth(node) == Some(depth));
    let rows = level.map(|(node, (_, &counts))| {
        let name = file.name(node).to_string();
        Row { label: None, node: Some(node), name, counts, surfaces: None }
    });
    rows.filter(|row| row.state() != "both empty").collect()
}

/// Surfaces of the nodes of a level: every voxel becomes a voxel of its ancestor there.
fn measure_level(
    level: &mut [Row],
    depth: usize,
    tree: &LabelTree,
    pair: &LabelPair,
    settings: &Settings,
    executor: &dyn Executor,
) -> Result<()> {
    let collapsed = |labels: Labels| -> Result<Vec<i32>> {
        let mut nodes = vec![0; labels.len()];
        collapse_labels(tree, depth, labels, pair.ignore, &mut nodes)?;
        number_rows(level, tree.nodes(), &mut nodes);
        Ok(nodes)
    };
    let (prediction, reference) = (collapsed(pair.prediction)?, collapsed(pair.reference)?);
    let pair = LabelPair {
        classes: level.len() + 1,
        prediction: Labels::I32(&prediction),
        reference: Labels::I32(&reference),
        ..*pair
    };
    let found = surfaces(settings, &pair, false, executor)?;
    for (row, surfaces) in level.iter_mut().zip(found.into_iter().skip(1)) {
        row.surfaces = Some(surfaces);
    }
    Ok(())
}

/// Node numbers become 1 for the first row, 2 for the second; nodes without a row become 0.
fn number_rows(rows: &[Row], nodes: usize, map: &mut [i32]) {
    let mut class_of_node = vec![0; nodes];
    for (row, class) in rows.iter().zip(1..) {
        if let Some(place) = row.node.and_then(|node| class_of_node.get_mut(node)) {
            *place = class;
        }
    }
    for value in map {
        // The ignore label is no node and stays.
        let node = usize::try_from(*value).ok();
        *value = node.and_then(|node| class_of_node.get(node).copied()).unwrap_or(*value);
    }
}
