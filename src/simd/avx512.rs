//! AVX-512: registers of 512 bits.
#![allow(unsafe_code)]

use super::register::{Permute, Register, ShortRegister, register};
use core::arch::x86_64::*;

register! {
    impl Register for __m512 {
        type Real = f32;
        type Mask = __mmask16;
        type Shorts = __m512i;
        type Single = Self;
        const LANES: usize = 16;
        const BASELINE: bool = false;

        fn splat(value: f32) -> Self { _mm512_set1_ps(value) }
        fn load(from: *const f32) -> Self { _mm512_loadu_ps(from) }
        fn store(a: Self, to: *mut f32) { _mm512_storeu_ps(to, a) }
        fn stream(a: Self, to: *mut f32) { _mm512_stream_ps(to, a) }

        fn add(a: Self, b: Self) -> Self { _mm512_add_ps(a, b) }
        fn sub(a: Self, b: Self) -> Self { _mm512_sub_ps(a, b) }
        fn mul(a: Self, b: Self) -> Self { _mm512_mul_ps(a, b) }
        fn div(a: Self, b: Self) -> Self { _mm512_div_ps(a, b) }
        fn square_root(a: Self) -> Self { _mm512_sqrt_ps(a) }
        fn larger(a: Self, b: Self) -> Self { _mm512_max_ps(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm512_min_ps(a, b) }
        fn largest(a: Self) -> f32 { _mm512_reduce_max_ps(a) }
        fn smallest(a: Self) -> f32 { _mm512_reduce_min_ps(a) }
        fn sum(a: Self) -> f64 {{
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(a)));
            let (low, high) = (_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(high));
            let a = _mm512_add_pd(low, high);
            let a = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd::<1>(a));
            let a = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd::<1>(a));
            _mm_cvtsd_f64(a) + _mm_cvtsd_f64(_mm_unpackhi_pd(a, a))
        }}

        fn less(a: Self, b: Self) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b) }
        fn equal(a: Self, b: Self) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b) }
        fn either(a: __mmask16, b: __mmask16) -> __mmask16 { a | b }
        fn bits(mask: __mmask16) -> u16 { mask }
        fn any(mask: __mmask16) -> bool { mask != 0 }
        fn select(mask: __mmask16, yes: Self, no: Self) -> Self { _mm512_mask_mov_ps(no, mask, yes) }

        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            transposed([
                every_fourth(from, stride),
                every_fourth(from.add(stride), stride),
                every_fourth(from.add(2 * stride), stride),
                every_fourth(from.add(3 * stride), stride),
            ])
        }

        fn add_bits(a: Self, b: Self) -> Self {
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self {
            _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_castps_si512(b)))
        }
        fn shift_to_exponent(a: Self) -> Self {
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            _mm512_castsi512_ps(_mm512_srli_epi32::<23>(_mm512_castps_si512(a)))
        }
    }
}

register! {
    impl Permute for __m512 {
        fn mask_of(bits: u16) -> __mmask16 { bits }
        fn interleave(a: Self, b: Self) -> (Self, Self) {{
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
            (_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b))
        }}
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {{
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
            (_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b))
        }}
        fn in_steps(a: Self, first: usize, step: usize) -> Self {{
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            let lanes = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(step as i32));
            let lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(first as i32));
            _mm512_permutexvar_ps(lanes, a)
        }}
    }
}

/// Rows to columns, in each of the four quarters.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn transposed([a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let low = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
        let high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
        let next_low = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
        let next_high = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(low, next_low)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(low, next_low)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(high, next_high)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(high, next_high)),
        ]
    }
}

/// Four values each of four rows that lie four rows apart: put together while they are loaded, which
/// takes no shuffle.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn every_fourth(from: *const f32, stride: usize) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        let rows = _mm512_castps128_ps512(_mm_loadu_ps(from));
        let rows = _mm512_insertf32x4::<1>(rows, _mm_loadu_ps(from.add(4 * stride)));
        let rows = _mm512_insertf32x4::<2>(rows, _mm_loadu_ps(from.add(8 * stride)));
        _mm512_insertf32x4::<3>(rows, _mm_loadu_ps(from.add(12 * stride)))
    }
}

/// [`transposed`] of f64, in each of the two halves.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn transposed_double([a, b, c, d]: [__m512d; 4]) -> [__m512d; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let first = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
        let second = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        let (low, high) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
        let (next_low, next_high) = (_mm512_unpacklo_pd(c, d), _mm512_unpackhi_pd(c, d));
        [
            _mm512_permutex2var_pd(low, first, next_low),
            _mm512_permutex2var_pd(high, first, next_high),
            _mm512_permutex2var_pd(low, second, next_low),
            _mm512_permutex2var_pd(high, second, next_high),
        ]
    }
}

