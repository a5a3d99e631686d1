//! What surface metrics refuse: results stay as they are.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/surfaces.rs"]
mod surfaces;

use segloss::{
    Argument, Cause, Error, LabelPair, PercentileConvention, Sequential, Spacing, SurfaceMetrics,
    SurfaceModel, SurfaceResult, ToleranceShares,
};
use surfaces::{Found, Masks, all_metrics, measure, surfels};

/// Two solids that overlap.
fn masks() -> Masks {
    let voxels = 11 * 14 * 17;
    let [prediction, reference] = [3, 4].map(|divisor: usize| -> Vec<bool> {
        (0..voxels).map(|voxel| voxel % 17 > divisor && voxel / 17 % 14 > 5).collect()
    });
    Masks::new(&[11, 14, 17], &[2.0, 0.8, 1.1], &prediction, &reference)
}

/// Evaluates into sentinels, which must be untouched.
fn refused(pair: &LabelPair<'_>, metrics: &SurfaceMetrics<'_>, scratch: usize) -> Error {
    let mut found = Found::sentinels(metrics, pair.classes);
    let mut memory = vec![0; scratch];
    let error = metrics.evaluate(pair, found.output(), &mut memory, &Sequential).unwrap_err();
    let clean = Found::sentinels(metrics, pair.classes);
    assert_eq!(found, clean, "{error}: results were written");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn scratch_of_one_byte_less_is_refused() {
    let masks = masks();
    for metrics in all_metrics() {
        let needed = metrics.scratch_bytes(&masks.extent, 2, 1).unwrap();
        let error = refused(&masks.pair(), &metrics, needed - 1);
        assert_eq!((error.cause, error.argument), (Cause::ScratchSize, Argument::Scratch));
        assert_eq!(refused(&masks.pair(), &metrics, 0).cause, Cause::ScratchSize);
        // Any alignment does.
        let expected = measure(&masks.pair(), &metrics);
        let mut scratch = vec![0; needed + 64];
        for offset in [1, 7, 33, 63] {
            let mut found = Found::sentinels(&metrics, 2);
            let piece = &mut scratch[offset..offset + needed];
            metrics.evaluate(&masks.pair(), found.output(), piece, &Sequential).unwrap();
            assert_eq!(found.bits(), expected.bits());
        }
    }
}

const ENOUGH: usize = 8 << 20;

#[test]
fn options_and_lengths() {
    let masks = masks();
    let pair = masks.pair();
    let plain = SurfaceMetrics::default();
    for bad in [-0.1, 100.1, f64::NAN, f64::INFINITY, -f64::INFINITY] {
        let percentiles = &[50.0, bad];
        let error = refused(&pair, &SurfaceMetrics { percentiles, ..plain }, ENOUGH);
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Percentiles));
        assert_eq!((error.position, error.value.to_bits()), (1, bad.to_bits()));
    }
    for bad in [-0.1, f64::NAN, f64::INFINITY, -f64::INFINITY] {
        let tolerances = &[0.0, 3.0, bad];
        let error = refused(&pair, &SurfaceMetrics { tolerances, ..plain }, ENOUGH);
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Tolerances));
        assert_eq!((error.position, error.value.to_bits()), (2, bad.to_bits()));
    }
    for convention in [PercentileConvention::MaximumOfDirected, PercentileConvention::Pooled] {
        let metrics = SurfaceMetrics { model: SurfaceModel::Surfel, convention, ..plain };
        assert_eq!(refused(&pair, &metrics, ENOUGH).cause, Cause::Option);
    }
    // Surfels along one axis.
    let line = Masks::new(&[5], &[1.0], &[true; 5], &[true; 5]);
    assert_eq!(refused(&line.pair(), &surfels(), ENOUGH).cause, Cause::Shape);
    // Outputs of other lengths.
    let metrics = surfels();
    for (classes, percentiles, shares) in [(1, 0, 0), (3, 0, 0), (2, 1, 0), (2, 0, 1)] {
        let mut found = Found::sentinels(&metrics, 2);
        found.classes.resize(classes, SurfaceResult::default());
        found.percentiles.resize(found.percentiles.len() - percentiles, 0.0);
        found.shares.resize(found.shares.len() - shares, ToleranceShares::default());
        let before = found.clone();
        let mut memory = vec![0; ENOUGH];
        let error = metrics.evaluate(&pair, found.output(), &mut memory, &Sequential).unwrap_err();
        assert_eq!(error.cause, Cause::Length);
        assert_eq!(found, before, "{error}: results were written");
    }
}

fn pair<'a>(
    extent: &'a [usize],
    prediction: &'a [i32],
    reference: &'a [i32],
    ignore: Option<i64>,
) -> LabelPair<'a> {
    LabelPair {
        extent,
        spacing: Spacing::voxels(3).unwrap(),
        classes: 3,
        prediction: prediction.into(),
        reference: reference.into(),
        ignore,
    }
}

#[test]
fn labels_and_volumes() {
    let metrics = SurfaceMetrics::default();
    let good = vec![1i32; 60];
    for (wrong, position) in [(3, 0), (-1, 59), (i32::MAX, 31)] {
        let mut bad = good.clone();
        bad[position] = wrong;
        for (prediction, reference, argument) in
            [(&bad, &good, Argument::Prediction), (&good, &bad, Argument::Reference)]
        {
            let error =
                refused(&pair(&[3, 4, 5], prediction, reference, Some(7)), &metrics, ENOUGH);
            assert_eq!((error.cause, error.argument), (Cause::Label, argument));
            assert_eq!((error.position, error.value), (position as u64, f64::from(wrong)));
        }
        // Exempt, whatever the prediction is there.
        let (mut exempt, mut wild) = (good.clone(), good.clone());
        (exempt[position], wild[position]) = (wrong, 1000);
        let pair = pair(&[3, 4, 5], &wild, &exempt, Some(i64::from(wrong)));
        assert_eq!(measure(&pair, &metrics).classes[1].reference_voxels, 59);
    }
    for extent in [&[3, 4, 6][..], &[59], &[60, 1, 1, 1], &[], &[0, 4, 5]] {
        let error = refused(&pair(extent, &good, &good, None), &metrics, ENOUGH);
        let causes = [Cause::Length, Cause::Shape, Cause::Spacing];
        assert!(causes.contains(&error.cause), "{extent:?}: {error}");
    }
    let flat =
        LabelPair { spacing: Spacing::voxels(2).unwrap(), ..pair(&[3, 4, 5], &good, &good, None) };
    assert_eq!(refused(&flat, &metrics, ENOUGH).cause, Cause::Spacing);
    for extent in [&[0, 4][..], &[], &[1; 4], &[usize::MAX, 3]] {
        assert!(metrics.scratch_bytes(extent, 2, 1).is_err(), "{extent:?}");
    }
    // Numbers or an overflow, not a panic.
    for workers in [0, 1, usize::MAX] {
        let _ = metrics.scratch_bytes(&[1 << 20, 1 << 20, 1 << 20], 1 << 23, workers);
    }
}
