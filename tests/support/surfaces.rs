//! Runs the library's surface metrics.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use segloss::{
    ClassState, Error, Executor, LabelPair, Labels, PercentileConvention, Sequential, Spacing,
    SurfaceMetrics, SurfaceModel, SurfaceOutput, SurfaceResult, ToleranceShares,
};

pub const PERCENTILES: [f64; 4] = [0.0, 50.0, 95.0, 100.0];
pub const TOLERANCES: [f64; 3] = [0.0, 0.8, 2.5];

/// Every model and convention.
pub fn all_metrics() -> [SurfaceMetrics<'static>; 4] {
    let of = |model, convention| SurfaceMetrics {
        model,
        convention,
        percentiles: &PERCENTILES,
        tolerances: &TOLERANCES,
        ..SurfaceMetrics::default()
    };
    [
        of(SurfaceModel::Voxel, PercentileConvention::MaximumOfDirected),
        of(SurfaceModel::Voxel, PercentileConvention::Pooled),
        of(SurfaceModel::Voxel, PercentileConvention::AreaWeighted),
        of(SurfaceModel::Surfel, PercentileConvention::AreaWeighted),
    ]
}

/// The one with surfels.
pub fn surfels() -> SurfaceMetrics<'static> {
    all_metrics()[3]
}

/// Results of all classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub classes: Vec<SurfaceResult>,
    /// `[class][percentile]`.
    pub percentiles: Vec<f64>,
    /// `[class][tolerance]`.
    pub shares: Vec<ToleranceShares>,
}

impl Found {
    /// Buffers that hold what no call would write.
    pub fn sentinels(metrics: &SurfaceMetrics<'_>, classes: usize) -> Self {
        let result = SurfaceResult {
            state: ClassState::BothEmpty,
            common_voxels: 77,
            hausdorff: -7.0,
            ..SurfaceResult::default()
        };
        let shares = ToleranceShares { surface_dice: -7.0, ..ToleranceShares::default() };
        Self {
            classes: vec![result; classes],
            percentiles: vec![-7.0; classes * metrics.percentiles.len()],
            shares: vec![shares; classes * metrics.tolerances.len()],
        }
    }

    pub fn output(&mut self) -> SurfaceOutput<'_> {
        SurfaceOutput {
            classes: &mut self.classes,
            percentiles: &mut self.percentiles,
            shares: &mut self.shares,
        }
    }

    /// Every bit, as NaN is no equal of itself.
    pub fn bits(&self) -> Vec<u64> {
        let mut bits: Vec<u64> = Vec::new();
        for class in &self.classes {
            let [a, b] = class.directed_maximum;
            let [c, d] = class.directed_mean;
            let floats = [
                class.prediction_surface,
                class.reference_surface,
                class.hausdorff,
                a,
                b,
                c,
                d,
                class.assd,
                class.masd,
            ];
            bits.push(class.state as u64);
            bits.extend([class.prediction_voxels, class.reference_voxels, class.common_voxels]);
            bits.extend(floats.map(f64::to_bits));
        }
        bits.extend(self.percentiles.iter().map(|p| p.to_bits()));
        for shares in &self.shares {
            let floats = [shares.surface_dice, shares.prediction_overlap, shares.reference_overlap];
            bits.extend(floats.map(f64::to_bits));
        }
        bits
    }
}

/// Evaluates; the scratch is not clean before.
pub fn measure_with(
    pair: &LabelPair<'_>,
    metrics: &SurfaceMetrics<'_>,
    executor: &dyn Executor,
) -> Result<Found, Error> {
    measure_in(0xab, pair, metrics, executor)
}

/// Evaluates in scratch that is full of a byte.
pub fn measure_in(
    byte: u8,
    pair: &LabelPair<'_>,
    metrics: &SurfaceMetrics<'_>,
    executor: &dyn Executor,
) -> Result<Found, Error> {
    let mut found = Found::sentinels(metrics, pair.classes);
    let bytes = metrics.scratch_bytes(pair.extent, pair.classes, executor.workers())?;
    let mut scratch = vec![byte; bytes];
    metrics.evaluate(pair, found.output(), &mut scratch, executor)?;
    Ok(found)
}

pub fn measure(pair: &LabelPair<'_>, metrics: &SurfaceMetrics<'_>) -> Found {
    measure_with(pair, metrics, &Sequential).unwrap_or_else(|error| panic!("{error}"))
}

/// Two masks as a pair of label maps with one foreground class.
pub struct Masks {
    pub extent: Vec<usize>,
    pub spacing: Vec<f64>,
    prediction: Vec<u8>,
    reference: Vec<u8>,
}

impl Masks {
    pub fn new(extent: &[usize], spacing: &[f64], prediction: &[bool], reference: &[bool]) -> Self {
        let bytes = |mask: &[bool]| mask.iter().map(|&m| u8::from(m)).collect();
        Self {
            extent: extent.to_vec(),
            spacing: spacing.to_vec(),
            prediction: bytes(prediction),
            reference: bytes(reference),
        }
    }

    pub fn pair(&self) -> LabelPair<'_> {
        LabelPair {
            extent: &self.extent,
            spacing: Spacing::millimetres(&self.spacing).unwrap(),
            classes: 2,
            prediction: Labels::U8(&self.prediction),
            reference: Labels::U8(&self.reference),
            ignore: None,
        }
    }

    /// The metrics of the foreground.
    pub fn measure(&self, metrics: &SurfaceMetrics<'_>) -> Found {
        let found = measure(&self.pair(), metrics);
        let (percentiles, tolerances) = (metrics.percentiles.len(), metrics.tolerances.len());
        Found {
            classes: found.classes[1..].to_vec(),
            percentiles: found.percentiles[percentiles..].to_vec(),
            shares: found.shares[tolerances..].to_vec(),
        }
    }
}
