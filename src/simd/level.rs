//! Which instructions this processor has, and the one place where kernels enter them.
#![allow(unsafe_code)]

use super::plain::Plain;
use super::register::Register;
use super::{Kernel, vector::Token};
use crate::element::Real;
#[cfg(target_arch = "x86_64")]
use {
    super::register::Pair,
    core::arch::x86_64::*,
    core::sync::atomic::{AtomicU8, Ordering},
};

/// A SIMD level, in ascending order. All give the same bits; they differ in speed alone. A level
/// that the target or the processor has not is the next lower one that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The best that the processor and the operating system offer.
    #[default]
    Best,
    /// Arrays: no instructions are asked for.
    Plain,
    /// Registers of 128 bits: SSE2 on x86-64.
    Simd128,
    /// AVX2.
    Avx2,
    /// AVX-512 F.
    Avx512,
}

/// The registers of a type at each level that the target has.
pub(crate) trait LevelRegisters: Sized {
    #[cfg(target_arch = "x86_64")]
    type Simd128: Register<Real = Self>;
    #[cfg(target_arch = "x86_64")]
    type Avx2: Register<Real = Self>;
    #[cfg(target_arch = "x86_64")]
    type Avx512: Register<Real = Self>;
}

#[cfg(target_arch = "x86_64")]
impl LevelRegisters for f32 {
    type Simd128 = Pair<Pair<__m128>>;
    type Avx2 = Pair<__m256>;
    type Avx512 = __m512;
}

#[cfg(target_arch = "x86_64")]
impl LevelRegisters for f64 {
    type Simd128 = Pair<Pair<Pair<__m128d>>>;
    type Avx2 = Pair<Pair<__m256d>>;
    type Avx512 = Pair<__m512d>;
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx512, "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl");

/// Whether the processor has F16C, of which `cpufeatures` does not know.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn has_f16c() -> bool {
    static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);
    const UNKNOWN: u8 = 2;
    /// Bit of ECX in leaf 1.
    const F16C: u32 = 1 << 29;
    match FOUND.load(Ordering::Relaxed) {
        UNKNOWN => {
            // Safe only in newer compilers. Every processor of 64 bits has the leaf.
            #[allow(unused_unsafe)]
            // SAFETY: as said.
            let leaf = unsafe { __cpuid(1) };
            // AVX2 says that the system saves the registers.
            let found = leaf.ecx & F16C != 0 && has_avx2::get();
            FOUND.store(u8::from(found), Ordering::Relaxed);
            found
        }
        found => found == 1,
    }
}

/// Runs a kernel at a level, or at the next lower one that exists.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn dispatch<R: Real, K: Kernel<R>>(level: Level, kernel: K) -> K::Output {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
    fn enter_avx512<R: Real, K: Kernel<R>>(kernel: K) -> K::Output {
        // SAFETY: enabled here.
        kernel.run(unsafe { Token::<R::Avx512>::new() })
    }
    #[target_feature(enable = "avx2")]
    fn enter_avx2<R: Real, K: Kernel<R>>(kernel: K) -> K::Output {
        // SAFETY: as above.
        kernel.run(unsafe { Token::<R::Avx2>::new() })
    }
    if matches!(level, Level::Best | Level::Avx512) && has_avx512::get() {
        // SAFETY: the processor has the instructions and the system saves their registers.
        return unsafe { enter_avx512(kernel) };
    }
    if !matches!(level, Level::Plain | Level::Simd128) && has_avx2::get() {
        // SAFETY: as above.
        return unsafe { enter_avx2(kernel) };
    }
    if level != Level::Plain {
        // SAFETY: SSE2 is part of x86-64.
        return kernel.run(unsafe { Token::<R::Simd128>::new() });
    }
    kernel.run(Plain::<R>::new())
}

/// Runs a kernel at the only level.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn dispatch<R: Real, K: Kernel<R>>(_: Level, kernel: K) -> K::Output {
    kernel.run(Plain::<R>::new())
}
