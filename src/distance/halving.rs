//! Columns in which distances are large: rows by halves of what lies between.
#![forbid(unsafe_code)]

use super::column::{BLOCK, Row};
use super::lanes::{ColumnSimd, ColumnVector};
use super::squared::Squared;

/// What halving needs beside a column.
pub(super) struct Tools<'t> {
    /// As many as rows.
    pub(super) candidates: &'t mut [u32],
    /// As many as rows: the smallest and the largest number of the candidates that are nearest.
    pub(super) nearest: &'t mut [[u32; 2]],
}

/// Rows n/2, n/4, 3n/4, ...: the arg-mins of a row lie between those of rows before and after it.
#[inline(always)]
pub(super) fn halve<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    out: &mut [Row<S>],
    squares: &[S::Value],
    tools: &mut Tools<'_>,
) {
    let infinite = simd.splat(S::Value::INFINITE);
    let mut count = 0;
    for (row, values) in f.iter().enumerate() {
        let Some(candidate) = tools.candidates.get_mut(count) else {
            break;
        };
        *candidate = row as u32;
        count += usize::from(S::Vector::any(simd.load(values).less(infinite)));
    }
    let candidates = tools.candidates.get(..count).unwrap_or_default();
    let n = f.len();
    let all = count == n;
    let mut stride = 1 << n.ilog2();
    while stride >= BLOCK {
        let mut place = stride;
        while place <= n {
            let y = place - 1;
            let (low, high) = between(tools.nearest, y.checked_sub(stride), y + stride, n, count);
            let mut search = Search::new(simd, low);
            if all {
                search.rows(f, y, (low, high), squares);
            } else {
                let between = candidates.get(low..=high).unwrap_or_default();
                search.candidates(f, y, between, squares);
            }
            if let (Some(to), Some(nearest)) = (out.get_mut(y), tools.nearest.get_mut(y)) {
                search.best.store(to);
                *nearest = search.arg_minima();
            }
            place += 2 * stride;
        }
        stride /= 2;
    }
    // What comes after every fourth row, without looking for arg-mins.
    for (block, to) in out.chunks_mut(BLOCK).enumerate() {
        let y = block * BLOCK;
        let (low, high) = between(tools.nearest, y.checked_sub(1), y + BLOCK - 1, n, count);
        let between = candidates.get(low..=high).unwrap_or_default();
        let [mut a, mut b, mut c] = [infinite; BLOCK - 1];
        for &candidate in between {
            let q = candidate as usize;
            let square = |y: usize| squares.get(y.abs_diff(q)).copied().unwrap_or_default();
            if let Some(row) = f.get(q) {
                let row = simd.load(row);
                a = a.smaller(row + simd.splat(square(y)));
                b = b.smaller(row + simd.splat(square(y + 1)));
                c = c.smaller(row + simd.splat(square(y + 2)));
            }
        }
        for (to, found) in to.iter_mut().zip([a, b, c]) {
            found.store(to);
        }
    }
}

/// Numbers of the candidates between those that are nearest to two rows, of which there may be
/// none.
#[inline(always)]
fn between(
    nearest: &[[u32; 2]],
    before: Option<usize>,
    after: usize,
    rows: usize,
    candidates: usize,
) -> (usize, usize) {
    let low = before.and_then(|y| nearest.get(y)).map_or(0, |[low, _]| *low as usize);
    let after = nearest.get(after).filter(|_| after < rows);
    (low, after.map_or(candidates.saturating_sub(1), |[_, high]| *high as usize))
}

/// A minimum over rows and its number among the candidates.
struct Search<S: ColumnSimd> {
    simd: S,
    best: S::Vector,
    index: S::Vector,
    number: S::Vector,
}

impl<S: ColumnSimd> Search<S> {
    #[inline(always)]
    fn new(simd: S, first: usize) -> Self {
        let number = simd.splat(S::Value::from_index(first));
        Self { simd, best: simd.splat(S::Value::INFINITE), index: number, number }
    }

    #[inline(always)]
    fn add(&mut self, row: &Row<S>, square: S::Value) {
        let value = self.simd.load(row) + self.simd.splat(square);
        self.index = S::Vector::select(value.less(self.best), self.number, self.index);
        self.number = self.number + self.simd.splat(S::Value::from_index(1));
        self.best = value.smaller(self.best);
    }

    /// Adds the rows from `low` to `high`.
    #[inline(always)]
    fn rows(&mut self, f: &[Row<S>], y: usize, (low, high): (usize, usize), squares: &[S::Value]) {
        let middle = y.max(low).min(high + 1);
        let above = f.get(low..middle).unwrap_or_default();
        let squares_above = squares.get(..=y.saturating_sub(low)).unwrap_or_default();
        for (row, &square) in above.iter().zip(squares_above.iter().rev()) {
            self.add(row, square);
        }
        let below = f.get(middle..=high).unwrap_or_default();
        let squares_below = squares.get(middle.saturating_sub(y)..).unwrap_or_default();
        for (row, &square) in below.iter().zip(squares_below) {
            self.add(row, square);
        }
    }

    /// Adds some rows.
    #[inline(always)]
    fn candidates(&mut self, f: &[Row<S>], y: usize, candidates: &[u32], squares: &[S::Value]) {
        for &candidate in candidates {
            let q = candidate as usize;
            if let (Some(row), Some(&square)) = (f.get(q), squares.get(y.abs_diff(q))) {
                self.add(row, square);
            }
        }
    }

    /// The smallest and the largest number of a minimum.
    #[inline(always)]
    fn arg_minima(&self) -> [u32; 2] {
        [self.index.smallest().to_index(), self.index.largest().to_index()]
    }
}
