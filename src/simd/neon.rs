//! NEON, which every aarch64 processor has: registers of 128 bits.
#![allow(unsafe_code)]

use super::register::{Permute, Register, ShortRegister, load_columns_of_few, register};
use core::arch::aarch64::*;

pub(super) type F32x4 = float32x4_t;
pub(super) type F64x2 = float64x2_t;

register! {
    impl Register for float32x4_t {
        type Real = f32;
        type Mask = uint32x4_t;
        type Shorts = uint16x8_t;
        type Single = Self;
        const LANES: usize = 4;
        const BASELINE: bool = true;

        fn splat(value: f32) -> Self { vdupq_n_f32(value) }
        fn load(from: *const f32) -> Self { vld1q_f32(from) }
        fn store(a: Self, to: *mut f32) { vst1q_f32(to, a) }
        fn stream(a: Self, to: *mut f32) { vst1q_f32(to, a) }

        fn add(a: Self, b: Self) -> Self { vaddq_f32(a, b) }
        fn sub(a: Self, b: Self) -> Self { vsubq_f32(a, b) }
        fn mul(a: Self, b: Self) -> Self { vmulq_f32(a, b) }
        fn div(a: Self, b: Self) -> Self { vdivq_f32(a, b) }
        fn square_root(a: Self) -> Self { vsqrtq_f32(a) }
        fn larger(a: Self, b: Self) -> Self { vbslq_f32(vcgtq_f32(a, b), a, b) }
        fn smaller(a: Self, b: Self) -> Self { vbslq_f32(vcltq_f32(a, b), a, b) }
        fn largest(a: Self) -> f32 { vmaxvq_f32(a) }
        fn smallest(a: Self) -> f32 { vminvq_f32(a) }

        fn less(a: Self, b: Self) -> uint32x4_t { vcltq_f32(a, b) }
        fn equal(a: Self, b: Self) -> uint32x4_t { vceqq_f32(a, b) }
        fn either(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t { vorrq_u32(a, b) }
        fn bits(mask: uint32x4_t) -> u16 {
            vaddvq_u32(vandq_u32(mask, vld1q_u32([1, 2, 4, 8].as_ptr()))) as u16
        }
        fn any(mask: uint32x4_t) -> bool { vmaxvq_u32(mask) != 0 }
        fn select(mask: uint32x4_t, yes: Self, no: Self) -> Self { vbslq_f32(mask, yes, no) }

        fn load_columns(from: *const f32, stride: usize) -> [Self; 4] {
            load_columns_of_few(from, stride)
        }

        fn add_bits(a: Self, b: Self) -> Self {
            vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self {
            vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
        }
        fn shift_to_exponent(a: Self) -> Self {
            vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            vreinterpretq_f32_u32(vshrq_n_u32::<23>(vreinterpretq_u32_f32(a)))
        }
    }
}

register! {
    impl Permute for float32x4_t {
        fn mask_of(bits: u16) -> uint32x4_t {
            vtstq_u32(vdupq_n_u32(bits.into()), vld1q_u32([1, 2, 4, 8].as_ptr()))
        }
        fn interleave(a: Self, b: Self) -> (Self, Self) { (vzip1q_f32(a, b), vzip2q_f32(a, b)) }
        fn deinterleave(a: Self, b: Self) -> (Self, Self) { (vuzp1q_f32(a, b), vuzp2q_f32(a, b)) }
    }
}

register! {
    impl Register for float64x2_t {
        type Real = f64;
        type Mask = uint64x2_t;
        type Shorts = uint16x8_t;
        type Single = Self;
        const LANES: usize = 2;
        const BASELINE: bool = true;

        fn splat(value: f64) -> Self { vdupq_n_f64(value) }
        fn load(from: *const f64) -> Self { vld1q_f64(from) }
        fn store(a: Self, to: *mut f64) { vst1q_f64(to, a) }
        fn stream(a: Self, to: *mut f64) { vst1q_f64(to, a) }

        fn add(a: Self, b: Self) -> Self { vaddq_f64(a, b) }
        fn sub(a: Self, b: Self) -> Self { vsubq_f64(a, b) }
        fn mul(a: Self, b: Self) -> Self { vmulq_f64(a, b) }
        fn div(a: Self, b: Self) -> Self { vdivq_f64(a, b) }
        fn square_root(a: Self) -> Self { vsqrtq_f64(a) }
        fn larger(a: Self, b: Self) -> Self { vbslq_f64(vcgtq_f64(a, b), a, b) }
        fn smaller(a: Self, b: Self) -> Self { vbslq_f64(vcltq_f64(a, b), a, b) }
        fn largest(a: Self) -> f64 { vmaxvq_f64(a) }
        fn smallest(a: Self) -> f64 { vminvq_f64(a) }

        fn less(a: Self, b: Self) -> uint64x2_t { vcltq_f64(a, b) }
        fn equal(a: Self, b: Self) -> uint64x2_t { vceqq_f64(a, b) }
        fn either(a: uint64x2_t, b: uint64x2_t) -> uint64x2_t { vorrq_u64(a, b) }
        fn bits(mask: uint64x2_t) -> u16 {
            (vgetq_lane_u64::<0>(mask) & 1 | vgetq_lane_u64::<1>(mask) & 2) as u16
        }
        fn any(mask: uint64x2_t) -> bool { vmaxvq_u32(vreinterpretq_u32_u64(mask)) != 0 }
        fn select(mask: uint64x2_t, yes: Self, no: Self) -> Self { vbslq_f64(mask, yes, no) }

        fn load_columns(from: *const f64, stride: usize) -> [Self; 4] {
            load_columns_of_few(from, stride)
        }

        fn add_bits(a: Self, b: Self) -> Self {
            vreinterpretq_f64_u64(vaddq_u64(vreinterpretq_u64_f64(a), vreinterpretq_u64_f64(b)))
        }
        fn and_bits(a: Self, b: Self) -> Self {
            vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(a), vreinterpretq_u64_f64(b)))
        }
        fn shift_to_exponent(a: Self) -> Self {
            vreinterpretq_f64_u64(vshlq_n_u64::<52>(vreinterpretq_u64_f64(a)))
        }
        fn shift_from_exponent(a: Self) -> Self {
            vreinterpretq_f64_u64(vshrq_n_u64::<52>(vreinterpretq_u64_f64(a)))
        }
    }
}

