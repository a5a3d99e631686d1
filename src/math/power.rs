//! Powers with a real exponent.
#![forbid(unsafe_code)]

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
        // 0 is common, and its logarithm slow.
        let zero = x.equal(simd.zero());
        let other = Vector::select(zero, simd.splat(S::Real::ONE), x);
        let result = (other.ln() * simd.splat(S::Real::from_f64(gamma))).exp();
        Vector::select(zero, simd.zero(), result)
    }
}
