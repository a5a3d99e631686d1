//! Element types: what scores, labels and targets are stored as, and the two types that the
//! arithmetic runs in.
#![forbid(unsafe_code)]

use crate::math::Logarithm;
use crate::simd::{Half, Kernel, Level, dispatch_f32, dispatch_f64};
use core::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};
use core::slice::{from_mut, from_ref};
use half::{bf16, f16};

/// A group of values that one SIMD operation works on.
pub(crate) type Lanes<R> = [R; LANES];

/// Values in a group: one 512-bit, two 256-bit or four 128-bit registers of f32.
pub(crate) const LANES: usize = 16;

/// The type that a tile is computed in: f32 for f32, f16 and bf16 scores, f64 for f64 scores.
pub(crate) trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + MulAssign
    + Div<Output = Self>
    + Neg<Output = Self>
    + crate::scratch::AnyBits
    + Logarithm
    + ElementMut
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    /// The largest finite number.
    const LARGEST: Self;
    /// Below this a sum of exponentials has lost its precision, or soon will.
    const SMALL: Self;

    /// Below this three terms of a power series are more exact than a difference from 1.
    const NEAR: Self;

    fn from_f32(value: f32) -> Self;
    fn from_f64(value: f64) -> Self;
    fn lanes_from_f32(from: &Lanes<f32>, to: &mut Lanes<Self>);
    fn lanes_to_f32(from: &Lanes<Self>) -> Lanes<f32>;
    /// Converts as many as there are in both.
    fn slice_from_f32(from: &[f32], to: &mut [Self]);
    fn slice_to_f32(from: &[Self], to: &mut [f32]);
    /// Converts as many groups as there are in both.
    fn widen<H: Half>(from: &[[H; LANES]], to: &mut [Lanes<Self>]);
    fn narrow<H: Half>(from: &[Lanes<Self>], to: &mut [[H; LANES]]);
    fn to_f64(self) -> f64;
    fn to_f32(self) -> f32;
    fn finite(self) -> bool;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn square_root(self) -> Self;
    /// The one of two values that has this type.
    fn one_of(single: f32, double: f64) -> Self;
    /// Whichever has this type, if it is there.
    fn slice_of<'v>(single: Option<&'v [f32]>, double: Option<&'v [f64]>) -> Option<&'v [Self]>;
    /// [`Real::slice_of`] of what is written.
    fn slice_of_mut<'v>(
        single: Option<&'v mut [f32]>,
        double: Option<&'v mut [f64]>,
    ) -> Option<&'v mut [Self]>;
    /// Bits whose order is the order of non-negative values.
    fn order(self) -> u64;
    /// Bits in [`Real::order`].
    const ORDER_BITS: u32;

    /// Runs a kernel at a SIMD level.
    fn dispatch<K: Kernel<Self>>(level: Level, kernel: K) -> K::Output;

    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LARGEST: Self = f32::MAX;
    const SMALL: Self = 1e-30;
    const NEAR: Self = 0.02;
    const ORDER_BITS: u32 = 32;

    fn from_f32(value: f32) -> Self {
        value
    }
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn lanes_from_f32(from: &Lanes<f32>, to: &mut Lanes<f32>) {
        *to = *from;
    }
    #[inline(always)]
    fn lanes_to_f32(from: &Lanes<f32>) -> Lanes<f32> {
        *from
    }
    fn slice_from_f32(from: &[f32], to: &mut [f32]) {
        copy(from, to);
    }
    fn slice_to_f32(from: &[f32], to: &mut [f32]) {
        copy(from, to);
    }
    #[inline(always)]
    fn widen<H: Half>(from: &[[H; LANES]], to: &mut [Lanes<f32>]) {
        H::widen(from, to);
    }
    #[inline(always)]
    fn narrow<H: Half>(from: &[Lanes<f32>], to: &mut [[H; LANES]]) {
        H::narrow(from, to);
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn to_f32(self) -> f32 {
        self
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
    fn exp(self) -> Self {
        libm::expf(self)
    }
    fn ln(self) -> Self {
        libm::logf(self)
    }
    fn square_root(self) -> Self {
        libm::sqrtf(self)
    }
    fn one_of(single: f32, _: f64) -> Self {
        single
    }
    fn slice_of<'v>(single: Option<&'v [f32]>, _: Option<&'v [f64]>) -> Option<&'v [f32]> {
        single
    }
    fn slice_of_mut<'v>(
        single: Option<&'v mut [f32]>,
        _: Option<&'v mut [f64]>,
    ) -> Option<&'v mut [f32]> {
        single
    }
    fn order(self) -> u64 {
        u64::from(self.to_bits())
    }
    #[inline(always)]
    fn dispatch<K: Kernel<Self>>(level: Level, kernel: K) -> K::Output {
        dispatch_f32(level, kernel)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const LARGEST: Self = f64::MAX;
    const SMALL: Self = 1e-280;
    const NEAR: Self = 2e-4;
    const ORDER_BITS: u32 = 64;

    fn from_f32(value: f32) -> Self {
        Self::from(value)
    }
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn lanes_from_f32(from: &Lanes<f32>, to: &mut Lanes<f64>) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = Self::from(from);
        }
    }
    #[inline(always)]
    fn lanes_to_f32(from: &Lanes<f64>) -> Lanes<f32> {
        from.map(|value| value as f32)
    }
    fn slice_from_f32(from: &[f32], to: &mut [f64]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = Self::from(from);
        }
    }
    fn slice_to_f32(from: &[f64], to: &mut [f32]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from as f32;
        }
    }
    fn widen<H: Half>(from: &[[H; LANES]], to: &mut [Lanes<f64>]) {
        for (to, from) in to.iter_mut().zip(from) {
            let mut wide = [0.0; LANES];
            H::widen(from_ref(from), from_mut(&mut wide));
            Self::lanes_from_f32(&wide, to);
        }
    }
    fn narrow<H: Half>(from: &[Lanes<f64>], to: &mut [[H; LANES]]) {
        for (to, from) in to.iter_mut().zip(from) {
            H::narrow(from_ref(&Self::lanes_to_f32(from)), from_mut(to));
        }
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn square_root(self) -> Self {
        libm::sqrt(self)
    }
    fn one_of(_: f32, double: f64) -> Self {
        double
    }
    fn slice_of<'v>(_: Option<&'v [f32]>, double: Option<&'v [f64]>) -> Option<&'v [f64]> {
        double
    }
    fn slice_of_mut<'v>(
        _: Option<&'v mut [f32]>,
        double: Option<&'v mut [f64]>,
    ) -> Option<&'v mut [f64]> {
        double
    }
    fn order(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn dispatch<K: Kernel<Self>>(level: Level, kernel: K) -> K::Output {
        dispatch_f64(level, kernel)
    }
}

