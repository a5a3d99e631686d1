//! Which instructions this processor has, and the one place where kernels enter them.
#![allow(unsafe_code)]

use super::{Kernel, Plain};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// A SIMD level. All give the same bits; they differ in speed alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The best that the processor and the operating system offer.
    #[default]
    Best,
    /// Baseline instructions of the target.
    Plain,
    /// AVX2, where it is there; else [`Level::Plain`].
    Avx2,
    /// AVX-512 F, where it is there; else [`Level::Avx2`].
    Avx512,
}

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
cpufeatures::new!(has_avx512, "avx2", "avx512f");

/// Runs a kernel at a level, or at the next lower one that exists.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn dispatch_f32<K: Kernel<f32>>(level: Level, kernel: K) -> K::Output {
    #[target_feature(enable = "avx512f,avx2")]
    fn enter_avx512<K: Kernel<f32>>(kernel: K) -> K::Output {
        kernel.run(Avx512::new())
    }
    #[target_feature(enable = "avx2")]
    fn enter_avx2<K: Kernel<f32>>(kernel: K) -> K::Output {
        kernel.run(Avx2::new())
    }
    if matches!(level, Level::Best | Level::Avx512) && has_avx512::get() {
        // SAFETY: the processor has the instructions and the system saves their registers.
        return unsafe { enter_avx512(kernel) };
    }
    if level != Level::Plain && has_avx2::get() {
        // SAFETY: as above.
        return unsafe { enter_avx2(kernel) };
    }
    kernel.run(Plain::<f32>::new())
}

/// Runs a kernel at the only level.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn dispatch_f32<K: Kernel<f32>>(_: Level, kernel: K) -> K::Output {
    kernel.run(Plain::<f32>::new())
}
