//! Step 2: from sums to values and to the few numbers that the gradient of a voxel is made of.
#![forbid(unsafe_code)]

use super::MAX_TERMS;
use super::cross_entropy::constant_pull;
use super::distance_term::DistanceTerm;
use super::plan::{
    COUNTED, OVERLAP, PREDICTION, Plan, REFERENCE, SOFT, TargetKind, normaliser_of, value_of,
};
use super::region::{Derived, Triple, dice, tversky, volume_weight};
use super::term::{
    CrossEntropy, Denominator, Dice, GeneralisedDice, Mean, Overlap, Pooling, Term, Tversky,
    WassersteinDice, WassersteinDiceWeighting,
};
use super::tile::class_weight;
use super::top_k::Selection;
use crate::element::Real;

/// Coefficients of `dL/dp`, per sample and class.
const REGION: usize = 4;
const BY_PREDICTION: usize = 0;
const BY_TARGET: usize = 1;
const BY_SQUARE: usize = 2;
const BY_DIFFERENCE: usize = 3;

/// A value for each term.
pub(crate) type TermValues = heapless::Vec<f64, MAX_TERMS>;

/// Of a sample and class: `a`, `b`, `d` and `e` of `dL/dp / w = a + b g + d p + e sign(p - g)`, and
/// a constant added to `H / w`.
pub(crate) type Slope<R> = [R; REGION + 1];

/// What the gradient pass reads.
pub(crate) struct Coefficients<'s> {
    /// `[sample][a, b, d, e][class]`.
    region: &'s mut [f64],
    /// `[term][sample][class]`, derivatives with respect to transport cost sums.
    transport: &'s mut [f64],
    /// Factor of each pointwise term: its weight and the upstream gradient over its normaliser.
    pub scale: [f64; MAX_TERMS],
    pub top_k: Selection,
}

impl<'s> Coefficients<'s> {
    pub(crate) const fn region_len(plan: &Plan<'_>) -> usize {
        plan.part.batch * REGION * plan.shape.classes()
    }

    pub(crate) fn transport_len(plan: &Plan<'_>) -> usize {
        (plan.distance - plan.transport) * plan.part.batch * plan.shape.classes()
    }

    pub(crate) fn new(region: &'s mut [f64], transport: &'s mut [f64], top_k: Selection) -> Self {
        Self { region, transport, scale: [0.0; MAX_TERMS], top_k }
    }

    /// What the gradient pass reads of every sample and class.
    pub(crate) fn slopes<R: Real>(&self, plan: &Plan<'_>, slopes: &mut [Slope<R>]) {
        let classes = plan.shape.classes();
        for (index, slope) in slopes.iter_mut().enumerate() {
            let (sample, class) = (index / classes.max(1), index % classes.max(1));
            let of = |k| {
                let place = (sample * REGION + k) * classes + class;
                R::from_f64(self.region.get(place).copied().unwrap_or_default())
            };
            *slope = [
                of(BY_PREDICTION),
                of(BY_TARGET),
                of(BY_SQUARE),
                of(BY_DIFFERENCE),
                R::from_f64(self.constant_pull(plan, class)),
            ];
        }
    }

    /// Derivatives by the cost sums of a Wasserstein Dice term.
    pub(crate) fn transport(&self, plan: &Plan<'_>, term: usize, sample: usize) -> &[f64] {
        let classes = plan.shape.classes();
        let sample = plan.part.first_sample + sample;
        let begin = (term * plan.part.batch + sample) * classes;
        self.transport.get(begin..begin + classes).unwrap_or_default()
    }

    /// What label smoothing adds to `H / w` of a class.
    fn constant_pull(&self, plan: &Plan<'_>, class: usize) -> f64 {
        let mut sum = 0.0;
        if plan.target.dense() {
            return sum;
        }
        for (weighted, &scale) in plan.loss.terms.iter().zip(&self.scale) {
            if let Term::CrossEntropy(options) = &weighted.term {
                sum += constant_pull(options, scale, plan.shape.classes(), class);
            }
        }
        sum
    }
}

/// The sums of a loss as numbers.
struct Sums<'a> {
    plan: &'a Plan<'a>,
    values: &'a [f64],
    /// Whether a dense target holds values other than 0 and 1.
    soft: bool,
}

/// A group of samples that share their region sums.
#[derive(Clone, Copy)]
struct Group {
    first: usize,
    last: usize,
}

