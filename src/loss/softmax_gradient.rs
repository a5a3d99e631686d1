//! The gradient of a tile through the softmax: `H_c - p_c sum_j H_j`.
//!
//! `H_c / w = p_c (a + b g + d p + e sign(p - g)) + constant` for region terms and label smoothing;
//! tree terms add `p_c` times what the inner node above passes down and times the distance to the
//! root, and what has no such form lies in rows of [`Tile::pull`].
#![forbid(unsafe_code)]

use super::Activation;
use super::coefficients::Slope;
use super::plan::{Plan, TargetKind};
use super::tile::Tile;
use super::wasserstein::signed;
use crate::element::{Lanes, Real};
use crate::rows::{BLOCK, Block, block_of, blocks, column, column_mut, load_block, store_block};
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
    transport: [V; BLOCK],
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
        let tree = plan.loss.tree.as_ref().filter(|_| plan.nodes > 0);
        let above = tree.and_then(|tree| row_above(tree, class));
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
    /// Probabilities and `H_c` of a class, without what concerns the own class alone.
    #[inline(always)]
    fn pull<S: Simd<Vector = V, Real = V::Real>>(
        &self,
        simd: S,
        parts: Parts,
        number: V,
        exponentials: &Block<V::Real>,
        rows: ClassRows<'_, V::Real>,
    ) -> ([V; BLOCK], [V; BLOCK]) {
        let c = ClassSlope::new(simd, rows.slope);
        let mut p = load_block(simd, exponentials);
        for (p, inverse) in p.iter_mut().zip(self.inverse) {
            *p = *p * inverse;
        }
        let mut h = [simd.zero(); BLOCK];
        if parts.region {
            match rows.target {
                Some(target) => {
                    for ((h, p), g) in h.iter_mut().zip(p).zip(target) {
                        *h = p * c.at(simd, p, simd.load(g));
                    }
                }
                None => {
                    let mut by_p = [c.a; BLOCK];
                    if parts.quadratic {
                        for (by_p, p) in by_p.iter_mut().zip(p) {
                            *by_p = *by_p + c.d * p;
                        }
                    }
                    if parts.labels {
                        for (by_p, label) in by_p.iter_mut().zip(self.label) {
                            *by_p = *by_p + V::select(label.equal(number), c.b, simd.zero());
                        }
                    }
                    for ((h, by_p), p) in h.iter_mut().zip(by_p).zip(p) {
                        *h = p * by_p;
                    }
                }
            }
        }
        if parts.smoothing {
            for h in &mut h {
                *h = *h + c.constant;
            }
        }
        if parts.region || parts.smoothing {
            for (h, weight) in h.iter_mut().zip(self.weight) {
                *h = *h * weight;
            }
        }
        if let Some(pushed) = rows.pushed {
            for ((h, p), pushed) in h.iter_mut().zip(p).zip(pushed) {
                *h = *h + p * simd.load(pushed);
            }
        }
        if parts.leaf_distances {
            let distance = simd.splat(rows.distance);
            for ((h, p), transport) in h.iter_mut().zip(p).zip(self.transport) {
                *h = *h + p * (distance * transport);
            }
        }
        if let Some(pull) = rows.pull {
            for (h, pull) in h.iter_mut().zip(pull) {
                *h = *h + simd.load(pull);
            }
        }
        (p, h)
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
    let (lanes, parts) = (tile.lanes, Parts::of(plan));
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let every_class = tile.uses_pull || parts.region || parts.smoothing || plan.nodes > 0;
    let pull = if tile.uses_pull { &*tile.pull } else { &[] };
    let tables = Tables { lanes, pull, target: tile.target, node_pull: tile.node_pull };
    for index in 0..lanes / BLOCK {
        let own = block_of(simd, tile.own_pull, index);
        let voxels = BlockOfVoxels {
            inverse: block_of(simd, tile.inverse, index),
            weight: block_of(simd, tile.weight, index),
            label: block_of(simd, tile.label_lanes, index),
            transport: block_of(simd, tile.transport, index),
        };
        let mut sum = own;
        if every_class {
            let mut number = zero;
            let classes = slopes.iter().enumerate().zip(column(tile.softmax, lanes, index));
            for (class, exponentials) in classes {
                let rows = ClassRows::of(plan, &tables, index, class);
                let (_, h) = voxels.pull(simd, parts, number, exponentials, rows);
                for (sum, h) in sum.iter_mut().zip(h) {
                    *sum = *sum + h;
                }
                number = number + one;
            }
        }
        let mut directs = column(tile.direct, lanes, index);
        let mut number = zero;
        let classes = slopes.iter().enumerate().zip(column_mut(tile.softmax, lanes, index));
        for (class, to) in classes {
            let rows = ClassRows::of(plan, &tables, index, class);
            let (p, mut gradient) = voxels.pull(simd, parts, number, to, rows);
            for ((h, own), label) in gradient.iter_mut().zip(own).zip(voxels.label) {
                *h = *h + Vector::select(label.equal(number), own, zero);
            }
            for ((h, p), sum) in gradient.iter_mut().zip(p).zip(sum) {
                *h = *h - p * sum;
            }
            if let Some(direct) = directs.next() {
                for (h, direct) in gradient.iter_mut().zip(direct) {
                    *h = *h + simd.load(direct);
                }
            }
            store_block(gradient, to);
            number = number + one;
        }
    }
}