/// Copies as many as there are in both, by the caller's `memcpy`, which knows the processor.
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let length = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
        to.copy_from_slice(from);
    }
}

/// A stored type that can be read as a [`Real`].
pub(crate) trait Element: Copy + Default + Send + Sync {
    fn read<R: Real>(self) -> R;

    /// The values themselves, if they need not be converted.
    #[inline(always)]
    fn reals<R: Real>(values: &[Self]) -> Option<&[R]> {
        let _ = values;
        None
    }

    /// [`Element::read`] of a group.
    #[inline(always)]
    fn read_lanes<R: Real>(from: &[Self; LANES], to: &mut Lanes<R>) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from.read();
        }
    }

    /// [`Element::read`] of as many groups as there are in both.
    #[inline(always)]
    fn read_groups<R: Real>(from: &[[Self; LANES]], to: &mut [Lanes<R>]) {
        for (to, from) in to.iter_mut().zip(from) {
            Self::read_lanes(from, to);
        }
    }

    /// [`Element::read`] of as many as there are in both.
    #[inline(always)]
    fn read_slice<R: Real>(from: &[Self], to: &mut [R]) {
        let length = from.len().min(to.len());
        let (from, rest) = from.get(..length).unwrap_or_default().as_chunks();
        let (to, rest_to) = to.get_mut(..length).unwrap_or_default().as_chunks_mut();
        Self::read_groups(from, to);
        for (to, from) in rest_to.iter_mut().zip(rest) {
            *to = from.read();
        }
    }
}

/// A stored type that a gradient can be written as.
pub(crate) trait ElementMut: Element {
    fn write<R: Real>(value: R) -> Self;

    /// [`Element::reals`], to be written.
    #[inline(always)]
    fn reals_mut<R: Real>(values: &mut [Self]) -> Option<&mut [R]> {
        let _ = values;
        None
    }