impl Sums<'_> {
    fn scalar(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or_default()
    }

    /// A column of a class, over the samples of a group.
    fn column(&self, group: Group, column: usize, class: usize) -> f64 {
        let classes = self.plan.shape.classes();
        let mut sum = 0.0;
        for sample in group.first..group.last {
            let place = (sample * self.plan.columns + column) * classes + class;
            sum += self.scalar(self.plan.scalars() + place);
        }
        sum
    }

    /// Whether the overlap is taken from the absolute difference.
    fn absolute(&self, overlap: Overlap) -> bool {
        match overlap {
            Overlap::Product => false,
            Overlap::Automatic => self.soft && self.plan.difference.is_some(),
            Overlap::Absolute => self.plan.difference.is_some(),
        }
    }

    fn linear(&self, group: Group, class: usize, absolute: bool) -> Triple {
        let prediction = self.column(group, PREDICTION, class);
        let reference = self.column(group, REFERENCE, class);
        let overlap = match self.plan.difference {
            Some(column) if absolute => {
                (prediction + reference - self.column(group, column, class)) / 2.0
            }
            _ => self.column(group, OVERLAP, class),
        };
        Triple { overlap, prediction, reference }
    }

    fn squared(&self, group: Group, class: usize) -> Triple {
        let column = self.plan.squared.unwrap_or(PREDICTION);
        let reference = if self.plan.target.dense() { column + 1 } else { REFERENCE };
        Triple {
            overlap: self.column(group, OVERLAP, class),
            prediction: self.column(group, column, class),
            reference: self.column(group, reference, class),
        }
    }

    fn groups(&self, pooling: Pooling) -> impl Iterator<Item = Group> + use<> {
        let batch = self.plan.part.batch;
        let (count, length) = match pooling {
            Pooling::PerSample => (batch, 1),
            Pooling::Batch => (1, batch),
        };
        (0..count).map(move |index| Group { first: index * length, last: (index + 1) * length })
    }
}

/// How a derivative by sums spreads to `dL/dp`.
#[derive(Clone, Copy)]
enum Form {
    Product,
    Absolute,
    Squared,
}

/// Values of the terms, and coefficients of the gradient times `upstream`.
///
/// `values` holds the sums as numbers; `coefficients` may be empty, for the value alone.
pub(crate) fn finish(
    plan: &Plan<'_>,
    values: &[f64],
    upstream: f64,
    coefficients: &mut Coefficients<'_>,
    term_values: &mut TermValues,
) {
    let soft = values.get(SOFT).copied().unwrap_or_default() > 0.0;
    let sums = Sums { plan, values, soft: soft && plan.target == TargetKind::Soft };
    let counts = sums.scalar(COUNTED) > 0.0;
    let (mut transport, mut plane) = (0, 0);
    for (index, weighted) in plan.loss.terms.iter().enumerate() {
        let factor = weighted.weight * upstream;
        let value = match &weighted.term {
            _ if !counts => 0.0,
            Term::Dice(options) => finish_dice(&sums, options, factor, coefficients),
            Term::Tversky(options) => finish_tversky(&sums, options, factor, coefficients),
            Term::GeneralisedDice(options) => {
                finish_generalised_dice(&sums, options, factor, coefficients)
            }
            Term::WassersteinDice(options) => {
                let value = finish_wasserstein_dice(
                    &sums,
                    options,
                    (index, transport),
                    factor,
                    coefficients,
                );
                transport += 1;
                value
            }
            Term::HausdorffDT(_) | Term::Boundary(_) => {
                let value =
                    finish_distance(&sums, &weighted.term, plane, index, factor, coefficients);
                plane += 1;
                value
            }
            Term::TopKCrossEntropy(_) => {
                let selection = coefficients.top_k;
                let divisor = selection.count as f64;
                finish_pointwise(selection.sum, divisor, factor, index, coefficients)
            }
            pointwise => {
                let divisor = pointwise_divisor(&sums, index, pointwise);
                let value = sums.scalar(value_of(index));
                finish_pointwise(value, divisor, factor, index, coefficients)
            }
        };
        // The list of terms is no longer than this one.
        let _ = term_values.push(value);
    }
}

/// `value / divisor`, 0 where nothing counts.
fn finish_pointwise(
    value: f64,
    divisor: f64,
    factor: f64,
    term: usize,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    if divisor <= 0.0 {
        return 0.0;
    }
    if let Some(scale) = coefficients.scale.get_mut(term) {
        *scale = factor / divisor;
    }
    value / divisor
}

