//! Region terms: sums of a dense target, and from sums to value and derivative.
//!
//! Every function here maps `(T, P, G)` to the value `f` and its derivatives `f_T`, `f_P`; the
//! gradient of a voxel follows from them alone, `dL/dp = w (a + b g + d p + e sign(p - g))`. Where
//! the denominator is 0 (no smoothing, and nothing on either side) all three are 0.
#![forbid(unsafe_code)]

use super::plan::{OVERLAP, Plan, REFERENCE};
use super::sums::BlockSums;
use super::term::{Dice, Ratio, Tversky, VolumeWeighting};
use super::tile::Tile;
use crate::element::Lanes;
use crate::rows::rows;
use crate::simd::{Simd, Vector};

/// Adds a tile of a dense target to the sums.
#[inline(always)]
pub(crate) fn dense_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    class_rows: &[Lanes<S::Real>],
    tile: &Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let zero = simd.zero();
    let target_rows = rows(tile.target, tile.lanes);
    for (class, (row, target)) in rows(class_rows, tile.lanes).zip(target_rows).enumerate() {
        let (mut overlap, mut reference, mut squared, mut difference) = (zero, zero, zero, zero);
        for ((p, g), w) in row.iter().zip(target).zip(&*tile.weight) {
            let (p, g, w) = (simd.load(p), simd.load(g), simd.load(w));
            overlap = overlap + w * p * g;
            reference = reference + w * g;
            squared = squared + w * g * g;
            difference = difference + w * (p - g).absolute();
        }
        block.add_class(OVERLAP, class, overlap.sum());
        block.add_class(REFERENCE, class, reference.sum());
        if let Some(column) = plan.squared {
            block.add_class(column + 1, class, squared.sum());
        }
        if let Some(column) = plan.difference {
            block.add_class(column, class, difference.sum());
        }
    }
}

/// Overlap, prediction and reference of a class.
#[derive(Clone, Copy, Default)]
pub(crate) struct Triple {
    pub overlap: f64,
    pub prediction: f64,
    pub reference: f64,
}

/// A value and its derivatives with respect to overlap and prediction.
#[derive(Clone, Copy, Default)]
pub(crate) struct Derived {
    pub value: f64,
    pub by_overlap: f64,
    pub by_prediction: f64,
}

/// `1 - (2 T + s_n) / (P + G + s_d)`, or the Jaccard form.
pub(crate) fn dice(options: &Dice<'_>, sums: Triple) -> Derived {
    let Triple { overlap: t, prediction: p, reference: g } = sums;
    let (s_n, s_d) = (options.smooth_numerator, options.smooth_denominator);
    match options.ratio {
        Ratio::Dice => {
            let (n, d) = (2.0 * t + s_n, p + g + s_d);
            if d == 0.0 {
                return Derived::default();
            }
            Derived { value: 1.0 - n / d, by_overlap: -2.0 / d, by_prediction: n / (d * d) }
        }
        Ratio::Jaccard => {
            let (n, d) = (t + s_n / 2.0, p + g - t + s_d / 2.0);
            if d == 0.0 {
                return Derived::default();
            }
            Derived {
                value: 1.0 - n / d,
                by_overlap: -(d + n) / (d * d),
                by_prediction: n / (d * d),
            }
        }
    }
}

/// `(1 - TI)^exponent`, `TI = (T + s_n) / (T + fp (P - T) + fn (G - T) + s_d)`.
pub(crate) fn tversky(options: &Tversky<'_>, sums: Triple) -> Derived {
    let Triple { overlap: t, prediction: p, reference: g } = sums;
    let (fp, miss) = (options.false_positive_weight, options.false_negative_weight);
    let n = t + options.smooth_numerator;
    let d = t + fp * (p - t) + miss * (g - t) + options.smooth_denominator;
    if d == 0.0 {
        return Derived::default();
    }
    let index_by_overlap = (d - n * (1.0 - fp - miss)) / (d * d);
    let index_by_prediction = -n * fp / (d * d);
    let base = 1.0 - n / d;
    let (value, slope) = if options.exponent == 1.0 {
        (base, -1.0)
    } else if base <= 0.0 {
        (0.0, 0.0)
    } else {
        let power = libm::pow(base, options.exponent);
        (power, -options.exponent * power / base)
    };
    Derived {
        value,
        by_overlap: slope * index_by_overlap,
        by_prediction: slope * index_by_prediction,
    }
}

/// `v` of a class of generalised Dice; infinite where the class is absent.
pub(crate) fn volume_weight(weighting: VolumeWeighting, volume: f64) -> f64 {
    match weighting {
        VolumeWeighting::InverseSquare => 1.0 / (volume * volume),
        VolumeWeighting::Inverse => 1.0 / volume,
        VolumeWeighting::Uniform => 1.0,
    }
}
