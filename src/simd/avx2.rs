//! AVX2: registers of 256 bits.
#![allow(unsafe_code)]

use super::register::{Permute, Register, ShortRegister, register};
use core::arch::x86_64::*;

register! {
    impl Register for __m256 {
        type Real = f32;
        type Mask = __m256;
        type Shorts = __m256i;
        type Single = Self;
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

        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            transposed([
                two_rows(from, stride),
                two_rows(from.add(stride), stride),
                two_rows(from.add(2 * stride), stride),
                two_rows(from.add(3 * stride), stride),
            ])
        }

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

register! {
    impl Permute for __m256 {
        fn mask_of(bits: u16) -> __m256 {{
            let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits.into()), lanes);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lanes))
        }}
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
        fn in_steps(a: Self, first: usize, step: usize) -> Self {{
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let lanes = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step as i32));
            let lanes = _mm256_add_epi32(lanes, _mm256_set1_epi32(first as i32));
            _mm256_permutevar8x32_ps(a, lanes)
        }}
    }
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
        type Single = Self;
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

        fn load_columns(from: *const f64, stride: usize) -> [Self; 4] {
            transposed_double([
                _mm256_loadu_pd(from),
                _mm256_loadu_pd(from.add(stride)),
                _mm256_loadu_pd(from.add(2 * stride)),
                _mm256_loadu_pd(from.add(3 * stride)),
            ])
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
    impl Permute for __m256d {
        fn mask_of(bits: u16) -> __m256d {{
            let lanes = _mm256_setr_epi64x(1, 2, 4, 8);
            let set = _mm256_and_si256(_mm256_set1_epi64x(bits.into()), lanes);
            _mm256_castsi256_pd(_mm256_cmpeq_epi64(set, lanes))
        }}
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
        fn in_steps(a: Self, first: usize, step: usize) -> Self {{
            // Two lanes of 32 bits for each.
            let lanes = _mm256_setr_epi32(0, 0, 2, 2, 4, 4, 6, 6);
            let lanes = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(step as i32));
            let lanes = _mm256_add_epi32(lanes, _mm256_set1_epi32(2 * first as i32));
            let lanes = _mm256_add_epi32(lanes, _mm256_setr_epi32(0, 1, 0, 1, 0, 1, 0, 1));
            _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(a), lanes))
        }}
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
