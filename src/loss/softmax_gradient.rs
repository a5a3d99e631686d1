//! The gradient of a tile through the softmax: `H_c - p_c sum_j H_j`.
//!
//! `H_c / w = p_c (a + b g + d p + e sign(p - g)) + constant` for region terms and label smoothing;
//! tree terms add `p_c` times what the inner node above passes down and times the excess of its
//! leaf's edge, and what has no such form lies in rows of [`Tile::pull`]. What is passed down adds up to
//! `sum_v P_v pull_v` over the inner nodes; classes below the same one share a row of `sum_j H_j` less
//! that.
#![forbid(unsafe_code)]

use super::class_slope::{Class, ClassSlope, Parts, Tables, Voxels};
use super::coefficients::Slope;
use super::plan::Plan;
use super::tile::Tile;
use crate::element::{Lanes, Real};
use crate::rows::{
    BLOCK, Block, CopyRow, blocks, blocks_mut, column, fill, rows, rows_mut, store_block,
};
use crate::simd::{Simd, Vector};
use crate::tree;

/// `spare = sum_j H_j`.
#[inline(always)]
fn sum_over_classes<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    parts: Parts,
    slopes: &[Slope<S::Real>],
    tile: &mut Tile<'_, S::Real>,
) {
    let (lanes, zero, one) = (tile.lanes, simd.zero(), simd.splat(S::Real::ONE));
    let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
    let own_pull = if tile.uses_own_pull { blocks(tile.own_pull) } else { &[] };
    for (index, (to, voxels)) in blocks_mut(tile.spare).iter_mut().zip(voxels).enumerate() {
        let mut sums = [zero; BLOCK];
        if parts.region {
            let (mut number, mut target) = (zero, column(tile.target, lanes, index));
            for (slope, exponentials) in slopes.iter().zip(column(tile.softmax, lanes, index)) {
                let class = (ClassSlope::new(simd, slope), number);
                let p = voxels.probability(simd, exponentials);
                let slope = voxels.region_slope(simd, parts, p, class, target.next());
                for (sum, (p, slope)) in sums.iter_mut().zip(p.into_iter().zip(slope)) {
                    *sum = *sum + p * slope;
                }
                number = number + one;
            }
        }
        for (sum, weight) in sums.iter_mut().zip(voxels.weight) {
            *sum = *sum * simd.load(weight);
        }
        if let Some(own) = own_pull.get(index) {
            for (sum, own) in sums.iter_mut().zip(own) {
                *sum = *sum + simd.load(own);
            }
        }
        if plan.nodes > 0 {
            // Each node counts once here, so that nothing may have been pushed down yet.
            let mut pushed = [zero; BLOCK];
            let nodes = column(tile.node_probability, lanes, index);
            for (exponentials, pulls) in nodes.zip(column(tile.node_pull, lanes, index)) {
                for (sum, (e, pull)) in pushed.iter_mut().zip(exponentials.iter().zip(pulls)) {
                    *sum = *sum + simd.load(e) * simd.load(pull);
                }
            }
            for (sum, (pushed, inverse)) in sums.iter_mut().zip(pushed.iter().zip(voxels.inverse)) {
                *sum = *sum + *pushed * simd.load(inverse);
            }
        }
        store_block(sums, to);
    }
    if tile.uses_pull {
        for pull in rows(tile.pull, lanes) {
            for (sum, pull) in tile.spare.iter_mut().zip(pull) {
                (simd.load(sum) + simd.load(pull)).store(sum);
            }
        }
    }
    if parts.leaf_excess {
        let excess = tile.excess_sum.iter().zip(&*tile.inverse).zip(&*tile.excess_factor);
        for (sum, ((excess, inverse), factor)) in tile.spare.iter_mut().zip(excess) {
            let excess = simd.load(excess) * simd.load(inverse);
            (simd.load(sum) + excess * simd.load(factor)).store(sum);
        }
    }
    if parts.smoothing {
        let constants = slopes.iter().fold(S::Real::ZERO, |sum, [.., constant]| sum + *constant);
        let constants = simd.splat(constants);
        for (sum, weight) in tile.spare.iter_mut().zip(&*tile.weight) {
            (simd.load(sum) + constants * simd.load(weight)).store(sum);
        }
    }
}

