//! Distances from the elements of one surface to the nearest ones of another.
#![forbid(unsafe_code)]

use super::order::weighted_value;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// A distance counts as within a tolerance up to this factor: f32 rounding must not decide about a
/// tolerance that is a multiple of the spacing.
const TOLERANCE_SLACK: f64 = 1.0 + 1e-6;

/// Share of a sum that rounding may take away.
const SUM_SLACK: f64 = 1.0 - 1e-12;

/// Distances of the elements of a surface.
#[derive(Clone, Copy)]
pub(crate) struct Directed<'d> {
    /// Squared distances, and the weight of the elements that have them.
    pub near: (&'d [f32], &'d [f64]),
    /// Squared distances of other elements as bits, and their codes.
    pub far: (&'d [AtomicU32], &'d [AtomicU8]),
    /// Weight of every code.
    pub weights: &'d [f64; 256],
}

/// What one pass over distances tells.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    /// Sum of the weights.
    pub size: f64,
    /// Weighted sum of the distances.
    pub sum: f64,
    pub largest: f64,
}

impl<'d> Directed<'d> {
    fn weight(&self, code: u8) -> f64 {
        self.weights.get(usize::from(code)).copied().unwrap_or_default()
    }

    /// Squared distances and weights.
    pub(crate) fn weighted(&self) -> impl Iterator<Item = (f32, f64)> + Clone {
        let (squared, weights) = self.near;
        let near = squared.iter().copied().zip(weights.iter().copied());
        let (squared, codes) = self.far;
        let far = squared.iter().zip(codes).map(|(squared, code)| {
            (f32::from_bits(squared.load(Relaxed)), self.weight(code.load(Relaxed)))
        });
        near.filter(|&(_, weight)| weight > 0.0).chain(far)
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let mut largest = 0.0f32;
        for (squared, weight) in self.weighted() {
            summary.size += weight;
            summary.sum += weight * libm::sqrt(f64::from(squared));
            largest = if squared > largest { squared } else { largest };
        }
        summary.largest = libm::sqrt(f64::from(largest));
        summary
    }

    /// Weight of the elements within a distance.
    pub(crate) fn within(&self, tolerance: f64) -> f64 {
        let limit = tolerance * TOLERANCE_SLACK;
        let limit = limit * limit;
        let within = self.weighted().filter(|&(squared, _)| f64::from(squared) <= limit);
        within.fold(0.0, |sum, (_, weight)| sum + weight)
    }

    /// Smallest distance within which `share` of the weight lies.
    pub(crate) fn weighted_percentile(&self, share: f64, size: f64) -> f64 {
        let least = share * size * SUM_SLACK;
        libm::sqrt(f64::from(weighted_value(self.weighted(), least)))
    }
}

/// Percentile of distances whose weights are numbers of elements, linear between order statistics as
/// NumPy's default.
pub(crate) fn linear_percentile(
    squared: impl Iterator<Item = (f32, f64)> + Clone,
    count: f64,
    share: f64,
) -> f64 {
    let place = share * (count - 1.0);
    let lower = libm::floor(place);
    let value = |rank: f64| libm::sqrt(f64::from(weighted_value(squared.clone(), rank + 1.0)));
    let low = value(lower);
    if place == lower {
        return low;
    }
    let high = value(lower + 1.0);
    low + (high - low) * (place - lower)
}
