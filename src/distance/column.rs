//! Later passes: `out[y] = min over q of f[q] + (y - q)^2 w^2`, for the columns of a vector at a
//! time.
//!
//! Two ways that give the same minimum. A *window* grows around four rows until no farther row can
//! matter: best where distances are small. *Halving* takes the rows n/2, n/4, 3n/4, ... whose
//! candidates lie between the arg-mins of their neighbours: best where distances are large. Which
//! one runs follows from the columns alone, the same at every SIMD level.
#![forbid(unsafe_code)]

use super::halving::{Tools, halve};
use super::lanes::{ColumnSimd, ColumnVector};
use super::squared::Squared;

/// Mean window, in rows, beyond which halving is faster.
pub(super) const LONG_WINDOW: usize = 32;
/// Mean window beyond which sides are looked at apart.
const MIDDLE_WINDOW: usize = 8;
/// A column is far from everything if half of its rows are farther than this many.
const FAR_ROWS: usize = 45;
/// Every this many blocks of four rows, one is tried first.
const TRIED_BLOCKS: usize = 8;
pub(super) const BLOCK: usize = 4;

/// A row of columns.
pub(super) type Row<S> = <<S as ColumnSimd>::Value as Squared>::Row;

/// Transforms columns that hold something other than zeros. `squares` holds `(t w)^2` for
/// `t = 0, 1, ...`, four more than there are rows.
#[inline(always)]
pub(super) fn transform<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    out: &mut [Row<S>],
    squares: &[S::Value],
    tools: &mut Tools<'_>,
) {
    let square = |t: usize| squares.get(t).copied().unwrap_or(S::Value::INFINITE);
    let (zero, one) = (simd.splat(S::Value::default()), simd.splat(S::Value::from_index(1)));
    let (mut largest, mut smallest) = (zero, simd.splat(S::Value::INFINITE));
    let (far, mut far_rows) = (simd.splat(square(FAR_ROWS)), zero);
    for row in f {
        let row = simd.load(row);
        largest = largest.larger(row);
        smallest = smallest.smaller(row);
        far_rows = far_rows + S::Vector::select(far.less(row), one, zero);
    }
    if f.len() <= 1 || smallest.smallest() == S::Value::INFINITE {
        for (to, from) in out.iter_mut().zip(f) {
            *to = *from;
        }
        return;
    }
    // With far features everywhere there is no need to try.
    if far_rows.largest() <= S::Value::from_index(f.len() / 2) {
        if largest.largest() <= square(6) {
            windows(simd, f, out, squares, Blocks::All);
            return;
        }
        let steps = windows(simd, f, out, squares, Blocks::Tried);
        let tried = (f.len() / BLOCK).div_ceil(TRIED_BLOCKS).max(1);
        if steps <= LONG_WINDOW * tried {
            let one_sided = steps > MIDDLE_WINDOW * tried;
            if one_sided {
                smallest_beside(simd, f, out);
            }
            windows(simd, f, out, squares, Blocks::Others { one_sided });
            return;
        }
    }
    halve(simd, f, out, squares, tools);
}

/// Which blocks of four rows to work on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blocks {
    All,
    Tried,
    /// `one_sided` if [`smallest_beside`] has been there.
    Others {
        one_sided: bool,
    },
}

/// Leaves in the place of each block of results the smallest numbers above and below it, except
/// where blocks have been tried.
#[inline(always)]
fn smallest_beside<S: ColumnSimd>(simd: S, f: &[Row<S>], out: &mut [Row<S>]) {
    let [mut above, mut below] = [simd.splat(S::Value::INFINITE); 2];
    let places = out.as_chunks_mut::<BLOCK>().0;
    let rows = f.as_chunks::<BLOCK>().0;
    let low = |low: S::Vector, rows: &[Row<S>; BLOCK]| {
        rows.iter().fold(low, |low, row| low.smaller(simd.load(row)))
    };
    for (index, (to, rows)) in places.iter_mut().zip(rows).enumerate() {
        if !is_tried(index) {
            above.store(&mut to[0]);
        }
        above = low(above, rows);
    }
    for row in f.as_chunks::<BLOCK>().1 {
        below = below.smaller(simd.load(row));
    }
    for (index, (to, rows)) in places.iter_mut().zip(rows).enumerate().rev() {
        if !is_tried(index) {
            below.store(&mut to[1]);
        }
        below = low(below, rows);
    }
}

fn is_tried(block: usize) -> bool {
    block % TRIED_BLOCKS == TRIED_BLOCKS / 2
}

/// Windows around blocks; returns how far they grew in all.
#[inline(always)]
fn windows<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    out: &mut [Row<S>],
    squares: &[S::Value],
    blocks: Blocks,
) -> usize {
    let mut steps = 0;
    let (full, rest) = out.as_chunks_mut::<BLOCK>();
    let done = full.len() * BLOCK;
    for (index, to) in full.iter_mut().enumerate() {
        if blocks == Blocks::All || (blocks == Blocks::Tried) == is_tried(index) {
            let one_sided = blocks == Blocks::Others { one_sided: true };
            steps += window_of_four(simd, f, index * BLOCK, squares, one_sided, to);
        }
    }
    if blocks != Blocks::Tried {
        for (y, to) in rest.iter_mut().enumerate() {
            window_of_one(simd, f, done + y, squares, |own| own, to);
        }
    }
    steps
}

