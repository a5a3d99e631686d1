//! Distances from the elements of one surface to the nearest ones of another.

use super::order::{Histogram, weighted_value};

/// Elements that are looked at together: most of a volume is not surface.
const GROUP: usize = 16;

/// A distance counts as within a tolerance up to this factor: f32 rounding must not decide about a
/// tolerance that is a multiple of the spacing.
const TOLERANCE_SLACK: f64 = 1.0 + 1e-6;

/// Share of a sum that rounding may take away.
const SUM_SLACK: f64 = 1.0 - 1e-12;

/// Squared distances of the elements of a surface, with their codes, which weigh them.
#[derive(Clone, Copy)]
pub(crate) struct Directed<'d> {
    pub squared: &'d [f32],
    pub codes: &'d [u8],
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

/// Index and code of every element.
fn elements(codes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let groups = codes.chunks(GROUP).enumerate();
    let held = groups.filter(|(_, group)| group.iter().fold(0, |all, code| all | code) != 0);
    held.flat_map(|(index, group)| {
        let begin = index * GROUP;
        group.iter().enumerate().map(move |(offset, &code)| (begin + offset, code))
    })
    .filter(|&(_, code)| code != 0)
}

/// Copies distances and codes of the elements of `codes` to the beginning of two buffers; returns
/// how many there are.
pub(crate) fn collect(field: &[f32], codes: &[u8], squared: &mut [f32], kept: &mut [u8]) -> usize {
    let mut count = 0;
    let places = squared.iter_mut().zip(kept);
    for ((to, kept), (index, code)) in places.zip(elements(codes)) {
        *to = field.get(index).copied().unwrap_or_default();
        *kept = code;
        count += 1;
    }
    count
}

/// [`collect`] to the beginning of the buffers themselves.
pub(crate) fn collect_in_place(field: &mut [f32], codes: &mut [u8]) -> usize {
    let mut count = 0;
    for begin in (0..codes.len()).step_by(GROUP) {
        let mut group = [0; GROUP];
        for (to, &from) in group.iter_mut().zip(codes.get(begin..).unwrap_or_default()) {
            *to = from;
        }
        if group == [0; GROUP] {
            continue;
        }
        for (offset, code) in group.into_iter().enumerate().filter(|&(_, code)| code != 0) {
            let value = field.get(begin + offset).copied().unwrap_or_default();
            if let (Some(to), Some(kept)) = (field.get_mut(count), codes.get_mut(count)) {
                *to = value;
                *kept = code;
            }
            count += 1;
        }
    }
    count
}

impl<'d> Directed<'d> {
    fn weight(&self, code: u8) -> f64 {
        self.weights.get(usize::from(code)).copied().unwrap_or_default()
    }

    /// Squared distances and weights.
    pub(crate) fn weighted(&self) -> impl Iterator<Item = (f32, f64)> + Clone {
        self.squared.iter().zip(self.codes).map(|(&squared, &code)| (squared, self.weight(code)))
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
    pub(crate) fn weighted_percentile(
        &self,
        share: f64,
        size: f64,
        histogram: &mut Histogram,
    ) -> f64 {
        let least = share * size * SUM_SLACK;
        libm::sqrt(f64::from(weighted_value(self.weighted(), least, histogram)))
    }
}

/// Percentile of distances that all count alike, linear between order statistics as NumPy's default.
pub(crate) fn linear_percentile(
    squared: impl Iterator<Item = f32> + Clone,
    count: usize,
    share: f64,
    histogram: &mut Histogram,
) -> f64 {
    let place = share * count.saturating_sub(1) as f64;
    let lower = libm::floor(place);
    let mut value = |rank: f64| {
        let values = squared.clone().map(|squared| (squared, 1.0));
        libm::sqrt(f64::from(weighted_value(values, rank + 1.0, histogram)))
    };
    let low = value(lower);
    if place == lower {
        return low;
    }
    let high = value(lower + 1.0);
    low + (high - low) * (place - lower)
}
