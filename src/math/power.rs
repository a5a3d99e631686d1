//! Powers with a real exponent.
#![forbid(unsafe_code)]

use super::Format;
use crate::element::Real;
use crate::simd::{Simd, Vector};

/// `x^gamma` for `x >= 0` and `gamma >= 0`.
#[inline(always)]
pub(crate) fn power<S: Simd>(simd: S, x: S::Vector, gamma: f64) -> S::Vector {
    if gamma == 0.0 {
        simd.splat(S::Real::ONE)
    } else if gamma == 0.5 {
        x.square_root()
    } else if gamma == 1.0 {
        x
    } else if gamma == 2.0 {
        x * x
    } else {
        // The logarithm of a subnormal number is only a bound.
        let tiny = x.less(simd.splat(S::Real::SMALLEST_NORMAL));
        let safe = Vector::select(tiny, simd.splat(S::Real::ONE), x);
        let result = (safe.ln() * simd.splat(S::Real::from_f64(gamma))).exp();
        Vector::select(tiny, simd.zero(), result)
    }
}
