//! Which instructions this processor has, and the one place where kernels enter them.
#![allow(unsafe_code)]

use super::Kernel;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
use super::neon::{F32x4, F64x2};
use super::plain::Plain;
use super::register::Pair;
use super::vector::Token;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::wasm::{F32x4, F64x2};
#[cfg(target_arch = "x86_64")]
use super::{register::Register, sse2::F32x4};
#[cfg(target_arch = "x86_64")]
use {
    core::arch::x86_64::*,
    core::sync::atomic::{AtomicU8, Ordering},
};

/// A SIMD level, in ascending order. All give the same bits; they differ in speed alone. A level
/// that the target or the processor has not is the next lower one that it has. In f64, 128 bits of
/// x86-64 are plain arrays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The best that the processor and the operating system offer.
    #[default]
    Best,
    /// Arrays, which every target has and no other level is slower than.
    Plain,
    /// Registers of 128 bits: SSE2 of x86-64, NEON of aarch64, `simd128` of WebAssembly if the
    /// library is built for it.
    Simd128,
    /// AVX2 and F16C of x86-64: processors with the first have the second.
    Avx2,
    /// AVX-512 F, BW, DQ and VL of x86-64: all such processors but the very first.
    Avx512,
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx512, "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl");

/// Whether the processor has AVX2, and F16C, of which `cpufeatures` does not know.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn has_avx2_and_f16c() -> bool {
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,f16c")]
fn enter_avx512<T: Register, K: Kernel<T::Real>>(kernel: K) -> K::Output {
    // SAFETY: enabled here.
    kernel.run(unsafe { Token::<T>::new() })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,f16c")]
fn enter_avx2<T: Register, K: Kernel<T::Real>>(kernel: K) -> K::Output {
    // SAFETY: as above.
    kernel.run(unsafe { Token::<T>::new() })
}

/// The level itself, or the next lower one that the processor has; never [`Level::Best`]. Whether the
/// target has registers of 128 bits is not looked at: where it has not, arrays take their place.
#[inline(always)]
pub(super) fn present(level: Level) -> Level {
    match level {
        Level::Plain => Level::Plain,
        #[cfg(target_arch = "x86_64")]
        Level::Best | Level::Avx512 if has_avx512::get() && has_avx2_and_f16c() => Level::Avx512,
        #[cfg(target_arch = "x86_64")]
        Level::Best | Level::Avx512 | Level::Avx2 if has_avx2_and_f16c() => Level::Avx2,
        _ => Level::Simd128,
    }
}

/// Runs a kernel at a level, or at the next lower one that exists.
#[inline]
pub(crate) fn dispatch_f32<K: Kernel<f32>>(level: Level, kernel: K) -> K::Output {
    match present(level) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level is present: the instructions are there, and the system saves their registers.
        Level::Avx512 => unsafe { enter_avx512::<__m512, K>(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { enter_avx2::<Pair<__m256>, K>(kernel) },
        #[cfg(any(
            target_arch = "x86_64",
            all(target_arch = "aarch64", target_feature = "neon"),
            all(target_arch = "wasm32", target_feature = "simd128")
        ))]
        // SAFETY: the target has the instructions everywhere.
        Level::Simd128 => kernel.run(unsafe { Token::<Pair<Pair<F32x4>>>::new() }),
        _ => kernel.run(Plain::<f32>::new()),
    }
}

/// [`dispatch_f32`] for f64. SSE2 has no level of its own there: a compiler makes its two lanes of
/// arrays, too, and a level is a tenth of the library.
#[inline]
pub(crate) fn dispatch_f64<K: Kernel<f64>>(level: Level, kernel: K) -> K::Output {
    match present(level) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the level is present: the instructions are there, and the system saves their registers.
        Level::Avx512 => unsafe { enter_avx512::<Pair<__m512d>, K>(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { enter_avx2::<Pair<Pair<__m256d>>, K>(kernel) },
        #[cfg(any(
            all(target_arch = "aarch64", target_feature = "neon"),
            all(target_arch = "wasm32", target_feature = "simd128")
        ))]
        // SAFETY: the target has the instructions everywhere.
        Level::Simd128 => kernel.run(unsafe { Token::<Pair<Pair<Pair<F64x2>>>>::new() }),
        _ => kernel.run(Plain::<f64>::new()),
    }
}
