//! AVX2: two registers of 8 lanes.
//!
//! Sound because an [`Avx2`] can only be made where the instructions are enabled, and a vector
//! only by an [`Avx2`] or from another vector.
#![allow(unsafe_code)]

use super::{Simd, Vector};
use crate::element::Lanes;
use crate::math::{self, ExponentBits, SQRT_HALF};
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Proof that AVX2 is there.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[target_feature(enable = "avx2")]
    #[inline]
    pub(super) fn new() -> Self {
        Self(())
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Avx2Vector(__m256, __m256);

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Avx2Vector {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a vector exists only where AVX2 does.
                unsafe { Self($intrinsic(self.0, other.0), $intrinsic(self.1, other.1)) }
            }
        }
    };
}

operator!(Add, add, _mm256_add_ps);
operator!(Sub, sub, _mm256_sub_ps);
operator!(Mul, mul, _mm256_mul_ps);
operator!(Div, div, _mm256_div_ps);

impl Neg for Avx2Vector {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: a vector exists only where AVX2 does.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Self(_mm256_xor_ps(self.0, sign), _mm256_xor_ps(self.1, sign))
        }
    }
}

impl Simd for Avx2 {
    type Real = f32;
    type Vector = Avx2Vector;

    #[inline(always)]
    fn splat(self, value: f32) -> Avx2Vector {
        // SAFETY: the token exists only where AVX2 does.
        let half = unsafe { _mm256_set1_ps(value) };
        Avx2Vector(half, half)
    }
    #[inline(always)]
    fn load(self, values: &Lanes<f32>) -> Avx2Vector {
        let start = values.as_ptr();
        // SAFETY: as above; the reference covers 16 lanes and alignment is not needed.
        unsafe { Avx2Vector(_mm256_loadu_ps(start), _mm256_loadu_ps(start.add(8))) }
    }
}

impl Vector for Avx2Vector {
    type Real = f32;
    type Mask = (__m256, __m256);

    #[inline(always)]
    fn store(self, values: &mut Lanes<f32>) {
        let start = values.as_mut_ptr();
        // SAFETY: a vector exists only where AVX2 does; the reference covers 16 lanes.
        unsafe {
            _mm256_storeu_ps(start, self.0);
            _mm256_storeu_ps(start.add(8), self.1);
        }
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: as above. The second operand comes back where they cannot be compared.
        unsafe { Self(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: as above.
        unsafe { Self(_mm256_sqrt_ps(self.0), _mm256_sqrt_ps(self.1)) }
    }
    #[inline(always)]
    fn bits(mask: Self::Mask) -> u16 {
        // SAFETY: a mask is made of vectors.
        unsafe { (_mm256_movemask_ps(mask.0) | (_mm256_movemask_ps(mask.1) << 8)) as u16 }
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let four = _mm256_max_ps(self.0, self.1);
            let four = _mm_max_ps(_mm256_castps256_ps128(four), _mm256_extractf128_ps::<1>(four));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
    #[inline(always)]
    fn smallest(self) -> f32 {
        -(-self).largest()
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        // SAFETY: as above.
        unsafe {
            let sign = _mm256_set1_ps(-0.0);
            Self(_mm256_andnot_ps(sign, self.0), _mm256_andnot_ps(sign, self.1))
        }
    }
    #[inline(always)]
    fn less(self, other: Self) -> Self::Mask {
        // SAFETY: as above.
        unsafe {
            (
                _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0),
                _mm256_cmp_ps::<_CMP_LT_OQ>(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self::Mask {
        // SAFETY: as above.
        unsafe {
            (
                _mm256_cmp_ps::<_CMP_EQ_OQ>(self.0, other.0),
                _mm256_cmp_ps::<_CMP_EQ_OQ>(self.1, other.1),
            )
        }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: as above.
        unsafe {
            Self(_mm256_blendv_ps(no.0, yes.0, mask.0), _mm256_blendv_ps(no.1, yes.1, mask.1))
        }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(Avx2(()), self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(Avx2(()), self)
    }
}

/// [`ExponentBits::add_exponent`] of half a vector.
#[target_feature(enable = "avx2")]
#[inline]
fn add_exponent(value: __m256, shifted: __m256) -> __m256 {
    let shifted = _mm256_slli_epi32::<23>(_mm256_castps_si256(shifted));
    _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(value), shifted))
}

/// [`ExponentBits::split_exponent`] of half a vector.
#[target_feature(enable = "avx2")]
#[inline]
fn split_exponent(value: __m256) -> (__m256, __m256) {
    let bits = _mm256_castps_si256(value);
    let base = _mm256_set1_epi32(SQRT_HALF as i32);
    let exponent = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, base));
    let mantissa = _mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(exponent));
    (_mm256_cvtepi32_ps(exponent), _mm256_castsi256_ps(mantissa))
}

impl ExponentBits for Avx2Vector {
    #[inline(always)]
    fn add_exponent(self, shifted: Self) -> Self {
        // SAFETY: a vector exists only where AVX2 does.
        unsafe { Self(add_exponent(self.0, shifted.0), add_exponent(self.1, shifted.1)) }
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let (low, high) = (split_exponent(self.0), split_exponent(self.1));
            (Self(low.0, high.0), Self(low.1, high.1))
        }
    }
}
