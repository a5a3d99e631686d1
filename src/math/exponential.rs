//! exp and ln of 16 f32 lanes: range reduction, polynomial (the coefficients are those of Cephes
//! `expf` and `logf`, Moshier), exponent bits. No fused operation, so every level agrees.

use crate::simd::{Simd, Vector};

/// 1.5 * 2^23: adding it leaves the nearest integer in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first short enough that its multiples are exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// ln of the smallest normal number; the result below is 0.
const UNDERFLOW: f32 = -87.336_54;

/// Operations on the bits of an f32.
pub(crate) trait ExponentBits: Copy {
    /// Adds the integer in the low bits of `shifted` to the exponent.
    fn add_exponent(self, shifted: Self) -> Self;
    /// `self = m * 2^e` with `m` in `[sqrt(1/2), sqrt(2))`: `(e, m)`.
    fn split_exponent(self) -> (Self, Self);
}

/// [`ExponentBits::add_exponent`] of one value.
#[inline(always)]
pub(crate) fn add_exponent(value: f32, shifted: f32) -> f32 {
    f32::from_bits(value.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// Bits of sqrt(1/2).
pub(crate) const SQRT_HALF: u32 = 0x3f35_04f3;

/// [`ExponentBits::split_exponent`] of one value.
#[inline(always)]
pub(crate) fn split_exponent(value: f32) -> (f32, f32) {
    let bits = value.to_bits();
    let exponent = (bits.wrapping_sub(SQRT_HALF) as i32) >> 23;
    (exponent as f32, f32::from_bits(bits.wrapping_sub((exponent as u32) << 23)))
}

/// e^x for x <= 88.
#[inline(always)]
pub(crate) fn exp<S: Simd<Real = f32>>(simd: S, x: S::Vector) -> S::Vector
where
    S::Vector: ExponentBits,
{
    let c = |value| simd.splat(value);
    let clamped = x.larger(c(UNDERFLOW));
    let shifted = clamped * c(core::f32::consts::LOG2_E) + c(ROUND);
    let n = shifted - c(ROUND);
    let r = (clamped - n * c(LN_2_HIGH)) - n * c(LN_2_LOW);
    let p = c(1.987_569_1e-4) * r + c(1.398_199_9e-3);
    let p = p * r + c(8.333_452e-3);
    let p = p * r + c(4.166_579_6e-2);
    let p = p * r + c(0.166_666_66);
    let p = p * r + c(0.5);
    let y = (p * (r * r) + r) + c(1.0);
    Vector::select(x.less(c(UNDERFLOW)), simd.zero(), y.add_exponent(shifted))
}

/// ln x for positive normal x.
#[inline(always)]
pub(crate) fn ln<S: Simd<Real = f32>>(simd: S, x: S::Vector) -> S::Vector
where
    S::Vector: ExponentBits,
{
    let c = |value| simd.splat(value);
    let (e, m) = x.split_exponent();
    let r = m - c(1.0);
    let mut p = c(7.037_683_6e-2);
    for coefficient in [
        -0.115_146_1,
        0.116_769_98,
        -0.124_201_41,
        0.142_493_23,
        -0.166_680_57,
        0.200_007_15,
        -0.249_999_94,
        0.333_333_3,
    ] {
        p = p * r + c(coefficient);
    }
    let square = r * r;
    let y = ((p * r) * square + e * c(LN_2_LOW)) - c(0.5) * square;
    (r + y) + e * c(LN_2_HIGH)
}
