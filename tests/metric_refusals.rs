//! Bad input of metrics is refused: argument, position and value are named, and nothing is written.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/label_map.rs"]
mod label_map;

use half::{bf16, f16};
use label_map::{LabelMap, line};
use segloss::half;
use segloss::{
    Argument, Cause, Confidence, Error, LabelPair, LabelTree, OverlapCounts, Scores, Shape,
    Spacing, collapse_labels, confidence_map, count_overlap, count_tree_overlap, label_confident,
    label_tree_confident,
};

fn counts(tp: u64, fp: u64, fn_: u64, tn: u64) -> OverlapCounts {
    OverlapCounts { true_positive: tp, false_positive: fp, false_negative: fn_, true_negative: tn }
}

/// Counts into sentinels, which must be untouched.
fn refused(pair: &LabelPair<'_>, weights: Option<&[u8]>, length: usize) -> Error {
    let sentinel = counts(1, 2, 3, 4);
    let mut found = vec![sentinel; length];
    let error = count_overlap(pair, weights, &mut found).unwrap_err();
    assert!(found.iter().all(|&own| own == sentinel), "{error}: counts were written");
    error
}

#[test]
fn labels_without_meaning() {
    let good: Vec<i64> = (0..5000).map(|voxel| voxel % 3).collect();
    for kind in 0..5 {
        let wrong: &[i64] = match kind {
            0 => &[3, 255],
            1 => &[3, 65_535],
            2 => &[3, -1, i16::MIN as i64],
            3 => &[3, -1, i32::MIN as i64, i32::MAX as i64],
            _ => &[3, -1, i64::MIN, i64::MAX, 1 << 32, (1 << 32) + 1],
        };
        for &wrong in wrong {
            for position in [0, 17, 1023, 1024, 4999] {
                let mut bad = good.clone();
                bad[position] = wrong;
                let (good, bad) = (LabelMap::new(kind, &good), LabelMap::new(kind, &bad));
                for (prediction, reference, argument) in [
                    (&bad, &good, Argument::Prediction),
                    (&good, &bad, Argument::Reference),
                    (&bad, &bad, Argument::Prediction),
                ] {
                    let pair = line(&[5000], 3, prediction.view(), reference.view(), Some(77));
                    let error = refused(&pair, None, 3);
                    assert_eq!((error.cause, error.argument), (Cause::Label, argument));
                    assert_eq!(error.position, position as u64);
                    assert_eq!((error.value, error.expected), (wrong as f64, 2.0));
                }
            }
        }
    }
}

#[test]
fn what_does_not_count_may_hold_anything() {
    let (mut prediction, mut reference) = (vec![1u8; 3000], vec![1u8; 3000]);
    let mut weights = vec![1u8; 3000];
    (prediction[1500], reference[1500]) = (200, 255);
    (prediction[2000], reference[2000]) = (201, 202);
    weights[2000] = 0;
    let pair = line(&[3000], 2, &prediction[..], &reference[..], Some(255));
    let mut found = [OverlapCounts::default(); 2];
    count_overlap(&pair, Some(&weights), &mut found).unwrap();
    assert_eq!(found[1], counts(2998, 0, 0, 0));
    let error = refused(&pair, None, 2);
    assert_eq!((error.argument, error.position), (Argument::Prediction, 2000));
}

#[test]
fn sizes() {
    let labels = [0u8; 6];
    let pair = LabelPair {
        extent: &[2, 3],
        spacing: Spacing::voxels(2).unwrap(),
        classes: 2,
        prediction: labels[..].into(),
        reference: labels[..].into(),
        ignore: None,
    };
    let what = |error: Error| (error.cause, error.argument, error.value, error.expected);
    let length = |argument, found, expected| (Cause::Length, argument, found, expected);
    let short = LabelPair { prediction: labels[..5].into(), ..pair };
    assert_eq!(what(refused(&short, None, 2)), length(Argument::Prediction, 5.0, 6.0));
    let short = LabelPair { reference: labels[..5].into(), ..pair };
    assert_eq!(what(refused(&short, None, 2)), length(Argument::Reference, 5.0, 6.0));
    assert_eq!(what(refused(&pair, None, 1)), length(Argument::Counts, 1.0, 2.0));
    assert_eq!(what(refused(&pair, None, 3)), length(Argument::Counts, 3.0, 2.0));
    let weights = refused(&pair, Some(&[1; 7]), 2);
    assert_eq!(what(weights), length(Argument::VoxelWeights, 7.0, 6.0));
    let flat = LabelPair { spacing: Spacing::voxels(3).unwrap(), ..pair };
    assert_eq!(refused(&flat, None, 2).cause, Cause::Spacing);
    for extent in [&[][..], &[6, 0], &[1, 1, 1, 6]] {
        assert_eq!(refused(&LabelPair { extent, ..pair }, None, 2).cause, Cause::Shape);
    }
    let huge = LabelPair { extent: &[usize::MAX, 2], ..pair };
    assert_eq!(refused(&huge, None, 2).cause, Cause::ShapeOverflow);
    let error = refused(&LabelPair { classes: 0, ..pair }, None, 0);
    assert_eq!((error.cause, error.position), (Cause::Shape, 1));
    let error = refused(&LabelPair { classes: 1 << 25, ..pair }, None, 0);
    assert_eq!((error.cause, error.position), (Cause::Shape, 1));
}

