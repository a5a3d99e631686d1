//! Softmax and sigmoid on tiles: scores to probabilities, and the pieces that log-probabilities
//! are made of. Logarithms come from log-sum-exp, never from a probability.

use crate::element::{Lanes, Real};
use crate::math::log1p;
use crate::rows::{rows, rows_mut};
use crate::simd::{Simd, Vector};

/// Softmax in place: `rows` holds scores and then their exponentials over the maximum; `inverse`
/// gets 1 over their sum, `log_sum` its logarithm.
#[inline(always)]
pub(crate) fn exponentials<S: Simd>(
    simd: S,
    class_rows: &mut [Lanes<S::Real>],
    maximum: &[Lanes<S::Real>],
    inverse: &mut [Lanes<S::Real>],
    log_sum: &mut [Lanes<S::Real>],
) {
    let lanes = maximum.len();
    for sum in log_sum.iter_mut() {
        simd.zero().store(sum);
    }
    for row in rows_mut(class_rows, lanes) {
        for ((group, maximum), sum) in row.iter_mut().zip(maximum).zip(log_sum.iter_mut()) {
            let e = (simd.load(group) - simd.load(maximum)).exp();
            e.store(group);
            (simd.load(sum) + e).store(sum);
        }
    }
    let one = simd.splat(S::Real::ONE);
    for (sum, inverse) in log_sum.iter_mut().zip(inverse) {
        let total = simd.load(sum);
        (one / total).store(inverse);
        total.ln().store(sum);
    }
}

/// Exponentials to probabilities.
#[inline(always)]
pub(crate) fn normalise<S: Simd>(
    simd: S,
    class_rows: &mut [Lanes<S::Real>],
    inverse: &[Lanes<S::Real>],
) {
    for row in rows_mut(class_rows, inverse.len()) {
        for (group, inverse) in row.iter_mut().zip(inverse) {
            (simd.load(group) * simd.load(inverse)).store(group);
        }
    }
}

/// What binary terms are made of, from a logit `z`, without overflow or cancellation.
#[derive(Clone, Copy)]
pub(crate) struct Logit<V> {
    /// sigmoid(z).
    pub positive: V,
    /// sigmoid(-z).
    pub negative: V,
    /// softplus(z) = -ln sigmoid(-z).
    pub softplus: V,
    /// softplus(-z) = -ln sigmoid(z).
    pub softplus_negative: V,
}

/// [`Logit`] of 16 logits.
#[inline(always)]
pub(crate) fn logit<S: Simd>(simd: S, z: S::Vector) -> Logit<S::Vector> {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let e = (-z.absolute()).exp();
    let rest = log1p(simd, e);
    let large = one / (one + e);
    let small = e * large;
    let below = z.less(zero);
    Logit {
        positive: Vector::select(below, small, large),
        negative: Vector::select(below, large, small),
        softplus: z.larger(zero) + rest,
        softplus_negative: (-z).larger(zero) + rest,
    }
}

/// Sigmoids of the scores.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(
    simd: S,
    scores: &[Lanes<S::Real>],
    to: &mut [Lanes<S::Real>],
    lanes: usize,
) {
    for (to, from) in rows_mut(to, lanes).zip(rows(scores, lanes)) {
        for (to, from) in to.iter_mut().zip(from) {
            logit(simd, simd.load(from)).positive.store(to);
        }
    }
}
