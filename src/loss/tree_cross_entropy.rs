//! Tree cross-entropy: `-sum_v omega_v log P_v` along the path to the label.
//!
//! `H_l = -p_l sum_{v above l} omega_v / P_v`: the sum is pushed down the tree from one value per
//! inner node (none where it holds every class: `P_v` is 1), and the leaf's own share is `-omega`.
//! `P_v` is a sum of probabilities; where it underflows, `p_l / P_v` is the softmax within the subtree
//! and is taken from the scores.
#![forbid(unsafe_code)]

use super::cross_entropy::{own_surprise, surprise};
use super::logarithms::sum_of_logarithms;
use super::plan::{Plan, TargetKind};
use super::steps::Wanted;
use super::sums::product_sum;
use super::term::TreeCrossEntropy;
use super::tile::{Tile, look_up_nodes, own_so_far, weigh};
use crate::element::{LANES, Lanes, Real};
use crate::rows::{BLOCK, CopyRow, blocks, fill, row, row_mut, rows, rows_mut};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, PresentNode, at};
use core::mem::replace;

/// Returns the value of a tile, and adds to `H` of the leaves and to what is pushed down from inner
/// nodes: as far as they are wanted.
#[inline(always)]
pub(crate) fn sum<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeCrossEntropy<'_>,
    wanted: Wanted,
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    let Some(tree) = &plan.loss.tree else { return 0.0 };
    let node_weights = options.node_weights;
    let (value, lost) = if plan.target.dense() {
        let value = dense_leaves(simd, tree, node_weights, wanted, tile);
        let (nodes, lost) = dense_nodes(simd, tree, node_weights, wanted, tile);
        (value + nodes, lost)
    } else {
        let (value, shared) = own_leaves(simd, plan, tree, node_weights, wanted, tile);
        let (nodes, lost) = own_nodes(simd, tree, node_weights, (wanted, shared), tile);
        (value + nodes, lost)
    };
    if lost { value + lost_nodes(plan, tree, node_weights, wanted, tile) } else { value }
}

/// Whether an inner node's probability may be too small somewhere, so that scores are needed. The
/// exponentials that it is a share of add up to the number of classes at most.
#[inline(always)]
pub(crate) fn needs_scores<S: Simd>(simd: S, tile: &Tile<'_, S::Real>) -> bool {
    let mut smallest = [simd.splat(S::Real::ONE); BLOCK];
    for block in blocks(tile.node_probability) {
        for (smallest, e) in smallest.iter_mut().zip(block) {
            *smallest = smallest.smaller(simd.load(e));
        }
    }
    let small = simd.splat(S::Real::SMALL * S::Real::from_f64(2.0 * tile.classes as f64));
    smallest.into_iter().any(|smallest| S::Vector::any(smallest.less(small)))
}

/// The cross-entropy of the own class, weighed by its leaf. A label that is an inner node has none.
///
/// Returns the weight, too, of the logarithms that are still to be subtracted: of the row `spare`. Where
/// none are, it is 0.
#[inline(always)]
fn own_leaves<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    wanted: Wanted,
    tile: &mut Tile<'_, S::Real>,
) -> (f64, f64) {
    let omega = |node| {
        let leaf = at(tree.class, node) != NONE && node != tree.root();
        if leaf { at(node_weights, node) } else { 0.0 }
    };
    let omegas = tree.leaf_of_class.iter().map(|&leaf| omega(leaf));
    let alike = plan.target == TargetKind::Labels && all_equal(omegas);
    let shared = if alike { omega(at(tree.leaf_of_class, 0)) } else { 1.0 };
    if shared == 0.0 {
        return (0.0, 0.0);
    }
    let factors = if alike {
        &*tile.weight
    } else {
        let numbers = [&*tile.label_lanes, &*tile.node_lanes];
        let omega = |node| S::Real::from_f64(omega(node));
        look_up_nodes(simd, plan.target, tree, omega, (tile.labels, numbers), tile.spare);
        weigh(simd, tile.weight, tile.spare);
        &*tile.spare
    };
    if let Some(scale) = wanted.scale {
        let used = replace(&mut tile.uses_own_pull, true);
        let scale = simd.splat(S::Real::from_f64(scale));
        let shared = simd.splat(S::Real::from_f64(shared));
        for (pull, factor) in tile.own_pull.iter_mut().zip(factors) {
            let factor = simd.load(factor) * shared * scale;
            (own_so_far(simd, used, pull) - factor).store(pull);
        }
    }
    if !wanted.value {
        return (0.0, 0.0);
    }
    if !plan.joins_logarithms {
        return (shared * own_surprise(simd, factors, tile.log_sum, tile.own_score), 0.0);
    }
    let value = -shared * product_sum(simd, factors, tile.own_score);
    if alike {
        tile.spare.copy_from_slice_checked(tile.inverse);
        return (value, shared);
    }
    (value - sum_of_logarithms(simd, Some(factors), tile.inverse), 0.0)
}

