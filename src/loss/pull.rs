//! Step 3 on a tile: from staged scores and coefficients to the gradient.

use super::coefficients::Coefficients;
use super::distance_term::DistanceTerm;
use super::plan::{Plan, TargetKind};
use super::sums::{activate, probabilities};
use super::term::Term;
use super::tile::Tile;
use super::wasserstein::signed;
use super::{
    Activation, cross_entropy, distance_term, elementwise, focal, top_k, tree_cross_entropy,
    wasserstein,
};
use crate::element::{Lanes, Real};
use crate::rows::{fill, row, row_mut};
use crate::simd::{Simd, Vector};
use crate::tree::{self, NONE, at};

/// The class rows that hold the gradient after [`tile_gradient`].
pub(crate) fn result<'r, R>(plan: &Plan<'_>, tile: &'r Tile<'_, R>) -> &'r [Lanes<R>] {
    if plan.softmax { tile.softmax } else { tile.scores }
}

/// Turns a staged tile into its gradient, see [`result`].
#[inline(always)]
pub(crate) fn tile_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    tile: &mut Tile<'_, S::Real>,
) {
    activate(simd, plan, tile);
    for rows in [&mut *tile.pull, &mut *tile.direct, &mut *tile.node_pull, &mut *tile.own_pull] {
        fill(rows, S::Real::ZERO);
    }
    pull_terms(simd, plan, coefficients, tile);
    if plan.pull && plan.nodes > 0 {
        push_down(simd, plan, tile);
    }
    let sample = plan.part.first_sample + tile.sample;
    let primary_softmax = plan.loss.activation == Activation::Softmax;
    if plan.softmax {
        if plan.region && primary_softmax && plan.target == TargetKind::Labels {
            own_region(simd, coefficients, sample, tile);
        }
        softmax_gradient(simd, plan, coefficients, sample, tile);
    } else {
        fill(tile.own_pull, S::Real::ZERO);
    }
    if !primary_softmax {
        elementwise_gradient(simd, plan, coefficients, sample, tile);
    }
}

#[inline(always)]
fn pull_terms<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    tile: &mut Tile<'_, S::Real>,
) {
    let (mut transport, mut plane) = (0, 0);
    let scales = coefficients.scale.iter();
    for (index, (weighted, &scale)) in plan.loss.terms.iter().zip(scales).enumerate() {
        match &weighted.term {
            Term::Dice(_) | Term::Tversky(_) | Term::GeneralisedDice(_) => {}
            Term::CrossEntropy(options) => cross_entropy::pull(simd, plan, options, scale, tile),
            Term::TopKCrossEntropy(options) => {
                top_k::pull(simd, plan, options, coefficients, scale, tile);
            }
            Term::BinaryCrossEntropy(options) => {
                elementwise::slope(simd, options, options.class_weights, scale, tile);
            }
            Term::Focal(options) if plan.takes_sigmoid(options.activation) => {
                elementwise::slope(simd, options, options.class_weights, scale, tile);
            }
            Term::Focal(options) => focal::pull(simd, plan, options, scale, tile),
            Term::TreeCrossEntropy(options) => {
                tree_cross_entropy::pull(simd, plan, options, scale, tile);
            }
            Term::TreeWasserstein(options) => {
                let scale = scale / plan.distance_unit(index);
                wasserstein::pull(simd, plan, options, scale, tile);
            }
            Term::WassersteinDice(options) => {
                let by_cost = coefficients.transport(plan, transport, tile.sample);
                wasserstein::dice_pull(simd, plan, options, by_cost, tile);
                transport += 1;
            }
            Term::HausdorffDT(_) | Term::Boundary(_) => {
                if let Some(term) = DistanceTerm::of(&weighted.term) {
                    distance_term::pull(simd, plan, &term, plane, scale, tile);
                }
                plane += 1;
            }
        }
    }
}

