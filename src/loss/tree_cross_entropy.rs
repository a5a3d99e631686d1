//! Tree cross-entropy: `-sum_v omega_v log P_v` along the path to the label.
//!
//! `H_l = -p_l sum_{v above l} omega_v / P_v`: the sum is pushed down the tree from one value per
//! inner node, and the leaf's own share is `-omega`. `P_v` is a sum of probabilities; where it
//! underflows, `p_l / P_v` is the softmax within the subtree and is taken from the scores.
#![forbid(unsafe_code)]

use super::cross_entropy::{own_surprise, surprise};
use super::plan::{Plan, TargetKind, value_of};
use super::sums::BlockSums;
use super::term::TreeCrossEntropy;
use super::tile::{LabelGroup, Tile, weigh_labels};
use crate::element::{LANES, Lanes, Real};
use crate::rows::{BLOCK, Indices, blocks, row, row_mut, rows, rows_mut};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, at};

/// Adds the value of a tile.
#[inline(always)]
pub(crate) fn sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeCrossEntropy<'_>,
    term: usize,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let Some(tree) = &plan.loss.tree else { return };
    let value = if plan.target.dense() {
        dense_value(simd, tree, options.node_weights, tile)
    } else {
        label_value(simd, plan.target, tree, options.node_weights, tile)
    };
    block.add(value_of(term), value);
}

/// Whether an inner node's probability is too small somewhere, so that scores are needed.
#[inline(always)]
pub(crate) fn needs_scores<S: Simd>(simd: S, tile: &Tile<'_, S::Real>) -> bool {
    let one = simd.splat(S::Real::ONE);
    let mut smallest = [one; BLOCK];
    for node in rows(tile.node_probability, tile.lanes) {
        for (e, inverse) in blocks(node).iter().zip(blocks(tile.inverse)) {
            for (smallest, (e, inverse)) in smallest.iter_mut().zip(e.iter().zip(inverse)) {
                *smallest = smallest.smaller(simd.load(e) * simd.load(inverse));
            }
        }
    }
    let small = simd.splat(S::Real::SMALL);
    smallest.into_iter().any(|smallest| S::Vector::any(smallest.less(small)))
}

/// The node of a label.
fn node_of(target: TargetKind, tree: &LabelTree<'_>, label: usize) -> u32 {
    let label = label as u32;
    if target == TargetKind::Nodes { label } else { at(tree.leaf_of_class, label) }
}

/// The inner nodes on the way from a label to the root that have a weight, with their row.
#[inline(always)]
fn weighted_path<'p>(
    target: TargetKind,
    tree: &'p LabelTree<'_>,
    node_weights: &'p [f64],
    label: usize,
) -> impl Iterator<Item = (u32, usize, f64)> + 'p {
    let steps = tree.path(node_of(target, tree, label)).map(|node| {
        let omega = if at(tree.row, node) == NONE { 0.0 } else { at(node_weights, node) };
        (node, at(tree.row, node) as usize, omega)
    });
    steps.filter(|&(_, _, omega)| omega != 0.0)
}

/// What the own class of every voxel weighs, in `spare`: its leaf's weight times the voxel's. A label
/// that is an inner node has none.
#[inline(always)]
fn leaf_factors<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    tile: &mut Tile<'_, S::Real>,
) {
    let (count, numbers) = match target {
        TargetKind::Nodes => (tree.nodes(), &*tile.node_lanes),
        _ => (tile.classes, &*tile.label_lanes),
    };
    let omega = |label: usize| {
        let node = node_of(target, tree, label);
        let leaf = at(tree.class, node) != NONE;
        S::Real::from_f64(if leaf { at(node_weights, node) } else { 0.0 })
    };
    weigh_labels(simd, tile.weight, count, omega, (tile.labels, numbers), tile.spare);
}

/// Largest score below a node and the sum of exponentials over it, at one voxel.
fn subtree_softmax<R: Real>(
    tree: &LabelTree<'_>,
    node: u32,
    scores: &[Lanes<R>],
    voxels: usize,
    voxel: usize,
) -> (R, R) {
    let begin = at(tree.first_leaf, node) as usize;
    let leaves = tree.leaves.get(begin..).unwrap_or_default();
    let leaves = leaves.iter().take(at(tree.leaf_count, node) as usize);
    let flat = scores.as_flattened();
    let score = |class: &u32| flat.get(*class as usize * voxels + voxel).copied();
    let mut maximum = None;
    for z in leaves.clone().filter_map(score) {
        maximum = Some(maximum.map_or(z, |largest: R| largest.larger(z)));
    }
    let maximum = maximum.unwrap_or(R::ZERO);
    let mut sum = R::ZERO;
    for z in leaves.filter_map(score) {
        sum += (z - maximum).exp();
    }
    (maximum, sum)
}

