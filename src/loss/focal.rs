//! Focal loss under softmax: `-alpha g (1 - p)^gamma log p`.
//!
//! `H = (1 - p)^gamma (gamma p log p / (1 - p) - 1)`, where `log p / (1 - p) -> -1` as `p -> 1`:
//! finite for every `gamma >= 0`.
#![forbid(unsafe_code)]

use super::cross_entropy::surprise;
use super::plan::{Plan, value_of};
use super::sums::{BlockSums, product_sum};
use super::term::Focal;
use super::tile::{Tile, class_weight, label_factors, own_so_far, per_class};
use crate::element::Real;
use crate::math::power;
use crate::rows::{rows, rows_mut};
use crate::simd::{Simd, Vector};
use core::mem::replace;

/// Value and `H` for `g = 1`, from `p` and `-log p`.
#[inline(always)]
fn focal<S: Simd>(
    simd: S,
    p: S::Vector,
    surprise: S::Vector,
    gamma: f64,
) -> (S::Vector, S::Vector) {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    // Near p = 1 the difference has lost its digits, but -log p has not: 1 - p = x - x^2 / 2 ...
    let near = surprise.less(simd.splat(S::Real::NEAR));
    let half = simd.splat(S::Real::from_f64(0.5));
    let third = simd.splat(S::Real::from_f64(1.0 / 3.0));
    let series = surprise * (one - half * surprise * (one - third * surprise));
    let rest = Vector::select(near, series, (one - p).larger(zero));
    let power = power(simd, rest, gamma);
    let positive = zero.less(rest);
    let ratio = Vector::select(positive, surprise / Vector::select(positive, rest, one), one);
    let pull = -(power * (simd.splat(S::Real::from_f64(gamma)) * p * ratio + one));
    (power * surprise, pull)
}

/// Alpha per class, if it differs, and the factor common to all classes.
fn split_alpha<'o>(options: &Focal<'o>) -> (Option<&'o [f64]>, f64) {
    match options.alpha {
        Some([one]) => (None, *one),
        alpha => (alpha, 1.0),
    }
}

/// Adds the value of a tile.
#[inline(always)]
pub(crate) fn sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &Focal<'_>,
    term: usize,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    if plan.target.dense() {
        block.add(value_of(term), dense_value(simd, options, tile));
        return;
    }
    let (alpha, common) = split_alpha(options);
    let class_weights = [options.class_weights, alpha];
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        class_weights,
        tile.spare_too,
    );
    let own = tile.log_sum.iter().zip(&*tile.own_score).zip(&*tile.own_probability);
    for (loss, ((log_sum, score), p)) in tile.spare.iter_mut().zip(own) {
        let surprise = simd.load(log_sum) - simd.load(score);
        let (value, _) = focal(simd, simd.load(p), surprise, options.gamma);
        value.store(loss);
    }
    block.add(value_of(term), common * product_sum(simd, tile.spare, factors));
}

#[inline(always)]
fn dense_value<S: Simd>(simd: S, options: &Focal<'_>, tile: &Tile<'_, S::Real>) -> f64 {
    let mut total = 0.0;
    let class_rows = rows(tile.scores, tile.lanes)
        .zip(rows(tile.softmax, tile.lanes))
        .zip(rows(tile.target, tile.lanes));
    for (class, ((scores, probabilities), target)) in class_rows.enumerate() {
        let mut sum = simd.zero();
        let shared = tile.maximum.iter().zip(&*tile.log_sum).zip(&*tile.weight);
        let own = scores.iter().zip(probabilities).zip(target);
        for (((score, p), g), ((maximum, log_sum), w)) in own.zip(shared) {
            let surprise = surprise(simd, score, maximum, log_sum);
            let (value, _) = focal(simd, simd.load(p), surprise, options.gamma);
            sum = sum + simd.load(w) * simd.load(g) * value;
        }
        total += class_weight(options.class_weights, class)
            * per_class(options.alpha, class)
            * sum.sum();
    }
    total
}

/// Adds to `H`.
#[inline(always)]
pub(crate) fn pull<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    options: &Focal<'_>,
    scale: f64,
    tile: &mut Tile<'_, S::Real>,
) {
    if plan.target.dense() {
        dense_pull(simd, options, scale, tile);
        return;
    }
    let used = replace(&mut tile.uses_own_pull, true);
    let (alpha, common) = split_alpha(options);
    let factor = simd.splat(S::Real::from_f64(scale * common));
    let class_weights = [options.class_weights, alpha];
    let factors = label_factors(
        simd,
        tile.weight,
        (tile.labels, tile.label_lanes),
        class_weights,
        tile.spare,
    );
    let own = tile.log_sum.iter().zip(&*tile.own_score).zip(&*tile.own_probability);
    for ((pull, weight), ((log_sum, score), p)) in tile.own_pull.iter_mut().zip(factors).zip(own) {
        let surprise = simd.load(log_sum) - simd.load(score);
        let (_, own) = focal(simd, simd.load(p), surprise, options.gamma);
        (own_so_far(simd, used, pull) + factor * simd.load(weight) * own).store(pull);
    }
}

#[inline(always)]
fn dense_pull<S: Simd>(simd: S, options: &Focal<'_>, scale: f64, tile: &mut Tile<'_, S::Real>) {
    let class_rows = rows_mut(tile.pull, tile.lanes)
        .zip(rows(tile.scores, tile.lanes))
        .zip(rows(tile.softmax, tile.lanes))
        .zip(rows(tile.target, tile.lanes));
    for (class, (((pull, scores), probabilities), target)) in class_rows.enumerate() {
        let factor =
            scale * class_weight(options.class_weights, class) * per_class(options.alpha, class);
        let factor = simd.splat(S::Real::from_f64(factor));
        let shared = tile.maximum.iter().zip(&*tile.log_sum).zip(&*tile.weight);
        let own = pull.iter_mut().zip(scores).zip(probabilities).zip(target);
        for ((((pull, score), p), g), ((maximum, log_sum), w)) in own.zip(shared) {
            let surprise = surprise(simd, score, maximum, log_sum);
            let (_, own) = focal(simd, simd.load(p), surprise, options.gamma);
            (simd.load(pull) + factor * simd.load(w) * simd.load(g) * own).store(pull);
        }
    }
}
