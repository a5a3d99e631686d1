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
    BLOCK, Block, CopyRow, blocks, blocks_mut, column, fill, load_block, row, rows, rows_mut,
    store_block,
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

/// What a class adds to `H` that other classes do not, as rows; empty ones add nothing.
#[derive(Clone, Copy)]
struct ClassRows<'r, R> {
    slope: &'r Slope<R>,
    /// See [`LabelTree::leaf_excess`].
    excess: R,
    pull: &'r [Lanes<R>],
    target: &'r [Lanes<R>],
    /// Of the inner node above.
    pushed: &'r [Lanes<R>],
    direct: &'r [Lanes<R>],
}

/// Where [`ClassRows`] are found.
struct Tables<'r, R> {
    slopes: &'r [Slope<R>],
    lanes: usize,
    pull: &'r [Lanes<R>],
    target: &'r [Lanes<R>],
    node_pull: &'r [Lanes<R>],
    direct: &'r [Lanes<R>],
}

impl<'r, R: Real> Tables<'r, R> {
    /// The rows of every class.
    #[inline(always)]
    fn classes(&self, plan: &Plan<'_>) -> impl Iterator<Item = ClassRows<'r, R>> {
        let tree = plan.loss.tree.as_ref();
        self.slopes.iter().enumerate().map(move |(class, slope)| {
            let above = tree.filter(|_| plan.nodes > 0).and_then(|tree| row_above(tree, class));
            let excess = tree.filter(|_| plan.leaf_excess);
            ClassRows {
                slope,
                excess: excess.map_or(R::ZERO, |tree| tree.leaf_excess(class as u32)),
                pull: row(self.pull, class, self.lanes),
                target: row(self.target, class, self.lanes),
                pushed: above.map_or(&[], |above| row(self.node_pull, above, self.lanes)),
                direct: row(self.direct, class, self.lanes),
            }
        })
    }
}

/// Which parts of `H_c` a plan has, beside that of the own class.
#[derive(Clone, Copy)]
struct Parts {
    region: bool,
    quadratic: bool,
    labels: bool,
    smoothing: bool,
    leaf_excess: bool,
}

impl Parts {
    fn of(plan: &Plan<'_>) -> Self {
        let region = plan.region && plan.loss.activation == Activation::Softmax;
        Self {
            region,
            quadratic: region && plan.squared.is_some(),
            labels: region && plan.target == TargetKind::Labels,
            smoothing: plan.smoothing,
            leaf_excess: plan.leaf_excess,
        }
    }
}

/// What the classes have in common at a block of voxels.
#[derive(Clone, Copy)]
struct Voxels<'r, R> {
    inverse: &'r Block<R>,
    weight: &'r Block<R>,
    label: &'r Block<R>,
}

impl<'r, R: Real> Voxels<'r, R> {
    /// All blocks of a tile.
    #[inline(always)]
    fn blocks(
        inverse: &'r [Lanes<R>],
        weight: &'r [Lanes<R>],
        label: &'r [Lanes<R>],
    ) -> impl Iterator<Item = Self> {
        let rows = blocks(inverse).iter().zip(blocks(weight)).zip(blocks(label));
        rows.map(|((inverse, weight), label)| Self { inverse, weight, label })
    }

    /// Probabilities of a class.
    #[inline(always)]
    fn probability<S: Simd<Real = R>>(
        &self,
        simd: S,
        exponentials: &Block<R>,
    ) -> [S::Vector; BLOCK] {
        let mut p = load_block(simd, exponentials);
        for (p, inverse) in p.iter_mut().zip(self.inverse) {
            *p = *p * simd.load(inverse);
        }
        p
    }

