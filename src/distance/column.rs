//! Later passes: `out[y] = min over q of f[q] + (y - q)^2 w^2`, for the columns of a vector at a
//! time.
//!
//! Two ways that give the same minimum. A *window* grows around four rows until no farther row can
//! matter: best where distances are small. *Halving* takes the rows n/2, n/4, 3n/4, ... whose
//! candidates lie between the arg-mins of their neighbours: best where distances are large. Which
//! one runs follows from the columns alone, the same at every SIMD level.

use super::halving::{Tools, halve};
use super::lanes::{ColumnSimd, ColumnVector};
use super::squared::Squared;

/// Mean window, in rows, beyond which halving is faster.
pub(super) const LONG_WINDOW: usize = 32;
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
        let near = largest.largest() <= square(6);
        let mut blocks = if near { Blocks::All } else { Blocks::Tried };
        loop {
            let steps = windows(simd, f, out, squares, blocks);
            if blocks != Blocks::Tried {
                return;
            }
            let tried = (f.len() / BLOCK).div_ceil(TRIED_BLOCKS).max(1);
            if steps > LONG_WINDOW * tried {
                break;
            }
            blocks = Blocks::Others;
        }
    }
    halve(simd, f, out, squares, tools);
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
    let both = above.len().min(below.len());
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
    let above_rest = above.get(..above.len() - steps).unwrap_or_default();
    let below_rest = below.get(steps..).unwrap_or_default();
    let pairs = above_rest.iter().rev().zip(below_rest);
    for ((up, down), &next) in pairs.zip(squares.get(steps..).unwrap_or_default()) {
        let [r0, r1, r2] = reach;
        if !any_beyond(&m, r0) {
            break;
        }
        let r3 = simd.splat(next);
        m = nearer(m, simd.load(up), simd.load(down), [r0, r1, r2, r3]);
        reach = [r1, r2, r3];
        steps += 1;
    }
    if steps == both {
        let nexts = squares.iter().skip(both);
        // At most one of these has rows left.
        for (up, &next) in above.iter().rev().skip(both).zip(nexts.clone()) {
            let [r0, r1, r2] = reach;
            if !any_beyond(&m, r0) {
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
            if !any_beyond(&m, r0) {
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