fn all_equal<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

/// What the inner nodes above the labels add, and what [`own_leaves`] has left; and whether some are
/// lost: too small.
#[inline(always)]
fn own_nodes<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    (wanted, mut shared): (Wanted, f64),
    tile: &mut Tile<'_, S::Real>,
) -> (f64, bool) {
    let (small, zero, one) = (simd.splat(S::Real::SMALL), simd.zero(), simd.splat(S::Real::ONE));
    let scale = simd.splat(S::Real::from_f64(wanted.scale.unwrap_or_default()));
    let weights = if tile.all_weigh_one { None } else { Some(&*tile.weight) };
    let (mut value, mut sum, mut lost) = (0.0, zero, false);
    // Weights are few, mostly one: the logarithm of a product takes the place of a sum of many.
    let products = &mut *tile.spare;
    for PresentNode { node, row: index, members } in tree.present_nodes(simd, tile.own_row) {
        let omega = at(node_weights, node);
        if omega == 0.0 {
            continue;
        }
        if omega != shared && wanted.value {
            if shared != 0.0 {
                value -= shared * sum_of_logarithms(simd, weights, products);
            }
            fill(products, S::Real::ONE);
            shared = omega;
        }
        let omega_lanes = simd.splat(S::Real::from_f64(omega));
        let nodes = row(tile.node_probability, index, tile.lanes).iter();
        let nodes = nodes.zip(row_mut(tile.node_pull, index, tile.lanes));
        let voxels = tile.own_row.iter().zip(&*tile.inverse).zip(&*tile.weight);
        for ((product, (e, pull)), ((own_row, inverse), weight)) in
            products.iter_mut().zip(nodes).zip(voxels)
        {
            let inside = members.among(simd.load(own_row));
            if !S::Vector::any(inside) {
                continue;
            }
            let p = (simd.load(e) * simd.load(inverse)).smaller(one);
            let mut p = Vector::select(inside, p, one);
            let weight = simd.load(weight);
            let mut counted = Vector::select(inside, weight, zero);
            let before = if wanted.value { simd.load(product) } else { one };
            let mut next = before * p;
            if S::Vector::any(next.less(small)) {
                let too_small = p.less(small);
                lost |= S::Vector::any(too_small);
                sum = sum - omega_lanes * weight * before.ln_normal();
                p = Vector::select(too_small, one, p);
                counted = Vector::select(too_small, zero, counted);
                next = p;
            }
            if wanted.value {
                next.store(product);
            }
            if wanted.scale.is_some() {
                // The weight comes first, as in all of this file: it may be 0, and the factors may be
                // infinite together.
                (simd.load(pull) - counted * scale * omega_lanes / p).store(pull);
            }
        }
    }
    if shared != 0.0 {
        value -= shared * sum_of_logarithms(simd, weights, products);
    }
    (value + sum.sum(), lost)
}

/// What leaves add where the target is dense.
#[inline(always)]
fn dense_leaves<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    wanted: Wanted,
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    let omega = |class: usize| at(node_weights, at(tree.leaf_of_class, class as u32));
    if let Some(scale) = wanted.scale {
        let pull_rows = rows_mut(tile.pull, tile.lanes).zip(rows(tile.target, tile.lanes));
        for (class, (pull, target)) in pull_rows.enumerate() {
            let scale = simd.splat(S::Real::from_f64(scale));
            let omega = simd.splat(S::Real::from_f64(omega(class)));
            for ((pull, g), w) in pull.iter_mut().zip(target).zip(&*tile.weight) {
                let share = simd.load(w) * simd.load(g);
                (simd.load(pull) - share * omega * scale).store(pull);
            }
        }
    }
    let mut value = 0.0;
    if wanted.value {
        let class_rows = rows(tile.scores, tile.lanes).zip(rows(tile.target, tile.lanes));
        for (class, (scores, target)) in class_rows.enumerate() {
            let mut sum = simd.zero();
            let shared = tile.maximum.iter().zip(&*tile.log_sum).zip(&*tile.weight);
            for ((score, g), ((maximum, log_sum), w)) in scores.iter().zip(target).zip(shared) {
                let surprise = surprise(simd, score, maximum, log_sum);
                sum = sum + simd.load(w) * simd.load(g) * surprise;
            }
            value += omega(class) * sum.sum();
        }
    }
    value
}