/// 0 root, 1 lung, 2 background; 3 left lung, 4 right lung.
fn with_lungs<T>(work: impl FnOnce(&LabelTree<'_>) -> T) -> T {
    let mut storage = vec![0; LabelTree::storage_bytes(5, 3).unwrap()];
    work(&LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], &mut storage).unwrap())
}

#[test]
fn tree_counts() {
    let refused = |pair: &LabelPair<'_>, length| {
        let mut nodes = vec![counts(1, 2, 3, 4); length];
        let error = with_lungs(|tree| count_tree_overlap(pair, tree, &mut nodes).unwrap_err());
        assert!(nodes.iter().all(|&own| own == counts(1, 2, 3, 4)), "{error}");
        error
    };
    let labels = [0u8, 1, 2, 3];
    let pair = line(&[4], 3, &labels[..], &labels[..], None);
    let error = refused(&pair, 5);
    assert_eq!((error.cause, error.argument), (Cause::Label, Argument::Prediction));
    assert_eq!((error.position, error.value), (3, 3.0));
    let pair = line(&[3], 3, &labels[..3], &labels[..3], None);
    for length in [3, 6] {
        let error = refused(&pair, length);
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Counts));
        assert_eq!((error.value, error.expected), (length as f64, 5.0));
    }
    let error = refused(&LabelPair { classes: 4, ..pair }, 5);
    assert_eq!((error.cause, error.value, error.expected), (Cause::TreeClasses, 3.0, 4.0));
}

#[test]
fn collapsing() {
    let refused = |labels: &[i64], ignore, length: usize| {
        let mut nodes = vec![-7; length];
        let error = with_lungs(|tree| {
            collapse_labels(tree, 1, labels.into(), ignore, &mut nodes).unwrap_err()
        });
        assert!(nodes.iter().all(|&node| node == -7), "{error}");
        (error.cause, error.argument, error.position, error.value)
    };
    let mut labels = vec![0; 1030];
    labels[1029] = 3;
    let bad = (Cause::Label, Argument::Target, 1029, 3.0);
    assert_eq!(refused(&labels, None, 1030), bad);
    assert_eq!(refused(&labels, Some(77), 1030), bad);
    let length = (Cause::Length, Argument::Result, 0, 3.0);
    assert_eq!(refused(&[0, 1, 2, 2], None, 3), length);
    // Node 1 is what classes 1 and 2 become, node 2 what class 0 becomes; 3 and 4 are too deep.
    for ignore in [1, 2, 1 << 40, -(1 << 40)] {
        let expected = (Cause::Option, Argument::Target, 0, ignore as f64);
        assert_eq!(refused(&[0, 1, 2], Some(ignore), 3), expected);
    }
    for ignore in [0, 3, 4, -1, 255] {
        let mut nodes = [-7; 3];
        let labels = [1i64, ignore, 2];
        with_lungs(|tree| {
            collapse_labels(tree, 1, labels[..].into(), Some(ignore), &mut nodes).unwrap();
        });
        assert_eq!(nodes, [1, ignore as i32, 1]);
    }
}

#[test]
fn an_ignored_class_may_share_the_number_of_its_own_node() {
    let mut storage = vec![0; LabelTree::storage_bytes(3, 2).unwrap()];
    let tree = LabelTree::new(&[2, 2, -1], None, &[0, 1], &mut storage).unwrap();
    let mut nodes = [-7; 2];
    collapse_labels(&tree, 1, [0u8, 1][..].into(), Some(1), &mut nodes).unwrap();
    assert_eq!(nodes, [0, 1]);
    let swapped = LabelTree::new(&[2, 2, -1], None, &[1, 0], &mut storage).unwrap();
    let error = collapse_labels(&swapped, 1, [0u8, 1][..].into(), Some(1), &mut nodes);
    assert_eq!(error.unwrap_err().cause, Cause::Option);
}

const SURE: Confidence = Confidence::MaximumProbability { temperature: 1.0 };