register! {
    impl Permute for float64x2_t {
        fn mask_of(bits: u16) -> uint64x2_t {
            vtstq_u64(vdupq_n_u64(bits.into()), vld1q_u64([1, 2].as_ptr()))
        }
        fn interleave(a: Self, b: Self) -> (Self, Self) { (vzip1q_f64(a, b), vzip2q_f64(a, b)) }
        fn deinterleave(a: Self, b: Self) -> (Self, Self) { Self::interleave(a, b) }
    }
}

register! {
    impl ShortRegister for uint16x8_t {
        type Mask = uint16x8_t;
        const LANES: usize = 8;

        fn splat(value: u16) -> Self { vdupq_n_u16(value) }
        fn load(from: *const u16) -> Self { vld1q_u16(from) }
        fn store(a: Self, to: *mut u16) { vst1q_u16(to, a) }

        fn add(a: Self, b: Self) -> Self { vaddq_u16(a, b) }
        fn larger(a: Self, b: Self) -> Self { vmaxq_u16(a, b) }
        fn smaller(a: Self, b: Self) -> Self { vminq_u16(a, b) }

        fn less(a: Self, b: Self) -> uint16x8_t { vcltq_u16(a, b) }
        fn either(a: uint16x8_t, b: uint16x8_t) -> uint16x8_t { vorrq_u16(a, b) }
        fn any(mask: uint16x8_t) -> bool { vmaxvq_u16(mask) != 0 }
        fn select(mask: uint16x8_t, yes: Self, no: Self) -> Self { vbslq_u16(mask, yes, no) }
    }
}
