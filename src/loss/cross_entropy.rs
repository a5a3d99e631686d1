//! Cross-entropy on logits.
//!
//! Voxel loss `l = log_sum - own_score`, whose first part is added up as a whole where no other term
//! needs it. Under softmax `H_y = -w k_y / W` and nothing else.
#![forbid(unsafe_code)]

use super::logarithms::sum_of_logarithms;
use super::plan::{Plan, value_of};
use super::sums::{BlockSums, product_sum, row_sum};
use super::term::CrossEntropy;
use super::tile::{Tile, class_weight, label_factors, own_so_far};
use crate::element::{Lanes, Real};
use crate::rows::{BLOCK, block_sum, blocks, rows, rows_mut};
use crate::simd::{Simd, Vector};
use core::mem::replace;

/// The sum of the weights of the voxels of a label map by their classes.
#[inline(always)]
pub(crate) fn normaliser<S: Simd>(
    simd: S,
    class_weights: &[f64],
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    row_sum(
        simd,
        label_factors(
            simd,
            tile.weight,
            (tile.labels, tile.label_lanes),
            [Some(class_weights), None],
            tile.spare,
        ),
    )
}

/// Adds the value of a tile.
#[inline(always)]
pub(crate) fn sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &CrossEntropy<'_>,
    term: usize,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let smoothing = options.label_smoothing;
    if plan.target.dense() {
        block.add(value_of(term), dense_value(simd, options, tile));
        return;
    }
    let class_weights = [options.class_weights, None];
    let all_one = options.class_weights.is_none() && tile.all_weigh_one;
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        class_weights,
        tile.spare,
    );
    let own = if !plan.joins_logarithms {
        own_surprise(simd, factors, tile.log_sum, tile.own_score)
    } else if all_one {
        -(row_sum(simd, tile.own_score) + sum_of_logarithms(simd, None, tile.inverse))
    } else {
        let logarithms = sum_of_logarithms(simd, Some(factors), tile.inverse);
        -(product_sum(simd, factors, tile.own_score) + logarithms)
    };
    block.add(value_of(term), (1.0 - smoothing) * own);
    if smoothing > 0.0 {
        let uniform = smoothing / tile.classes as f64;
        let value = smoothing_value(simd, options, tile);
        block.add(value_of(term), uniform * value);
    }
}

/// `sum_i factor l`.
#[inline(always)]
pub(crate) fn own_surprise<S: Simd>(
    simd: S,
    factors: &[Lanes<S::Real>],
    log_sum: &[Lanes<S::Real>],
    own_score: &[Lanes<S::Real>],
) -> f64 {
    let mut value = [simd.zero(); BLOCK];
    let own = blocks(log_sum).iter().zip(blocks(own_score));
    for (factors, (log_sum, score)) in blocks(factors).iter().zip(own) {
        let voxels = factors.iter().zip(log_sum.iter().zip(score));
        for (value, (factor, (log_sum, score))) in value.iter_mut().zip(voxels) {
            *value = *value + simd.load(factor) * (simd.load(log_sum) - simd.load(score));
        }
    }
    block_sum(value)
}

/// `spare = w k_y l` for every voxel of a label map; `spare_too` is used, too.
#[inline(always)]
pub(crate) fn voxel_losses<S: Simd>(
    simd: S,
    class_weights: Option<&[f64]>,
    tile: &mut Tile<'_, S::Real>,
) {
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        [class_weights, None],
        tile.spare_too,
    );
    let own = tile.log_sum.iter().zip(&*tile.own_score).zip(factors);
    for (loss, ((log_sum, score), factor)) in tile.spare.iter_mut().zip(own) {
        (simd.load(factor) * (simd.load(log_sum) - simd.load(score))).store(loss);
    }
}

/// `-log p` of a class at 16 voxels.
#[inline(always)]
pub(crate) fn surprise<S: Simd>(
    simd: S,
    score: &Lanes<S::Real>,
    maximum: &Lanes<S::Real>,
    log_sum: &Lanes<S::Real>,
) -> S::Vector {
    (simd.load(maximum) - simd.load(score)) + simd.load(log_sum)
}

