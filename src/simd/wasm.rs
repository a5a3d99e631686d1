//! `simd128` of WebAssembly, where the target enables it: registers of 128 bits.
#![allow(unsafe_code)]

use super::register::{Permute, Register, ShortRegister, load_columns_of_few, register};
use core::arch::wasm32::*;

/// WebAssembly has one type for registers of any lanes.
#[derive(Clone, Copy)]
pub(crate) struct F32x4(v128);

#[derive(Clone, Copy)]
pub(crate) struct F64x2(v128);

#[derive(Clone, Copy)]
pub(crate) struct U16x8(v128);

register! {
    impl Register for F32x4 {
        type Real = f32;
        type Mask = v128;
        type Shorts = U16x8;
        type Single = Self;
        const LANES: usize = 4;
        const BASELINE: bool = true;

        fn splat(value: f32) -> Self { Self(f32x4_splat(value)) }
        fn load(from: *const f32) -> Self { Self(v128_load(from.cast())) }
        fn store(a: Self, to: *mut f32) { v128_store(to.cast(), a.0) }
        fn stream(a: Self, to: *mut f32) { v128_store(to.cast(), a.0) }

        fn add(a: Self, b: Self) -> Self { Self(f32x4_add(a.0, b.0)) }
        fn sub(a: Self, b: Self) -> Self { Self(f32x4_sub(a.0, b.0)) }
        fn mul(a: Self, b: Self) -> Self { Self(f32x4_mul(a.0, b.0)) }
        fn div(a: Self, b: Self) -> Self { Self(f32x4_div(a.0, b.0)) }
        fn square_root(a: Self) -> Self { Self(f32x4_sqrt(a.0)) }
        // The first operand comes back where the two cannot be compared.
        fn larger(a: Self, b: Self) -> Self { Self(f32x4_pmax(b.0, a.0)) }
        fn smaller(a: Self, b: Self) -> Self { Self(f32x4_pmin(b.0, a.0)) }
        fn largest(a: Self) -> f32 {{
            let two = f32x4_pmax(a.0, i32x4_shuffle::<2, 3, 2, 3>(a.0, a.0));
            f32x4_extract_lane::<0>(f32x4_pmax(two, i32x4_shuffle::<1, 1, 1, 1>(two, two)))
        }}
        fn smallest(a: Self) -> f32 {{
            let two = f32x4_pmin(a.0, i32x4_shuffle::<2, 3, 2, 3>(a.0, a.0));
            f32x4_extract_lane::<0>(f32x4_pmin(two, i32x4_shuffle::<1, 1, 1, 1>(two, two)))
        }}

        fn less(a: Self, b: Self) -> v128 { f32x4_lt(a.0, b.0) }
        fn equal(a: Self, b: Self) -> v128 { f32x4_eq(a.0, b.0) }
        fn either(a: v128, b: v128) -> v128 { v128_or(a, b) }
        fn bits(mask: v128) -> u16 { u16::from(i32x4_bitmask(mask)) }
        fn any(mask: v128) -> bool { v128_any_true(mask) }
        fn select(mask: v128, yes: Self, no: Self) -> Self {
            Self(v128_bitselect(yes.0, no.0, mask))
        }

        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            load_columns_of_few(from, stride)
        }

        fn add_bits(a: Self, b: Self) -> Self { Self(i32x4_add(a.0, b.0)) }
        fn and_bits(a: Self, b: Self) -> Self { Self(v128_and(a.0, b.0)) }
        fn shift_to_exponent(a: Self) -> Self { Self(i32x4_shl(a.0, 23)) }
        fn shift_from_exponent(a: Self) -> Self { Self(u32x4_shr(a.0, 23)) }
    }
}

register! {
    impl Permute for F32x4 {
        fn mask_of(bits: u16) -> v128 {{
            let lanes = i32x4(1, 2, 4, 8);
            i32x4_eq(v128_and(i32x4_splat(bits.into()), lanes), lanes)
        }}
        fn interleave(a: Self, b: Self) -> (Self, Self) {
            (
                Self(i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0)),
                Self(i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0)),
            )
        }
        fn deinterleave(a: Self, b: Self) -> (Self, Self) {
            (
                Self(i32x4_shuffle::<0, 2, 4, 6>(a.0, b.0)),
                Self(i32x4_shuffle::<1, 3, 5, 7>(a.0, b.0)),
            )
        }
    }
}