    /// `dL/dp / w` of a class by region terms.
    #[inline(always)]
    fn region_slope<S: Simd<Real = R>>(
        &self,
        simd: S,
        parts: Parts,
        p: [S::Vector; BLOCK],
        (c, number): (ClassSlope<S::Vector>, S::Vector),
        target: Option<&Block<R>>,
    ) -> [S::Vector; BLOCK] {
        let mut slope = [c.a; BLOCK];
        if let Some(target) = target {
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
                let own = simd.load(label).equal(number);
                *slope = *slope + Vector::select(own, c.b, simd.zero());
            }
        }
        slope
    }
}

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
    let to = blocks_mut(tile.spare).iter_mut().zip(blocks(tile.own_pull));
    for (index, ((to, own), voxels)) in to.zip(voxels).enumerate() {
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
        for (sum, (weight, own)) in sums.iter_mut().zip(voxels.weight.iter().zip(own)) {
            *sum = *sum * simd.load(weight) + simd.load(own);
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
    if plan.nodes > 0 {
        let pushed = tile.pushed.iter().zip(&*tile.inverse);
        for (sum, (pushed, inverse)) in tile.spare.iter_mut().zip(pushed) {
            (simd.load(sum) + simd.load(pushed) * simd.load(inverse)).store(sum);
        }
    }
    if parts.leaf_excess {
        let excess = tile.excess.iter().zip(&*tile.inverse).zip(&*tile.transport);
        for (sum, ((excess, inverse), transport)) in tile.spare.iter_mut().zip(excess) {
            let excess = simd.load(excess) * simd.load(inverse);
            (simd.load(sum) + excess * simd.load(transport)).store(sum);
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
    sum_over_classes(simd, plan, parts, slopes, tile);
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let pull = if tile.uses_pull { &*tile.pull } else { &[] };
    let (target, node_pull, direct) = (&*tile.target, &*tile.node_pull, &*tile.direct);
    let tables = Tables { slopes, lanes, pull, target, node_pull, direct };
    let mut number = zero;
    for (class, to) in tables.classes(plan).zip(rows_mut(tile.softmax, lanes)) {
        let slope = ClassSlope::new(simd, class.slope);
        let excess = simd.splat(class.excess);
        let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
        let shared = blocks(tile.own_pull).iter().zip(blocks(tile.spare)).zip(voxels);
        for (index, (to, ((own, sums), voxels))) in
            blocks_mut(to).iter_mut().zip(shared).enumerate()
        {
            let p = voxels.probability(simd, to);
            let mut gradient = [zero; BLOCK];
            if parts.region {
                let target = blocks(class.target).get(index);
                let slope = voxels.region_slope(simd, parts, p, (slope, number), target);
                for (to, (slope, weight)) in
                    gradient.iter_mut().zip(slope.iter().zip(voxels.weight))
                {
                    *to = *slope * simd.load(weight);
                }
            }
            if let Some(pushed) = blocks(class.pushed).get(index) {
                for (to, pushed) in gradient.iter_mut().zip(pushed) {
                    *to = *to + simd.load(pushed);
                }
            }
            if let (true, Some(transport)) = (parts.leaf_excess, blocks(tile.transport).get(index))
            {
                for (to, transport) in gradient.iter_mut().zip(transport) {
                    *to = *to + excess * simd.load(transport);
                }
            }
            for (to, (p, sum)) in gradient.iter_mut().zip(p.into_iter().zip(sums)) {
                *to = p * (*to - simd.load(sum));
            }
            for (to, (own, label)) in gradient.iter_mut().zip(own.iter().zip(voxels.label)) {
                let is_own = simd.load(label).equal(number);
                *to = *to + Vector::select(is_own, simd.load(own), zero);
            }
            if parts.smoothing {
                for (to, weight) in gradient.iter_mut().zip(voxels.weight) {
                    *to = *to + slope.constant * simd.load(weight);
                }
            }
            let added = [blocks(class.pull).get(index), blocks(class.direct).get(index)];
            for row in added.into_iter().flatten() {
                for (to, row) in gradient.iter_mut().zip(row) {
                    *to = *to + simd.load(row);
                }
            }
            store_block(gradient, to);
        }
        number = number + one;
    }
}
