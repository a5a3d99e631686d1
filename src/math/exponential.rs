//! e^x: range reduction, polynomial, exponent. No fused operation, so every level agrees.
#![forbid(unsafe_code)]

use super::Format;
use super::polynomial::polynomial_in_pairs;
use crate::element::Real;
use crate::simd::{Simd, Vector};

/// Constants of the exponential of a type.
pub(crate) trait Exponential: Format + 'static {
    const LOG2_E: Self;
    /// ln 2 in two parts, the first short enough that its multiples are exact.
    const LN_2_HIGH: Self;
    const LN_2_LOW: Self;
    /// What smaller arguments of [`exp_nonpositive`] are taken for: the biased exponent of the
    /// result is 0, and so is the result.
    const LOWEST: Self;
    /// Arguments of [`exp`] beyond these are taken for them: the results are 0 and infinity.
    const RANGE: [Self; 2];
    /// `(e^r - 1 - r) / r^2` for `|r| <= ln(2) / 2`, highest power first: minimax in the relative
    /// error of `e^r`, which is below 0.06 units of the last place.
    const COEFFICIENTS: &'static [Self];
}

impl Exponential for f32 {
    const LOG2_E: Self = core::f32::consts::LOG2_E;
    const LN_2_HIGH: Self = 355.0 / 512.0;
    const LN_2_LOW: Self = -2.121_944_4e-4;
    const LOWEST: Self = -88.0;
    const RANGE: [Self; 2] = [-104.0, 89.0];
    const COEFFICIENTS: &'static [Self] =
        &[1.384_045_1e-3, 8.369_351e-3, 4.166_808_3e-2, 0.166_665_15, 0.499_999_94];
}

impl Exponential for f64 {
    const LOG2_E: Self = core::f64::consts::LOG2_E;
    const LN_2_HIGH: Self = 6.931_471_803_691_238e-1;
    const LN_2_LOW: Self = 1.908_214_929_270_587_7e-10;
    const LOWEST: Self = -709.0;
    const RANGE: [Self; 2] = [-746.0, 710.0];
    const COEFFICIENTS: &'static [Self] = &[
        2.499_992_075_455_953_5e-8,
        2.763_037_147_112_228_4e-7,
        2.755_758_743_406_094_6e-6,
        2.480_149_278_238_104_8e-5,
        1.984_126_950_472_525_5e-4,
        1.388_888_894_390_471_6e-3,
        8.333_333_333_495_611e-3,
        4.166_666_666_652_925e-2,
        0.166_666_666_666_664_1,
        0.500_000_000_000_001_1,
    ];
}

/// `e^x = y 2^n` with `y` about 1: `y`, and the sum that has the biased `n` in its low bits.
#[inline(always)]
fn reduced<S: Simd>(simd: S, x: S::Vector) -> (S::Vector, S::Vector) {
    let c = |value| simd.splat(value);
    let shifted = x * c(S::Real::LOG2_E) + c(S::Real::ROUND);
    let n = shifted - c(S::Real::ROUND);
    let r = (x - n * c(S::Real::LN_2_HIGH)) - n * c(S::Real::LN_2_LOW);
    let square = r * r;
    let p = polynomial_in_pairs(simd, (r, square), S::Real::COEFFICIENTS);
    ((p * square + r) + c(S::Real::ONE), shifted)
}

/// e^x for `x <= 0`; where that is no normal number, 0 or a subnormal one.
#[inline(always)]
pub(crate) fn exp_nonpositive<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let (y, shifted) = reduced(simd, simd.splat(S::Real::LOWEST).larger(x));
    y * shifted.shift_to_exponent()
}

/// e^x.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let c = |value| simd.splat(value);
    let [lowest, highest] = S::Real::RANGE;
    let (y, shifted) = reduced(simd, c(highest).smaller(c(lowest).larger(x)));
    // The least and largest 2^n are no numbers: half of n first, which rounds nothing.
    let n = shifted - c(S::Real::ROUND);
    let half = n * c(S::Real::from_f64(0.5)) + c(S::Real::ROUND);
    let rest = shifted - (half - c(S::Real::ROUND));
    (y * half.shift_to_exponent()) * rest.shift_to_exponent()
}
