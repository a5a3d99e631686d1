//! f16 and bf16 to f32 and back, 16 at a time: the bits that the `half` crate gives one by one.
//!
//! f16 by F16C, where there is AVX2, too, else by integers; bf16 always by integers. These have no
//! branches, so that compilers make vectors of them: of AVX2 (bf16), else one group per call.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::level::has_avx2_and_f16c;
use crate::element::{LANES, Lanes};
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;
use half::{bf16, f16};

/// A type of 16 bits that is computed with as f32. As many groups are converted as there are on both
/// sides.
pub(crate) trait Half: Copy {
    fn widen(from: &[[Self; LANES]], to: &mut [Lanes<f32>]);
    fn narrow(from: &[Lanes<f32>], to: &mut [[Self; LANES]]);
}

/// Converts group by group.
macro_rules! by_groups {
    ($from:ident, $to:ident, $convert:ident) => {
        for (to, from) in $to.iter_mut().zip($from) {
            $convert(from, to);
        }
    };
}

impl Half for bf16 {
    fn widen(from: &[[Self; LANES]], to: &mut [Lanes<f32>]) {
        #[cfg(target_arch = "x86_64")]
        if has_avx2_and_f16c() {
            // SAFETY: the processor has the instructions.
            return unsafe { widen_bf16_avx2(from, to) };
        }
        by_groups!(from, to, widen_bf16);
    }
    fn narrow(from: &[Lanes<f32>], to: &mut [[Self; LANES]]) {
        #[cfg(target_arch = "x86_64")]
        if has_avx2_and_f16c() {
            // SAFETY: as above.
            return unsafe { narrow_bf16_avx2(from, to) };
        }
        by_groups!(from, to, narrow_bf16);
    }
}

impl Half for f16 {
    fn widen(from: &[[Self; LANES]], to: &mut [Lanes<f32>]) {
        #[cfg(target_arch = "x86_64")]
        if has_avx2_and_f16c() {
            // SAFETY: the processor has the instructions.
            return unsafe { widen_f16c(from, to) };
        }
        by_groups!(from, to, widen_f16);
    }
    fn narrow(from: &[Lanes<f32>], to: &mut [[Self; LANES]]) {
        #[cfg(target_arch = "x86_64")]
        if has_avx2_and_f16c() {
            // SAFETY: as above.
            return unsafe { narrow_f16c(from, to) };
        }
        by_groups!(from, to, narrow_f16);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "f16c")]
fn widen_f16c(from: &[[f16; LANES]], to: &mut [Lanes<f32>]) {
    for (to, from) in to.iter_mut().zip(from) {
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        // SAFETY: the references cover 16 values, and f16 is its bits.
        unsafe {
            _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm_loadu_si128(from.cast())));
            _mm256_storeu_ps(to.add(8), _mm256_cvtph_ps(_mm_loadu_si128(from.add(8).cast())));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "f16c")]
fn narrow_f16c(from: &[Lanes<f32>], to: &mut [[f16; LANES]]) {
    const EVEN: i32 = _MM_FROUND_TO_NEAREST_INT;
    for (to, from) in to.iter_mut().zip(from) {
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        // SAFETY: as above.
        unsafe {
            let (low, high) = (_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8)));
            _mm_storeu_si128(to.cast(), _mm256_cvtps_ph::<EVEN>(low));
            _mm_storeu_si128(to.add(8).cast(), _mm256_cvtps_ph::<EVEN>(high));
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn widen_bf16_avx2(from: &[[bf16; LANES]], to: &mut [Lanes<f32>]) {
    for (to, &from) in to.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
        *to = f32_from_bf16(from);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn narrow_bf16_avx2(from: &[Lanes<f32>], to: &mut [[bf16; LANES]]) {
    for (to, &from) in to.as_flattened_mut().iter_mut().zip(from.as_flattened()) {
        *to = bf16_from_f32(from);
    }
}

#[inline(never)]
fn widen_bf16(from: &[bf16; LANES], to: &mut Lanes<f32>) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = f32_from_bf16(from);
    }
}

#[inline(never)]
fn narrow_bf16(from: &Lanes<f32>, to: &mut [bf16; LANES]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = bf16_from_f32(from);
    }
}

#[inline(never)]
fn widen_f16(from: &[f16; LANES], to: &mut Lanes<f32>) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = f32_from_f16(from);
    }
}

#[inline(never)]
fn narrow_f16(from: &Lanes<f32>, to: &mut [f16; LANES]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = f16_from_f32(from);
    }
}

/// Of an f32.
const INFINITY: u32 = 0x7f80_0000;
const QUIET: u32 = 0x0040_0000;
/// Difference of the biases of f32 and f16, in the exponent.
const BIAS: u32 = (127 - 15) << 23;
/// 2^-14, the smallest normal f16.
const SMALLEST: u32 = 0x3880_0000;
/// 2^16, above every f16.
const TOO_LARGE: u32 = 0x4780_0000;

#[inline(always)]
fn f32_from_bf16(value: bf16) -> f32 {
    let bits = u32::from(value.to_bits()) << 16;
    let nan = bits & !(1 << 31) > INFINITY;
    f32::from_bits(bits | if nan { QUIET } else { 0 })
}

#[inline(always)]
fn bf16_from_f32(value: f32) -> bf16 {
    let bits = value.to_bits();
    // Half a unit, less one where the bit above is 0: ties go to even.
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    let result = if value.is_nan() { bits | QUIET } else { rounded };
    // Signed, so that SSE2 packs it.
    bf16::from_bits((result.cast_signed() >> 16) as u16)
}