/// A value of a voxel row.
#[inline(always)]
fn voxel_value<R: Real>(row: &[Lanes<R>], voxel: usize) -> R {
    row.as_flattened().get(voxel).copied().unwrap_or(R::ZERO)
}

/// What the scores of a tile say about log-probabilities.
#[derive(Clone, Copy)]
struct Logits<'p, R> {
    scores: &'p [Lanes<R>],
    maximum: &'p [Lanes<R>],
    log_sum: &'p [Lanes<R>],
}

/// `-log P_v` from the scores, at one voxel.
#[cold]
fn subtree_surprise<R: Real>(
    tree: &LabelTree<'_>,
    node: u32,
    logits: Logits<'_, R>,
    voxel: usize,
) -> f64 {
    let Logits { scores, maximum, log_sum } = logits;
    let (largest, sum) = subtree_softmax(tree, node, scores, maximum.len() * LANES, voxel);
    let rest = voxel_value(log_sum, voxel) - sum.ln();
    ((voxel_value(maximum, voxel) - largest) + rest).to_f64()
}

/// `H_l -= factor softmax_v(l)` for the leaves below a node, at one voxel.
#[cold]
fn subtree_pull<R: Real>(
    tree: &LabelTree<'_>,
    node: u32,
    scores: &[Lanes<R>],
    pull: &mut [Lanes<R>],
    (voxels, voxel): (usize, usize),
    factor: R,
) {
    let (maximum, sum) = subtree_softmax(tree, node, scores, voxels, voxel);
    let begin = at(tree.first_leaf, node) as usize;
    let leaves = tree.leaves.get(begin..).unwrap_or_default();
    let (flat, pull) = (scores.as_flattened(), pull.as_flattened_mut());
    for &class in leaves.iter().take(at(tree.leaf_count, node) as usize) {
        let place = class as usize * voxels + voxel;
        if let (Some(pull), Some(&z)) = (pull.get_mut(place), flat.get(place)) {
            *pull = *pull - factor * ((z - maximum).exp() / sum);
        }
    }
}

/// The cross-entropy of the own class, weighed by its leaf, and what the nodes above it add.
#[inline(always)]
fn label_value<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    leaf_factors(simd, target, tree, node_weights, tile);
    let value = own_surprise(simd, tile.spare, tile.log_sum, tile.own_score);
    if tree.rows == 0 {
        return value;
    }
    value + path_value(simd, target, tree, node_weights, tile)
}

/// What the inner nodes above the labels add to the value.
#[inline(always)]
fn path_value<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    tile: &Tile<'_, S::Real>,
) -> f64 {
    let logits = Logits { scores: tile.scores, maximum: tile.maximum, log_sum: tile.log_sum };
    let (small, one) = (simd.splat(S::Real::SMALL), simd.splat(S::Real::ONE));
    let numbers = if target == TargetKind::Nodes { &*tile.node_lanes } else { &*tile.label_lanes };
    let (mut sum, mut rare) = (simd.zero(), 0.0);
    // Weights are few, mostly one: the logarithm of a product takes the place of a sum of many.
    let mut shared = 0.0;
    for (index, inverse) in tile.inverse.iter().enumerate() {
        let Some(group) = LabelGroup::at(tile.labels, numbers, tile.weight, index) else {
            continue;
        };
        let (inverse, weights) = (simd.load(inverse), simd.load(group.weight));
        let mut product = one;
        for (label, same) in Indices::new(simd, group.labels, group.numbers) {
            for (node, row, omega) in weighted_path(target, tree, node_weights, label) {
                let Some(e) = tile.node_probability.get(row * tile.lanes + index) else {
                    continue;
                };
                let p = simd.load(e) * inverse;
                let lost = p.less(small);
                let mut p = Vector::select(same, p, one);
                if S::Vector::any(lost) {
                    let weight = Vector::select(same, weights, simd.zero());
                    let factor = weight * simd.splat(S::Real::from_f64(omega));
                    for (lane, factor) in lost_lanes(simd, lost, factor) {
                        let voxel = index * LANES + lane;
                        rare += factor * subtree_surprise(tree, node, logits, voxel);
                    }
                    p = Vector::select(lost, one, p);
                }
                if omega != shared || S::Vector::any((product * p).less(small)) {
                    let factor = weights * simd.splat(S::Real::from_f64(shared));
                    sum = sum - factor * product.ln();
                    (shared, product) = (omega, one);
                }
                product = product * p;
            }
        }
        let factor = weights * simd.splat(S::Real::from_f64(shared));
        sum = sum - factor * product.ln();
    }
    sum.sum() + rare
}

