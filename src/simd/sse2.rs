//! SSE2, which every x86-64 processor has: registers of 128 bits.
#![allow(unsafe_code)]

use super::register::{Permute, Register, ShortRegister, load_columns_of_few, register};
use core::arch::x86_64::*;

pub(super) type F32x4 = __m128;

register! {
    impl Register for __m128 {
        type Real = f32;
        type Mask = __m128;
        type Shorts = __m128i;
        type Single = Self;
        const LANES: usize = 4;
        const BASELINE: bool = true;

        fn splat(value: f32) -> Self { _mm_set1_ps(value) }
        fn load(from: *const f32) -> Self { _mm_loadu_ps(from) }
        fn store(a: Self, to: *mut f32) { _mm_storeu_ps(to, a) }
        fn stream(a: Self, to: *mut f32) { _mm_stream_ps(to, a) }

        fn add(a: Self, b: Self) -> Self { _mm_add_ps(a, b) }
        fn sub(a: Self, b: Self) -> Self { _mm_sub_ps(a, b) }
        fn mul(a: Self, b: Self) -> Self { _mm_mul_ps(a, b) }
        fn div(a: Self, b: Self) -> Self { _mm_div_ps(a, b) }
        fn square_root(a: Self) -> Self { _mm_sqrt_ps(a) }
        fn larger(a: Self, b: Self) -> Self { _mm_max_ps(a, b) }
        fn smaller(a: Self, b: Self) -> Self { _mm_min_ps(a, b) }
        fn largest(a: Self) -> f32 {{
            let two = _mm_max_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }}
        fn smallest(a: Self) -> f32 {{
            let two = _mm_min_ps(a, _mm_movehl_ps(a, a));
            _mm_cvtss_f32(_mm_min_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }}

        fn less(a: Self, b: Self) -> __m128 { _mm_cmplt_ps(a, b) }
        fn equal(a: Self, b: Self) -> __m128 { _mm_cmpeq_ps(a, b) }
        fn either(a: __m128, b: __m128) -> __m128 { _mm_or_ps(a, b) }
        fn bits(mask: __m128) -> u16 { _mm_movemask_ps(mask) as u16 }
        fn any(mask: __m128) -> bool { _mm_movemask_ps(mask) != 0 }
        fn select(mask: __m128, yes: Self, no: Self) -> Self {
            _mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no))
        }

        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            load_columns_of_few(from, stride)
        }

        fn add_bits(a: Self, b: Self) -> Self {
            _mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a), _mm_castps_si128(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self { _mm_and_ps(a, b) }
        fn shift_to_exponent(a: Self) -> Self {
            _mm_castsi128_ps(_mm_slli_epi32::<23>(_mm_castps_si128(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            _mm_castsi128_ps(_mm_srli_epi32::<23>(_mm_castps_si128(a)))
        }
    }
}

register! {
    impl Permute for __m128 {
        fn mask_of(bits: u16) -> __m128 {{
            let lanes = _mm_setr_epi32(1, 2, 4, 8);
            let set = _mm_and_si128(_mm_set1_epi32(bits.into()), lanes);
            _mm_castsi128_ps(_mm_cmpeq_epi32(set, lanes))
        }}
        fn interleave(a: Self, b: Self) -> (Self, Self) {
            (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b))
        }
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {
            (_mm_shuffle_ps::<0b10_00_10_00>(a, b), _mm_shuffle_ps::<0b11_01_11_01>(a, b))
        }
    }
}

register! {
    impl ShortRegister for __m128i {
        type Mask = __m128i;
        const LANES: usize = 8;

        fn splat(value: u16) -> Self { _mm_set1_epi16(value.cast_signed()) }
        fn load(from: *const u16) -> Self { _mm_loadu_si128(from.cast()) }
        fn store(a: Self, to: *mut u16) { _mm_storeu_si128(to.cast(), a) }

        fn add(a: Self, b: Self) -> Self { _mm_add_epi16(a, b) }
        // What b has more than a, or 0.
        fn larger(a: Self, b: Self) -> Self { _mm_add_epi16(a, _mm_subs_epu16(b, a)) }
        fn smaller(a: Self, b: Self) -> Self { _mm_sub_epi16(b, _mm_subs_epu16(b, a)) }

        // Only numbers with a sign can be compared.
        fn less(a: Self, b: Self) -> __m128i {{
            let sign = _mm_set1_epi16(i16::MIN);
            _mm_cmpgt_epi16(_mm_xor_si128(b, sign), _mm_xor_si128(a, sign))
        }}
        fn either(a: __m128i, b: __m128i) -> __m128i { _mm_or_si128(a, b) }
        fn any(mask: __m128i) -> bool { _mm_movemask_epi8(mask) != 0 }
        fn select(mask: __m128i, yes: Self, no: Self) -> Self {
            _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no))
        }
    }
}
