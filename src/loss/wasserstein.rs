//! Terms of transport cost: tree Wasserstein and generalised Wasserstein Dice.
//!
//! Cost of a label on a tree, with `D` the distance to the root:
//! `sum_l M[l, y] p_l = sum_l D_l p_l + D_y - 2 sum_{v on the path} e_v P_v`, so that neither a
//! matrix nor a loop over pairs is needed. Its `H_l` is `p_l (D_l - 2 sum_{path, v above l} e_v)`:
//! what is equal for all classes drops out of the softmax. For a dense target the cost is
//! `sum_v e_v |P_v - G_v|` (Le 2019).
#![forbid(unsafe_code)]

use super::plan::{Plan, TargetKind, value_of};
use super::sums::{BlockSums, row_sum};
use super::term::{Ground, TreeWasserstein, WassersteinDice};
use super::tile::{Tile, look_up_nodes};
use crate::element::{Lanes, Real};
use crate::rows::{
    BLOCK, CopyRow, blocks_mut, column, fill, row, row_mut, rows, rows_mut, store_block,
};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, PresentNode, at};

/// Adds the value of a tile.
#[inline(always)]
pub(crate) fn sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeWasserstein<'_>,
    term: usize,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    match (&plan.loss.tree, plan.target.dense()) {
        (Some(tree), true) => dense_cost(simd, tree, tile),
        _ => label_cost(simd, plan, &options.ground, tile),
    }
    let per_unit = simd.splat(S::Real::from_f64(1.0 / plan.distance_unit(term)));
    for (cost, w) in tile.spare.iter_mut().zip(&*tile.weight) {
        (simd.load(cost) * per_unit * simd.load(w)).store(cost);
    }
    block.add(value_of(term), row_sum(simd, tile.spare));
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
    label_cost(simd, plan, &options.ground, tile);
    let per_unit = 1.0 / plan.distance_unit(term);
    let sums = block.column(column);
    let voxels = tile.spare.as_flattened().iter().zip(tile.weight.as_flattened());
    for ((&cost, &weight), &label) in voxels.zip(&*tile.labels) {
        if let Some(sum) = sums.get_mut(label as usize) {
            *sum += weight.to_f64() * cost.to_f64() * per_unit;
        }
    }
}

/// `spare = sum_l M[l, y] p_l`.
#[inline(always)]
fn label_cost<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    ground: &Ground<'_>,
    tile: &mut Tile<'_, S::Real>,
) {
    match (ground, &plan.loss.tree) {
        (Ground::Matrix(matrix), _) => matrix_cost(simd, matrix, tile),
        (Ground::Tree, Some(tree)) => tree_cost(simd, tree, tile),
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

/// The weight of the edge above every voxel's leaf.
#[inline(always)]
fn leaf_edges<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    labels: &[u32],
    numbers: &[Lanes<S::Real>],
    to: &mut [Lanes<S::Real>],
) {
    let edge = |node| S::Real::from_f64(at(tree.edge, node));
    look_up_nodes(simd, TargetKind::Labels, tree, edge, (labels, numbers), to);
}

#[inline(always)]
fn tree_cost<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let way = &mut *tile.spare;
    fill(way, S::Real::ZERO);
    for PresentNode { node, row: index, members } in tree.present_nodes(simd, tile.own_row) {
        let edge = simd.splat(S::Real::from_f64(at(tree.edge, node)));
        let nodes = row(tile.node_probability, index, tile.lanes).iter().zip(&*tile.inverse);
        for ((way, own_row), (e, inverse)) in way.iter_mut().zip(&*tile.own_row).zip(nodes) {
            let inside = members.among(simd.load(own_row));
            if S::Vector::any(inside) {
                let (before, p) = (simd.load(way), simd.load(e) * simd.load(inverse));
                let along = before + edge * (one - (p + p));
                Vector::select(inside, along, before).store(way);
            }
        }
    }
    leaf_edges(simd, tree, tile.labels, tile.label_lanes, tile.spare_too);
    let leaves = tile.spare_too.iter().zip(&*tile.own_probability);
    let far = tile.far.iter().zip(&*tile.inverse);
    for (way, ((edge, p), (far, inverse))) in way.iter_mut().zip(leaves.zip(far)) {
        let p = simd.load(p);
        // Added up like the distance to the root, so that a certain prediction costs exactly 0.
        let way_of_label = simd.load(way) + simd.load(edge) * (one - (p + p));
        (simd.load(far) * simd.load(inverse) + way_of_label).larger(zero).store(way);
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

/// Adds to `H`: `scale` is over the normaliser.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TreeWasserstein<'_>,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    if let (Some(tree), true) = (&plan.loss.tree, plan.target.dense()) {
        dense_pull(simd, tree, scale, tile);
        return;
    }
    let scale = simd.splat(S::Real::from_f64(scale));
    for (factor, w) in tile.spare.iter_mut().zip(&*tile.weight) {
        (simd.load(w) * scale).store(factor);
    }
    label_pull(simd, plan, &options.ground, tile);
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
    tile.spare.copy_from_slice_checked(tile.weight);
    for (factor, &label) in tile.spare.as_flattened_mut().iter_mut().zip(&*tile.labels) {
        *factor *= S::Real::from_f64(at(by_cost, label));
    }
    label_pull(simd, plan, &options.ground, tile);
}

