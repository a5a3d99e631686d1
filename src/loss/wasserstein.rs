//! Terms of transport cost: tree Wasserstein and generalised Wasserstein Dice.
//!
//! Cost of a label on a tree, with `D` the distance to the root:
//! `sum_l M[l, y] p_l = sum_l D_l p_l + D_y - 2 sum_{v on the path} e_v P_v`, so that neither a
//! matrix nor a loop over pairs is needed. Its `H_l` is `p_l (D_l - 2 sum_{path, v above l} e_v)`:
//! what is equal for all classes drops out of the softmax. For a dense target the cost is
//! `sum_v e_v |P_v - G_v|` (Le 2019).
#![forbid(unsafe_code)]

use super::plan::{Plan, TargetKind};
use super::steps::Wanted;
use super::sums::{BlockSums, product_sum};
use super::term::{Ground, TreeWasserstein, WassersteinDice};
use super::tile::{Tile, look_up_nodes};
use crate::element::{Lanes, Real};
use crate::rows::{
    BLOCK, CopyRow, blocks_mut, column, fill, row, row_mut, rows, rows_mut, store_block,
};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, PresentNode, at};

/// Returns the value of a tile and adds to `H`, as far as they are wanted. The scale is over the
/// normaliser.
#[inline(always)]
pub(crate) fn sum<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeWasserstein<'_>,
    term: usize,
    wanted: Wanted,
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    let per_unit = 1.0 / plan.distance_unit(term);
    let scale = wanted.scale.map(|scale| scale * per_unit);
    if let (Some(tree), true) = (&plan.loss.tree, plan.target.dense()) {
        if let Some(scale) = scale {
            dense_pull(simd, tree, scale, tile);
        }
        if wanted.value {
            dense_cost(simd, tree, tile);
        }
    } else {
        if let Some(scale) = scale {
            let scale = simd.splat(S::Real::from_f64(scale));
            for (factor, w) in tile.factor.iter_mut().zip(&*tile.weight) {
                (simd.load(w) * scale).store(factor);
            }
        }
        transport(simd, plan, &options.ground, (wanted.value, scale.is_some()), tile);
    }
    if wanted.value { per_unit * product_sum(simd, tile.spare, tile.weight) } else { 0.0 }
}

/// Adds the costs of a tile to the sums of the true classes.
#[inline(always)]
pub(crate) fn dice_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &WassersteinDice<'_>,
    (term, column): (usize, usize),
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    transport(simd, plan, &options.ground, (true, false), tile);
    let per_unit = 1.0 / plan.distance_unit(term);
    let sums = block.column(column);
    let voxels = tile.spare.as_flattened().iter().zip(tile.weight.as_flattened());
    for ((&cost, &weight), &label) in voxels.zip(&*tile.labels) {
        if let Some(sum) = sums.get_mut(label as usize) {
            *sum += weight.to_f64() * cost.to_f64() * per_unit;
        }
    }
}

/// `spare = sum_l M[l, y] p_l` if the cost is wanted, and `H_l += factor p_l M[l, y]`, up to what is
/// equal for all classes, if the pull is.
#[inline(always)]
fn transport<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    ground: &Ground<'_>,
    (cost, pull): (bool, bool),
    tile: &mut Tile<'_, S::Real>,
) {
    match (ground, &plan.loss.tree) {
        (Ground::Matrix(matrix), _) => {
            if cost {
                matrix_cost(simd, matrix, tile);
            }
            if pull {
                matrix_pull(simd, matrix, tile);
            }
        }
        (Ground::Tree, Some(tree)) => tree_transport(simd, tree, (cost, pull), tile),
        (Ground::Tree, None) => {}
    }
}

/// `spare[i] = M[class, y_i]`.
#[inline(always)]
fn matrix_row<R: Real>(
    matrix: &[f64],
    classes: usize,
    class: usize,
    labels: &[u32],
    to: &mut [Lanes<R>],
) {
    let begin = class * classes;
    let distances = matrix.get(begin..begin + classes).unwrap_or_default();
    for (to, &label) in to.as_flattened_mut().iter_mut().zip(labels) {
        *to = R::from_f64(at(distances, label));
    }
}

