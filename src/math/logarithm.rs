//! ln x: exponent and mantissa, polynomial. No fused operation, so every level agrees. What is no
//! positive normal number is left to `libm`, lane by lane.
#![forbid(unsafe_code)]

use super::polynomial::polynomial;
use super::{Exponential, Format};
use crate::element::{LANES, Lanes, Real};
use crate::simd::{Simd, Vector};

/// Logarithms of a type's lanes.
pub(crate) trait Logarithm: Exponential {
    /// Natural logarithm of positive normal numbers.
    fn ln_lanes<S: Simd<Real = Self>>(simd: S, x: S::Vector) -> S::Vector
    where
        Self: Real;

    /// `ln(1 + e)` for `0 <= e <= 1`.
    fn log1p_lanes<S: Simd<Real = Self>>(simd: S, e: S::Vector) -> S::Vector
    where
        Self: Real;
}

/// `x = m 2^e` with `m` in `[sqrt(1/2), sqrt(2))`: `(e, m - 1)`.
#[inline(always)]
fn split<S: Simd>(simd: S, x: S::Vector) -> (S::Vector, S::Vector) {
    let c = |value| simd.splat(value);
    let shifted = x.add_bits(c(S::Real::ONE_LESS_SQRT_HALF));
    let e = shifted.shift_from_exponent().add_bits(c(S::Real::INTEGER)) - c(S::Real::INTEGER_BIAS);
    let m = shifted.and_bits(c(S::Real::MANTISSA)).add_bits(c(S::Real::SQRT_HALF));
    (e, m - c(S::Real::ONE))
}

/// Whether a lane is a positive normal number.
#[inline(always)]
fn normal<R: Real>(x: R) -> bool {
    x >= R::SMALLEST_NORMAL && x <= R::LARGEST
}

/// Natural logarithm.
#[inline(always)]
pub(crate) fn ln<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let y = x.ln_normal();
    let within = simd.splat(S::Real::SMALLEST_NORMAL).larger(x);
    let within = simd.splat(S::Real::LARGEST).smaller(within);
    if S::Vector::bits(within.equal(x)) == u16::MAX {
        return y;
    }
    let (mut from, mut to) = ([S::Real::ZERO; LANES], [S::Real::ZERO; LANES]);
    x.store(&mut from);
    y.store(&mut to);
    ln_of_others(&from, &mut to);
    simd.load(&to)
}

/// Where `x` is no positive normal number, its logarithm.
#[cold]
#[inline(never)]
fn ln_of_others<R: Real>(x: &Lanes<R>, y: &mut Lanes<R>) {
    for (&x, y) in x.iter().zip(y) {
        if !normal(x) {
            *y = x.ln();
        }
    }
}

impl Logarithm for f32 {
    /// In pairs (Estrin), for a short chain of operations. The coefficients are minimax in the relative
    /// error, which is 0.1 times 2^-24.
    #[inline(always)]
    fn ln_lanes<S: Simd<Real = Self>>(simd: S, x: S::Vector) -> S::Vector {
        let c = |value| simd.splat(value);
        let (e, r) = split(simd, x);
        let square = r * r;
        let pair = |high, low| c(high) * r + c(low);
        let lower = pair(-0.250_008_23, 0.333_333_3) + pair(-0.166_232_27, 0.200_012_6) * square;
        let upper = pair(-0.131_609_37, 0.142_007_01) + pair(-0.076_444_89, 0.127_709_26) * square;
        let p = lower + upper * (square * square);
        let y = ((p * r) * square + e * c(Self::LN_2_LOW)) - c(0.5) * square;
        (r + y) + e * c(Self::LN_2_HIGH)
    }

    /// One polynomial, which needs no division, in pairs, too. The coefficients are those of
    /// `(ln(1 + e) - e) / e^2`, minimax in the relative error of the result, which is 0.1 times
    /// 2^-24.
    #[inline(always)]
    fn log1p_lanes<S: Simd<Real = Self>>(simd: S, e: S::Vector) -> S::Vector {
        let c = |value| simd.splat(value);
        let (e2, e4) = (e * e, (e * e) * (e * e));
        let pair = |high, low| c(high) * e + c(low);
        let lower = pair(0.333_304_64, -0.499_999_3) + pair(0.196_921_02, -0.249_580_19) * e2;
        let upper = pair(0.106_611_28, -0.153_448_8) + pair(0.020_086_242, -0.057_457_23) * e2;
        let p = lower + (upper + c(-0.003_290_468_6) * e4) * e4;
        e + e2 * p
    }
}

impl Logarithm for f64 {
    /// Method and coefficients are those of fdlibm `log` (Sun Microsystems).
    #[inline(always)]
    fn ln_lanes<S: Simd<Real = Self>>(simd: S, x: S::Vector) -> S::Vector {
        let c = |value| simd.splat(value);
        let (e, r) = split(simd, x);
        let half_square = c(0.5) * r * r;
        let s = r / (c(2.0) + r);
        let z = s * s;
        let p = z * polynomial(
            simd,
            z,
            &[
                1.479_819_860_511_658_6e-1,
                1.531_383_769_920_937_3e-1,
                1.818_357_216_161_805e-1,
                2.222_219_843_214_978_4e-1,
                2.857_142_874_366_239e-1,
                3.999_999_999_940_942e-1,
                6.666_666_666_666_735e-1,
            ],
        );
        let tail = s * (half_square + p) + e * c(Self::LN_2_LOW);
        ((tail - half_square) + r) + e * c(Self::LN_2_HIGH)
    }

    /// Where 1 + e rounds, the error of the sum is divided out (the textbook form, e.g. Goldberg
    /// 1991, theorem 4).
    #[inline(always)]
    fn log1p_lanes<S: Simd<Real = Self>>(simd: S, e: S::Vector) -> S::Vector {
        let one = simd.splat(1.0);
        let u = one + e;
        let exact = u.equal(one);
        let divisor = Vector::select(exact, one, u - one);
        Vector::select(exact, e, u.ln_normal() * (e / divisor))
    }
}
