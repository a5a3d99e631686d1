//! Later passes: `out[y] = min over q of f[q] + (y - q)^2 w^2`, for 16 columns at a time.
//!
//! Two ways that give the same minimum. A *window* grows around four rows until no farther row can
//! matter: best where distances are small. *Halving* takes the rows n/2, n/4, 3n/4, ... whose
//! candidates lie between the arg-mins of their neighbours: best where distances are large. Which
//! one runs follows from the columns alone, the same at every SIMD level.

use crate::element::{LANES, Lanes};
use crate::simd::{Simd, Vector};

/// Mean window, in rows, beyond which halving is faster.
pub(super) const LONG_WINDOW: usize = 32;
/// Every this many blocks of four rows, one is tried first.
const TRIED_BLOCKS: usize = 8;
const BLOCK: usize = 4;

/// What the kernels need beside a column.
pub(super) struct Tools<'t> {
    /// As many as rows.
    pub(super) candidates: &'t mut [u32],
    /// As many as rows: the smallest and the largest number of the candidates that are nearest.
    pub(super) nearest: &'t mut [[u32; 2]],
}

/// Transforms columns that hold something other than zeros. `squares` holds `(t w)^2` for
/// `t = 0, 1, ...`, four more than there are rows.
#[inline(always)]
pub(super) fn transform<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    out: &mut [Lanes<f32>],
    squares: &[f32],
    tools: &mut Tools<'_>,
) {
    if f.len() <= 1 {
        copy(f, out);
        return;
    }
    let square = |t: usize| squares.get(t).copied().unwrap_or_default();
    let (mut largest, mut smallest) = (simd.zero(), simd.splat(f32::INFINITY));
    for row in f {
        let row = simd.load(row);
        largest = largest.larger(row);
        smallest = smallest.smaller(row);
    }
    if smallest.smallest() == f32::INFINITY {
        copy(f, out);
        return;
    }
    if largest.largest() <= square(6) {
        windows(simd, f, out, squares, Blocks::All);
        return;
    }
    // Far features everywhere: no need to try.
    let cap = simd.splat(square(1) * 4096.0);
    let sum = f.iter().fold(simd.zero(), |sum, row| sum + cap.smaller(simd.load(row)));
    if sum.largest() > square(1) * 2048.0 * f.len() as f32 {
        halve(simd, f, out, squares, tools);
        return;
    }
    let steps = windows(simd, f, out, squares, Blocks::Tried);
    let tried = (f.len() / BLOCK).div_ceil(TRIED_BLOCKS).max(1);
    if steps <= LONG_WINDOW * tried {
        windows(simd, f, out, squares, Blocks::Others);
    } else {
        halve(simd, f, out, squares, tools);
    }
}

fn copy(from: &[Lanes<f32>], to: &mut [Lanes<f32>]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Which blocks of four rows to work on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocks {
    All,
    Tried,
    Others,
}

/// Windows around blocks; returns how far they grew in all.
#[inline(always)]
fn windows<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    out: &mut [Lanes<f32>],
    squares: &[f32],
    blocks: Blocks,
) -> usize {
    let mut steps = 0;
    let (full, rest) = out.as_chunks_mut::<BLOCK>();
    let done = full.len() * BLOCK;
    for (index, to) in full.iter_mut().enumerate() {
        let tried = index % TRIED_BLOCKS == TRIED_BLOCKS / 2;
        if blocks == Blocks::All || (blocks == Blocks::Tried) == tried {
            steps += window_of_four(simd, f, index * BLOCK, squares, to);
        }
    }
    if blocks != Blocks::Tried {
        for (y, to) in rest.iter_mut().enumerate() {
            window_of_one(simd, f, done + y, squares, |own| own, to);
        }
    }
    steps
}