#[inline(always)]
fn matrix_cost<S: Simd>(simd: S, matrix: &[f64], tile: &mut Tile<'_, S::Real>) {
    fill(tile.spare, S::Real::ZERO);
    for (class, probabilities) in rows(tile.softmax, tile.lanes).enumerate() {
        matrix_row(matrix, tile.classes, class, tile.labels, tile.spare_too);
        let own = probabilities.iter().zip(&*tile.spare_too);
        for (cost, (p, distance)) in tile.spare.iter_mut().zip(own) {
            (simd.load(cost) + simd.load(p) * simd.load(distance)).store(cost);
        }
    }
}

/// `far = sum_l D_l e_l` of the exponentials.
#[inline(always)]
pub(crate) fn distance_sums<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    for (index, to) in blocks_mut(tile.far).iter_mut().enumerate() {
        let mut sums = [simd.zero(); BLOCK];
        for (class, exponentials) in column(tile.softmax, tile.lanes, index).enumerate() {
            let distance = simd.splat(tree.leaf_distance(class as u32));
            for (sum, e) in sums.iter_mut().zip(exponentials) {
                *sum = *sum + simd.load(e) * distance;
            }
        }
        store_block(sums, to);
    }
}

/// [`transport`] along the tree.
#[inline(always)]
fn tree_transport<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    (cost, pull): (bool, bool),
    tile: &mut Tile<'_, S::Real>,
) {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let edge_above = |node| S::Real::from_f64(at(tree.edge, node));
    let twice = simd.splat(S::Real::from_f64(-2.0));
    fill(tile.spare, S::Real::ZERO);
    for PresentNode { node, row: index, members } in tree.present_nodes(simd, tile.own_row) {
        let edge = simd.splat(edge_above(node));
        let nodes = row(tile.node_probability, index, tile.lanes).iter();
        let nodes = nodes.zip(row_mut(tile.node_pull, index, tile.lanes));
        let voxels = tile.own_row.iter().zip(&*tile.inverse).zip(&*tile.factor);
        for ((way, (e, pushed)), ((own_row, inverse), factor)) in
            tile.spare.iter_mut().zip(nodes).zip(voxels)
        {
            let inside = members.among(simd.load(own_row));
            if !S::Vector::any(inside) {
                continue;
            }
            if cost {
                let (before, p) = (simd.load(way), simd.load(e) * simd.load(inverse));
                let along = before + edge * (one - (p + p));
                Vector::select(inside, along, before).store(way);
            }
            if pull {
                let added = Vector::select(inside, twice * edge * simd.load(factor), zero);
                (simd.load(pushed) + added).store(pushed);
            }
        }
    }
    let labels = (&*tile.labels, [&*tile.label_lanes, &*tile.node_lanes]);
    look_up_nodes(simd, TargetKind::Labels, tree, edge_above, labels, tile.spare_too);
    let leaves = tile.spare_too.iter().zip(&*tile.own_probability);
    if pull {
        let pulls = tile.own_pull.iter_mut().zip(tile.transport.iter_mut());
        for ((own, all), ((edge, p), factor)) in pulls.zip(leaves.clone().zip(&*tile.factor)) {
            let factor = simd.load(factor);
            (simd.load(all) + factor).store(all);
            let by_p = twice * simd.load(edge) * factor;
            (simd.load(own) + by_p * simd.load(p)).store(own);
        }
    }
    if cost {
        let far = tile.far.iter().zip(&*tile.inverse);
        for (way, ((edge, p), (far, inverse))) in tile.spare.iter_mut().zip(leaves.zip(far)) {
            let p = simd.load(p);
            // Added up like the distance to the root, so that a certain prediction costs exactly 0.
            let way_of_label = simd.load(way) + simd.load(edge) * (one - (p + p));
            (simd.load(far) * simd.load(inverse) + way_of_label).larger(zero).store(way);
        }
    }
}

