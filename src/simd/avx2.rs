//! AVX2: registers of 256 bits.
#![allow(unsafe_code)]

use super::register::{Register, ShortRegister, register};
use core::arch::x86_64::*;

register! {
    impl Register for __m256 {
        type Real = f32;
        type Mask = __m256;
        type Shorts = __m256i;
        const LANES: usize = 8;
        const BASELINE: bool = false;

        fn splat(value: f32) -> Self { _mm256_set1_ps(value) }
        fn load(from: *const f32) -> Self { _mm256_loadu_ps(from) }
        fn store(a: Self, to: *mut f32) { _mm256_storeu_ps(to, a) }
        fn stream(a: Self, to: *mut f32) { _mm256_stream_ps(to, a) }

        fn add(a: Self, b: Self) -> Self { _mm256_add_ps(a, b) }
        fn sub(a: Self, b: Self) -> Self { _mm256_sub_ps(a, b) }
        fn mul(a: Self, b: Self) -> Self { _mm256_mul_ps(a, b) }
        fn div(a: Self, b: Self) -> Self { _mm256_div_ps(a, b) }
        fn square_root(a: Self) -> Self { _mm256_sqrt_ps(a) }
        fn larger(a: Self, b: Self) -> Self { _mm256_max_ps(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm256_min_ps(a, b) }
        fn largest(a: Self) -> f32 {
            __m128::largest(_mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a)))
        }
        fn smallest(a: Self) -> f32 {
            __m128::smallest(_mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a)))
        }

        fn less(a: Self, b: Self) -> __m256 { _mm256_cmp_ps::<_CMP_LT_OQ>(a, b) }
        fn equal(a: Self, b: Self) -> __m256 { _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b) }
        fn either(a: __m256, b: __m256) -> __m256 { _mm256_or_ps(a, b) }
        fn bits(mask: __m256) -> u16 { _mm256_movemask_ps(mask) as u16 }
        fn any(mask: __m256) -> bool { _mm256_movemask_ps(mask) != 0 }
        fn select(mask: __m256, yes: Self, no: Self) -> Self { _mm256_blendv_ps(no, yes, mask) }

        fn interleave(a: Self, b: Self) -> (Self, Self) {{
            let (first, second) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            (
                _mm256_permute2f128_ps::<0x20>(first, second),
                _mm256_permute2f128_ps::<0x31>(first, second),
            )
        }}
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {{
            let even = _mm256_castps_pd(_mm256_shuffle_ps::<0b10_00_10_00>(a, b));
            let odd = _mm256_castps_pd(_mm256_shuffle_ps::<0b11_01_11_01>(a, b));
            (
                _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(even)),
                _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(odd)),
            )
        }}
        fn interleave_three(of: [Self; 3]) -> [Self; 3] {{
            let [a, b, c] = of;
            let from = _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5);
            let a = _mm256_permutevar8x32_ps(a, from);
            let b = _mm256_permutevar8x32_ps(b, _mm256_add_epi32(from, _mm256_set1_epi32(5)));
            let c = _mm256_permutevar8x32_ps(c, _mm256_add_epi32(from, _mm256_set1_epi32(2)));
            [by_turns(a, b, c), by_turns(c, a, b), by_turns(b, c, a)]
        }}
        fn deinterleave_three(of: [Self; 3]) -> [Self; 3] {{
            let [a, b, c] = of;
            let from = _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5);
            let next = _mm256_add_epi32(from, _mm256_set1_epi32(1));
            let last = _mm256_add_epi32(from, _mm256_set1_epi32(2));
            [
                _mm256_permutevar8x32_ps(by_turns(a, b, c), from),
                _mm256_permutevar8x32_ps(by_turns(c, a, b), next),
                _mm256_permutevar8x32_ps(by_turns(b, c, a), last),
            ]
        }}
        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            transposed([
                two_rows(from, stride),
                two_rows(from.add(stride), stride),
                two_rows(from.add(2 * stride), stride),
                two_rows(from.add(3 * stride), stride),
            ])
        }
        fn store_columns(columns: [Self; 4], to: *mut f32, stride: usize) {{
            let rows = transposed(columns);
            for (index, &row) in rows.iter().enumerate() {
                _mm_storeu_ps(to.add(index * stride), _mm256_castps256_ps128(row));
                _mm_storeu_ps(to.add((4 + index) * stride), _mm256_extractf128_ps::<1>(row));
            }
        }}

        fn add_bits(a: Self, b: Self) -> Self {
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self { _mm256_and_ps(a, b) }
        fn shift_to_exponent(a: Self) -> Self {
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            _mm256_castsi256_ps(_mm256_srli_epi32::<23>(_mm256_castps_si256(a)))
        }
    }
}

