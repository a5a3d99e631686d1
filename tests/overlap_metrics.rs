//! Overlap metrics against counts one voxel at a time and textbook formulas, and laws.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/label_map.rs"]
mod label_map;

use label_map::{LabelMap, line};
use proptest::prelude::*;
use segloss::{LabelPair, OverlapCounts, OverlapMetric, count_overlap};

const METRICS: [OverlapMetric; 13] = [
    OverlapMetric::Dice,
    OverlapMetric::Jaccard,
    OverlapMetric::Precision,
    OverlapMetric::Sensitivity,
    OverlapMetric::Specificity,
    OverlapMetric::FBeta(0.5),
    OverlapMetric::FBeta(1.0),
    OverlapMetric::FBeta(2.0),
    OverlapMetric::Accuracy,
    OverlapMetric::VolumeSimilarity,
    OverlapMetric::RelativeVolumeDifference,
    OverlapMetric::CohenKappa,
    OverlapMetric::Matthews,
];

fn counts(tp: u64, fp: u64, fn_: u64, tn: u64) -> OverlapCounts {
    OverlapCounts { true_positive: tp, false_positive: fp, false_negative: fn_, true_negative: tn }
}

fn count(pair: &LabelPair<'_>, weights: Option<&[u8]>) -> Vec<OverlapCounts> {
    let mut counts = vec![OverlapCounts { true_positive: 99, ..Default::default() }; pair.classes];
    count_overlap(pair, weights, &mut counts).unwrap();
    counts
}

/// A prediction, a reference and voxel weights, in some types.
#[derive(Clone, Debug)]
struct Case {
    classes: usize,
    prediction: Vec<i64>,
    reference: Vec<i64>,
    ignore: Option<i64>,
    weights: Option<Vec<u8>>,
    kinds: (usize, usize),
}

impl Case {
    fn counts(&self) -> Vec<OverlapCounts> {
        self.part(0..self.prediction.len())
    }

    fn part(&self, voxels: std::ops::Range<usize>) -> Vec<OverlapCounts> {
        let prediction = LabelMap::new(self.kinds.0, &self.prediction[voxels.clone()]);
        let reference = LabelMap::new(self.kinds.1, &self.reference[voxels.clone()]);
        let (extent, ignore) = ([voxels.len()], self.ignore);
        let pair = line(&extent, self.classes, prediction.view(), reference.view(), ignore);
        count(&pair, self.weights.as_ref().map(|weights| &weights[voxels]))
    }

    fn swapped(&self) -> Self {
        let (prediction, reference) = (self.reference.clone(), self.prediction.clone());
        Self { prediction, reference, kinds: (self.kinds.1, self.kinds.0), ..self.clone() }
    }

    fn reversed(&self) -> Self {
        let mut case = self.clone();
        case.prediction.reverse();
        case.reference.reverse();
        case.weights.iter_mut().for_each(|weights| weights.reverse());
        case
    }

    /// One class after the other, one voxel after the other.
    fn slow_counts(&self) -> Vec<OverlapCounts> {
        let class = |class: i64| {
            let mut counts = OverlapCounts::default();
            for (voxel, (&p, &r)) in self.prediction.iter().zip(&self.reference).enumerate() {
                let weight = self.weights.as_ref().map_or(1, |weights| u64::from(weights[voxel]));
                if Some(r) == self.ignore {
                    continue;
                }
                match (p == class, r == class) {
                    (true, true) => counts.true_positive += weight,
                    (true, false) => counts.false_positive += weight,
                    (false, true) => counts.false_negative += weight,
                    (false, false) => counts.true_negative += weight,
                }
            }
            counts
        };
        (0..self.classes as i64).map(class).collect()
    }
}

/// Runs of one label, as in a map of regions.
fn any_map(classes: usize, ignore: Option<i64>) -> impl Strategy<Value = Vec<i64>> {
    let label = prop_oneof![8 => 0..classes as i64, 1 => Just(ignore.unwrap_or(0))];
    let run = (label, prop_oneof![Just(1usize), 1..5usize, 10..70usize]);
    prop::collection::vec(run, 1..90)
        .prop_map(|runs| runs.into_iter().flat_map(|(l, n)| std::iter::repeat_n(l, n)).collect())
}

