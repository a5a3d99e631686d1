//! Polynomials of lanes.
#![forbid(unsafe_code)]

use crate::simd::Simd;

/// Horner's rule, the coefficient of the highest power first.
#[inline(always)]
pub(super) fn polynomial<S: Simd>(simd: S, x: S::Vector, coefficients: &[S::Real]) -> S::Vector {
    let Some((&first, rest)) = coefficients.split_first() else {
        return simd.zero();
    };
    let mut sum = simd.splat(first);
    for &coefficient in rest {
        sum = sum * x + simd.splat(coefficient);
    }
    sum
}