/// The first lane of the first register, the second of the second, and so on by turns. In three
/// registers of values that follow each other by threes, every third one lies once in each lane: a
/// choice by turns has all of them, which one permutation sorts. Its indices are taken modulo the
/// lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn by_turns(a: __m256, b: __m256, c: __m256) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe { _mm256_blend_ps::<0x24>(_mm256_blend_ps::<0x92>(a, b), c) }
}

/// [`by_turns`] of f64.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn by_turns_double(a: __m256d, b: __m256d, c: __m256d) -> __m256d {
    // SAFETY: the caller's promise.
    unsafe { _mm256_blend_pd::<0b0100>(_mm256_blend_pd::<0b0010>(a, b), c) }
}

/// Rows to columns, in each of the two halves.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn transposed([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let low = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
        let high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
        let next_low = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
        let next_high = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
        [
            _mm256_castpd_ps(_mm256_unpacklo_pd(low, next_low)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(low, next_low)),
            _mm256_castpd_ps(_mm256_unpacklo_pd(high, next_high)),
            _mm256_castpd_ps(_mm256_unpackhi_pd(high, next_high)),
        ]
    }
}

/// Four values each of two rows that lie four rows apart: put together while they are loaded, which
/// takes no shuffle.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn two_rows(from: *const f32, stride: usize) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let first = _mm256_castps128_ps256(_mm_loadu_ps(from));
        _mm256_insertf128_ps::<1>(first, _mm_loadu_ps(from.add(4 * stride)))
    }
}

/// Rows to columns.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn transposed_double([a, b, c, d]: [__m256d; 4]) -> [__m256d; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (next_low, next_high) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        [
            _mm256_permute2f128_pd::<0x20>(low, next_low),
            _mm256_permute2f128_pd::<0x20>(high, next_high),
            _mm256_permute2f128_pd::<0x31>(low, next_low),
            _mm256_permute2f128_pd::<0x31>(high, next_high),
        ]
    }
}