/// `sum_i w sum_c k_c (-log p_c)`.
#[inline(always)]
fn smoothing_value<S: Simd>(simd: S, options: &CrossEntropy<'_>, tile: &Tile<'_, S::Real>) -> f64 {
    let mut value = 0.0;
    for (class, row) in rows(tile.scores, tile.lanes).enumerate() {
        let mut sum = simd.zero();
        let shared = tile.maximum.iter().zip(&*tile.log_sum).zip(&*tile.weight);
        for (score, ((maximum, log_sum), w)) in row.iter().zip(shared) {
            sum = sum + surprise(simd, score, maximum, log_sum) * simd.load(w);
        }
        value += class_weight(options.class_weights, class) * sum.sum();
    }
    value
}

/// `sum_i w sum_c k_c g'_c (-log p_c)` with smoothed `g'`.
#[inline(always)]
fn dense_value<S: Simd>(simd: S, options: &CrossEntropy<'_>, tile: &Tile<'_, S::Real>) -> f64 {
    let (keep, add) = smoothed::<S>(simd, options, tile.classes);
    let mut value = 0.0;
    let class_rows = rows(tile.scores, tile.lanes).zip(rows(tile.target, tile.lanes));
    for (class, (row, target)) in class_rows.enumerate() {
        let mut sum = simd.zero();
        let shared = tile.maximum.iter().zip(&*tile.log_sum).zip(&*tile.weight);
        for ((score, g), ((maximum, log_sum), w)) in row.iter().zip(target).zip(shared) {
            let g = keep * simd.load(g) + add;
            sum = sum + g * surprise(simd, score, maximum, log_sum) * simd.load(w);
        }
        value += class_weight(options.class_weights, class) * sum.sum();
    }
    value
}

/// `g' = keep g + add`.
#[inline(always)]
fn smoothed<S: Simd>(
    simd: S,
    options: &CrossEntropy<'_>,
    classes: usize,
) -> (S::Vector, S::Vector) {
    let smoothing = options.label_smoothing;
    (
        simd.splat(S::Real::from_f64(1.0 - smoothing)),
        simd.splat(S::Real::from_f64(smoothing / classes as f64)),
    )
}

/// Adds to `H`: of the own class for a label map (what smoothing adds is a constant of the class),
/// of every class for a dense target.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &CrossEntropy<'_>,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    if plan.target.dense() {
        let (keep, add) = smoothed::<S>(simd, options, tile.classes);
        let pull_rows = rows_mut(tile.pull, tile.lanes).zip(rows(tile.target, tile.lanes));
        for (class, (pull, target)) in pull_rows.enumerate() {
            let factor = scale * class_weight(options.class_weights, class);
            let factor = simd.splat(S::Real::from_f64(factor));
            for ((pull, g), w) in pull.iter_mut().zip(target).zip(&*tile.weight) {
                let g = keep * simd.load(g) + add;
                (simd.load(pull) - factor * g * simd.load(w)).store(pull);
            }
        }
        return;
    }
    let used = replace(&mut tile.uses_own_pull, true);
    let factor = simd.splat(S::Real::from_f64(scale * (1.0 - options.label_smoothing)));
    let class_weights = [options.class_weights, None];
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        class_weights,
        tile.spare,
    );
    for (pull, weight) in tile.own_pull.iter_mut().zip(factors) {
        (own_so_far(simd, used, pull) - factor * simd.load(weight)).store(pull);
    }
}

/// What label smoothing adds to `H` of a class of a label map, times the voxel weight.
pub(crate) fn constant_pull(
    options: &CrossEntropy<'_>,
    scale: f64,
    classes: usize,
    class: usize,
) -> f64 {
    let uniform = options.label_smoothing / classes as f64;
    -scale * uniform * class_weight(options.class_weights, class)
}
