//! Squared distances in columns that lie side by side: in single precision, or as whole numbers of
//! 16 bits where those suffice.
#![forbid(unsafe_code)]

use super::Side;
use super::grid::{fill_squares, square_in_row};
use super::row::Steps;
use super::volume::Product;
use crate::element::{LANES, Lanes};
use crate::scratch::AnyBits;
use crate::simd::{ShortLanes, ShortVector, Simd, Vector};
use core::marker::PhantomData;
use core::ops::Add;

/// A squared distance.
///
/// Between the passes it is stored with a sign, positive in the background. In columns there is
/// none; [`Squared::INFINITE`] is larger than any other number and has room for a square above it.
pub(super) trait Squared:
    Copy + Default + PartialOrd + AnyBits + Send + Sync + 'static
{
    /// Those of a vector.
    type Row: Copy + AnyBits + AsMut<[Self]> + 'static;
    /// Columns of a vector.
    const COLUMNS: usize;
    /// Whether there are rows whose steps do not fit 8 bits.
    const LONG_ROWS: bool;
    const ZEROS: Self::Row;
    const INFINITE: Self;
    /// [`Squared::INFINITE`] as it is stored.
    const STORED_INFINITE: Self;
    fn from_index(index: usize) -> Self;
    fn to_index(self) -> u32;
    /// Squared lengths of 0, 1, 2, ... steps along a column.
    fn fill_squares(squares: &mut [Self], squared_step: f64) -> &[Self];
    /// Squared length of some steps along a row.
    fn in_row<T: Steps>(steps: T, squared_step: f32) -> Self;
    /// As it is stored.
    fn stored(self, foreground: bool) -> Self;
    /// What has been stored, with a sign; copies of the first value stand for missing ones.
    fn read(stored: &[Self]) -> Lanes<f32>;
    /// Stores what has a sign.
    fn write(lanes: &Lanes<f32>, to: &mut [Self]);
}

impl Squared for f32 {
    type Row = Lanes<f32>;
    const COLUMNS: usize = LANES;
    const LONG_ROWS: bool = true;
    const ZEROS: Lanes<f32> = [0.0; LANES];
    const INFINITE: f32 = f32::INFINITY;
    const STORED_INFINITE: f32 = f32::INFINITY;

    #[inline(always)]
    fn from_index(index: usize) -> f32 {
        index as f32
    }
    #[inline(always)]
    fn to_index(self) -> u32 {
        self as u32
    }
    fn fill_squares(squares: &mut [f32], squared_step: f64) -> &[f32] {
        fill_squares(squares, squared_step)
    }
    #[inline(always)]
    fn in_row<T: Steps>(steps: T, squared_step: f32) -> f32 {
        square_in_row(steps.to_f32(), squared_step)
    }
    #[inline(always)]
    fn stored(self, foreground: bool) -> f32 {
        if foreground { -self } else { self }
    }
    #[inline(always)]
    fn read(stored: &[f32]) -> Lanes<f32> {
        *filled(stored, &mut [0.0; LANES])
    }
    #[inline(always)]
    fn write(lanes: &Lanes<f32>, to: &mut [f32]) {
        fill(to, [0.0; LANES], |to| *to = *lanes);
    }
}

/// Marks stored integers of the foreground.
const FOREGROUND: u16 = 1 << 15;

impl Squared for u16 {
    type Row = ShortLanes;
    const COLUMNS: usize = 2 * LANES;
    const LONG_ROWS: bool = false;
    const ZEROS: ShortLanes = [0; 2 * LANES];
    const INFINITE: u16 = 3 << 14;
    const STORED_INFINITE: u16 = FOREGROUND - 1;

    #[inline(always)]
    fn from_index(index: usize) -> u16 {
        index as u16
    }
    #[inline(always)]
    fn to_index(self) -> u32 {
        self.into()
    }
    fn fill_squares(squares: &mut [u16], _: f64) -> &[u16] {
        for (t, square) in squares.iter_mut().enumerate() {
            *square = t.saturating_mul(t).min(Self::INFINITE.into()) as u16;
        }
        squares
    }
    #[inline(always)]
    fn in_row<T: Steps>(steps: T, _: f32) -> u16 {
        let steps = steps.to_u16();
        steps.wrapping_mul(steps)
    }
    #[inline(always)]
    fn stored(self, foreground: bool) -> u16 {
        if foreground { self | FOREGROUND } else { self }
    }
    #[inline(always)]
    fn read(stored: &[u16]) -> Lanes<f32> {
        let mut lanes = [0.0; LANES];
        for (lane, &stored) in lanes.iter_mut().zip(filled(stored, &mut [0; LANES])) {
            let size = stored & Self::STORED_INFINITE;
            let value = if size == Self::STORED_INFINITE { f32::INFINITY } else { size.into() };
            *lane = value.stored(stored >= FOREGROUND);
        }
        lanes
    }
    #[inline(always)]
    fn write(lanes: &Lanes<f32>, to: &mut [u16]) {
        for (to, &lane) in to.iter_mut().zip(lanes) {
            *to = (lane.abs() as u16).min(Self::STORED_INFINITE).stored(lane < 0.0);
        }
    }
}

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
        Integers(simd)
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
        Singles { simd, scaled: self }
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
    /// Stores both phases.
    fn join(self, phases: [Self::Vector; 2], to: &mut [Self::Stored]);
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

/// A whole row of values; copies of the first one stand for those that are missing, for they do not
/// widen the search of the others.
#[inline(always)]
fn filled<'v, T: Copy + Default, const N: usize>(
    values: &'v [T],
    padded: &'v mut [T; N],
) -> &'v [T; N] {
    if let Some(values) = values.first_chunk() {
        return values;
    }
    *padded = [values.first().copied().unwrap_or_default(); N];
    for (to, from) in padded.iter_mut().zip(values) {
        *to = *from;
    }
    padded
}

/// Lets a whole row be written, of which `to` may be the beginning.
#[inline(always)]
fn fill<T: Copy, const N: usize>(to: &mut [T], mut row: [T; N], write: impl FnOnce(&mut [T; N])) {
    if let Some(to) = to.first_chunk_mut() {
        write(to);
        return;
    }
    write(&mut row);
    for (to, from) in to.iter_mut().zip(row) {
        *to = from;
    }
}

/// In single precision.
#[derive(Clone, Copy)]
pub(super) struct Singles<S, T> {
    simd: S,
    scaled: Scaled<T>,
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
        let (zero, scale) = (self.simd.zero(), self.simd.splat(self.scaled.scale));
        let value = self.simd.load(&T::read(stored)) * scale;
        [Vector::larger(value, zero), Vector::larger(zero - value, zero)]
    }
    #[inline(always)]
    fn join(self, [outside, inside]: [S::Vector; 2], to: &mut [T]) {
        let mut lanes = [0.0; LANES];
        Vector::store(outside - inside, &mut lanes);
        T::write(&lanes, to);
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

/// As whole numbers.
#[derive(Clone, Copy)]
pub(super) struct Integers<S>(S);

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

/// What becomes of a signed squared distance.
#[inline(always)]
fn finished<S: Simd<Real = f32>>(simd: S, value: S::Vector, product: Product<'_>) -> S::Vector {
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