    /// [`ElementMut::write`] of a group.
    #[inline(always)]
    fn write_lanes<R: Real>(from: &Lanes<R>, to: &mut [Self; LANES]) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = Self::write(from);
        }
    }

    /// [`ElementMut::write`] of as many groups as there are in both.
    #[inline(always)]
    fn write_groups<R: Real>(from: &[Lanes<R>], to: &mut [[Self; LANES]]) {
        for (to, from) in to.iter_mut().zip(from) {
            Self::write_lanes(from, to);
        }
    }

    /// [`ElementMut::write`] of as many as there are in both.
    #[inline(always)]
    fn write_slice<R: Real>(from: &[R], to: &mut [Self]) {
        let length = from.len().min(to.len());
        let (from, rest) = from.get(..length).unwrap_or_default().as_chunks();
        let (to, rest_to) = to.get_mut(..length).unwrap_or_default().as_chunks_mut();
        Self::write_groups(from, to);
        for (to, &from) in rest_to.iter_mut().zip(rest) {
            *to = Self::write(from);
        }
    }
}

impl Element for f32 {
    #[inline(always)]
    fn read<R: Real>(self) -> R {
        R::from_f32(self)
    }
    #[inline(always)]
    fn reals<R: Real>(values: &[Self]) -> Option<&[R]> {
        R::slice_of(Some(values), None)
    }
    #[inline(always)]
    fn read_lanes<R: Real>(from: &[Self; LANES], to: &mut Lanes<R>) {
        R::lanes_from_f32(from, to);
    }
    #[inline(always)]
    fn read_slice<R: Real>(from: &[Self], to: &mut [R]) {
        R::slice_from_f32(from, to);
    }
}

impl ElementMut for f32 {
    #[inline(always)]
    fn write<R: Real>(value: R) -> Self {
        value.to_f32()
    }
    #[inline(always)]
    fn reals_mut<R: Real>(values: &mut [Self]) -> Option<&mut [R]> {
        R::slice_of_mut(Some(values), None)
    }
    #[inline(always)]
    fn write_lanes<R: Real>(from: &Lanes<R>, to: &mut [Self; LANES]) {
        *to = R::lanes_to_f32(from);
    }
    #[inline(always)]
    fn write_slice<R: Real>(from: &[R], to: &mut [Self]) {
        R::slice_to_f32(from, to);
    }
}

impl Element for f64 {
    #[inline(always)]
    fn read<R: Real>(self) -> R {
        R::from_f64(self)
    }
    #[inline(always)]
    fn reals<R: Real>(values: &[Self]) -> Option<&[R]> {
        R::slice_of(None, Some(values))
    }
}

impl ElementMut for f64 {
    #[inline(always)]
    fn write<R: Real>(value: R) -> Self {
        value.to_f64()
    }
    #[inline(always)]
    fn reals_mut<R: Real>(values: &mut [Self]) -> Option<&mut [R]> {
        R::slice_of_mut(None, Some(values))
    }
}

macro_rules! half_element {
    ($type:ty) => {
        impl Element for $type {
            #[inline(always)]
            fn read<R: Real>(self) -> R {
                R::from_f32(self.to_f32())
            }
            #[inline(always)]
            fn read_lanes<R: Real>(from: &[Self; LANES], to: &mut Lanes<R>) {
                Self::read_groups(from_ref(from), from_mut(to));
            }
            #[inline(always)]
            fn read_groups<R: Real>(from: &[[Self; LANES]], to: &mut [Lanes<R>]) {
                R::widen(from, to);
            }
        }
        impl ElementMut for $type {
            #[inline(always)]
            fn write<R: Real>(value: R) -> Self {
                Self::from_f32(value.to_f32())
            }
            #[inline(always)]
            fn write_lanes<R: Real>(from: &Lanes<R>, to: &mut [Self; LANES]) {
                Self::write_groups(from_ref(from), from_mut(to));
            }
            #[inline(always)]
            fn write_groups<R: Real>(from: &[Lanes<R>], to: &mut [[Self; LANES]]) {
                R::narrow(from, to);
            }
        }
    };
}
half_element!(f16);
half_element!(bf16);

impl Element for u8 {
    #[inline(always)]
    fn read<R: Real>(self) -> R {
        R::from_f32(f32::from(self))
    }
}