#[inline(always)]
fn window_of_four<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    first: usize,
    squares: &[f32],
    to: &mut [Lanes<f32>; BLOCK],
) -> usize {
    let (above, rest) = f.split_at_checked(first).unwrap_or_default();
    let Some((own, below)) = rest.split_first_chunk::<BLOCK>() else {
        return 0;
    };
    let [a, b, c, d] = own;
    let [a, b, c, d] = [simd.load(a), simd.load(b), simd.load(c), simd.load(d)];
    let Some(&[_, s1, s2, s3]) = squares.first_chunk() else {
        return 0;
    };
    let (k1, k2, k3) = (simd.splat(s1), simd.splat(s2), simd.splat(s3));
    // The minimum within the block.
    let mut m = [
        a.smaller(b + k1).smaller((c + k2).smaller(d + k3)),
        b.smaller(a + k1).smaller((c + k1).smaller(d + k2)),
        c.smaller(b + k1).smaller((d + k1).smaller(a + k2)),
        d.smaller(c + k1).smaller((b + k2).smaller(a + k3)),
    ];
    let mut reach = [k1, k2, k3];
    let mut steps = 0;
    let far = |m: &[S::Vector; BLOCK], reach: S::Vector| {
        let [a, b, c, d] = *m;
        S::Vector::any(reach.less(a.larger(b).larger(c.larger(d))))
    };
    let both = above.len().min(below.len());
    let pairs = above.iter().rev().zip(below).zip(squares.iter().skip(BLOCK));
    for ((up, down), &next) in pairs {
        let [r0, r1, r2] = reach;
        if !far(&m, r0) {
            break;
        }
        let r3 = simd.splat(next);
        let (up, down) = (simd.load(up), simd.load(down));
        let [a, b, c, d] = m;
        m = [
            a.smaller((up + r0).smaller(down + r3)),
            b.smaller((up + r1).smaller(down + r2)),
            c.smaller((up + r2).smaller(down + r1)),
            d.smaller((up + r3).smaller(down + r0)),
        ];
        reach = [r1, r2, r3];
        steps += 1;
    }
    if steps == both {
        let nexts = squares.iter().skip(BLOCK + both);
        // At most one of these has rows left.
        for (up, &next) in above.iter().rev().skip(both).zip(nexts.clone()) {
            let [r0, r1, r2] = reach;
            if !far(&m, r0) {
                break;
            }
            let (up, r3) = (simd.load(up), simd.splat(next));
            let [a, b, c, d] = m;
            m = [a.smaller(up + r0), b.smaller(up + r1), c.smaller(up + r2), d.smaller(up + r3)];
            reach = [r1, r2, r3];
            steps += 1;
        }
        for (down, &next) in below.iter().skip(both).zip(nexts) {
            let [r0, r1, r2] = reach;
            if !far(&m, r0) {
                break;
            }
            let (down, r3) = (simd.load(down), simd.splat(next));
            let [a, b, c, d] = m;
            m = [
                a.smaller(down + r3),
                b.smaller(down + r2),
                c.smaller(down + r1),
                d.smaller(down + r0),
            ];
            reach = [r1, r2, r3];
            steps += 1;
        }
    }
    for (to, m) in to.iter_mut().zip(m) {
        m.store(to);
    }
    steps
}

/// One row of the result, where `wanted` is not 0; returns how far the window grew.
#[inline(always)]
pub(super) fn wanted_row<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    y: usize,
    wanted: &Lanes<f32>,
    squares: &[f32],
    to: &mut Lanes<f32>,
) -> usize {
    let wanted = simd.zero().less(simd.load(wanted));
    let begin = |own| S::Vector::select(wanted, own, simd.zero());
    window_of_one(simd, f, y, squares, begin, to)
}

/// A window around one row, whose own values `begin` may change.
#[inline(always)]
fn window_of_one<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    y: usize,
    squares: &[f32],
    begin: impl Fn(S::Vector) -> S::Vector,
    to: &mut Lanes<f32>,
) -> usize {
    let (above, rest) = f.split_at_checked(y).unwrap_or_default();
    let Some((own, below)) = rest.split_first() else {
        return 0;
    };
    let (mut m, mut steps) = (begin(simd.load(own)), 0);
    for (t, &square) in squares.iter().enumerate().skip(1) {
        let square = simd.splat(square);
        let up = above.len().checked_sub(t).and_then(|up| above.get(up));
        let down = below.get(t - 1);
        if (up.is_none() && down.is_none()) || !S::Vector::any(square.less(m)) {
            break;
        }
        for other in [up, down].into_iter().flatten() {
            m = m.smaller(simd.load(other) + square);
        }
        steps = t;
    }
    m.store(to);
    steps
}