/// `H_c - p_c sum_j H_j` in place of the exponentials, and the direct gradient on top.
#[inline(always)]
pub(crate) fn softmax_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    slopes: &[Slope<S::Real>],
    tile: &mut Tile<'_, S::Real>,
) {
    if slopes.len() == 1 {
        // A probability of 1 whatever the score is: what follows would leave rounding errors.
        fill(tile.softmax, S::Real::ZERO);
        tile.softmax.copy_from_slice_checked(tile.direct);
        return;
    }
    let (lanes, parts) = (tile.lanes, Parts::of(plan));
    // The difference of two classes is free of what all share.
    let difference = slopes.len() == 2;
    if !difference {
        sum_over_classes(simd, plan, parts, slopes, tile);
    } else if plan.nodes > 0 {
        fill(tile.spare, S::Real::ZERO);
    }
    if let (true, Some(label_tree)) = (plan.nodes > 0, &plan.loss.tree) {
        tree::push_down(simd, label_tree, tile.spare, tile.node_pull);
    }
    let pull = if tile.uses_pull { &*tile.pull } else { &[] };
    let own_pull = if tile.uses_own_pull { blocks(tile.own_pull) } else { &[] };
    let tables = Tables {
        slopes,
        lanes,
        pull,
        target: tile.target,
        shared: if difference && plan.nodes == 0 { &[] } else { tile.spare },
        nodes: tile.node_pull,
        direct: tile.direct,
        excess_factor: tile.excess_factor,
    };
    if difference {
        let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
        let (first, second) =
            (tables.class(simd, plan, parts, 0), tables.class(simd, plan, parts, 1));
        if let (Some(first), Some(second)) = (first, second) {
            two_gradients([first, second], voxels, own_pull, tile.softmax);
        }
        return;
    }
    for (index, to) in rows_mut(tile.softmax, lanes).enumerate() {
        let Some(class) = tables.class(simd, plan, parts, index) else { return };
        let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
        let shared = blocks(class.shared).iter().zip(voxels);
        for (to, (shared, voxels)) in blocks_mut(to).iter_mut().zip(shared) {
            let p = voxels.probability(simd, to);
            let mut gradient = class.slope(&voxels, p);
            for (to, (p, shared)) in gradient.iter_mut().zip(p.into_iter().zip(shared)) {
                *to = p * (*to - simd.load(shared));
            }
            if let Some(own) = own_pull.get(voxels.index) {
                for (to, (own, label)) in gradient.iter_mut().zip(own.iter().zip(voxels.label)) {
                    let is_own = simd.load(label).equal(class.number);
                    *to = *to + Vector::select(is_own, simd.load(own), simd.zero());
                }
            }
            if parts.smoothing {
                for (to, weight) in gradient.iter_mut().zip(voxels.weight) {
                    *to = *to + class.slope.constant * simd.load(weight);
                }
            }
            if let Some(pull) = blocks(class.pull).get(voxels.index) {
                for (to, pull) in gradient.iter_mut().zip(pull) {
                    *to = *to + simd.load(pull);
                }
            }
            class.add_direct(voxels.index, &mut gradient);
            store_block(gradient, to);
        }
    }
}

/// Of two classes: `H_0 p_1 - H_1 p_0`, and the opposite.
#[inline(always)]
fn two_gradients<'r, S: Simd>(
    [first, second]: [Class<'r, S>; 2],
    voxels: impl Iterator<Item = Voxels<'r, S::Real>>,
    own_pull: &[Block<S::Real>],
    rows: &mut [Lanes<S::Real>],
) {
    let simd = first.simd;
    let halves = rows.split_at_mut_checked(rows.len() / 2).unwrap_or_default();
    let to = blocks_mut(halves.0).iter_mut().zip(blocks_mut(halves.1));
    for ((to, other), voxels) in to.zip(voxels) {
        let (p, q) = (voxels.probability(simd, to), voxels.probability(simd, other));
        let mut gradient = first.slope(&voxels, p);
        for (to, slope) in gradient.iter_mut().zip(second.slope(&voxels, q)) {
            *to = *to - slope;
        }
        let shared = [&first, &second].map(|class| blocks(class.shared).get(voxels.index));
        if let [Some(shared), Some(other)] = shared {
            for (to, (shared, other)) in gradient.iter_mut().zip(shared.iter().zip(other)) {
                *to = *to - (simd.load(shared) - simd.load(other));
            }
        }
        for (to, (p, q)) in gradient.iter_mut().zip(p.into_iter().zip(q)) {
            *to = p * q * *to;
        }
        if let Some(own) = own_pull.get(voxels.index) {
            let own = own.iter().zip(voxels.label).zip(p.into_iter().zip(q));
            for (to, ((own, label), (p, q))) in gradient.iter_mut().zip(own) {
                let is_first = simd.load(label).equal(first.number);
                *to = *to + simd.load(own) * Vector::select(is_first, q, -p);
            }
        }
        if first.parts.smoothing {
            let constants = (first.slope.constant, second.slope.constant);
            let voxels = voxels.weight.iter().zip(p.into_iter().zip(q));
            for (to, (weight, (p, q))) in gradient.iter_mut().zip(voxels) {
                *to = *to + simd.load(weight) * (constants.0 * q - constants.1 * p);
            }
        }
        let pulls = [&first, &second].map(|class| blocks(class.pull).get(voxels.index));
        if let [Some(pull), Some(other)] = pulls {
            let pulls = pull.iter().zip(other).zip(p.into_iter().zip(q));
            for (to, ((pull, other), (p, q))) in gradient.iter_mut().zip(pulls) {
                *to = *to + (simd.load(pull) * q - simd.load(other) * p);
            }
        }
        let mut opposite = gradient;
        for to in &mut opposite {
            *to = -*to;
        }
        first.add_direct(voxels.index, &mut gradient);
        second.add_direct(voxels.index, &mut opposite);
        store_block(gradient, to);
        store_block(opposite, other);
    }
}
