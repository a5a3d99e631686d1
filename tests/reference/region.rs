//! Terms over whole regions: Dice, Jaccard, Tversky, generalised Dice.

use super::case::Voxels;
use super::tape::Var;
use super::term::{GeneralisedWeighting, Overlap, Pooling, Term};

/// The three sums of one class that decide every region term.
struct Sums<'t> {
    overlap: Var<'t>,
    prediction: Var<'t>,
    target: f64,
}

pub fn value<'t>(voxels: &Voxels<'_, 't>, term: &Term) -> Var<'t> {
    match term {
        Term::Dice {
            squared,
            jaccard,
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => {
            let loss = |s: &Sums<'t>| {
                let t = s.overlap;
                let both = s.prediction + s.target;
                let index = if *jaccard {
                    (t + smooth_numerator / 2.0) / (both - t + smooth_denominator / 2.0)
                } else {
                    (2.0 * t + *smooth_numerator) / (both + *smooth_denominator)
                };
                1.0 - index
            };
            let groups = sums(voxels, *pooling, *overlap, *squared);
            class_mean(voxels, &groups, class_weights, loss)
        }
        Term::Tversky {
            false_positive_weight,
            false_negative_weight,
            exponent,
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => {
            let loss = |s: &Sums<'t>| {
                let t = s.overlap;
                let false_positive = s.prediction - t;
                let false_negative = s.target - t;
                let errors = *false_positive_weight * false_positive
                    + *false_negative_weight * false_negative;
                let rest = 1.0 - (t + *smooth_numerator) / (t + errors + *smooth_denominator);
                if *exponent == 1.0 {
                    rest
                } else if rest.value() > 0.0 {
                    rest.powf(*exponent)
                } else {
                    // A fractional power has no finite slope at 0; a perfect class needs none.
                    voxels.tape.constant(0.0)
                }
            };
            let groups = sums(voxels, *pooling, *overlap, false);
            class_mean(voxels, &groups, class_weights, loss)
        }
        Term::GeneralisedDice {
            weighting,
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => {
            let groups = sums(voxels, *pooling, *overlap, false);
            if class_weights.iter().all(|&k| k == 0.0) {
                return voxels.tape.constant(0.0);
            }
            let losses = groups.iter().map(|classes| {
                let v = volume_weights(classes, *weighting, class_weights);
                let weighted = || classes.iter().zip(&v);
                let overlap = voxels.tape.sum(weighted().map(|(s, &v)| v * s.overlap));
                let both = voxels.tape.sum(weighted().map(|(s, &v)| v * (s.prediction + s.target)));
                1.0 - (2.0 * overlap + *smooth_numerator) / (both + *smooth_denominator)
            });
            voxels.tape.sum(losses) / groups.len() as f64
        }
        _ => unreachable!("not a region term"),
    }
}

/// The sums of every class, for each sample or once for the batch.
fn sums<'t>(
    voxels: &Voxels<'_, 't>,
    pooling: Pooling,
    overlap: Overlap,
    squared: bool,
) -> Vec<Vec<Sums<'t>>> {
    let (case, tape) = (voxels.case, voxels.tape);
    let groups: Vec<Vec<usize>> = match pooling {
        Pooling::PerSample => (0..case.batch).map(|sample| vec![sample]).collect(),
        Pooling::Batch => vec![(0..case.batch).collect()],
    };
    let power = |p: Var<'t>| if squared { p * p } else { p };
    let power_of_target = |g: f64| if squared { g * g } else { g };
    let of_group = |samples: &Vec<usize>| {
        let mut rows: Vec<(f64, Vec<Var>, Vec<f64>)> = Vec::new();
        for &b in samples {
            for (i, w) in case.counted(b) {
                rows.push((w, voxels.probabilities(b, i), case.target(b, i)));
            }
        }
        let of_class = |c: usize| {
            let prediction = tape.sum(rows.iter().map(|(w, p, _)| *w * power(p[c])));
            let target: f64 = rows.iter().map(|(w, _, g)| w * power_of_target(g[c])).sum();
            let overlap = if squared || overlap == Overlap::Product {
                tape.sum(rows.iter().map(|(w, p, g)| *w * (p[c] * g[c])))
            } else {
                let apart = tape.sum(rows.iter().map(|(w, p, g)| *w * (p[c] - g[c]).abs()));
                (prediction + target - apart) / 2.0
            };
            Sums { overlap, prediction, target }
        };
        (0..case.classes).map(of_class).collect()
    };
    groups.iter().map(of_group).collect()
}

/// Mean over the classes, weighted, then over the groups.
fn class_mean<'t>(
    voxels: &Voxels<'_, 't>,
    groups: &[Vec<Sums<'t>>],
    class_weights: &[f64],
    loss: impl Fn(&Sums<'t>) -> Var<'t>,
) -> Var<'t> {
    assert_eq!(class_weights.len(), voxels.case.classes, "class weights");
    let total: f64 = class_weights.iter().sum();
    if total == 0.0 {
        return voxels.tape.constant(0.0);
    }
    let mut losses = Vec::new();
    for classes in groups {
        for (s, &k) in classes.iter().zip(class_weights) {
            // A class without weight is not looked at: its quotient may be 0/0.
            if k > 0.0 {
                losses.push(k / total * loss(s));
            }
        }
    }
    voxels.tape.sum(losses) / groups.len() as f64
}

/// Weights of the classes in generalised Dice. A class absent from the target would weigh
/// infinitely much; it takes the largest finite weight among the classes that take part.
fn volume_weights(
    classes: &[Sums<'_>],
    weighting: GeneralisedWeighting,
    class_weights: &[f64],
) -> Vec<f64> {
    assert_eq!(class_weights.len(), classes.len(), "class weights");
    let by_volume: Vec<f64> = classes
        .iter()
        .map(|s| match weighting {
            GeneralisedWeighting::InverseSquare => 1.0 / (s.target * s.target),
            GeneralisedWeighting::Inverse => 1.0 / s.target,
            GeneralisedWeighting::Uniform => 1.0,
        })
        .collect();
    let largest = by_volume
        .iter()
        .zip(class_weights)
        .filter(|&(v, &k)| v.is_finite() && k > 0.0)
        .fold(0.0, |largest: f64, (&v, _)| largest.max(v));
    by_volume
        .iter()
        .zip(class_weights)
        .map(|(&v, &k)| k * if v.is_finite() { v } else { largest })
        .collect()
}