/// `spare = sum_v e_v |P_v - G_v|`.
#[inline(always)]
fn dense_cost<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    fill(tile.spare, S::Real::ZERO);
    for &node in tree.order {
        let (class, index) = (at(tree.class, node), at(tree.row, node));
        let (p, g, index) = if class != NONE {
            (&*tile.softmax, &*tile.target, class)
        } else if index != NONE {
            (&*tile.node_probability, &*tile.node_target, index)
        } else {
            continue;
        };
        let edge = simd.splat(S::Real::from_f64(at(tree.edge, node)));
        let (p, g) = (row(p, index as usize, tile.lanes), row(g, index as usize, tile.lanes));
        for (cost, (p, g)) in tile.spare.iter_mut().zip(p.iter().zip(g)) {
            let difference = (simd.load(p) - simd.load(g)).absolute();
            (simd.load(cost) + edge * difference).store(cost);
        }
    }
}

/// Adds to `H`: `by_cost[class]` is the derivative with respect to the cost sum of that class.
#[inline(always)]
pub(crate) fn dice_pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &WassersteinDice<'_>,
    by_cost: &[f64],
    tile: &mut Tile<'_, S::Real>,
) {
    tile.factor.copy_from_slice_checked(tile.weight);
    for (factor, &label) in tile.factor.as_flattened_mut().iter_mut().zip(&*tile.labels) {
        *factor *= S::Real::from_f64(at(by_cost, label));
    }
    transport(simd, plan, &options.ground, (false, true), tile);
}

#[inline(always)]
fn matrix_pull<S: Simd>(simd: S, matrix: &[f64], tile: &mut Tile<'_, S::Real>) {
    let class_rows = rows_mut(tile.pull, tile.lanes).zip(rows(tile.softmax, tile.lanes));
    for (class, (pull, probabilities)) in class_rows.enumerate() {
        matrix_row(matrix, tile.classes, class, tile.labels, tile.spare_too);
        let own = probabilities.iter().zip(&*tile.spare_too).zip(&*tile.factor);
        for (pull, ((p, distance), factor)) in pull.iter_mut().zip(own) {
            let added = simd.load(factor) * simd.load(p) * simd.load(distance);
            (simd.load(pull) + added).store(pull);
        }
    }
}

/// `sign(x)` times a factor, 0 at 0.
#[inline(always)]
pub(crate) fn signed<S: Simd>(simd: S, factor: S::Vector, x: S::Vector) -> S::Vector {
    let zero = simd.zero();
    let positive = Vector::select(zero.less(x), factor, zero);
    Vector::select(x.less(zero), -factor, positive)
}

#[inline(always)]
fn dense_pull<S: Simd>(simd: S, tree: &LabelTree<'_>, scale: f64, tile: &mut Tile<'_, S::Real>) {
    let class_rows = rows_mut(tile.pull, tile.lanes)
        .zip(rows(tile.softmax, tile.lanes))
        .zip(rows(tile.target, tile.lanes));
    for (class, ((pull, probabilities), target)) in class_rows.enumerate() {
        let edge = scale * at(tree.edge, at(tree.leaf_of_class, class as u32));
        let edge = simd.splat(S::Real::from_f64(edge));
        let own = probabilities.iter().zip(target).zip(&*tile.weight);
        for (pull, ((p, g), w)) in pull.iter_mut().zip(own) {
            let p = simd.load(p);
            let by_p = signed(simd, edge * simd.load(w), p - simd.load(g));
            (simd.load(pull) + p * by_p).store(pull);
        }
    }
    for &node in tree.order {
        let index = at(tree.row, node);
        if index == NONE {
            continue;
        }
        let edge = simd.splat(S::Real::from_f64(scale * at(tree.edge, node)));
        let p = row(tile.node_probability, index as usize, tile.lanes);
        let g = row(tile.node_target, index as usize, tile.lanes);
        let own = p.iter().zip(g).zip(&*tile.weight);
        let pulls = row_mut(tile.node_pull, index as usize, tile.lanes);
        for (pull, ((p, g), w)) in pulls.iter_mut().zip(own) {
            let difference = simd.load(p) - simd.load(g);
            (simd.load(pull) + signed(simd, edge * simd.load(w), difference)).store(pull);
        }
    }
}
