//! Tree cross-entropy: `-sum_v omega_v log P_v` along the path to the label.
//!
//! `H_l = -p_l sum_{v above l} omega_v / P_v`: the sum is pushed down the tree from one value per
//! inner node, and the leaf's own share is `-omega`. `P_v` is a sum of probabilities; where it
//! underflows, `p_l / P_v` is the softmax within the subtree and is taken from the scores.

use super::cross_entropy::surprise;
use super::plan::{Plan, TargetKind, normaliser_of, value_of};
use super::sums::{BlockSums, row_sum};
use super::term::TreeCrossEntropy;
use super::tile::Tile;
use crate::element::{LANES, Lanes, Real};
use crate::rows::{row, row_mut, rows, rows_mut};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, at};

/// Adds value and normaliser of a tile.
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
    block.add(normaliser_of(term), row_sum(simd, tile.weight));
}

/// Node of a label.
#[inline(always)]
fn node_of(target: TargetKind, tree: &LabelTree<'_>, label: u32) -> u32 {
    if target == TargetKind::Nodes { label } else { at(tree.leaf_of_class, label) }
}

/// The paths from the labels of a tile to the root, walked together.
struct Paths<'p, 't, R> {
    tree: &'p LabelTree<'p>,
    node_weights: &'p [f64],
    weight: &'p [Lanes<R>],
    node_probability: &'p [Lanes<R>],
    /// Inner node that each path has come to.
    cursor: &'t mut [u32],
    /// `w omega_v` of the last step, 0 where there was none.
    factor: &'t mut [Lanes<R>],
    /// `P_v` of the last step, 1 where there was none.
    probability: &'t mut [Lanes<R>],
}

impl<R: Real> Paths<'_, '_, R> {
    /// The step at the leaves: labels that are inner nodes make none.
    #[inline(always)]
    fn start(&mut self, target: TargetKind, labels: &[u32]) {
        let tree = self.tree;
        let voxels = self.factor.as_flattened_mut().iter_mut().zip(self.weight.as_flattened());
        for ((factor, &weight), (&label, cursor)) in
            voxels.zip(labels.iter().zip(self.cursor.iter_mut()))
        {
            let node = node_of(target, tree, label);
            let leaf = at(tree.class, node) != NONE;
            let omega = R::from_f64(at(self.node_weights, node));
            *factor = if leaf { weight * omega } else { R::ZERO };
            *cursor = if leaf { at(tree.parent, node) } else { node };
        }
    }

    /// A step at the inner nodes. Where `P_v` is too small `rare` is called with the voxel, the
    /// node and `w omega_v` instead. Returns whether any path went on.
    #[inline(always)]
    fn step(&mut self, mut rare: impl FnMut(usize, u32, R)) -> bool {
        let voxels = self.weight.len() * LANES;
        let probabilities = self.node_probability.as_flattened();
        let mut any = false;
        let steps =
            self.factor.as_flattened_mut().iter_mut().zip(self.probability.as_flattened_mut());
        let paths = self.cursor.iter_mut().zip(self.weight.as_flattened());
        for (voxel, ((factor, probability), (cursor, &weight))) in steps.zip(paths).enumerate() {
            let (node, index) = (*cursor, at(self.tree.row, *cursor));
            (*factor, *probability) = (R::ZERO, R::ONE);
            if index == NONE {
                continue;
            }
            any = true;
            *cursor = at(self.tree.parent, node);
            let own = weight * R::from_f64(at(self.node_weights, node));
            let place = index as usize * voxels + voxel;
            let p = probabilities.get(place).copied().unwrap_or(R::ONE);
            if own == R::ZERO {
                continue;
            }
            if p < R::SMALL {
                rare(voxel, node, own);
            } else {
                (*factor, *probability) = (own, p);
            }
        }
        any
    }
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

#[inline(always)]
fn label_value<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    let logits = Logits { scores: tile.scores, maximum: tile.maximum, log_sum: tile.log_sum };
    let mut paths = Paths {
        tree,
        node_weights,
        weight: tile.weight,
        node_probability: tile.node_probability,
        cursor: tile.cursor,
        factor: tile.spare,
        probability: tile.spare_too,
    };
    paths.start(target, tile.labels);
    let mut value = 0.0;
    for (factor, (log_sum, score)) in
        paths.factor.iter().zip(logits.log_sum.iter().zip(&*tile.own_score))
    {
        value += (simd.load(factor) * (simd.load(log_sum) - simd.load(score))).sum();
    }
    while paths.step(|voxel, node, factor| {
        value += factor.to_f64() * subtree_surprise(tree, node, logits, voxel);
    }) {
        for (factor, p) in paths.factor.iter().zip(&*paths.probability) {
            value -= (simd.load(factor) * simd.load(p).ln()).sum();
        }
    }
    value
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
        label_pull(simd, plan.target, tree, options.node_weights, scale, tile);
    }
}

#[inline(always)]
fn label_pull<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let voxels = tile.lanes * LANES;
    let mut paths = Paths {
        tree,
        node_weights,
        weight: tile.weight,
        node_probability: tile.node_probability,
        cursor: tile.cursor,
        factor: tile.spare,
        probability: tile.spare_too,
    };
    paths.start(target, tile.labels);
    let scale = S::Real::from_f64(scale);
    for (pull, factor) in tile.own_pull.iter_mut().zip(&*paths.factor) {
        (simd.load(pull) - simd.splat(scale) * simd.load(factor)).store(pull);
    }
    // Divided after the step, 16 at a time, then scattered: each path has one node per step.
    loop {
        for (node, cursor) in tile.step_node.iter_mut().zip(&*paths.cursor) {
            *node = at(tree.row, *cursor);
        }
        let any = paths.step(|voxel, node, factor| {
            let place = (voxels, voxel);
            subtree_pull(tree, node, tile.scores, tile.pull, place, scale * factor);
        });
        if !any {
            return;
        }
        for (factor, p) in paths.factor.iter_mut().zip(&*paths.probability) {
            (simd.splat(scale) * simd.load(factor) / simd.load(p)).store(factor);
        }
        let pulls = tile.node_pull.as_flattened_mut();
        let steps = paths.factor.as_flattened().iter().zip(&*tile.step_node);
        for (voxel, (&factor, &index)) in steps.enumerate() {
            if let Some(pull) =
                pulls.get_mut((index as usize).wrapping_mul(voxels).wrapping_add(voxel))
            {
                *pull = *pull - factor;
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
