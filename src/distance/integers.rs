//! Columns of whole numbers.
#![forbid(unsafe_code)]

use super::lanes::{ColumnSimd, ColumnVector, finished};
use super::squared::{FOREGROUND, Squared, fill, filled};
use super::volume::Product;
use crate::element::LANES;
use crate::simd::{ShortLanes, ShortVector, Simd, Vector};
use core::ops::Add;

/// Makes vectors of what is stored.
#[derive(Clone, Copy)]
pub(super) struct Integers<S>(S);

impl<S> Integers<S> {
    #[inline(always)]
    pub(super) const fn new(simd: S) -> Self {
        Self(simd)
    }
}

impl<S: Simd<Real = f32>> ColumnSimd for Integers<S> {
    type Stored = u16;
    type Value = u16;
    type Vector = IntegerVector<S::Shorts>;

    #[inline(always)]
    fn splat(self, value: u16) -> Self::Vector {
        IntegerVector(self.0.splat_shorts(value))
    }
    #[inline(always)]
    fn load(self, row: &ShortLanes) -> Self::Vector {
        IntegerVector(self.0.load_shorts(row))
    }
    #[inline(always)]
    fn split(self, stored: &[u16]) -> [Self::Vector; 2] {
        let value = self.load(filled(stored, &mut [0; u16::COLUMNS]));
        let zero = self.splat(0);
        let inside = self.splat(FOREGROUND - 1).less(value);
        let size = ColumnVector::select(inside, value + self.splat(FOREGROUND), value);
        let finite = size.less(self.splat(u16::STORED_INFINITE));
        let size = ColumnVector::select(finite, size, self.splat(u16::INFINITE));
        [ColumnVector::select(inside, zero, size), ColumnVector::select(inside, size, zero)]
    }
    #[inline(always)]
    fn join(self, [outside, inside]: [Self::Vector; 2], to: &mut [u16]) {
        let zero = self.splat(0);
        let size = (outside + inside).smaller(self.splat(u16::STORED_INFINITE));
        let sign = ColumnVector::select(zero.less(inside), self.splat(FOREGROUND), zero);
        fill(to, u16::ZEROS, |to| (size + sign).store(to));
    }
    #[inline(always)]
    fn finish(self, [outside, inside]: [Self::Vector; 2], product: Product<'_>, to: &mut [f32]) {
        let (mut background, mut foreground) = (u16::ZEROS, u16::ZEROS);
        outside.store(&mut background);
        inside.store(&mut foreground);
        let halves = to.chunks_mut(LANES);
        for ((to, outside), inside) in
            halves.zip(background.chunks_exact(LANES)).zip(foreground.chunks_exact(LANES))
        {
            let mut lanes = [0.0; LANES];
            for ((lane, &outside), &inside) in lanes.iter_mut().zip(outside).zip(inside) {
                *lane = (i32::from(outside) - i32::from(inside)) as f32;
            }
            let simd = self.0;
            let value = simd.load(&lanes);
            let finite = Vector::less(value.absolute(), simd.splat(u16::INFINITE.into()));
            let value = Vector::select(finite, value, value * simd.splat(f32::INFINITY));
            let value = finished(simd, value, product);
            fill(to, [0.0; LANES], |to| Vector::store(value, to));
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct IntegerVector<V>(V);

impl<V: ShortVector> Add for IntegerVector<V> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl<V: ShortVector> IntegerVector<V> {
    #[inline(always)]
    fn lanes(self) -> ShortLanes {
        let mut lanes = u16::ZEROS;
        self.0.store(&mut lanes);
        lanes
    }
}

impl<V: ShortVector> ColumnVector for IntegerVector<V> {
    type Value = u16;
    type Mask = V::Mask;

    #[inline(always)]
    fn store(self, row: &mut ShortLanes) {
        self.0.store(row);
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        Self(self.0.larger(other.0))
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        Self(self.0.smaller(other.0))
    }
    #[inline(always)]
    fn less(self, other: Self) -> V::Mask {
        self.0.less(other.0)
    }
    #[inline(always)]
    fn any(mask: V::Mask) -> bool {
        V::any(mask)
    }
    #[inline(always)]
    fn select(mask: V::Mask, yes: Self, no: Self) -> Self {
        Self(V::select(mask, yes.0, no.0))
    }
    #[inline(always)]
    fn largest(self) -> u16 {
        self.lanes().iter().fold(0, |largest, &lane| largest.max(lane))
    }
    #[inline(always)]
    fn smallest(self) -> u16 {
        self.lanes().iter().fold(u16::MAX, |smallest, &lane| smallest.min(lane))
    }
}
