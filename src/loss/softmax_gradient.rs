//! The gradient of a tile through the softmax: `H_c - p_c sum_j H_j`.
//!
//! `H_c / w = p_c (a + b g + d p + e sign(p - g)) + constant` for region terms and label smoothing;
//! tree terms add `p_c` times what the inner node above passes down and times the distance to the
//! root, and what has no such form lies in rows of [`Tile::pull`]. What is passed down adds up to
//! `sum_v P_v pull_v` over the inner nodes.
#![forbid(unsafe_code)]

use super::Activation;
use super::coefficients::Slope;
use super::plan::{Plan, TargetKind};
use super::tile::Tile;
use super::wasserstein::signed;
use crate::element::{Lanes, Real};
use crate::rows::{
    BLOCK, Block, CopyRow, block_of, blocks, column, column_mut, fill, load_block, store_block,
};
use crate::simd::{Simd, Vector};
use crate::tree::{LabelTree, NONE, at};

/// The inner node above a class, as a row.
#[inline(always)]
fn row_above(label_tree: &LabelTree<'_>, class: usize) -> Option<usize> {
    let leaf = at(label_tree.leaf_of_class, class as u32);
    let above = at(label_tree.row, at(label_tree.parent, leaf));
    (above != NONE).then_some(above as usize)
}

/// A [`Slope`] in registers.
#[derive(Clone, Copy)]
pub(crate) struct ClassSlope<V> {
    a: V,
    b: V,
    d: V,
    e: V,
    constant: V,
}

impl<V: Vector> ClassSlope<V> {
    #[inline(always)]
    pub(crate) fn new<S: Simd<Vector = V, Real = V::Real>>(
        simd: S,
        slope: &Slope<V::Real>,
    ) -> Self {
        let [a, b, d, e, constant] = *slope;
        Self {
            a: simd.splat(a),
            b: simd.splat(b),
            d: simd.splat(d),
            e: simd.splat(e),
            constant: simd.splat(constant),
        }
    }

    /// `dL/dp / w`.
    #[inline(always)]
    pub(crate) fn at<S: Simd<Vector = V>>(&self, simd: S, p: V, g: V) -> V {
        self.a + self.d * p + self.b * g + signed(simd, self.e, p - g)
    }
}

/// What the classes of a block of voxels have in common.
struct BlockOfVoxels<V> {
    inverse: [V; BLOCK],
    weight: [V; BLOCK],
    label: [V; BLOCK],
}

/// What a class adds to `H` at a block of voxels, by where it is written.
#[derive(Clone, Copy)]
struct ClassRows<'r, R> {
    slope: &'r Slope<R>,
    /// Distance to the root.
    distance: R,
    pull: Option<&'r Block<R>>,
    target: Option<&'r Block<R>>,
    /// Of the inner node above.
    pushed: Option<&'r Block<R>>,
}

/// Where [`ClassRows`] are found.
struct Tables<'r, R> {
    lanes: usize,
    pull: &'r [Lanes<R>],
    target: &'r [Lanes<R>],
    node_pull: &'r [Lanes<R>],
}

impl<'r, R: Real> ClassRows<'r, R> {
    #[inline(always)]
    fn of(
        plan: &Plan<'_>,
        tables: &Tables<'r, R>,
        index: usize,
        (class, slope): (usize, &'r Slope<R>),
    ) -> Self {
        let place = |row: usize| row * (tables.lanes / BLOCK) + index;
        let tree = plan.loss.tree.as_ref();
        let above = tree.filter(|_| plan.nodes > 0).and_then(|tree| row_above(tree, class));
        let distance = tree.filter(|_| plan.leaf_distances);
        Self {
            slope,
            distance: distance.map_or(R::ZERO, |tree| tree.leaf_distance(class as u32)),
            pull: blocks(tables.pull).get(place(class)),
            target: blocks(tables.target).get(place(class)),
            pushed: above.and_then(|row| blocks(tables.node_pull).get(place(row))),
        }
    }
}

/// Which parts of `H_c` a plan has, beside that of the own class.
#[derive(Clone, Copy)]
struct Parts {
    region: bool,
    quadratic: bool,
    labels: bool,
    smoothing: bool,
    leaf_distances: bool,
}

impl Parts {
    fn of(plan: &Plan<'_>) -> Self {
        let region = plan.region && plan.loss.activation == Activation::Softmax;
        Self {
            region,
            quadratic: region && plan.squared.is_some(),
            labels: region && plan.target == TargetKind::Labels,
            smoothing: plan.smoothing,
            leaf_distances: plan.leaf_distances,
        }
    }
}

impl<V: Vector> BlockOfVoxels<V> {
    /// Probabilities of a class.
    #[inline(always)]
    fn probability<S: Simd<Vector = V, Real = V::Real>>(
        &self,
        simd: S,
        exponentials: &Block<V::Real>,
    ) -> [V; BLOCK] {
        let mut p = load_block(simd, exponentials);
        for (p, inverse) in p.iter_mut().zip(self.inverse) {
            *p = *p * inverse;
        }
        p
    }