/// `H_l += spare p_l M[l, y]`, up to what is equal for all classes.
#[inline(always)]
fn label_pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    ground: &Ground<'_>,
    tile: &mut Tile<'_, S::Real>,
) {
    match (ground, &plan.loss.tree) {
        (Ground::Matrix(matrix), _) => matrix_pull(simd, matrix, tile),
        (Ground::Tree, Some(tree)) => tree_pull(simd, tree, tile),
        (Ground::Tree, None) => {}
    }
}

#[inline(always)]
fn matrix_pull<S: Simd>(simd: S, matrix: &[f64], tile: &mut Tile<'_, S::Real>) {
    let class_rows = rows_mut(tile.pull, tile.lanes).zip(rows(tile.softmax, tile.lanes));
    for (class, (pull, probabilities)) in class_rows.enumerate() {
        matrix_row(matrix, tile.classes, class, tile.labels, tile.spare_too);
        let own = probabilities.iter().zip(&*tile.spare_too).zip(&*tile.spare);
        for (pull, ((p, distance), factor)) in pull.iter_mut().zip(own) {
            let added = simd.load(factor) * simd.load(p) * simd.load(distance);
            (simd.load(pull) + added).store(pull);
        }
    }
}

#[inline(always)]
fn tree_pull<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    for (transport, factor) in tile.transport.iter_mut().zip(&*tile.spare) {
        (simd.load(transport) + simd.load(factor)).store(transport);
    }
    leaf_edges(simd, tree, tile.labels, tile.label_lanes, tile.spare_too);
    let twice = simd.splat(S::Real::from_f64(-2.0));
    let leaves = tile.spare_too.iter().zip(&*tile.spare).zip(&*tile.own_probability);
    for (pull, ((edge, factor), p)) in tile.own_pull.iter_mut().zip(leaves) {
        let by_p = twice * simd.load(edge) * simd.load(factor);
        (simd.load(pull) + by_p * simd.load(p)).store(pull);
    }
    for PresentNode { node, row: index, members } in tree.present_nodes(simd, tile.own_row) {
        let by_p = simd.splat(S::Real::from_f64(-2.0 * at(tree.edge, node)));
        let voxels = tile.own_row.iter().zip(&*tile.spare);
        for (pull, (own_row, factor)) in
            row_mut(tile.node_pull, index, tile.lanes).iter_mut().zip(voxels)
        {
            let inside = members.among(simd.load(own_row));
            if S::Vector::any(inside) {
                let added = Vector::select(inside, by_p * simd.load(factor), simd.zero());
                (simd.load(pull) + added).store(pull);
            }
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