/// The mean of a distance term over counted channels and voxels, and its logarithm if wanted.
fn finish_distance(
    sums: &Sums<'_>,
    term: &Term<'_>,
    plane: usize,
    index: usize,
    factor: f64,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    let Some(distance) = DistanceTerm::of(term) else {
        return 0.0;
    };
    let plan = sums.plan;
    let classes = plan.shape.classes();
    let everything = Group { first: 0, last: plan.part.batch };
    let (mut channels, mut sum) = (0.0, 0.0);
    for class in 0..classes {
        let factor = distance.class_factor(classes, class);
        if factor > 0.0 {
            channels += 1.0;
            sum += factor * sums.column(everything, plan.distance + plane, class);
        }
    }
    let divisor = channels * sums.scalar(super::plan::WEIGHT);
    let logarithm = matches!(term, Term::HausdorffDT(options) if options.logarithm);
    if !logarithm {
        return finish_pointwise(sum, divisor, factor, index, coefficients);
    }
    let mean = if divisor > 0.0 { sum / divisor } else { 0.0 };
    finish_pointwise(sum, divisor, factor / (1.0 + mean), index, coefficients);
    libm::log1p(mean)
}

/// What the sum of a pointwise term is divided by.
fn pointwise_divisor(sums: &Sums<'_>, index: usize, term: &Term<'_>) -> f64 {
    let plan = sums.plan;
    let weight = sums.scalar(super::plan::WEIGHT);
    let channels = |class_weights: Option<&[f64]>| {
        let classes = plan.shape.classes();
        (0..classes).filter(|&class| class_weight(class_weights, class) > 0.0).count() as f64
    };
    match term {
        Term::BinaryCrossEntropy(options) => channels(options.class_weights) * weight,
        Term::Focal(options) if options.mean == Mean::ChannelsAndVoxels => {
            channels(options.class_weights) * weight
        }
        Term::CrossEntropy(CrossEntropy { class_weights: Some(_), .. }) if !plan.target.dense() => {
            sums.scalar(normaliser_of(index))
        }
        _ => weight,
    }
}

/// Adds `factor` times a derivative to the coefficients of a class of a group.
fn spread(
    plan: &Plan<'_>,
    coefficients: &mut Coefficients<'_>,
    (group, class): (Group, usize),
    form: Form,
    derived: &Derived,
    factor: f64,
) {
    let classes = plan.shape.classes();
    let (by_overlap, by_prediction) = (factor * derived.by_overlap, factor * derived.by_prediction);
    for sample in group.first..group.last {
        let mut add = |k: usize, value: f64| {
            let place = (sample * REGION + k) * classes + class;
            if let Some(coefficient) = coefficients.region.get_mut(place) {
                *coefficient += value;
            }
        };
        match form {
            Form::Product => {
                add(BY_PREDICTION, by_prediction);
                add(BY_TARGET, by_overlap);
            }
            // T = (P + G - D) / 2
            Form::Absolute => {
                add(BY_PREDICTION, by_prediction + by_overlap / 2.0);
                add(BY_DIFFERENCE, -by_overlap / 2.0);
            }
            Form::Squared => {
                add(BY_SQUARE, 2.0 * by_prediction);
                add(BY_TARGET, by_overlap);
            }
        }
    }
}

/// The mean of a value over classes, by weight, and over groups.
fn class_mean(
    sums: &Sums<'_>,
    (pooling, form): (Pooling, Form),
    class_weights: Option<&[f64]>,
    factor: f64,
    coefficients: &mut Coefficients<'_>,
    derive: impl Fn(Group, usize) -> Derived,
) -> f64 {
    let plan = sums.plan;
    let classes = plan.shape.classes();
    let total: f64 = (0..classes).map(|class| class_weight(class_weights, class)).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let groups = sums.groups(pooling).count() as f64;
    let mut value = 0.0;
    for group in sums.groups(pooling) {
        for class in 0..classes {
            let share = class_weight(class_weights, class) / (total * groups);
            if share == 0.0 {
                continue;
            }
            let derived = derive(group, class);
            value += share * derived.value;
            spread(plan, coefficients, (group, class), form, &derived, factor * share);
        }
    }
    value
}