/// `H_l += p_l (sum over the inner nodes above l)`.
#[inline(always)]
fn push_down<S: Simd>(simd: S, plan: &Plan<'_>, tile: &mut Tile<'_, S::Real>) {
    let Some(label_tree) = &plan.loss.tree else {
        return;
    };
    tree::push_down(simd, label_tree, tile.lanes, tile.node_pull);
    for class in 0..tile.classes {
        let leaf = at(label_tree.leaf_of_class, class as u32);
        let above = at(label_tree.row, at(label_tree.parent, leaf));
        if above == NONE {
            continue;
        }
        let pushed = row(tile.node_pull, above as usize, tile.lanes);
        let own = row(tile.softmax, class, tile.lanes).iter().zip(pushed);
        for (pull, (p, pushed)) in row_mut(tile.pull, class, tile.lanes).iter_mut().zip(own) {
            (simd.load(pull) + simd.load(p) * simd.load(pushed)).store(pull);
        }
    }
}

/// `H_y += w b_y p_y`: what region terms on a label map add at the own class.
#[inline(always)]
fn own_region<S: Simd>(
    simd: S,
    coefficients: &Coefficients<'_>,
    sample: usize,
    tile: &mut Tile<'_, S::Real>,
) {
    let by_target = coefficients.by_target(sample, tile.classes);
    for (spare, &label) in tile.spare.as_flattened_mut().iter_mut().zip(&*tile.labels) {
        *spare = S::Real::from_f64(at(by_target, label));
    }
    let own = tile.own_probability.iter().zip(&*tile.spare).zip(&*tile.weight);
    for (pull, ((p, b), w)) in tile.own_pull.iter_mut().zip(own) {
        (simd.load(pull) + simd.load(w) * simd.load(b) * simd.load(p)).store(pull);
    }
}

/// `dL/dp / w = a + b g + d p + e sign(p - g)` of a class, and a constant added to `H / w`.
#[derive(Clone, Copy)]
struct ClassCoefficients<V> {
    a: V,
    b: V,
    d: V,
    e: V,
    constant: V,
}

impl<V: Vector> ClassCoefficients<V> {
    #[inline(always)]
    fn new<S: Simd<Vector = V, Real = V::Real>>(
        simd: S,
        coefficients: &Coefficients<'_>,
        sample: usize,
        (classes, class): (usize, usize),
        constant: f64,
    ) -> Self {
        let of = |k| simd.splat(V::Real::from_f64(coefficients.region(sample, k, classes, class)));
        Self {
            a: of(0),
            b: of(1),
            d: of(2),
            e: of(3),
            constant: simd.splat(V::Real::from_f64(constant)),
        }
    }

    #[inline(always)]
    fn constant<S: Simd<Vector = V, Real = V::Real>>(simd: S, constant: f64) -> Self {
        let zero = simd.zero();
        let constant = simd.splat(V::Real::from_f64(constant));
        Self { a: zero, b: zero, d: zero, e: zero, constant }
    }

    /// `dL/dp / w` without `g`.
    #[inline(always)]
    fn slope(&self, p: V) -> V {
        self.a + self.d * p
    }

    /// `dL/dp / w`.
    #[inline(always)]
    fn dense_slope<S: Simd<Vector = V>>(&self, simd: S, p: V, g: V) -> V {
        self.slope(p) + self.b * g + signed(simd, self.e, p - g)
    }
}