#[inline(always)]
fn f32_from_f16(value: f16) -> f32 {
    let bits = u32::from(value.to_bits());
    let magnitude = (bits & 0x7fff) << 13;
    let normal = magnitude + BIAS;
    // 2^-14 with these digits, less 2^-14.
    let subnormal = f32::from_bits(magnitude + SMALLEST) - f32::from_bits(SMALLEST);
    let result = if magnitude < 1 << 23 { subnormal.to_bits() } else { normal };
    let special = normal + BIAS;
    let special = if special > INFINITY { special | QUIET } else { special };
    let result = if normal >= TOO_LARGE { special } else { result };
    f32::from_bits(result | (bits & 0x8000) << 16)
}

#[inline(always)]
fn f16_from_f32(value: f32) -> f16 {
    let bits = value.to_bits();
    let magnitude = bits & !(1 << 31);
    // Half a unit, less one where the bit above is 0: ties go to even. A carry may make infinity.
    let normal = magnitude.wrapping_sub(BIAS).wrapping_add(0xfff + (magnitude >> 13 & 1)) >> 13;
    // The last place of 1/2 is the smallest f16.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let result = if magnitude < SMALLEST { subnormal } else { normal };
    let nan = (magnitude >> 13) & 0x3ff | 0x200;
    let special = 0x7c00 | if magnitude > INFINITY { nan } else { 0 };
    let result = if magnitude >= TOO_LARGE { special } else { result };
    let result = result << 16 | bits & 1 << 31;
    // Signed, so that SSE2 packs it.
    f16::from_bits((result.cast_signed() >> 16) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Reading `values` a group at a time must give the bits of `one` by one.
    fn widening<H: Half>(
        all: &[H],
        one: impl Fn(H) -> f32,
        groups: impl Fn(&[[H; LANES]], &mut [Lanes<f32>]),
    ) {
        let from = all.as_chunks().0;
        let mut to = std::vec![[0.0; LANES]; from.len()];
        groups(from, &mut to);
        for (&from, to) in from.as_flattened().iter().zip(to.as_flattened()) {
            assert_eq!(to.to_bits(), one(from).to_bits(), "{to:e}");
        }
    }

    fn narrowing<H: Half + PartialEq + Default>(
        bits: impl Iterator<Item = u32>,
        one: impl Fn(f32) -> H,
        to_bits: fn(H) -> u16,
        groups: impl Fn(&[Lanes<f32>], &mut [[H; LANES]]),
    ) {
        let all: Vec<f32> = bits.map(f32::from_bits).collect();
        let from = all.as_chunks().0;
        let mut to = std::vec![[H::default(); LANES]; from.len()];
        groups(from, &mut to);
        for (&from, &to) in from.as_flattened().iter().zip(to.as_flattened()) {
            assert_eq!(to_bits(to), to_bits(one(from)), "{from:e}");
        }
    }

    #[test]
    fn widening_gives_the_bits_of_half() {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        widening(&all, f16::to_f32, f16::widen);
        widening(&all, f16::to_f32, |from, to| by_groups!(from, to, widen_f16));
        let all: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
        widening(&all, bf16::to_f32, bf16::widen);
        widening(&all, bf16::to_f32, |from, to| by_groups!(from, to, widen_bf16));
    }

    fn by_integers(from: &[Lanes<f32>], to: &mut [[f16; LANES]]) {
        by_groups!(from, to, narrow_f16);
    }

    fn bf16_by_integers(from: &[Lanes<f32>], to: &mut [[bf16; LANES]]) {
        by_groups!(from, to, narrow_bf16);
    }

    /// Around every place where the rounding changes, and in between.
    fn boundaries(shift: u32) -> impl Iterator<Item = u32> {
        let near = move |upper: u32| {
            let here = upper << shift;
            [here.wrapping_sub(1), here, here.wrapping_add(1), here | 0x155 << (shift - 9)]
        };
        (0..=u32::MAX >> shift).flat_map(near)
    }

    #[test]
    fn narrowing_gives_the_bits_of_half() {
        // A boundary is half a unit: 12 bits below an f16, up to 13 more below subnormal ones.
        narrowing(boundaries(12), f16::from_f32, f16::to_bits, f16::narrow);
        narrowing(boundaries(12), f16::from_f32, f16::to_bits, by_integers);
        let subnormal = |i: u32| (i as f32 * 2.0f32.powi(-27)).to_bits();
        for direction in [0, 1, u32::MAX] {
            let near = (0..1 << 14).map(|i| subnormal(i).wrapping_add(direction));
            narrowing(near.clone(), f16::from_f32, f16::to_bits, f16::narrow);
            narrowing(near, f16::from_f32, f16::to_bits, by_integers);
        }
        narrowing(boundaries(15), bf16::from_f32, bf16::to_bits, bf16::narrow);
        narrowing(boundaries(15), bf16::from_f32, bf16::to_bits, bf16_by_integers);
    }

    #[test]
    #[ignore = "2^32 values"]
    fn narrowing_gives_the_bits_of_half_everywhere() {
        for upper in 0..1 << 12 {
            let bits = upper << 20..=upper << 20 | 0xf_ffff;
            narrowing(bits.clone(), f16::from_f32, f16::to_bits, f16::narrow);
            narrowing(bits.clone(), f16::from_f32, f16::to_bits, by_integers);
            narrowing(bits.clone(), bf16::from_f32, bf16::to_bits, bf16::narrow);
            narrowing(bits, bf16::from_f32, bf16::to_bits, bf16_by_integers);
        }
    }
}