register! {
    impl Register for F64x2 {
        type Real = f64;
        type Mask = v128;
        type Shorts = U16x8;
        type Single = Self;
        const LANES: usize = 2;
        const BASELINE: bool = true;

        fn splat(value: f64) -> Self { Self(f64x2_splat(value)) }
        fn load(from: *const f64) -> Self { Self(v128_load(from.cast())) }
        fn store(a: Self, to: *mut f64) { v128_store(to.cast(), a.0) }
        fn stream(a: Self, to: *mut f64) { v128_store(to.cast(), a.0) }

        fn add(a: Self, b: Self) -> Self { Self(f64x2_add(a.0, b.0)) }
        fn sub(a: Self, b: Self) -> Self { Self(f64x2_sub(a.0, b.0)) }
        fn mul(a: Self, b: Self) -> Self { Self(f64x2_mul(a.0, b.0)) }
        fn div(a: Self, b: Self) -> Self { Self(f64x2_div(a.0, b.0)) }
        fn square_root(a: Self) -> Self { Self(f64x2_sqrt(a.0)) }
        // The first operand comes back where the two cannot be compared.
        fn larger(a: Self, b: Self) -> Self { Self(f64x2_pmax(b.0, a.0)) }
        fn smaller(a: Self, b: Self) -> Self { Self(f64x2_pmin(b.0, a.0)) }
        fn largest(a: Self) -> f64 {
            f64x2_extract_lane::<0>(f64x2_pmax(a.0, i64x2_shuffle::<1, 1>(a.0, a.0)))
        }
        fn smallest(a: Self) -> f64 {
            f64x2_extract_lane::<0>(f64x2_pmin(a.0, i64x2_shuffle::<1, 1>(a.0, a.0)))
        }

        fn less(a: Self, b: Self) -> v128 { f64x2_lt(a.0, b.0) }
        fn equal(a: Self, b: Self) -> v128 { f64x2_eq(a.0, b.0) }
        fn either(a: v128, b: v128) -> v128 { v128_or(a, b) }
        fn bits(mask: v128) -> u16 { u16::from(i64x2_bitmask(mask)) }
        fn any(mask: v128) -> bool { v128_any_true(mask) }
        fn select(mask: v128, yes: Self, no: Self) -> Self {
            Self(v128_bitselect(yes.0, no.0, mask))
        }

        fn load_columns(from: *const f64, stride: usize) -> [Self; 4] {
            load_columns_of_few(from, stride)
        }

        fn add_bits(a: Self, b: Self) -> Self { Self(i64x2_add(a.0, b.0)) }
        fn and_bits(a: Self, b: Self) -> Self { Self(v128_and(a.0, b.0)) }
        fn shift_to_exponent(a: Self) -> Self { Self(i64x2_shl(a.0, 52)) }
        fn shift_from_exponent(a: Self) -> Self { Self(u64x2_shr(a.0, 52)) }
    }
}

register! {
    impl Permute for F64x2 {
        fn mask_of(bits: u16) -> v128 {{
            let lanes = i64x2(1, 2);
            i64x2_eq(v128_and(i64x2_splat(bits.into()), lanes), lanes)
        }}
        fn interleave(a: Self, b: Self) -> (Self, Self) {
            (Self(i64x2_shuffle::<0, 2>(a.0, b.0)), Self(i64x2_shuffle::<1, 3>(a.0, b.0)))
        }
        fn deinterleave(a: Self, b: Self) -> (Self, Self) { Self::interleave(a, b) }
    }
}

register! {
    impl ShortRegister for U16x8 {
        type Mask = v128;
        const LANES: usize = 8;

        fn splat(value: u16) -> Self { Self(u16x8_splat(value)) }
        fn load(from: *const u16) -> Self { Self(v128_load(from.cast())) }
        fn store(a: Self, to: *mut u16) { v128_store(to.cast(), a.0) }

        fn add(a: Self, b: Self) -> Self { Self(i16x8_add(a.0, b.0)) }
        fn larger(a: Self, b: Self) -> Self { Self(u16x8_max(a.0, b.0)) }
        fn smaller(a: Self, b: Self) -> Self { Self(u16x8_min(a.0, b.0)) }

        fn less(a: Self, b: Self) -> v128 { u16x8_lt(a.0, b.0) }
        fn either(a: v128, b: v128) -> v128 { v128_or(a, b) }
        fn any(mask: v128) -> bool { v128_any_true(mask) }
        fn select(mask: v128, yes: Self, no: Self) -> Self {
            Self(v128_bitselect(yes.0, no.0, mask))
        }
    }
}
