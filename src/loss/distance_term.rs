//! What the terms on distance fields have in common, and their kernels on a tile.
//!
//! Every voxel and class has one number that does not depend on the scores: the *field weight*
//! `F = D(m)^exponent + D(t)^exponent` of a Hausdorff term, the signed distance of the boundary
//! term. Values are `sum w (p - g)^2 F` and `sum w p F`.
#![forbid(unsafe_code)]

use super::Activation;
use super::elementwise::target;
use super::plan::Plan;
use super::sums::{BlockSums, probabilities};
use super::term::{Boundary, HausdorffDT, HausdorffSides, Term};
use super::tile::{Tile, class_weight};
use crate::element::{LANES, Lanes, Real};
use crate::math::power;
use crate::rows::{row, row_mut};
use crate::simd::{Kernel, Level, Simd, Vector, prefetch};
use crate::spacing::Spacing;

/// A term on a distance field.
#[derive(Clone, Copy)]
pub(crate) enum DistanceTerm<'a> {
    Hausdorff(HausdorffDT<'a>),
    Boundary(Boundary<'a>),
}

impl<'a> DistanceTerm<'a> {
    pub(crate) const fn of(term: &Term<'a>) -> Option<Self> {
        match term {
            Term::HausdorffDT(options) => Some(Self::Hausdorff(*options)),
            Term::Boundary(options) => Some(Self::Boundary(*options)),
            _ => None,
        }
    }

    pub(crate) const fn spacing(&self) -> &Spacing {
        match self {
            Self::Hausdorff(options) => &options.spacing,
            Self::Boundary(options) => &options.spacing,
        }
    }

    /// Whether a field of the prediction is needed.
    pub(crate) fn two_sided(&self) -> bool {
        matches!(self, Self::Hausdorff(options) if options.sides == HausdorffSides::Both)
    }

    /// What the probabilities of the prediction's mask lie above.
    pub(crate) const fn threshold(&self) -> f64 {
        match self {
            Self::Hausdorff(options) => options.threshold,
            Self::Boundary(_) => 0.5,
        }
    }

    /// Factor of a class; 0 where it does not count.
    #[inline(always)]
    pub(crate) fn class_factor(&self, classes: usize, class: usize) -> f64 {
        let (include_background, weights) = match self {
            Self::Hausdorff(options) => (options.include_background, options.class_weights),
            Self::Boundary(options) => (options.include_background, options.class_weights),
        };
        if class == 0 && classes > 1 && !include_background {
            return 0.0;
        }
        class_weight(weights, class)
    }
}

/// Distance terms of a plan, in the order of the list: plane, index of the term, term.
pub(crate) fn distance_terms<'p>(
    plan: &'p Plan<'_>,
) -> impl Iterator<Item = (usize, usize, DistanceTerm<'p>)> {
    let terms = plan.loss.terms.iter().enumerate();
    let distance = terms
        .filter_map(|(index, weighted)| DistanceTerm::of(&weighted.term).map(|term| (index, term)));
    distance.enumerate().map(|(plane, (index, term))| (plane, index, term))
}

/// Voxels between what is read and what is asked for: those of a tile.
const AHEAD: usize = 1024;

/// Field weights from signed squared distances.
pub(crate) struct FieldWeights<'k, 'a, R> {
    pub term: DistanceTerm<'a>,
    pub target: &'k [f32],
    /// Empty for a term that needs none.
    pub prediction: &'k [f32],
    /// Whether the mask is that of the other phase.
    pub negated: bool,
    pub to: &'k mut [Lanes<R>],
}

impl<R: Real> FieldWeights<'_, '_, R> {
    #[inline(always)]
    pub(crate) fn compute(self, level: Level) {
        R::dispatch(level, self);
    }
}

impl<R: Real> Kernel<R> for FieldWeights<'_, '_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let (targets, last_target) = self.target.as_chunks();
        let (predictions, last_prediction) = self.prediction.as_chunks();
        let mut predictions = predictions.iter();
        let (to, last) = self.to.split_at_mut(targets.len().min(self.to.len()));
        for (to, target) in to.iter_mut().zip(targets) {
            prefetch(target.as_ptr().wrapping_add(AHEAD));
            prefetch(predictions.as_slice().as_ptr().wrapping_add(AHEAD / LANES));
            self.term.weights(simd, target, predictions.next(), self.negated).store(to);
        }
        for to in last {
            let (target, prediction) = (padded(last_target), padded(last_prediction));
            let prediction = (!self.prediction.is_empty()).then_some(&prediction);
            self.term.weights(simd, &target, prediction, self.negated).store(to);
        }
    }
}

fn padded(values: &[f32]) -> Lanes<f32> {
    let mut lanes = [0.0; LANES];
    for (to, from) in lanes.iter_mut().zip(values) {
        *to = *from;
    }
    lanes
}

