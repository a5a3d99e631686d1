//! The gradient of a tile through the softmax: `H_c - p_c sum_j H_j`.
//!
//! `H_c / w = p_c (a + b g + d p + e sign(p - g)) + constant` for region terms and label smoothing;
//! tree terms add `p_c` times what the inner node above passes down and times the excess of its
//! leaf's edge, and what has no such form lies in rows of [`Tile::pull`]. What is passed down adds up to
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
    index: usize,
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
        let rows = blocks(inverse).iter().zip(blocks(weight)).zip(blocks(label)).enumerate();
        rows.map(|(index, ((inverse, weight), label))| Self { index, inverse, weight, label })
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

/// A class in a loop over blocks of voxels.
#[derive(Clone, Copy)]
struct Class<'r, S: Simd> {
    simd: S,
    parts: Parts,
    rows: ClassRows<'r, S::Real>,
    slope: ClassSlope<S::Vector>,
    excess: S::Vector,
    number: S::Vector,
    excess_factor: &'r [Lanes<S::Real>],
}

impl<'r, S: Simd> Class<'r, S> {
    #[inline(always)]
    fn new(
        simd: S,
        parts: Parts,
        rows: ClassRows<'r, S::Real>,
        number: S::Vector,
        excess_factor: &'r [Lanes<S::Real>],
    ) -> Self {
        let slope = ClassSlope::new(simd, rows.slope);
        Self { simd, parts, rows, slope, excess: simd.splat(rows.excess), number, excess_factor }
    }

    /// `dL/dp`, but for what lies in [`Tile::pull`] and that of the own class.
    #[inline(always)]
    fn slope(&self, voxels: &Voxels<'_, S::Real>, p: [S::Vector; BLOCK]) -> [S::Vector; BLOCK] {
        let (simd, index) = (self.simd, voxels.index);
        let mut all = [simd.zero(); BLOCK];
        if self.parts.region {
            let target = blocks(self.rows.target).get(index);
            let class = (self.slope, self.number);
            let slope = voxels.region_slope(simd, self.parts, p, class, target);
            for (to, (slope, weight)) in all.iter_mut().zip(slope.into_iter().zip(voxels.weight)) {
                *to = slope * simd.load(weight);
            }
        }
        if let Some(pushed) = blocks(self.rows.pushed).get(index) {
            for (to, pushed) in all.iter_mut().zip(pushed) {
                *to = *to + simd.load(pushed);
            }
        }
        if let (true, Some(factor)) =
            (self.parts.leaf_excess, blocks(self.excess_factor).get(index))
        {
            for (to, factor) in all.iter_mut().zip(factor) {
                *to = *to + self.excess * simd.load(factor);
            }
        }
        all
    }

    /// Adds to the gradient what lies in rows of it.
    #[inline(always)]
    fn add_direct(&self, index: usize, gradient: &mut [S::Vector; BLOCK]) {
        if let Some(row) = blocks(self.rows.direct).get(index) {
            for (to, row) in gradient.iter_mut().zip(row) {
                *to = *to + self.simd.load(row);
            }
        }
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
    if slopes.len() > 2 {
        sum_over_classes(simd, plan, parts, slopes, tile);
    }
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let pull = if tile.uses_pull { &*tile.pull } else { &[] };
    let (target, node_pull, direct) = (&*tile.target, &*tile.node_pull, &*tile.direct);
    let tables = Tables { slopes, lanes, pull, target, node_pull, direct };
    let mut classes = tables.classes(plan);
    let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
    if slopes.len() == 2 {
        if let [Some(first), Some(second)] = [classes.next(), classes.next()] {
            let first = Class::new(simd, parts, first, zero, tile.excess_factor);
            let second = Class::new(simd, parts, second, one, tile.excess_factor);
            two_gradients([first, second], voxels, tile.own_pull, tile.softmax);
        }
        return;
    }
    let mut number = zero;
    for (rows, to) in classes.zip(rows_mut(tile.softmax, lanes)) {
        let class = Class::new(simd, parts, rows, number, tile.excess_factor);
        let voxels = Voxels::blocks(tile.inverse, tile.weight, tile.label_lanes);
        let shared = blocks(tile.own_pull).iter().zip(blocks(tile.spare)).zip(voxels);
        for (to, ((own, sums), voxels)) in blocks_mut(to).iter_mut().zip(shared) {
            let p = voxels.probability(simd, to);
            let mut gradient = class.slope(&voxels, p);
            for (to, (p, sum)) in gradient.iter_mut().zip(p.into_iter().zip(sums)) {
                *to = p * (*to - simd.load(sum));
            }
            for (to, (own, label)) in gradient.iter_mut().zip(own.iter().zip(voxels.label)) {
                let is_own = simd.load(label).equal(number);
                *to = *to + Vector::select(is_own, simd.load(own), zero);
            }
            if parts.smoothing {
                for (to, weight) in gradient.iter_mut().zip(voxels.weight) {
                    *to = *to + class.slope.constant * simd.load(weight);
                }
            }
            if let Some(pull) = blocks(class.rows.pull).get(voxels.index) {
                for (to, pull) in gradient.iter_mut().zip(pull) {
                    *to = *to + simd.load(pull);
                }
            }
            class.add_direct(voxels.index, &mut gradient);
            store_block(gradient, to);
        }
        number = number + one;
    }
}

/// Of two classes: `H_0 p_1 - H_1 p_0`, and the opposite.
#[inline(always)]
fn two_gradients<'r, S: Simd>(
    [first, second]: [Class<'r, S>; 2],
    voxels: impl Iterator<Item = Voxels<'r, S::Real>>,
    own_pull: &[Lanes<S::Real>],
    rows: &mut [Lanes<S::Real>],
) {
    let simd = first.simd;
    let halves = rows.split_at_mut_checked(rows.len() / 2).unwrap_or_default();
    let to = blocks_mut(halves.0).iter_mut().zip(blocks_mut(halves.1));
    for ((to, other), (own, voxels)) in to.zip(blocks(own_pull).iter().zip(voxels)) {
        let (p, q) = (voxels.probability(simd, to), voxels.probability(simd, other));
        let mut gradient = first.slope(&voxels, p);
        let slopes = gradient.iter_mut().zip(second.slope(&voxels, q));
        for ((to, slope), (p, q)) in slopes.zip(p.into_iter().zip(q)) {
            *to = p * q * (*to - slope);
        }
        let own = own.iter().zip(voxels.label);
        for ((to, (own, label)), (p, q)) in gradient.iter_mut().zip(own).zip(p.into_iter().zip(q)) {
            let is_first = simd.load(label).equal(first.number);
            *to = *to + simd.load(own) * Vector::select(is_first, q, -p);
        }
        if first.parts.smoothing {
            let constants = (first.slope.constant, second.slope.constant);
            let voxels = voxels.weight.iter().zip(p.into_iter().zip(q));
            for (to, (weight, (p, q))) in gradient.iter_mut().zip(voxels) {
                *to = *to + simd.load(weight) * (constants.0 * q - constants.1 * p);
            }
        }
        let pulls = [&first, &second].map(|class| blocks(class.rows.pull).get(voxels.index));
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
