//! Squared distances as they are held: in single precision, or as whole numbers of 16 bits where
//! those suffice.
#![forbid(unsafe_code)]

use super::grid::{fill_squares, square_in_row};
use super::row::Steps;
use crate::element::{LANES, Lanes};
use crate::scratch::AnyBits;
use crate::simd::ShortLanes;

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
}

/// Marks stored integers of the foreground.
pub(super) const FOREGROUND: u16 = 1 << 15;

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
}

/// A whole row of values; copies of the first one stand for those that are missing, for they do not
/// widen the search of the others.
#[inline(always)]
pub(super) fn filled<'v, T: Copy + Default, const N: usize>(
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
pub(super) fn fill<T: Copy, const N: usize>(
    to: &mut [T],
    mut row: [T; N],
    write: impl FnOnce(&mut [T; N]),
) {
    if let Some(to) = to.first_chunk_mut() {
        write(to);
        return;
    }
    write(&mut row);
    for (to, from) in to.iter_mut().zip(row) {
        *to = from;
    }
}
