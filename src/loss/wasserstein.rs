//! Terms of transport cost: tree Wasserstein and generalised Wasserstein Dice.
//!
//! The cost on a tree is `sum_v e_v |P_v - G_v|` over nodes and leaves (Le 2019), with `G_v` 1 along
//! the path to a label. For leaves below equal edges that is `2 e (1 - p_y)`, so that only inner
//! nodes and the own class are looked at; what longer edges have in excess is added up. `H_l` is `p_l`
//! times the derivatives along the path to `l`; what is equal for all classes drops out of the
//! softmax. So does an inner node that holds every class: it costs nothing, or `e |1 - G|` where a
//! dense target does not add up to 1.
#![forbid(unsafe_code)]

use super::plan::Plan;
use super::steps::Wanted;
use super::sums::{BlockSums, product_sum};
use super::term::{Ground, TreeWasserstein, WassersteinDice};
use super::tile::{Tile, own_so_far};
use crate::element::{Lanes, Real};
use crate::rows::{CopyRow, fill, look_up, row, row_mut, rows, rows_mut};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, Members, NONE, at};
use core::mem::replace;

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

/// [`Tile::excess_sum`].
#[inline(always)]
pub(crate) fn excess_sums<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    fill(tile.excess_sum, S::Real::ZERO);
    for (class, exponentials) in rows(tile.softmax, tile.lanes).enumerate() {
        let excess = tree.leaf_excess(class as u32);
        if excess == S::Real::ZERO {
            continue;
        }
        let excess = simd.splat(excess);
        for (sum, e) in tile.excess_sum.iter_mut().zip(exponentials) {
            (simd.load(sum) + simd.load(e) * excess).store(sum);
        }
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
    let one = simd.splat(S::Real::ONE);
    if cost {
        fill(tile.spare, S::Real::ZERO);
    }
    for (index, &node) in tree.node_of_row.iter().take(tree.rows).enumerate() {
        let edge = simd.splat(S::Real::from_f64(at(tree.edge, node)));
        let members = Members::new(simd, tree, index);
        let nodes = row(tile.node_probability, index, tile.lanes).iter();
        let nodes = nodes.zip(row_mut(tile.node_pull, index, tile.lanes));
        let voxels = tile.own_row.iter().zip(&*tile.inverse).zip(&*tile.factor);
        for ((total, (e, pushed)), ((own_row, inverse), factor)) in
            tile.spare.iter_mut().zip(nodes).zip(voxels)
        {
            let inside = members.among(simd.load(own_row));
            if cost {
                let p = simd.load(e) * simd.load(inverse);
                let difference = Vector::select(inside, one - p, p);
                (simd.load(total) + edge * difference).store(total);
            }
            if pull {
                let by_p = edge * simd.load(factor);
                (simd.load(pushed) + Vector::select(inside, -by_p, by_p)).store(pushed);
            }
        }
    }
    if tree.leaf_edges_differ {
        add_excess(simd, tree, (cost, pull), tile);
    }
    let twice = simd.splat(S::Real::from_f64(2.0 * tree.leaf_edge));
    if pull {
        let used = replace(&mut tile.uses_own_pull, true);
        let voxels = tile.own_probability.iter().zip(&*tile.factor);
        for (own, (p, factor)) in tile.own_pull.iter_mut().zip(voxels) {
            let by_p = simd.load(factor) * simd.load(p) * twice;
            (own_so_far(simd, used, own) - by_p).store(own);
        }
    }
    if cost {
        for (cost, p) in tile.spare.iter_mut().zip(&*tile.own_probability) {
            (simd.load(cost) + twice * (one - simd.load(p))).larger(simd.zero()).store(cost);
        }
    }
}

/// What [`LabelTree::leaf_excess`] adds to [`tree_transport`].
#[inline(always)]
fn add_excess<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    (cost, pull): (bool, bool),
    tile: &mut Tile<'_, S::Real>,
) {
    let one = simd.splat(S::Real::ONE);
    let excess = |class| tree.leaf_excess(class as u32);
    let labels = (&*tile.labels, &*tile.label_lanes);
    look_up(simd, tree.classes(), excess, labels, tile.spare_too);
    if pull {
        let used = replace(&mut tile.uses_own_pull, true);
        let own = tile.spare_too.iter().zip(&*tile.own_probability);
        let pulls = tile.own_pull.iter_mut().zip(tile.excess_factor.iter_mut());
        for ((to, all), ((excess, p), factor)) in pulls.zip(own.zip(&*tile.factor)) {
            let (p, factor) = (simd.load(p), simd.load(factor));
            (simd.load(all) + factor).store(all);
            let by_p = factor * (p + p) * simd.load(excess);
            (own_so_far(simd, used, to) - by_p).store(to);
        }
    }
    if cost {
        let own = tile.spare_too.iter().zip(&*tile.own_probability);
        let all = tile.excess_sum.iter().zip(&*tile.inverse);
        for (cost, ((excess, p), (sum, inverse))) in tile.spare.iter_mut().zip(own.zip(all)) {
            let (p, sum) = (simd.load(p), simd.load(sum) * simd.load(inverse));
            (simd.load(cost) + (sum + simd.load(excess) * (one - (p + p)))).store(cost);
        }
    }
}

/// `spare = sum_v e_v |P_v - G_v|`.
#[inline(always)]
fn dense_cost<S: Simd>(simd: S, tree: &LabelTree<'_>, tile: &mut Tile<'_, S::Real>) {
    fill(tile.spare, S::Real::ZERO);
    let edges = tree.edges_of_whole();
    if edges > 0.0 {
        // P is 1 there, and G the sum of the target, which need not be 1.
        for target in rows(tile.target, tile.lanes) {
            for (sum, g) in tile.spare.iter_mut().zip(target) {
                (simd.load(sum) + simd.load(g)).store(sum);
            }
        }
        let (edges, one) = (simd.splat(S::Real::from_f64(edges)), simd.splat(S::Real::ONE));
        for cost in &mut *tile.spare {
            (edges * (one - simd.load(cost)).absolute()).store(cost);
        }
    }
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
