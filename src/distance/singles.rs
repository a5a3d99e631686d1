//! Columns in single precision.
#![forbid(unsafe_code)]

use super::lanes::{ColumnSimd, ColumnVector, finished};
use super::squared::{Squared, fill};
use super::volume::Product;
use crate::element::{LANES, Lanes};
use crate::simd::{Simd, Vector};
use core::marker::PhantomData;

/// Makes vectors of multiples of what is stored as `T`.
#[derive(Clone, Copy)]
pub(super) struct Singles<S, T> {
    simd: S,
    scale: f32,
    stored: PhantomData<T>,
}

impl<S, T> Singles<S, T> {
    #[inline(always)]
    pub(super) const fn new(simd: S, scale: f32) -> Self {
        Self { simd, scale, stored: PhantomData }
    }
}

impl<S: Simd<Real = f32>, T: Squared> ColumnSimd for Singles<S, T> {
    type Stored = T;
    type Value = f32;
    type Vector = S::Vector;

    #[inline(always)]
    fn splat(self, value: f32) -> S::Vector {
        self.simd.splat(value)
    }
    #[inline(always)]
    fn load(self, row: &Lanes<f32>) -> S::Vector {
        self.simd.load(row)
    }
    #[inline(always)]
    fn split(self, stored: &[T]) -> [S::Vector; 2] {
        let (zero, scale) = (self.simd.zero(), self.simd.splat(self.scale));
        let value = self.simd.load(&T::read(stored)) * scale;
        [Vector::larger(value, zero), Vector::larger(zero - value, zero)]
    }
    #[inline(always)]
    fn join(self, [outside, inside]: [S::Vector; 2], to: &mut [f32]) {
        fill(to, [0.0; LANES], |to| Vector::store(outside - inside, to));
    }
    #[inline(always)]
    fn finish(self, [outside, inside]: [S::Vector; 2], product: Product<'_>, to: &mut [f32]) {
        let value = finished(self.simd, outside - inside, product);
        fill(to, [0.0; LANES], |to| Vector::store(value, to));
    }
}

impl<V: Vector<Real = f32>> ColumnVector for V {
    type Value = f32;
    type Mask = V::Mask;

    #[inline(always)]
    fn store(self, row: &mut Lanes<f32>) {
        Vector::store(self, row);
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Vector::larger(self, other)
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        Vector::smaller(self, other)
    }
    #[inline(always)]
    fn less(self, other: Self) -> V::Mask {
        Vector::less(self, other)
    }
    #[inline(always)]
    fn any(mask: V::Mask) -> bool {
        <V as Vector>::any(mask)
    }
    #[inline(always)]
    fn select(mask: V::Mask, yes: Self, no: Self) -> Self {
        <V as Vector>::select(mask, yes, no)
    }
    #[inline(always)]
    fn largest(self) -> f32 {
        Vector::largest(self)
    }
    #[inline(always)]
    fn smallest(self) -> f32 {
        Vector::smallest(self)
    }
}
