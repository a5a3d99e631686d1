//! Top-k cross-entropy: selection of the largest voxel losses.
//!
//! Losses are not negative, so their bits sort as they do; a radix selection finds the smallest
//! selected one in a few passes. Among equal ones the lowest index wins.
#![forbid(unsafe_code)]

use super::coefficients::Coefficients;
use super::cross_entropy::voxel_losses;
use super::plan::Plan;
use super::term::TopKCrossEntropy;
use super::tile::{Tile, label_factors, own_so_far};
use crate::element::Real;
use crate::simd::{Simd, Vector};
use core::mem::replace;

/// The selected voxel losses.
#[derive(Clone, Copy, Default)]
pub(crate) struct Selection {
    /// How many, and their sum.
    pub count: u64,
    pub sum: f64,
    /// Bits of the smallest selected loss.
    threshold: u64,
    /// Losses equal to the smallest are selected below this index.
    end_of_ties: u64,
}

impl Selection {
    fn takes(&self, order: u64, index: u64) -> bool {
        order > self.threshold || (order == self.threshold && index < self.end_of_ties)
    }
}

/// A loss that was not counted.
const NOT_COUNTED: f32 = -1.0;

/// Bits looked at in one pass of the selection.
const DIGIT: u32 = 8;

/// Writes the voxel losses of a tile, see [`voxel_losses`].
#[inline(always)]
pub(crate) fn keep_losses<S: Simd>(
    simd: S,
    options: &TopKCrossEntropy<'_>,
    tile: &mut Tile<'_, S::Real>,
    losses: &mut [S::Real],
) {
    voxel_losses(simd, options.class_weights, tile);
    let voxels = tile.spare.as_flattened().iter().zip(tile.weight.as_flattened());
    for (to, (&loss, &weight)) in losses.iter_mut().zip(voxels) {
        let counted = weight != S::Real::ZERO;
        *to = if counted { loss.larger(S::Real::ZERO) } else { S::Real::from_f32(NOT_COUNTED) };
    }
}

/// Selects the largest `fraction` of the counted losses, at least one.
pub(crate) fn select<R: Real>(losses: &[R], fraction: f64, counted: u64) -> Selection {
    if counted == 0 {
        return Selection::default();
    }
    // A product that should be whole may have been rounded down: 0.29 * 100.
    let share = fraction * counted as f64 * (1.0 + 4.0 * f64::EPSILON);
    let count = (share as u64).clamp(1, counted);
    let orders = || losses.iter().filter(|&&loss| loss >= R::ZERO).map(|loss| loss.order());
    let (mut threshold, mut wanted) = (0u64, count);
    let mut shift = R::ORDER_BITS;
    while shift > 0 {
        shift -= DIGIT;
        let mut histogram = [0u64; 1 << DIGIT];
        let upper = |order: u64| order.checked_shr(shift + DIGIT).unwrap_or_default();
        for order in orders().filter(|&order| upper(order) == upper(threshold)) {
            let digit = (order >> shift) & ((1 << DIGIT) - 1);
            if let Some(n) = histogram.get_mut(digit as usize) {
                *n += 1;
            }
        }
        let mut chosen = 0;
        for (digit, &n) in histogram.iter().enumerate().rev() {
            chosen = digit as u64;
            if n >= wanted {
                break;
            }
            wanted -= n;
        }
        threshold |= chosen << shift;
    }
    let mut selection = Selection { count, sum: 0.0, threshold, end_of_ties: 0 };
    for (index, &loss) in losses.iter().enumerate() {
        let order = loss.order();
        if loss >= R::ZERO && order == threshold && wanted > 0 {
            wanted -= 1;
            selection.end_of_ties = index as u64 + 1;
        }
        if loss >= R::ZERO && selection.takes(order, index as u64) {
            selection.sum += loss.to_f64();
        }
    }
    selection
}

/// Adds to `H` of the own class where a voxel is selected.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &TopKCrossEntropy<'_>,
    coefficients: &Coefficients<'_>,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    let used = replace(&mut tile.uses_own_pull, true);
    let selection = coefficients.top_k;
    let first = (tile.sample * plan.shape.voxels() + tile.first) as u64;
    voxel_losses(simd, options.class_weights, tile);
    let losses = tile.spare.as_flattened_mut().iter_mut();
    for (voxel, (loss, &weight)) in losses.zip(tile.weight.as_flattened()).enumerate() {
        let order = loss.larger(S::Real::ZERO).order();
        let taken = weight != S::Real::ZERO && selection.takes(order, first + voxel as u64);
        *loss = if taken { S::Real::ONE } else { S::Real::ZERO };
    }
    let class_weights = [options.class_weights, None];
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        class_weights,
        tile.spare_too,
    );
    let scale = simd.splat(S::Real::from_f64(scale));
    let taken = tile.spare.iter().zip(factors);
    for (pull, (taken, factor)) in tile.own_pull.iter_mut().zip(taken) {
        let taken = scale * simd.load(taken) * simd.load(factor);
        (own_so_far(simd, used, pull) - taken).store(pull);
    }
}
