//! Squared distances of columns that lie side by side, as kernels see them.
#![forbid(unsafe_code)]

use super::Side;
use super::integers::Integers;
use super::singles::Singles;
use super::squared::Squared;
use super::volume::Product;
use crate::simd::{Simd, Vector};
use core::marker::PhantomData;
use core::ops::Add;

/// How columns are transformed.
pub(super) trait Numbers: Copy + Sync {
    type Stored: Squared;
    type Value: Squared;
    type Columns<S: Simd<Real = f32>>: ColumnSimd<Stored = Self::Stored, Value = Self::Value>;
    fn columns<S: Simd<Real = f32>>(self, simd: S) -> Self::Columns<S>;
}

/// As the whole numbers that are stored.
#[derive(Clone, Copy)]
pub(super) struct Whole;

impl Numbers for Whole {
    type Stored = u16;
    type Value = u16;
    type Columns<S: Simd<Real = f32>> = Integers<S>;

    #[inline(always)]
    fn columns<S: Simd<Real = f32>>(self, simd: S) -> Integers<S> {
        Integers::new(simd)
    }
}

/// In single precision, as multiples of what is stored.
#[derive(Clone, Copy)]
pub(super) struct Scaled<T> {
    scale: f32,
    stored: PhantomData<T>,
}

impl<T> Scaled<T> {
    pub(super) const fn new(scale: f32) -> Self {
        Self { scale, stored: PhantomData }
    }
}

impl<T: Squared> Numbers for Scaled<T> {
    type Stored = T;
    type Value = f32;
    type Columns<S: Simd<Real = f32>> = Singles<S, T>;

    #[inline(always)]
    fn columns<S: Simd<Real = f32>>(self, simd: S) -> Singles<S, T> {
        Singles::new(simd, self.scale)
    }
}

/// Makes vectors of squared distances.
pub(super) trait ColumnSimd: Copy {
    type Stored: Squared;
    type Value: Squared;
    type Vector: ColumnVector<Value = Self::Value>;

    fn splat(self, value: Self::Value) -> Self::Vector;
    fn load(self, row: &<Self::Value as Squared>::Row) -> Self::Vector;
    /// What is stored of the background, and of the foreground: 0 in the other phase. Missing
    /// columns are like the first.
    fn split(self, stored: &[Self::Stored]) -> [Self::Vector; 2];
    /// Stores both phases, where values are what is stored.
    fn join(self, phases: [Self::Vector; 2], to: &mut [Self::Value]);
    /// Writes what is asked for.
    fn finish(self, phases: [Self::Vector; 2], product: Product<'_>, to: &mut [f32]);
}

/// Squared distances side by side.
pub(super) trait ColumnVector: Copy + Add<Output = Self> {
    type Value: Squared;
    type Mask: Copy;

    fn store(self, row: &mut <Self::Value as Squared>::Row);
    fn larger(self, other: Self) -> Self;
    fn smaller(self, other: Self) -> Self;
    fn less(self, other: Self) -> Self::Mask;
    fn any(mask: Self::Mask) -> bool;
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    fn largest(self) -> Self::Value;
    fn smallest(self) -> Self::Value;
}

/// What becomes of a signed squared distance.
#[inline(always)]
pub(super) fn finished<S: Simd<Real = f32>>(
    simd: S,
    value: S::Vector,
    product: Product<'_>,
) -> S::Vector {
    let zero = simd.zero();
    let mut size = value.absolute();
    if product.side == Side::TwoPhase {
        let infinite = simd.splat(f32::INFINITY);
        size = Vector::select(Vector::less(size, infinite), size, zero);
    }
    if !product.squared {
        size = size.square_root();
    }
    if product.side == Side::Signed {
        Vector::select(Vector::less(value, zero), zero - size, size)
    } else {
        size
    }
}