/// All calls on scores refuse, say the same, and write nothing.
fn refused_scores(shape: Shape, scores: Scores<'_>) -> Error {
    let voxels = shape.batch_voxels();
    let (mut confidence, mut labels) = (vec![-7.0; voxels], vec![-7; voxels]);
    let error = confidence_map(shape, scores, SURE, &mut confidence).unwrap_err();
    let others = [
        label_confident(shape, scores, SURE, 0.5, -1, &mut labels),
        with_lungs(|tree| label_tree_confident(shape, scores, tree, 0.5, &mut labels)),
    ];
    for other in others.map(Result::unwrap_err) {
        assert_eq!((other.cause, other.argument), (error.cause, error.argument));
        assert_eq!(
            (other.position, other.value.to_bits()),
            (error.position, error.value.to_bits())
        );
    }
    assert!(confidence.iter().all(|&to| to == -7.0) && labels.iter().all(|&to| to == -7));
    error
}

#[test]
fn scores_that_are_not_finite() {
    for interleaved in [false, true] {
        let new = if interleaved { Shape::interleaved } else { Shape::planar };
        let shape = new(2, 3, &[7, 50]).unwrap();
        let elements = shape.elements();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
            for position in [0, 255, 256, 1055, elements - 1] {
                let mut scores = vec![0.5f32; elements];
                scores[position] = bad;
                let check = |scores: Scores<'_>, value: f64| {
                    let error = refused_scores(shape, scores);
                    assert_eq!((error.cause, error.argument), (Cause::NonFinite, Argument::Scores));
                    assert_eq!(error.position, position as u64);
                    assert_eq!(error.value.to_bits(), value.to_bits());
                };
                check(scores[..].into(), f64::from(bad));
                let brain: Vec<bf16> = scores.iter().map(|&z| bf16::from_f32(z)).collect();
                check(brain[..].into(), f64::from(bf16::from_f32(bad)));
                if bad != f32::MAX {
                    let half: Vec<f16> = scores.iter().map(|&z| f16::from_f32(z)).collect();
                    check(half[..].into(), f64::from(f16::from_f32(bad)));
                }
                let wide = |z: f32| if z == f32::MAX { f64::MAX } else { f64::from(z) };
                let double: Vec<f64> = scores.iter().map(|&z| wide(z)).collect();
                check(double[..].into(), wide(bad));
            }
        }
    }
}

#[test]
fn sizes_of_scores() {
    let shape = Shape::planar(1, 3, &[4]).unwrap();
    let scores = [0.0f32; 13];
    for length in [0, 11, 13] {
        let error = refused_scores(shape, scores[..length].into());
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Scores));
        assert_eq!((error.value, error.expected), (length as f64, 12.0));
    }
    let scores: Scores<'_> = scores[..12].into();
    let length = |result: Result<(), Error>, argument| {
        let error = result.unwrap_err();
        assert_eq!((error.cause, error.argument, error.expected), (Cause::Length, argument, 4.0));
    };
    for found in [3, 5] {
        let (mut map, mut labels) = (vec![-7.0; found], vec![-7; found]);
        length(confidence_map(shape, scores, SURE, &mut map), Argument::Confidence);
        let labelled = label_confident(shape, scores, SURE, 0.5, -1, &mut labels);
        length(labelled, Argument::Result);
        let labelled =
            with_lungs(|tree| label_tree_confident(shape, scores, tree, 0.5, &mut labels));
        length(labelled, Argument::Result);
        assert!(map.iter().all(|&to| to == -7.0) && labels.iter().all(|&to| to == -7));
    }
    let (other, mut nodes) = (Shape::planar(1, 4, &[3]).unwrap(), [-7; 3]);
    let error = with_lungs(|tree| label_tree_confident(other, scores, tree, 0.5, &mut nodes));
    let error = error.unwrap_err();
    assert_eq!((error.cause, error.value, error.expected), (Cause::TreeClasses, 3.0, 4.0));
}

#[test]
fn temperatures_and_thresholds() {
    let shape = Shape::planar(1, 3, &[2]).unwrap();
    let scores = [0.0f32; 6];
    let option = |result: Result<(), Error>, value: f64| {
        let error = result.unwrap_err();
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Confidence));
        assert_eq!(error.value.to_bits(), value.to_bits());
    };
    let (mut map, mut labels) = ([-7.0; 2], [-7; 2]);
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.1e18] {
        for score in [
            Confidence::MaximumProbability { temperature },
            Confidence::Energy { temperature },
            Confidence::NegativeEntropy { temperature },
        ] {
            option(confidence_map(shape, scores[..].into(), score, &mut map), temperature);
            let labelled = label_confident(shape, scores[..].into(), score, 0.5, -1, &mut labels);
            option(labelled, temperature);
        }
    }
    let nan = label_confident(shape, scores[..].into(), SURE, f64::NAN, -1, &mut labels);
    option(nan, f64::NAN);
    for threshold in [-0.1, 1.1, f64::NAN] {
        let labelled = with_lungs(|tree| {
            label_tree_confident(shape, scores[..].into(), tree, threshold, &mut labels)
        });
        option(labelled, threshold);
    }
    assert_eq!((map, labels), ([-7.0; 2], [-7; 2]));
}