/// The set lanes of a mask whose factor is not 0, with the factor.
#[cold]
fn lost_lanes<S: Simd>(
    simd: S,
    lost: <S::Vector as Vector>::Mask,
    factor: S::Vector,
) -> impl Iterator<Item = (usize, f64)> {
    let mut factors = [S::Real::ZERO; LANES];
    Vector::select(lost, factor, simd.zero()).store(&mut factors);
    factors.into_iter().map(Real::to_f64).enumerate().filter(|&(_, factor)| factor != 0.0)
}

#[inline(always)]
fn dense_value<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    tile: &Tile<'_, S::Real>,
) -> f64 {
    let logits = Logits { scores: tile.scores, maximum: tile.maximum, log_sum: tile.log_sum };
    let small = simd.splat(S::Real::SMALL);
    let one = simd.splat(S::Real::ONE);
    let mut value = 0.0;
    for (class, (scores, target)) in
        rows(tile.scores, tile.lanes).zip(rows(tile.target, tile.lanes)).enumerate()
    {
        let omega = at(node_weights, at(tree.leaf_of_class, class as u32));
        let mut sum = simd.zero();
        let shared = logits.maximum.iter().zip(logits.log_sum).zip(&*tile.weight);
        for ((score, g), ((maximum, log_sum), w)) in scores.iter().zip(target).zip(shared) {
            let surprise = surprise(simd, score, maximum, log_sum);
            sum = sum + simd.load(w) * simd.load(g) * surprise;
        }
        value += omega * sum.sum();
    }
    for (node, omega) in inner_nodes(tree, node_weights) {
        let (p, g) = node_rows(tree, node, tile);
        let mut sum = simd.zero();
        for ((p, g), w) in p.iter().zip(g).zip(&*tile.weight) {
            let p = simd.load(p);
            let log = Vector::select(p.less(small), one, p).ln();
            sum = sum - simd.load(w) * simd.load(g) * log;
        }
        value += omega * sum.sum();
        for (voxel, factor) in rare_voxels(p, g, tile.weight) {
            value += omega * factor.to_f64() * subtree_surprise(tree, node, logits, voxel);
        }
    }
    value
}

/// Inner nodes with a weight.
fn inner_nodes<'p>(
    tree: &'p LabelTree<'_>,
    node_weights: &'p [f64],
) -> impl Iterator<Item = (u32, f64)> + 'p {
    tree.order
        .iter()
        .map(|&node| (node, at(node_weights, node)))
        .filter(|&(node, omega)| at(tree.row, node) != NONE && omega != 0.0)
}

/// Probability and target of an inner node.
#[inline(always)]
fn node_rows<'r, R>(
    tree: &LabelTree<'_>,
    node: u32,
    tile: &'r Tile<'_, R>,
) -> (&'r [Lanes<R>], &'r [Lanes<R>]) {
    let index = at(tree.row, node) as usize;
    (row(tile.node_probability, index, tile.lanes), row(tile.node_target, index, tile.lanes))
}

/// Voxels whose node probability is too small, with `w G`.
fn rare_voxels<'r, R: Real>(
    p: &'r [Lanes<R>],
    g: &'r [Lanes<R>],
    weight: &'r [Lanes<R>],
) -> impl Iterator<Item = (usize, R)> + 'r {
    let voxels = p.as_flattened().iter().zip(g.as_flattened()).zip(weight.as_flattened());
    voxels
        .enumerate()
        .filter(|(_, ((p, g), w))| **p < R::SMALL && **g * **w > R::ZERO)
        .map(|(voxel, ((_, g), w))| (voxel, *g * *w))
}

/// Adds to `H` of the leaves and to what is pushed down from inner nodes.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeCrossEntropy<'_>,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let Some(tree) = &plan.loss.tree else { return };
    if plan.target.dense() {
        dense_pull(simd, tree, options.node_weights, scale, tile);
    } else {
        leaf_factors(simd, plan.target, tree, options.node_weights, tile);
        let factor = simd.splat(S::Real::from_f64(scale));
        for (pull, weight) in tile.own_pull.iter_mut().zip(&*tile.spare) {
            (simd.load(pull) - factor * simd.load(weight)).store(pull);
        }
        if tree.rows > 0 {
            path_pull(simd, plan.target, tree, options.node_weights, scale, tile);
        }
    }
}