fn any_case() -> impl Strategy<Value = Case> {
    // An ignore label that is a class, that is none but fits everywhere, or is negative.
    let ignore =
        prop_oneof![Just(None), Just(Some(0)), Just(Some(2)), Just(Some(255)), Just(Some(-1))];
    (1..12usize, ignore, 0..5usize, 0..5usize, any::<bool>()).prop_flat_map(
        |(classes, ignore, a, b, weighted)| {
            let signed = |kind: usize| if ignore == Some(-1) { 2 + kind % 3 } else { kind };
            let kinds = (signed(a), signed(b));
            // What is ignored must be a label that the maps may hold.
            let ignore = ignore.filter(|&label| label != 2 || classes > 2);
            let maps = (any_map(classes, ignore), any_map(classes, ignore));
            let weights = prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 6300);
            (maps, weights).prop_map(move |((mut prediction, mut reference), mut weights)| {
                let voxels = prediction.len().min(reference.len());
                prediction.truncate(voxels);
                reference.truncate(voxels);
                weights.truncate(voxels);
                let weights = weighted.then_some(weights);
                Case { classes, prediction, reference, ignore, weights, kinds }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn counts_are_those_of_one_voxel_at_a_time(case in any_case()) {
        prop_assert_eq!(case.counts(), case.slow_counts());
    }

    #[test]
    fn swapped_maps_swap_mistakes(case in any_case()) {
        // What is ignored depends on the reference alone.
        let case = Case { ignore: None, ..case };
        prop_assume!(case.prediction.iter().chain(&case.reference).all(|&l| (0..case.classes as i64).contains(&l)));
        for (own, other) in case.counts().into_iter().zip(case.swapped().counts()) {
            let swapped = counts(
                other.true_positive, other.false_negative, other.false_positive, other.true_negative,
            );
            prop_assert_eq!(own, swapped);
            for metric in [OverlapMetric::Dice, OverlapMetric::Jaccard, OverlapMetric::Accuracy,
                OverlapMetric::VolumeSimilarity, OverlapMetric::CohenKappa, OverlapMetric::Matthews] {
                prop_assert_eq!(own.score(metric, -7.0), other.score(metric, -7.0));
            }
        }
    }

    #[test]
    fn parts_add_up_to_the_whole(case in any_case(), cut in any::<prop::sample::Index>()) {
        let voxels = case.prediction.len();
        prop_assume!(voxels > 1);
        let cut = 1 + cut.index(voxels - 1);
        let parts = case.part(0..cut).into_iter().zip(case.part(cut..voxels));
        let merged: Vec<_> = parts.map(|(a, b)| a.merged(b)).collect();
        prop_assert_eq!(merged, case.counts());
    }

    #[test]
    fn order_changes_nothing(case in any_case()) {
        prop_assert_eq!(case.reversed().counts(), case.counts());
    }

    #[test]
    fn identical_maps_are_perfect(case in any_case()) {
        let case = Case { prediction: case.reference.clone(), kinds: (4, 4), ..case };
        for own in case.counts() {
            prop_assert_eq!((own.false_positive, own.false_negative), (0, 0));
            for metric in METRICS {
                let perfect = if metric == OverlapMetric::RelativeVolumeDifference { 0.0 } else { 1.0 };
                prop_assert_eq!(own.score(metric, perfect), perfect, "{:?} {:?}", metric, own);
            }
        }
    }

    #[test]
    fn scores_are_the_textbook_formulas(
        tp in 0..2000u64, fp in 0..2000u64, fn_ in 0..2000u64, tn in 0..2000u64, shift in 0..42u32,
    ) {
        // Up to 2^53 the formulas neither overflow nor lose more than a few bits.
        let own = counts(tp << shift, fp << shift, fn_ << shift, tn << shift);
        for metric in METRICS {
            let (found, expected) = (own.score(metric, -7.0), textbook(own, metric));
            let error = if found == expected { 0.0 } else { (found - expected).abs() };
            prop_assert!(error < 1e-12 * expected.abs().max(1.0), "{metric:?}: {found} {expected}");
        }
    }
}

/// The definitions, as ratios of shares; -7 where there is no value.
fn textbook(counts: OverlapCounts, metric: OverlapMetric) -> f64 {
    let all = (counts.true_positive + counts.false_positive) as f64
        + (counts.false_negative + counts.true_negative) as f64;
    let [tp, fp, fn_, tn] =
        [counts.true_positive, counts.false_positive, counts.false_negative, counts.true_negative]
            .map(|count| count as f64 / all);
    let (p, r) = (tp + fp, tp + fn_);
    let value = match metric {
        OverlapMetric::Dice => tp / ((p + r) / 2.0),
        OverlapMetric::Jaccard => tp / (tp + fp + fn_),
        OverlapMetric::Precision => tp / p,
        OverlapMetric::Sensitivity => tp / r,
        OverlapMetric::Specificity => tn / (1.0 - r),
        OverlapMetric::FBeta(beta) => {
            let square = beta * beta;
            (1.0 + square) * tp / ((1.0 + square) * tp + square * fn_ + fp)
        }
        OverlapMetric::Accuracy => (tp + tn) / (tp + fp + fn_ + tn),
        OverlapMetric::VolumeSimilarity => 1.0 - (p - r).abs() / (p + r),
        OverlapMetric::RelativeVolumeDifference => (fp - fn_) / r,
        OverlapMetric::CohenKappa => {
            let chance = p * r + (1.0 - p) * (1.0 - r);
            (tp + tn - chance) / (1.0 - chance)
        }
        // Correlation: covariance over standard deviations.
        OverlapMetric::Matthews => (tp - p * r) / ((p * (1.0 - p)).sqrt() * (r * (1.0 - r)).sqrt()),
        _ => unreachable!(),
    };
    // Shares that are rounded leave a rest where the formula is 0/0.
    let empty = |count: u64| count == 0;
    let one_class = |a: u64, b: u64| empty(a) && empty(b);
    let undefined = match metric {
        OverlapMetric::Specificity => one_class(counts.true_negative, counts.false_positive),
        OverlapMetric::CohenKappa => {
            one_class(counts.false_positive, counts.false_negative)
                && (empty(counts.true_positive) || empty(counts.true_negative))
        }
        OverlapMetric::Matthews => {
            one_class(counts.true_positive, counts.false_positive)
                || one_class(counts.true_positive, counts.false_negative)
                || one_class(counts.true_negative, counts.false_positive)
                || one_class(counts.true_negative, counts.false_negative)
        }
        _ => value.is_nan(),
    };
    if undefined { -7.0 } else { value }
}

#[test]
fn scores_by_hand() {
    let own = counts(6, 2, 4, 88);
    let score = |metric| own.score(metric, f64::NAN);
    assert_eq!(score(OverlapMetric::Dice), 12.0 / 18.0);
    assert_eq!(score(OverlapMetric::Jaccard), 0.5);
    assert_eq!(score(OverlapMetric::Precision), 0.75);
    assert_eq!(score(OverlapMetric::Sensitivity), 0.6);
    assert_eq!(score(OverlapMetric::Specificity), 88.0 / 90.0);
    assert_eq!(score(OverlapMetric::FBeta(1.0)), score(OverlapMetric::Dice));
    assert_eq!(score(OverlapMetric::FBeta(0.0)), 0.75);
    assert_eq!(score(OverlapMetric::FBeta(f64::INFINITY)), 0.6);
    assert_eq!(score(OverlapMetric::FBeta(1e200)), 0.6);
    // 5 TP / (5 TP + 4 FN + FP), as van Rijsbergen has it.
    assert_eq!(score(OverlapMetric::FBeta(2.0)), 30.0 / 48.0);
    assert_eq!(score(OverlapMetric::Accuracy), 0.94);
    assert_eq!(score(OverlapMetric::VolumeSimilarity), 1.0 - 2.0 / 18.0);
    assert_eq!(score(OverlapMetric::RelativeVolumeDifference), -0.2);
    assert_eq!(score(OverlapMetric::CohenKappa), 2.0 * 520.0 / (8.0 * 90.0 + 10.0 * 92.0));
    assert_eq!(score(OverlapMetric::Matthews), 520.0 / f64::from(8 * 10 * 90 * 92).sqrt());
    let opposite = counts(0, 5, 5, 0);
    assert_eq!(opposite.score(OverlapMetric::Matthews, f64::NAN), -1.0);
    assert_eq!(opposite.score(OverlapMetric::CohenKappa, f64::NAN), -1.0);
}

#[test]
fn what_has_no_value_is_the_callers() {
    let nothing = OverlapCounts::default();
    for metric in METRICS {
        assert_eq!(nothing.score(metric, 0.25), 0.25, "{metric:?}");
        assert!(nothing.score(metric, f64::NAN).is_nan());
    }
    // Absent from both maps: right everywhere else.
    let absent = counts(0, 0, 0, 10);
    assert_eq!(absent.score(OverlapMetric::Dice, 0.25), 0.25);
    assert_eq!(absent.score(OverlapMetric::Specificity, 0.25), 1.0);
    assert_eq!(absent.score(OverlapMetric::Accuracy, 0.25), 1.0);
    assert_eq!(absent.score(OverlapMetric::CohenKappa, 0.25), 0.25);
    assert_eq!(absent.score(OverlapMetric::Matthews, 0.25), 0.25);
    // Nothing to find, but something is found.
    let invented = counts(0, 3, 0, 10);
    assert_eq!(invented.score(OverlapMetric::RelativeVolumeDifference, 0.25), f64::INFINITY);
    assert_eq!(invented.score(OverlapMetric::Sensitivity, 0.25), 0.25);
    assert_eq!(invented.score(OverlapMetric::Dice, 0.25), 0.0);
}

#[test]
fn counts_beyond_any_volume() {
    let all = counts(u64::MAX, u64::MAX, u64::MAX, u64::MAX);
    assert_eq!(all.merged(all), all);
    for metric in METRICS {
        let score = all.score(metric, f64::NAN);
        assert!((-1.0..=1.0).contains(&score), "{metric:?}: {score}");
    }
    // The terms of the determinant agree to 2^-53 of themselves; exactly they do not.
    let near = counts((1 << 53) - 1, 1 << 53, 1 << 53, (1 << 53) + 1);
    let correlation = near.score(OverlapMetric::Matthews, f64::NAN);
    assert!((correlation / -(0.5f64).powi(108) - 1.0).abs() < 1e-9, "{correlation:e}");
}

#[test]
fn predictions_of_no_class() {
    // Ignore is a class: the prediction has it, the reference is exempt where it has it.
    let (prediction, reference) = ([1u8, 1, 0, 2], [1u8, 0, 2, 2]);
    let pair = line(&[4], 3, &prediction[..], &reference[..], Some(1));
    assert_eq!(count(&pair, None), [counts(0, 1, 1, 1), counts(0, 1, 0, 2), counts(1, 0, 1, 1)]);
    // Ignore is none: such a prediction is in no class.
    let (prediction, reference) = ([7i16, 1, 7], [0i64, 1, 7]);
    let pair = line(&[3], 2, &prediction[..], &reference[..], Some(7));
    assert_eq!(count(&pair, None), [counts(0, 0, 1, 1), counts(1, 0, 0, 1)]);
}

#[test]
fn ignore_labels_beyond_their_type() {
    let labels = [0u8, 1, 1, 0];
    for ignore in [-1, 256, 257, i64::MAX, i64::MIN] {
        let pair = line(&[4], 2, &labels[..], &labels[..], Some(ignore));
        assert_eq!(count(&pair, None)[1], counts(2, 0, 0, 2), "{ignore}");
    }
}
