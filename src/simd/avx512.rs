//! AVX-512 F: one register of 16 lanes.
//!
//! Sound because an [`Avx512`] can only be made where the instructions are enabled, and a vector
//! only by an [`Avx512`] or from another vector.
#![allow(unsafe_code)]

use super::{Simd, Vector};
use crate::element::Lanes;
use crate::math::{self, ExponentBits, SQRT_HALF};
use core::arch::x86_64::*;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Proof that AVX-512 F is there.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    #[target_feature(enable = "avx512f")]
    #[inline]
    pub(super) fn new() -> Self {
        Self(())
    }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Avx512Vector(__m512);

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for Avx512Vector {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a vector exists only where AVX-512 F does.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

operator!(Add, add, _mm512_add_ps);
operator!(Sub, sub, _mm512_sub_ps);
operator!(Mul, mul, _mm512_mul_ps);
operator!(Div, div, _mm512_div_ps);

impl Neg for Avx512Vector {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: a vector exists only where AVX-512 F does.
        Self(unsafe {
            let sign = _mm512_set1_epi32(i32::MIN);
            _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(self.0), sign))
        })
    }
}

impl Simd for Avx512 {
    type Real = f32;
    type Vector = Avx512Vector;

    #[inline(always)]
    fn splat(self, value: f32) -> Avx512Vector {
        // SAFETY: the token exists only where AVX-512 F does.
        Avx512Vector(unsafe { _mm512_set1_ps(value) })
    }
    #[inline(always)]
    fn load(self, values: &Lanes<f32>) -> Avx512Vector {
        // SAFETY: as above; the reference covers 16 lanes and alignment is not needed.
        Avx512Vector(unsafe { _mm512_loadu_ps(values.as_ptr()) })
    }
}

impl Vector for Avx512Vector {
    type Real = f32;
    type Mask = __mmask16;

    #[inline(always)]
    fn store(self, values: &mut Lanes<f32>) {
        // SAFETY: a vector exists only where AVX-512 F does; the reference covers 16 lanes.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: as above. The second operand comes back where they cannot be compared.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_sqrt_ps(self.0) })
    }
    #[inline(always)]
    fn bits(mask: __mmask16) -> u16 {
        mask
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }
    #[inline(always)]
    fn smallest(self) -> f32 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_min_ps(self.0) }
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn less(self, other: Self) -> __mmask16 {
        // SAFETY: as above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn equal(self, other: Self) -> __mmask16 {
        // SAFETY: as above.
        unsafe { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_mask_mov_ps(no.0, mask, yes.0) })
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(Avx512(()), self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(Avx512(()), self)
    }
}

impl ExponentBits for Avx512Vector {
    #[inline(always)]
    fn add_exponent(self, shifted: Self) -> Self {
        // SAFETY: a vector exists only where AVX-512 F does.
        Self(unsafe {
            let shifted = _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted.0));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), shifted))
        })
    }
    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        // SAFETY: as above.
        unsafe {
            let bits = _mm512_castps_si512(self.0);
            let base = _mm512_set1_epi32(SQRT_HALF as i32);
            let exponent = _mm512_srai_epi32::<23>(_mm512_sub_epi32(bits, base));
            let mantissa = _mm512_sub_epi32(bits, _mm512_slli_epi32::<23>(exponent));
            (Self(_mm512_cvtepi32_ps(exponent)), Self(_mm512_castsi512_ps(mantissa)))
        }
    }
}