#[inline(always)]
fn widened<S: Simd>(simd: S, values: &Lanes<f32>) -> S::Vector {
    let mut lanes = [S::Real::ZERO; LANES];
    S::Real::lanes_from_f32(values, &mut lanes);
    simd.load(&lanes)
}

impl DistanceTerm<'_> {
    /// Weights of 16 voxels.
    #[inline(always)]
    fn weights<S: Simd>(
        &self,
        simd: S,
        target: &Lanes<f32>,
        prediction: Option<&Lanes<f32>>,
        negated: bool,
    ) -> S::Vector {
        let target = widened(simd, target);
        match self {
            Self::Hausdorff(options) => {
                let exponent = options.exponent;
                let mut sum = two_phase_power(simd, target, exponent);
                if let Some(prediction) = prediction {
                    sum = sum + two_phase_power(simd, widened(simd, prediction), exponent);
                }
                sum
            }
            Self::Boundary(_) => {
                let target = if negated { simd.zero() - target } else { target };
                let size = known(simd, target).square_root();
                S::Vector::select(target.less(simd.zero()), simd.zero() - size, size)
            }
        }
    }
}

/// Squared distance to the other phase, 0 where there is none.
#[inline(always)]
fn known<S: Simd>(simd: S, signed: S::Vector) -> S::Vector {
    let size = signed.absolute();
    let largest = simd.splat(S::Real::from_f32(f32::MAX));
    S::Vector::select(largest.less(size), simd.zero(), size)
}

#[inline(always)]
fn two_phase_power<S: Simd>(simd: S, signed: S::Vector, exponent: f64) -> S::Vector {
    power(simd, known(simd, signed), exponent / 2.0)
}

/// Adds the sums of a term, class by class, to its column. `only` is the one class that has a
/// field, if not all have.
#[inline(always)]
pub(crate) fn sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    term: &DistanceTerm<'_>,
    (plane, column): (usize, usize),
    only: Option<usize>,
    tile: &Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let class_rows = probabilities(plan, tile);
    for class in 0..tile.classes {
        let left_out = only.is_some_and(|only| only != class);
        if left_out || term.class_factor(tile.classes, class) == 0.0 {
            continue;
        }
        let mut sum = simd.zero();
        let probability = row(class_rows, class, tile.lanes);
        let fields = row(tile.fields, plane * tile.classes + class, tile.lanes);
        let dense = row(tile.target, class, tile.lanes);
        let voxels = tile.weight.iter().zip(&*tile.label_lanes).zip(fields);
        for (group, (p, ((w, label), field))) in probability.iter().zip(voxels).enumerate() {
            let p = simd.load(p);
            let part = match term {
                DistanceTerm::Hausdorff(_) => {
                    let difference = p - target(simd, dense.get(group), label, class);
                    difference * difference
                }
                DistanceTerm::Boundary(_) => p,
            };
            sum = sum + simd.load(w) * part * simd.load(field);
        }
        block.add_class(column, class, sum.sum());
    }
}

/// Adds the gradient of a term: to `H` under softmax, else to the gradient of the scores.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    term: &DistanceTerm<'_>,
    plane: usize,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let one = simd.splat(S::Real::ONE);
    let Tile { classes, lanes, .. } = *tile;
    let activation = plan.loss.activation;
    let (class_rows, to_rows) = match activation {
        Activation::Softmax => (&*tile.softmax, &mut *tile.pull),
        Activation::Sigmoid => (&*tile.sigmoid, &mut *tile.direct),
        Activation::None => (&*tile.scores, &mut *tile.direct),
    };
    for class in 0..classes {
        let factor = scale * term.class_factor(classes, class);
        if factor == 0.0 {
            continue;
        }
        let factor = simd.splat(S::Real::from_f64(factor));
        let fields = row(tile.fields, plane * classes + class, lanes);
        let dense = row(tile.target, class, lanes);
        let class_row = row(class_rows, class, lanes).iter().zip(row_mut(to_rows, class, lanes));
        let voxels = tile.weight.iter().zip(&*tile.label_lanes).zip(fields);
        for (group, ((p, to), ((w, label), field))) in class_row.zip(voxels).enumerate() {
            let p = simd.load(p);
            let mut slope = factor * simd.load(w) * simd.load(field);
            if let DistanceTerm::Hausdorff(_) = term {
                let difference = p - target(simd, dense.get(group), label, class);
                slope = slope * (difference + difference);
            }
            let chain = match activation {
                Activation::Softmax => p,
                Activation::Sigmoid => p * (one - p),
                Activation::None => one,
            };
            (simd.load(to) + chain * slope).store(to);
        }
    }
}