/// What inner nodes add where the target is dense, and whether some are lost: too small.
#[inline(always)]
fn dense_nodes<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    wanted: Wanted,
    tile: &mut Tile<'_, S::Real>,
) -> (f64, bool) {
    let (small, one) = (simd.splat(S::Real::SMALL), simd.splat(S::Real::ONE));
    let scale = simd.splat(S::Real::from_f64(wanted.scale.unwrap_or_default()));
    let (mut value, mut smallest) = (0.0, one);
    for (node, omega) in weighted_nodes(tree, node_weights) {
        let index = at(tree.row, node) as usize;
        let omega_lanes = simd.splat(S::Real::from_f64(omega));
        let mut sum = simd.zero();
        let nodes = row(tile.node_probability, index, tile.lanes).iter();
        let nodes = nodes.zip(row(tile.node_target, index, tile.lanes)).zip(&*tile.weight);
        for (pull, ((p, g), w)) in row_mut(tile.node_pull, index, tile.lanes).iter_mut().zip(nodes)
        {
            let (p, share) = (simd.load(p), simd.load(w) * simd.load(g));
            let lost = p.less(small);
            smallest = smallest.smaller(p);
            let (p, share) =
                (Vector::select(lost, one, p), Vector::select(lost, simd.zero(), share));
            if wanted.value {
                sum = sum - share * p.ln_normal();
            }
            if wanted.scale.is_some() {
                (simd.load(pull) - share * scale * omega_lanes / p).store(pull);
            }
        }
        value += omega * sum.sum();
    }
    (value, S::Vector::any(smallest.less(small)))
}

/// Nodes with a row and a weight.
fn weighted_nodes<'p>(
    tree: &'p LabelTree<'_>,
    node_weights: &'p [f64],
) -> impl Iterator<Item = (u32, f64)> + 'p {
    let nodes = tree.node_of_row.iter().take(tree.rows);
    nodes.map(|&node| (node, at(node_weights, node))).filter(|&(_, omega)| omega != 0.0)
}

/// A value of a voxel row.
#[inline(always)]
fn voxel_value<R: Real>(row: &[Lanes<R>], voxel: usize) -> R {
    row.as_flattened().get(voxel).copied().unwrap_or(R::ZERO)
}

/// What nodes add where their probability is too small: by the scores below them.
#[cold]
#[inline(never)]
fn lost_nodes<R: Real>(
    plan: &Plan<'_>,
    tree: &LabelTree<'_>,
    node_weights: &[f64],
    wanted: Wanted,
    tile: &mut Tile<'_, R>,
) -> f64 {
    if wanted.scale.is_some() {
        tile.use_pull();
    }
    let mut value = 0.0;
    for (node, omega) in weighted_nodes(tree, node_weights) {
        let index = at(tree.row, node);
        let (probability, target) = (
            row(tile.node_probability, index as usize, tile.lanes),
            row(tile.node_target, index as usize, tile.lanes),
        );
        let below = f64::from(index)..f64::from(at(tree.end_of_row, index));
        for voxel in 0..tile.voxels {
            let share = if plan.target.dense() {
                voxel_value(target, voxel)
            } else {
                let inside = below.contains(&voxel_value(tile.own_row, voxel).to_f64());
                if inside { R::ONE } else { R::ZERO }
            };
            let factor = omega * (share * voxel_value(tile.weight, voxel)).to_f64();
            let p = voxel_value(probability, voxel) * voxel_value(tile.inverse, voxel);
            if factor == 0.0 || p >= R::SMALL {
                continue;
            }
            let (largest, sum) = subtree_softmax(tree, node, tile, voxel);
            if wanted.value {
                let log_sum = if plan.joins_logarithms {
                    -voxel_value(tile.inverse, voxel).ln()
                } else {
                    voxel_value(tile.log_sum, voxel)
                };
                let rest = log_sum - sum.ln();
                let surprise = (voxel_value(tile.maximum, voxel) - largest) + rest;
                value += factor * surprise.to_f64();
            }
            if let Some(scale) = wanted.scale {
                let factor = R::from_f64(scale * factor);
                for class in tree.classes_below(node) {
                    let place = class * tile.lanes * LANES + voxel;
                    let score = tile.scores.as_flattened().get(place);
                    if let (Some(pull), Some(&z)) =
                        (tile.pull.as_flattened_mut().get_mut(place), score)
                    {
                        *pull = *pull - factor * ((z - largest).exp() / sum);
                    }
                }
            }
        }
    }
    value
}

/// Largest score below a node and the sum of exponentials over it, at one voxel.
fn subtree_softmax<R: Real>(
    tree: &LabelTree<'_>,
    node: u32,
    tile: &Tile<'_, R>,
    voxel: usize,
) -> (R, R) {
    let score = |class| voxel_value(row(tile.scores, class, tile.lanes), voxel);
    let scores = tree.classes_below(node).map(score);
    let maximum = scores.clone().reduce(Real::larger).unwrap_or(R::ZERO);
    (maximum, scores.fold(R::ZERO, |sum, z| sum + (z - maximum).exp()))
}