fn finish_dice(
    sums: &Sums<'_>,
    options: &Dice<'_>,
    factor: f64,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    let absolute = sums.absolute(options.overlap);
    let squared = options.denominator == Denominator::Squared;
    let form = match (squared, absolute) {
        (true, _) => Form::Squared,
        (false, true) => Form::Absolute,
        (false, false) => Form::Product,
    };
    let how = (options.pooling, form);
    class_mean(sums, how, options.class_weights, factor, coefficients, |group, class| {
        let triple =
            if squared { sums.squared(group, class) } else { sums.linear(group, class, absolute) };
        dice(options, triple)
    })
}

fn finish_tversky(
    sums: &Sums<'_>,
    options: &Tversky<'_>,
    factor: f64,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    let absolute = sums.absolute(options.overlap);
    let form = if absolute { Form::Absolute } else { Form::Product };
    let how = (options.pooling, form);
    class_mean(sums, how, options.class_weights, factor, coefficients, |group, class| {
        tversky(options, sums.linear(group, class, absolute))
    })
}

fn finish_generalised_dice(
    sums: &Sums<'_>,
    options: &GeneralisedDice<'_>,
    factor: f64,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    let classes = sums.plan.shape.classes();
    let absolute = sums.absolute(options.overlap);
    let form = if absolute { Form::Absolute } else { Form::Product };
    let groups = sums.groups(options.pooling).count() as f64;
    let counted = |class: usize| class_weight(options.class_weights, class);
    let mut value = 0.0;
    for group in sums.groups(options.pooling) {
        let raw =
            |class| volume_weight(options.weighting, sums.linear(group, class, absolute).reference);
        let largest = (0..classes)
            .filter(|&class| counted(class) > 0.0)
            .map(raw)
            .filter(|v| v.is_finite())
            .fold(0.0, libm::fmax);
        let weight = |class| {
            let v = raw(class);
            counted(class) * if v.is_finite() { v } else { largest }
        };
        let (mut n, mut d) = (options.smooth_numerator, options.smooth_denominator);
        for class in (0..classes).filter(|&class| counted(class) > 0.0) {
            let triple = sums.linear(group, class, absolute);
            let v = weight(class);
            n += 2.0 * v * triple.overlap;
            d += v * (triple.prediction + triple.reference);
        }
        if d == 0.0 {
            continue;
        }
        value += (1.0 - n / d) / groups;
        for class in (0..classes).filter(|&class| counted(class) > 0.0) {
            let v = weight(class);
            let derived =
                Derived { value: 0.0, by_overlap: -2.0 * v / d, by_prediction: v * n / (d * d) };
            let place = (group, class);
            spread(sums.plan, coefficients, place, form, &derived, factor / groups);
        }
    }
    value
}

fn finish_wasserstein_dice(
    sums: &Sums<'_>,
    options: &WassersteinDice<'_>,
    (index, term): (usize, usize),
    factor: f64,
    coefficients: &mut Coefficients<'_>,
) -> f64 {
    let plan = sums.plan;
    let (classes, batch) = (plan.shape.classes(), plan.part.batch);
    let unit = plan.distance_unit(index);
    let mut value = 0.0;
    for sample in 0..batch {
        let group = Group { first: sample, last: sample + 1 };
        let volume = |class| sums.column(group, REFERENCE, class);
        let cost = |class| sums.column(group, plan.transport + term, class);
        // Weight of the class, and how its cost enters the denominator beside 2 TP.
        let weights = |class: usize| match options.weighting {
            WassersteinDiceWeighting::Default { background } => {
                (if class == background { 0.0 } else { 1.0 }, 1.0)
            }
            WassersteinDiceWeighting::GeneralisedDice => {
                let alpha = 1.0 / (volume(class) + 1.0);
                (alpha, alpha)
            }
        };
        let (mut n, mut d) = (options.smooth_numerator, options.smooth_denominator);
        for class in 0..classes {
            let (alpha, by_cost) = weights(class);
            let twice = 2.0 * alpha * (volume(class) - cost(class));
            n += twice;
            d += twice + by_cost * cost(class);
        }
        if d == 0.0 {
            continue;
        }
        value += (1.0 - n / d) / batch as f64;
        for class in 0..classes {
            let (alpha, by_cost) = weights(class);
            let (n_by_cost, d_by_cost) = (-2.0 * alpha, by_cost - 2.0 * alpha);
            let derivative = -(n_by_cost * d - n * d_by_cost) / (d * d);
            let place = (term * batch + sample) * classes + class;
            if let Some(coefficient) = coefficients.transport.get_mut(place) {
                *coefficient = factor * derivative / (unit * batch as f64);
            }
        }
    }
    value
}