/// Whether any of four rows may be nearer to something beyond a reach.
#[inline(always)]
fn any_beyond<V: ColumnVector>(rows: &[V; BLOCK], reach: V) -> bool {
    let [a, b, c, d] = *rows;
    V::any(reach.less(a.larger(b).larger(c.larger(d))))
}

/// Four rows after those above and below them, to which the first and the last have `reach`.
#[inline(always)]
fn nearer<V: ColumnVector>([a, b, c, d]: [V; BLOCK], up: V, down: V, reach: [V; 4]) -> [V; BLOCK] {
    let [r0, r1, r2, r3] = reach;
    [
        a.smaller((up + r0).smaller(down + r3)),
        b.smaller((up + r1).smaller(down + r2)),
        c.smaller((up + r2).smaller(down + r1)),
        d.smaller((up + r3).smaller(down + r0)),
    ]
}

#[inline(always)]
fn window_of_four<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    first: usize,
    squares: &[S::Value],
    one_sided: bool,
    to: &mut [Row<S>; BLOCK],
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
    // Nothing is looked for on a side where even the smallest number is too large.
    let (mut above, mut below) = (above, below);
    let [mut low_above, mut low_below] = [simd.splat(S::Value::default()); 2];
    if one_sided {
        (low_above, low_below) = (simd.load(&to[0]), simd.load(&to[1]));
        if !any_beyond(&m, low_above + k1) {
            above = &[];
        }
        if !any_beyond(&m, low_below + k1) {
            below = &[];
        }
    }
    let squares = squares.get(BLOCK..).unwrap_or_default();
    // Two steps at a time, and then one.
    let twos = above.as_rchunks::<2>().1.iter().rev().zip(below.as_chunks::<2>().0);
    for (([up_far, up], [down, down_far]), [s3, s4]) in twos.zip(squares.as_chunks::<2>().0) {
        let [r0, r1, r2] = reach;
        if !any_beyond(&m, r0) {
            break;
        }
        let (r3, r4) = (simd.splat(*s3), simd.splat(*s4));
        m = nearer(m, simd.load(up), simd.load(down), [r0, r1, r2, r3]);
        m = nearer(m, simd.load(up_far), simd.load(down_far), [r1, r2, r3, r4]);
        reach = [r2, r3, r4];
        steps += 2;
    }
    let both = steps;
    let above = above.get(..above.len() - both).unwrap_or_default();
    let below = below.get(both..).unwrap_or_default();
    let (rest, pairs) = above.as_rchunks::<2>();
    let pairs = pairs.iter().rev().map(|[far, near]| [near, far]);
    let squares = squares.get(both..).unwrap_or_default();
    steps += one_side(simd, &mut m, reach, low_above, (pairs, rest.first()), squares);
    let (pairs, rest) = below.as_chunks::<2>();
    let pairs = pairs.iter().map(|[near, far]| [near, far]);
    m.reverse();
    steps += one_side(simd, &mut m, reach, low_below, (pairs, rest.first()), squares);
    m.reverse();
    for (to, m) in to.iter_mut().zip(m) {
        m.store(to);
    }
    steps
}

/// Goes on from four rows on one side, to which the first one has `reach`; returns how far.
#[inline(always)]
fn one_side<'f, S: ColumnSimd>(
    simd: S,
    m: &mut [S::Vector; BLOCK],
    mut reach: [S::Vector; 3],
    smallest: S::Vector,
    (pairs, rest): (impl Iterator<Item = [&'f Row<S>; 2]>, Option<&'f Row<S>>),
    squares: &[S::Value],
) -> usize
where
    Row<S>: 'f,
{
    let mut steps = 0;
    for ([near, far], [s3, s4]) in pairs.zip(squares.as_chunks::<2>().0) {
        let [r0, r1, r2] = reach;
        if !any_beyond(m, smallest + r0) {
            return steps;
        }
        let (r3, r4) = (simd.splat(*s3), simd.splat(*s4));
        *m = nearer_on_one_side(*m, simd.load(near), [r0, r1, r2, r3]);
        *m = nearer_on_one_side(*m, simd.load(far), [r1, r2, r3, r4]);
        reach = [r2, r3, r4];
        steps += 2;
    }
    if let (Some(row), Some(&s3)) = (rest, squares.get(steps)) {
        let [r0, r1, r2] = reach;
        *m = nearer_on_one_side(*m, simd.load(row), [r0, r1, r2, simd.splat(s3)]);
        steps += 1;
    }
    steps
}

#[inline(always)]
fn nearer_on_one_side<V: ColumnVector>(
    [a, b, c, d]: [V; BLOCK],
    row: V,
    [r0, r1, r2, r3]: [V; BLOCK],
) -> [V; BLOCK] {
    let [near, second, third, far] = [row + r0, row + r1, row + r2, row + r3];
    [a.smaller(near), b.smaller(second), c.smaller(third), d.smaller(far)]
}

/// One row of the result, where `wanted` is not 0; returns how far the window grew.
#[inline(always)]
pub(super) fn wanted_row<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    y: usize,
    wanted: &Row<S>,
    squares: &[S::Value],
    to: &mut Row<S>,
) -> usize {
    let wanted = simd.splat(S::Value::default()).less(simd.load(wanted));
    let begin = |own| S::Vector::select(wanted, own, simd.splat(S::Value::default()));
    window_of_one(simd, f, y, squares, begin, to)
}

/// A window around one row, whose own values `begin` may change.
#[inline(always)]
fn window_of_one<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    y: usize,
    squares: &[S::Value],
    begin: impl Fn(S::Vector) -> S::Vector,
    to: &mut Row<S>,
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
