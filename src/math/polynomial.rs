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

/// The same in pairs, for a chain of operations half as long; `square` is `x x`.
#[inline(always)]
pub(super) fn polynomial_in_pairs<S: Simd>(
    simd: S,
    (x, square): (S::Vector, S::Vector),
    coefficients: &[S::Real],
) -> S::Vector {
    let pair = |[high, low]: [S::Real; 2]| simd.splat(high) * x + simd.splat(low);
    let (mut sum, pairs) = match coefficients {
        [first, pairs @ ..] if pairs.len() % 2 == 0 => (simd.splat(*first), pairs),
        [high, low, pairs @ ..] => (pair([*high, *low]), pairs),
        _ => return simd.zero(),
    };
    for &coefficients in pairs.as_chunks().0 {
        sum = sum * square + pair(coefficients);
    }
    sum
}