    /// `dL/dp / w` of a class by region terms.
    #[inline(always)]
    fn region_slope<S: Simd<Vector = V, Real = V::Real>>(
        &self,
        simd: S,
        parts: Parts,
        number: V,
        p: [V; BLOCK],
        rows: ClassRows<'_, V::Real>,
    ) -> [V; BLOCK] {
        let c = ClassSlope::new(simd, rows.slope);
        let mut slope = [c.a; BLOCK];
        if let Some(target) = rows.target {
            for ((slope, p), g) in slope.iter_mut().zip(p).zip(target) {
                *slope = c.at(simd, p, simd.load(g));
            }
            return slope;
        }
        if parts.quadratic {
            for (slope, p) in slope.iter_mut().zip(p) {
                *slope = *slope + c.d * p;
            }
        }
        if parts.labels {
            for (slope, label) in slope.iter_mut().zip(self.label) {
                *slope = *slope + V::select(label.equal(number), c.b, simd.zero());
            }
        }
        slope
    }
}

/// `sum_j H_j` at a block, without what classes have of their own.
#[inline(always)]
fn sum_over_classes<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    (parts, tables, index): (Parts, &Tables<'_, S::Real>, usize),
    slopes: &[Slope<S::Real>],
    voxels: &BlockOfVoxels<S::Vector>,
    tile: &Tile<'_, S::Real>,
) -> [S::Vector; BLOCK] {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let (mut region, mut pulls) = ([zero; BLOCK], [zero; BLOCK]);
    let mut number = zero;
    let classes = slopes.iter().enumerate().zip(column(tile.softmax, tile.lanes, index));
    for (class, exponentials) in classes {
        let rows = ClassRows::of(plan, tables, index, class);
        let p = voxels.probability(simd, exponentials);
        if parts.region {
            let slope = voxels.region_slope(simd, parts, number, p, rows);
            for (sum, (p, slope)) in region.iter_mut().zip(p.into_iter().zip(slope)) {
                *sum = *sum + p * slope;
            }
        }
        if let Some(pull) = rows.pull {
            for (sum, pull) in pulls.iter_mut().zip(pull) {
                *sum = *sum + simd.load(pull);
            }
        }
        number = number + one;
    }
    for (sum, (region, weight)) in pulls.iter_mut().zip(region.into_iter().zip(voxels.weight)) {
        *sum = *sum + region * weight;
    }
    pulls
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
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let constants = slopes.iter().fold(S::Real::ZERO, |sum, [.., constant]| sum + *constant);
    let pull = if tile.uses_pull { &*tile.pull } else { &[] };
    let tables = Tables { lanes, pull, target: tile.target, node_pull: tile.node_pull };
    for index in 0..lanes / BLOCK {
        let voxels = BlockOfVoxels {
            inverse: block_of(simd, tile.inverse, index),
            weight: block_of(simd, tile.weight, index),
            label: block_of(simd, tile.label_lanes, index),
        };
        let own = block_of(simd, tile.own_pull, index);
        let mut sums = own;
        if plan.nodes > 0 {
            let pushed = block_of(simd, tile.pushed, index);
            for (sum, (pushed, inverse)) in
                sums.iter_mut().zip(pushed.into_iter().zip(voxels.inverse))
            {
                *sum = *sum + pushed * inverse;
            }
        }
        let transports = block_of(simd, tile.transport, index);
        if parts.leaf_distances {
            let far = block_of(simd, tile.far, index).into_iter().zip(transports);
            for (sum, ((far, transport), inverse)) in sums.iter_mut().zip(far.zip(voxels.inverse)) {
                *sum = *sum + far * inverse * transport;
            }
        }
        if parts.smoothing {
            for (sum, weight) in sums.iter_mut().zip(voxels.weight) {
                *sum = *sum + simd.splat(constants) * weight;
            }
        }
        if parts.region || tile.uses_pull {
            let place = (parts, &tables, index);
            let others = sum_over_classes(simd, plan, place, slopes, &voxels, tile);
            for (sum, others) in sums.iter_mut().zip(others) {
                *sum = *sum + others;
            }
        }
        let mut directs = column(tile.direct, lanes, index);
        let mut number = zero;
        let classes = slopes.iter().enumerate().zip(column_mut(tile.softmax, lanes, index));
        for (class, to) in classes {
            let rows = ClassRows::of(plan, &tables, index, class);
            let p = voxels.probability(simd, to);
            let mut gradient = [zero; BLOCK];
            if parts.region {
                let slope = voxels.region_slope(simd, parts, number, p, rows);
                for (to, (slope, weight)) in
                    gradient.iter_mut().zip(slope.into_iter().zip(voxels.weight))
                {
                    *to = slope * weight;
                }
            }
            if let Some(pushed) = rows.pushed {
                for (to, pushed) in gradient.iter_mut().zip(pushed) {
                    *to = *to + simd.load(pushed);
                }
            }
            if parts.leaf_distances {
                let distance = simd.splat(rows.distance);
                for (to, transport) in gradient.iter_mut().zip(transports) {
                    *to = *to + distance * transport;
                }
            }
            for (to, (p, sum)) in gradient.iter_mut().zip(p.into_iter().zip(sums)) {
                *to = p * (*to - sum);
            }
            for (to, (own, label)) in gradient.iter_mut().zip(own.into_iter().zip(voxels.label)) {
                *to = *to + Vector::select(label.equal(number), own, zero);
            }
            if parts.smoothing {
                let constant = ClassSlope::new(simd, rows.slope).constant;
                for (to, weight) in gradient.iter_mut().zip(voxels.weight) {
                    *to = *to + constant * weight;
                }
            }
            for row in [rows.pull, directs.next()].into_iter().flatten() {
                for (to, row) in gradient.iter_mut().zip(row) {
                    *to = *to + simd.load(row);
                }
            }
            store_block(gradient, to);
            number = number + one;
        }
    }
}