/// Rows n/2, n/4, 3n/4, ...: the arg-mins of a row lie between those of rows before and after it.
#[inline(always)]
fn halve<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    out: &mut [Lanes<f32>],
    squares: &[f32],
    tools: &mut Tools<'_>,
) {
    let infinite = simd.splat(f32::INFINITY);
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
    while stride > 0 {
        let mut place = stride;
        while place <= n {
            let y = place - 1;
            let neighbour = |y: Option<usize>| y.and_then(|y| tools.nearest.get(y));
            let low = neighbour(y.checked_sub(stride)).map_or(0, |[low, _]| *low as usize);
            let after = if place + stride <= n { Some(y + stride) } else { None };
            let high = neighbour(after).map_or(count.saturating_sub(1), |[_, high]| *high as usize);
            let mut search = Search::new(simd, low, stride > 1);
            if all {
                search.rows(simd, f, y, (low, high), squares);
            } else {
                let between = candidates.get(low..=high).unwrap_or_default();
                search.candidates(simd, f, y, between, squares);
            }
            if stride > 1
                && let Some(to) = tools.nearest.get_mut(y)
            {
                *to = search.arg_minima();
            }
            if let Some(to) = out.get_mut(y) {
                search.best.store(to);
            }
            place += 2 * stride;
        }
        stride /= 2;
    }
}

/// A minimum over rows and, if wanted, its number among the candidates.
struct Search<V> {
    best: V,
    index: V,
    number: f32,
    with_index: bool,
}

impl<V: Vector<Real = f32>> Search<V> {
    #[inline(always)]
    fn new<S: Simd<Real = f32, Vector = V>>(simd: S, first: usize, with_index: bool) -> Self {
        let number = first as f32;
        Self { best: simd.splat(f32::INFINITY), index: simd.splat(number), number, with_index }
    }

    #[inline(always)]
    fn add<S: Simd<Real = f32, Vector = V>>(&mut self, simd: S, row: &Lanes<f32>, square: f32) {
        let value = simd.load(row) + simd.splat(square);
        if self.with_index {
            let less = value.less(self.best);
            self.index = V::select(less, simd.splat(self.number), self.index);
            self.number += 1.0;
        }
        self.best = value.smaller(self.best);
    }

    /// Adds the rows from `low` to `high`.
    #[inline(always)]
    fn rows<S: Simd<Real = f32, Vector = V>>(
        &mut self,
        simd: S,
        f: &[Lanes<f32>],
        y: usize,
        (low, high): (usize, usize),
        squares: &[f32],
    ) {
        let middle = y.max(low).min(high + 1);
        let above = f.get(low..middle).unwrap_or_default();
        let squares_above = squares.get(..=y.saturating_sub(low)).unwrap_or_default();
        for (row, &square) in above.iter().zip(squares_above.iter().rev()) {
            self.add(simd, row, square);
        }
        let below = f.get(middle..=high).unwrap_or_default();
        let squares_below = squares.get(middle.saturating_sub(y)..).unwrap_or_default();
        for (row, &square) in below.iter().zip(squares_below) {
            self.add(simd, row, square);
        }
    }

    /// Adds some rows.
    #[inline(always)]
    fn candidates<S: Simd<Real = f32, Vector = V>>(
        &mut self,
        simd: S,
        f: &[Lanes<f32>],
        y: usize,
        candidates: &[u32],
        squares: &[f32],
    ) {
        for &candidate in candidates {
            let q = candidate as usize;
            let square = squares.get(y.abs_diff(q)).copied().unwrap_or_default();
            self.add(simd, f.get(q).unwrap_or(&[f32::INFINITY; LANES]), square);
        }
    }

    /// The smallest and the largest number of a minimum.
    #[inline(always)]
    fn arg_minima(&self) -> [u32; 2] {
        [self.index.smallest() as u32, self.index.largest() as u32]
    }
}