/// Adds to what is pushed down from the inner nodes above the labels.
#[inline(always)]
fn path_pull<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let (voxels, lanes) = (tile.lanes * LANES, tile.lanes);
    let (small, zero) = (simd.splat(S::Real::SMALL), simd.zero());
    let scale = simd.splat(S::Real::from_f64(scale));
    for index in 0..lanes {
        let numbers =
            if target == TargetKind::Nodes { &*tile.node_lanes } else { &*tile.label_lanes };
        let (Some(group), Some(inverse)) =
            (LabelGroup::at(tile.labels, numbers, tile.weight, index), tile.inverse.get(index))
        else {
            continue;
        };
        let inverse = simd.load(inverse);
        let mut lost_steps = 0;
        for (label, same) in Indices::new(simd, group.labels, group.numbers) {
            let weight = Vector::select(same, simd.load(group.weight), zero) * scale;
            for (_, row, omega) in weighted_path(target, tree, node_weights, label) {
                let factor = weight * simd.splat(S::Real::from_f64(omega));
                let place = row * lanes + index;
                let (Some(e), Some(pull)) =
                    (tile.node_probability.get(place), tile.node_pull.get_mut(place))
                else {
                    continue;
                };
                let p = simd.load(e) * inverse;
                let lost = p.less(small);
                lost_steps += u32::from(S::Vector::any(lost));
                let added = Vector::select(lost, zero, factor / p.larger(small));
                (simd.load(pull) - added).store(pull);
            }
        }
        if lost_steps > 0 {
            lost_pull(simd, (target, tree, node_weights), scale, tile, (voxels, index));
        }
    }
}

/// What [`path_pull`] leaves out: nodes whose probability is too small, at a group.
#[inline(always)]
fn lost_pull<S: Simd>(
    simd: S,
    path: (TargetKind, &LabelTree<'_>, &[f64]),
    scale: S::Vector,
    tile: &mut Tile<'_, S::Real>,
    (voxels, index): (usize, usize),
) {
    let (target, tree, node_weights) = path;
    let small = simd.splat(S::Real::SMALL);
    tile.use_pull();
    let numbers = if target == TargetKind::Nodes { &*tile.node_lanes } else { &*tile.label_lanes };
    let (Some(group), Some(inverse)) =
        (LabelGroup::at(tile.labels, numbers, tile.weight, index), tile.inverse.get(index))
    else {
        return;
    };
    let (inverse, lanes) = (simd.load(inverse), tile.lanes);
    let (node_probability, scores, pull) =
        (&*tile.node_probability, &*tile.scores, &mut *tile.pull);
    for (label, same) in Indices::new(simd, group.labels, group.numbers) {
        let weight = Vector::select(same, simd.load(group.weight), simd.zero()) * scale;
        for (node, row, omega) in weighted_path(target, tree, node_weights, label) {
            let Some(e) = node_probability.get(row * lanes + index) else {
                continue;
            };
            let lost = (simd.load(e) * inverse).less(small);
            let factor = weight * simd.splat(S::Real::from_f64(omega));
            for (lane, factor) in lost_lanes(simd, lost, factor) {
                let place = (voxels, index * LANES + lane);
                subtree_pull(tree, node, scores, pull, place, S::Real::from_f64(factor));
            }
        }
    }
}

#[inline(always)]
fn dense_pull<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let pull_rows = rows_mut(tile.pull, tile.lanes).zip(rows(tile.target, tile.lanes));
    for (class, (pull, target)) in pull_rows.enumerate() {
        let omega = at(node_weights, at(tree.leaf_of_class, class as u32));
        let factor = simd.splat(S::Real::from_f64(scale * omega));
        for ((pull, g), w) in pull.iter_mut().zip(target).zip(&*tile.weight) {
            (simd.load(pull) - factor * simd.load(w) * simd.load(g)).store(pull);
        }
    }
    let small = simd.splat(S::Real::SMALL);
    for (node, omega) in inner_nodes(tree, node_weights) {
        let index = at(tree.row, node) as usize;
        let p = row(tile.node_probability, index, tile.lanes);
        let g = row(tile.node_target, index, tile.lanes);
        let factor = simd.splat(S::Real::from_f64(scale * omega));
        let pulls = row_mut(tile.node_pull, index, tile.lanes);
        for ((pull, (p, g)), w) in pulls.iter_mut().zip(p.iter().zip(g)).zip(&*tile.weight) {
            let p = simd.load(p);
            let added = factor * simd.load(w) * simd.load(g) / p.larger(small);
            let added = Vector::select(p.less(small), simd.zero(), added);
            (simd.load(pull) - added).store(pull);
        }
        let place = |voxel| (tile.lanes * LANES, voxel);
        for (voxel, own) in rare_voxels(p, g, tile.weight) {
            let factor = S::Real::from_f64(scale * omega) * own;
            subtree_pull(tree, node, tile.scores, tile.pull, place(voxel), factor);
        }
    }
}