/// Four values each of two rows that lie four rows apart, see [`every_fourth`].
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn two_rows(from: *const f64, stride: usize) -> __m512d {
    // SAFETY: the caller's promise.
    unsafe {
        let first = _mm512_castpd256_pd512(_mm256_loadu_pd(from));
        _mm512_insertf64x4::<1>(first, _mm256_loadu_pd(from.add(4 * stride)))
    }
}

register! {
    impl Register for __m512d {
        type Real = f64;
        type Mask = __mmask8;
        type Shorts = __m512i;
        type Single = Self;
        const LANES: usize = 8;
        const BASELINE: bool = false;

        fn splat(value: f64) -> Self { _mm512_set1_pd(value) }
        fn load(from: *const f64) -> Self { _mm512_loadu_pd(from) }
        fn store(a: Self, to: *mut f64) { _mm512_storeu_pd(to, a) }
        fn stream(a: Self, to: *mut f64) { _mm512_stream_pd(to, a) }

        fn add(a: Self, b: Self) -> Self { _mm512_add_pd(a, b) }
        fn sub(a: Self, b: Self) -> Self { _mm512_sub_pd(a, b) }
        fn mul(a: Self, b: Self) -> Self { _mm512_mul_pd(a, b) }
        fn div(a: Self, b: Self) -> Self { _mm512_div_pd(a, b) }
        fn square_root(a: Self) -> Self { _mm512_sqrt_pd(a) }
        fn larger(a: Self, b: Self) -> Self { _mm512_max_pd(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm512_min_pd(a, b) }
        fn largest(a: Self) -> f64 { _mm512_reduce_max_pd(a) }
        fn smallest(a: Self) -> f64 { _mm512_reduce_min_pd(a) }

        fn less(a: Self, b: Self) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b) }
        fn equal(a: Self, b: Self) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b) }
        fn either(a: __mmask8, b: __mmask8) -> __mmask8 { a | b }
        fn bits(mask: __mmask8) -> u16 { u16::from(mask) }
        fn any(mask: __mmask8) -> bool { mask != 0 }
        fn select(mask: __mmask8, yes: Self, no: Self) -> Self { _mm512_mask_mov_pd(no, mask, yes) }

        fn load_columns(from: *const f64, stride: usize) -> [Self; 4] {
            transposed_double([
                two_rows(from, stride),
                two_rows(from.add(stride), stride),
                two_rows(from.add(2 * stride), stride),
                two_rows(from.add(3 * stride), stride),
            ])
        }

        fn add_bits(a: Self, b: Self) -> Self {
            _mm512_castsi512_pd(_mm512_add_epi64(_mm512_castpd_si512(a), _mm512_castpd_si512(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self {
            _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(a), _mm512_castpd_si512(b)))
        }
        fn shift_to_exponent(a: Self) -> Self {
            _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            _mm512_castsi512_pd(_mm512_srli_epi64::<52>(_mm512_castpd_si512(a)))
        }
    }
}

register! {
    impl Permute for __m512d {
        fn mask_of(bits: u16) -> __mmask8 { bits as __mmask8 }
        fn interleave(a: Self, b: Self) -> (Self, Self) {{
            let first = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let second = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            (_mm512_permutex2var_pd(a, first, b), _mm512_permutex2var_pd(a, second, b))
        }}
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {{
            let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
            let odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
            (_mm512_permutex2var_pd(a, even, b), _mm512_permutex2var_pd(a, odd, b))
        }}
        fn in_steps(a: Self, first: usize, step: usize) -> Self {{
            let lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
            let lanes = _mm512_mullo_epi64(lanes, _mm512_set1_epi64(step as i64));
            let lanes = _mm512_add_epi64(lanes, _mm512_set1_epi64(first as i64));
            _mm512_permutexvar_pd(lanes, a)
        }}
    }
}

register! {
    impl ShortRegister for __m512i {
        type Mask = __mmask32;
        const LANES: usize = 32;

        fn splat(value: u16) -> Self { _mm512_set1_epi16(value.cast_signed()) }
        fn load(from: *const u16) -> Self { _mm512_loadu_epi16(from.cast()) }
        fn store(a: Self, to: *mut u16) { _mm512_storeu_epi16(to.cast(), a) }

        fn add(a: Self, b: Self) -> Self { _mm512_add_epi16(a, b) }
        fn larger(a: Self, b: Self) -> Self { _mm512_max_epu16(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm512_min_epu16(a, b) }

        fn less(a: Self, b: Self) -> __mmask32 { _mm512_cmplt_epu16_mask(a, b) }
        fn either(a: __mmask32, b: __mmask32) -> __mmask32 { a | b }
        fn any(mask: __mmask32) -> bool { mask != 0 }
        fn select(mask: __mmask32, yes: Self, no: Self) -> Self {
            _mm512_mask_mov_epi16(no, mask, yes)
        }
    }
}