/// `H_c - p_c sum_j H_j` in place of the probabilities, and the direct gradient on top.
#[inline(always)]
fn softmax_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    sample: usize,
    tile: &mut Tile<'_, S::Real>,
) {
    let dense = plan.target.dense();
    let region = plan.region && plan.loss.activation == Activation::Softmax;
    let polynomial = region || plan.smoothing;
    let class_coefficients = |class| {
        let constant = coefficients.constant_pull(plan, class);
        if region {
            ClassCoefficients::new(simd, coefficients, sample, (tile.classes, class), constant)
        } else {
            ClassCoefficients::constant(simd, constant)
        }
    };
    for (sum, own) in tile.pull_sum.iter_mut().zip(&*tile.own_pull) {
        *sum = *own;
    }
    let summed = if plan.pull || polynomial { tile.classes } else { 0 };
    for class in 0..summed {
        let c = class_coefficients(class);
        let probabilities = row(tile.softmax, class, tile.lanes);
        let mut pulls = row(tile.pull, class, tile.lanes).iter();
        let mut targets = row(tile.target, class, tile.lanes).iter();
        let voxels = probabilities.iter().zip(&*tile.weight).zip(tile.pull_sum.iter_mut());
        for ((p, w), sum) in voxels {
            let p = simd.load(p);
            let slope = match targets.next() {
                Some(g) if dense => c.dense_slope(simd, p, simd.load(g)),
                _ => c.slope(p),
            };
            let mut h = simd.load(w) * (c.constant + p * slope);
            if let Some(pull) = pulls.next() {
                h = h + simd.load(pull);
            }
            (simd.load(sum) + h).store(sum);
        }
    }
    for class in 0..tile.classes {
        let c = class_coefficients(class);
        let own_class = simd.splat(S::Real::from_f64(class as f64));
        let mut pulls = row(tile.pull, class, tile.lanes).iter();
        let mut targets = row(tile.target, class, tile.lanes).iter();
        let mut directs = row(tile.direct, class, tile.lanes).iter();
        let shared = tile.weight.iter().zip(&*tile.pull_sum);
        let own = tile.label_lanes.iter().zip(&*tile.own_pull);
        let probabilities = row_mut(tile.softmax, class, tile.lanes).iter_mut();
        for (group, ((w, sum), (label, own))) in probabilities.zip(shared.zip(own)) {
            let p = simd.load(group);
            let slope = match targets.next() {
                Some(g) if dense => c.dense_slope(simd, p, simd.load(g)),
                _ => c.slope(p),
            };
            let mut h = simd.load(w) * (c.constant + p * slope);
            if let Some(pull) = pulls.next() {
                h = h + simd.load(pull);
            }
            let is_own = simd.load(label).equal(own_class);
            h = h + Vector::select(is_own, simd.load(own), simd.zero());
            let mut gradient = h - p * simd.load(sum);
            if let Some(direct) = directs.next() {
                gradient = gradient + simd.load(direct);
            }
            gradient.store(group);
        }
    }
}

/// Adds the gradient of region terms under sigmoid or no activation, and, where there is no
/// softmax that has done so, the direct gradient.
#[inline(always)]
fn elementwise_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    sample: usize,
    tile: &mut Tile<'_, S::Real>,
) {
    let one = simd.splat(S::Real::ONE);
    let sigmoid = plan.loss.activation == Activation::Sigmoid;
    for class in 0..tile.classes {
        let place = (tile.classes, class);
        let c = ClassCoefficients::new(simd, coefficients, sample, place, 0.0);
        let own_class = simd.splat(S::Real::from_f64(class as f64));
        for group in 0..tile.lanes {
            let at_group = |class_rows: &[Lanes<S::Real>]| {
                row(class_rows, class, tile.lanes).get(group).map(|lanes| simd.load(lanes))
            };
            let mut gradient = simd.zero();
            if plan.region {
                let p = at_group(probabilities(plan, tile)).unwrap_or(one);
                let w = tile.weight.get(group).map_or(one, |w| simd.load(w));
                let g = at_group(tile.target).unwrap_or_else(|| {
                    let label = tile.label_lanes.get(group).map_or(one, |l| simd.load(l));
                    Vector::select(label.equal(own_class), one, simd.zero())
                });
                let chain = if sigmoid { p * (one - p) } else { one };
                gradient = w * (chain * c.dense_slope(simd, p, g));
            }
            if plan.softmax {
                gradient = gradient + at_group(tile.softmax).unwrap_or(gradient);
            } else if let Some(direct) = at_group(tile.direct) {
                gradient = gradient + direct;
            }
            let result = if plan.softmax { &mut *tile.softmax } else { &mut *tile.scores };
            if let Some(to) = row_mut(result, class, tile.lanes).get_mut(group) {
                gradient.store(to);
            }
        }
    }
}
