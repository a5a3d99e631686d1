//! Lane layer: one source for every SIMD level, chosen once per call.
//!
//! Kernels are generic over [`Simd`], a token that proves that the instructions are there, and its
//! [`Vector`] of 16 lanes. A level is a [`Register`](register::Register), of which `vector.rs` makes
//! vectors, and `by_turns.rs` sorts values that lie by turns. Every level does the same IEEE
//! operations in the same order, and none is fused, so all levels give the same bits;
//! [`Plain`](plain::Plain) is the oracle and the fallback.
// Of all this, a target without such registers needs arrays alone.
#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        all(target_arch = "aarch64", target_feature = "neon"),
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(dead_code, unused_imports)
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod by_turns;
mod half_precision;
mod level;
mod memory;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod plain;
mod register;
mod shorts;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

pub(crate) use half_precision::Half;
pub use level::Level;
pub(crate) use level::{dispatch_f32, dispatch_f64};
pub(crate) use memory::{Ahead, Line, flush, lines_mut, prefetch};

/// All levels but [`Level::Best`].
#[cfg(test)]
pub(crate) const LEVELS: [Level; 4] = [Level::Plain, Level::Simd128, Level::Avx2, Level::Avx512];

use crate::element::{LANES, Lanes, Real};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Something to run at a SIMD level. `run` and all that it calls must be inlined, down to the
/// operations of a vector: only in the function that enables them are instructions single ones.
pub(crate) trait Kernel<R: Real> {
    type Output;
    fn run<S: Simd<Real = R>>(self, simd: S) -> Self::Output;
}

/// A token: it exists only where its instructions do.
pub(crate) trait Simd: Copy {
    type Real: Real;
    type Vector: Vector<Real = Self::Real>;
    type Shorts: ShortVector;

    fn splat(self, value: Self::Real) -> Self::Vector;
    fn load(self, values: &Lanes<Self::Real>) -> Self::Vector;
    /// Four columns of 16 rows, `stride` values apart, if all are there.
    fn load_columns(self, rows: &[Self::Real], stride: usize) -> Option<[Self::Vector; 4]>;
    /// Values of `KINDS` kinds by turns, 16 of each, to kinds apart, `stride` groups of lanes from one
    /// to the next, if there is room for all. `KINDS` is `ODD`, which is odd, times a power of two.
    fn apart<const KINDS: usize, const ODD: usize>(
        self,
        by_turns: &[Lanes<Self::Real>; KINDS],
        apart: &mut [Lanes<Self::Real>],
        stride: usize,
    );
    /// What [`Simd::apart`] was made of.
    fn by_turns<const KINDS: usize, const ODD: usize>(
        self,
        apart: &[Lanes<Self::Real>],
        stride: usize,
        by_turns: &mut [Lanes<Self::Real>; KINDS],
    );
    fn splat_shorts(self, value: u16) -> Self::Shorts;
    fn load_shorts(self, values: &ShortLanes) -> Self::Shorts;

    #[inline(always)]
    fn zero(self) -> Self::Vector {
        self.splat(Self::Real::ZERO)
    }
}

/// Whether as many values have room for four columns of 16 rows.
#[inline(always)]
fn room_for_columns(length: usize, stride: usize) -> bool {
    let needed = stride.checked_mul(LANES - 1).and_then(|before| before.checked_add(4));
    needed.is_some_and(|needed| needed <= length)
}

/// Whether so many groups of lanes have room for one of each kind, at different places.
#[inline(always)]
fn room_for_kinds(groups: usize, kinds: usize, stride: usize) -> bool {
    let last = kinds.checked_sub(1).and_then(|before| stride.checked_mul(before));
    stride > 0 && last.is_some_and(|last| last < groups)
}

/// As many integers of 16 bits as have room where 16 f32 have.
pub(crate) type ShortLanes = [u16; 2 * LANES];

/// 32 lanes of integers without sign.
pub(crate) trait ShortVector: Copy + Add<Output = Self> {
    type Mask: Copy;

    fn store(self, values: &mut ShortLanes);
    fn larger(self, other: Self) -> Self;
    fn smaller(self, other: Self) -> Self;
    fn less(self, other: Self) -> Self::Mask;
    fn any(mask: Self::Mask) -> bool;
    /// `yes` where the mask is set.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}

/// 16 lanes.
pub(crate) trait Vector:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    type Real: Real;
    type Mask: Copy;

    fn store(self, values: &mut Lanes<Self::Real>);
    /// Writes past the caches, where the processor can: memory that is written over whole need not
    /// be read first, a third of the traffic of a large result. [`flush`] comes before the end of
    /// the task.
    fn stream(self, line: &mut Line<Self::Real>);
    /// The larger one; `other` where they cannot be compared.
    fn larger(self, other: Self) -> Self;
    /// The smaller one; `other` where they cannot be compared.
    fn smaller(self, other: Self) -> Self;
    fn absolute(self) -> Self;
    /// Square root, correctly rounded.
    fn square_root(self) -> Self;
    fn less(self, other: Self) -> Self::Mask;
    fn equal(self, other: Self) -> Self::Mask;
    /// One bit per lane, the first lane in the least significant one.
    fn bits(mask: Self::Mask) -> u16;
    /// `yes` where the mask is set.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    fn any(mask: Self::Mask) -> bool;

    /// Adds lanes as integers.
    fn add_bits(self, other: Self) -> Self;
    fn and_bits(self, other: Self) -> Self;
    /// Moves the low bits to where the exponent is; what was above them is lost.
    fn shift_to_exponent(self) -> Self;
    /// Moves sign and exponent to the low bits.
    fn shift_from_exponent(self) -> Self;

    /// e to the power of `self`; see [`math`](crate::math) for errors and edges.
    fn exp(self) -> Self;
    /// e to the power of `self`, which is at most 0.
    fn exp_nonpositive(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Natural logarithm of positive normal numbers.
    fn ln_normal(self) -> Self;

    /// The largest lane; lanes must be comparable.
    fn largest(self) -> Self::Real;

    /// The smallest lane; lanes must be comparable.
    fn smallest(self) -> Self::Real;

    /// Sum of the lanes in f64, as [`pairwise_sum`].
    fn sum(self) -> f64;
}

/// Sum of lanes in f64: one half is added to the other, again and again.
#[inline(always)]
fn pairwise_sum<R: Real>(lanes: &Lanes<R>) -> f64 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = lanes.map(Real::to_f64);
    (((a + i) + (e + m)) + ((c + k) + (g + o))) + (((b + j) + (f + n)) + ((d + l) + (h + p)))
}