register! {
    impl Register for __m256d {
        type Real = f64;
        type Mask = __m256d;
        type Shorts = __m256i;
        const LANES: usize = 4;
        const BASELINE: bool = false;

        fn splat(value: f64) -> Self { _mm256_set1_pd(value) }
        fn load(from: *const f64) -> Self { _mm256_loadu_pd(from) }
        fn store(a: Self, to: *mut f64) { _mm256_storeu_pd(to, a) }
        fn stream(a: Self, to: *mut f64) { _mm256_stream_pd(to, a) }

        fn add(a: Self, b: Self) -> Self { _mm256_add_pd(a, b) }
        fn sub(a: Self, b: Self) -> Self { _mm256_sub_pd(a, b) }
        fn mul(a: Self, b: Self) -> Self { _mm256_mul_pd(a, b) }
        fn div(a: Self, b: Self) -> Self { _mm256_div_pd(a, b) }
        fn square_root(a: Self) -> Self { _mm256_sqrt_pd(a) }
        fn larger(a: Self, b: Self) -> Self { _mm256_max_pd(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm256_min_pd(a, b) }
        fn largest(a: Self) -> f64 {{
            let two = _mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd::<1>(a));
            _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)))
        }}
        fn smallest(a: Self) -> f64 {{
            let two = _mm_min_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd::<1>(a));
            _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)))
        }}

        fn less(a: Self, b: Self) -> __m256d { _mm256_cmp_pd::<_CMP_LT_OQ>(a, b) }
        fn equal(a: Self, b: Self) -> __m256d { _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b) }
        fn either(a: __m256d, b: __m256d) -> __m256d { _mm256_or_pd(a, b) }
        fn bits(mask: __m256d) -> u16 { _mm256_movemask_pd(mask) as u16 }
        fn any(mask: __m256d) -> bool { _mm256_movemask_pd(mask) != 0 }
        fn select(mask: __m256d, yes: Self, no: Self) -> Self { _mm256_blendv_pd(no, yes, mask) }

        fn interleave(a: Self, b: Self) -> (Self, Self) {{
            let (first, second) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            (
                _mm256_permute2f128_pd::<0x20>(first, second),
                _mm256_permute2f128_pd::<0x31>(first, second),
            )
        }}
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {
            (
                _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpacklo_pd(a, b)),
                _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpackhi_pd(a, b)),
            )
        }
        fn interleave_three(of: [Self; 3]) -> [Self; 3] {{
            let [a, b, c] = of;
            let a = _mm256_permute4x64_pd::<0b01_10_11_00>(a);
            let b = _mm256_permute4x64_pd::<0b10_11_00_01>(b);
            let c = _mm256_permute4x64_pd::<0b11_00_01_10>(c);
            [by_turns_double(a, b, c), by_turns_double(b, c, a), by_turns_double(c, a, b)]
        }}
        fn deinterleave_three(of: [Self; 3]) -> [Self; 3] {{
            let [a, b, c] = of;
            [
                _mm256_permute4x64_pd::<0b01_10_11_00>(by_turns_double(a, c, b)),
                _mm256_permute4x64_pd::<0b10_11_00_01>(by_turns_double(b, a, c)),
                _mm256_permute4x64_pd::<0b11_00_01_10>(by_turns_double(c, b, a)),
            ]
        }}
        fn load_columns(from: *const f64, stride: usize) -> [Self; 4] {
            transposed_double([
                _mm256_loadu_pd(from),
                _mm256_loadu_pd(from.add(stride)),
                _mm256_loadu_pd(from.add(2 * stride)),
                _mm256_loadu_pd(from.add(3 * stride)),
            ])
        }
        fn store_columns(columns: [Self; 4], to: *mut f64, stride: usize) {
            for (index, &row) in transposed_double(columns).iter().enumerate() {
                _mm256_storeu_pd(to.add(index * stride), row);
            }
        }

        fn add_bits(a: Self, b: Self) -> Self {
            _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(a), _mm256_castpd_si256(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self { _mm256_and_pd(a, b) }
        fn shift_to_exponent(a: Self) -> Self {
            _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            _mm256_castsi256_pd(_mm256_srli_epi64::<52>(_mm256_castpd_si256(a)))
        }
    }
}

register! {
    impl ShortRegister for __m256i {
        type Mask = __m256i;
        const LANES: usize = 16;

        fn splat(value: u16) -> Self { _mm256_set1_epi16(value.cast_signed()) }
        fn load(from: *const u16) -> Self { _mm256_loadu_si256(from.cast()) }
        fn store(a: Self, to: *mut u16) { _mm256_storeu_si256(to.cast(), a) }

        fn add(a: Self, b: Self) -> Self { _mm256_add_epi16(a, b) }
        fn larger(a: Self, b: Self) -> Self { _mm256_max_epu16(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm256_min_epu16(a, b) }

        // Only numbers with a sign can be compared.
        fn less(a: Self, b: Self) -> __m256i {{
            let sign = _mm256_set1_epi16(i16::MIN);
            _mm256_cmpgt_epi16(_mm256_xor_si256(b, sign), _mm256_xor_si256(a, sign))
        }}
        fn either(a: __m256i, b: __m256i) -> __m256i { _mm256_or_si256(a, b) }
        fn any(mask: __m256i) -> bool { _mm256_movemask_epi8(mask) != 0 }
        fn select(mask: __m256i, yes: Self, no: Self) -> Self { _mm256_blendv_epi8(no, yes, mask) }
    }
}
