//! Columns of a field that lie side by side: read, transformed in both phases, and written back.
#![allow(unsafe_code)]

use super::Side;
use super::column::{LONG_WINDOW, Row, transform, wanted_row};
use super::grid::{GROUPS, Grid};
use super::halving::Tools;
use super::lanes::{ColumnSimd, ColumnVector, Numbers};
use super::row::select_side;
use super::squared::Squared;
use super::volume::{FieldRows, Product};
use crate::disjoint::DisjointMut;
use crate::element::LANES;
use crate::error::Error;
use crate::scratch::Carver;
use crate::simd::{Kernel, Simd};

/// A worker's scratch for columns.
pub(super) struct WorkerTools<'t, V: Squared> {
    /// `[group][row]`, of the background and of the foreground.
    read: [&'t mut [V::Row]; 2],
    found: [&'t mut [V::Row]; 2],
    tools: Tools<'t>,
}

impl<'t, V: Squared> WorkerTools<'t, V> {
    pub(super) fn carve(grid: &Grid, scratch: &mut Carver<'t>) -> Result<Self, Error> {
        let rows = grid.longest_column();
        let all = rows * grid.groups();
        Ok(Self {
            read: [scratch.take(all)?, scratch.take(all)?],
            found: [scratch.take(all)?, scratch.take(all)?],
            tools: Tools { nearest: scratch.take(rows)?, candidates: scratch.take(rows)? },
        })
    }
}

/// Columns of one pass, tile by tile.
pub(super) struct ColumnsKernel<'k, 't, N: Numbers> {
    pub numbers: N,
    pub field: &'k DisjointMut<'k, f32>,
    pub columns: Columns,
    /// How many there are, and how many are read together.
    pub width: usize,
    pub tile: usize,
    /// Tiles begin anew at every row of this many.
    pub row: usize,
    pub squares: &'k [N::Value],
    /// The phase of all voxels of a row, of which nothing is stored then, or [`BOTH`](super::row::BOTH).
    pub phases: &'k [u8],
    pub side: Side,
    pub worker: &'k mut WorkerTools<'t, N::Value>,
    /// On the last pass what values become, and where they go if not to the field.
    pub last: Option<(Product<'k>, Option<&'k dyn FieldRows>)>,
}

impl<N: Numbers> ColumnsKernel<'_, '_, N> {
    /// Says that nothing else uses these columns' elements of the field.
    ///
    /// # Safety
    /// That must be so until the kernel has run.
    pub(super) const unsafe fn exclusive(self) -> Exclusive<Self> {
        Exclusive(self)
    }
}

/// A kernel whose promise has been made.
pub(super) struct Exclusive<K>(K);

impl<N: Numbers> Kernel<f32> for Exclusive<ColumnsKernel<'_, '_, N>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(self, simd: S) {
        let Self(kernel) = self;
        let mut begin = 0;
        while begin < kernel.width {
            let rest = kernel.row - begin % kernel.row.max(1);
            let width = kernel.tile.min(rest).min(kernel.width - begin);
            let tile = Columns { first: kernel.columns.first + begin, ..kernel.columns };
            // SAFETY: promised in `exclusive`.
            unsafe {
                transform_tile(
                    kernel.numbers.columns(simd),
                    kernel.field,
                    tile,
                    width,
                    kernel.squares,
                    (kernel.phases, kernel.side),
                    kernel.worker,
                    kernel.last,
                );
            }
            begin += width;
        }
    }
}

/// Where columns lie in the field: their first row begins at `first`, the next ones `stride` later.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub first: usize,
    pub stride: usize,
    pub rows: usize,
}

/// Transforms `width` columns that lie side by side.
///
/// # Safety
/// Nothing else may use their elements of the field.
#[inline(always)]
unsafe fn transform_tile<S: ColumnSimd>(
    simd: S,
    field: &DisjointMut<'_, f32>,
    columns: Columns,
    width: usize,
    squares: &[S::Value],
    (row_phases, side): (&[u8], Side),
    worker: &mut WorkerTools<'_, S::Value>,
    last: Option<(Product<'_>, Option<&dyn FieldRows>)>,
) {
    let n = columns.rows;
    let wanted = match last {
        Some((Product { wanted: Some(codes), .. }, _)) => Some(Wanted { codes, columns, width }),
        _ => None,
    };
    if wanted.is_some_and(|wanted| !(0..n).any(|y| any(wanted.row(y)))) {
        return;
    }
    let of_one = [false, true]
        .map(|foreground| simd.split(&[select_side(side, foreground, S::Stored::STORED_INFINITE)]));
    for (y, &phase) in row_phases.iter().enumerate().take(n) {
        let begin = columns.first + y * columns.stride;
        for line in 0..GROUPS {
            // What the next tile reads, and what this one writes beside what it has read.
            field.prefetch(begin + width + line * LANES);
            if last.is_some() {
                field.prefetch(begin + width / 2 + line * LANES);
            }
        }
        // SAFETY: the caller's promise; the part is not used beyond this row.
        let values: &[S::Stored] = unsafe { field.part_as(begin, width) };
        let [outside, inside] = &mut worker.read;
        for (group, values) in values.chunks(S::Value::COLUMNS).enumerate() {
            let phases = match of_one.get(usize::from(phase)) {
                Some(phases) => *phases,
                None => simd.split(values),
            };
            let place = group * n + y;
            if let (Some(outside), Some(inside)) = (outside.get_mut(place), inside.get_mut(place)) {
                phases[0].store(outside);
                phases[1].store(inside);
            }
        }
    }
    // The rows in which a group of columns has something of a phase.
    let mut held = [[Rows::NONE; GROUPS]; 2];
    let phases = worker.read.iter().zip(&mut worker.found).zip(&mut held);
    for (phase, ((read, found), held)) in phases.enumerate() {
        for (group, held) in held.iter_mut().enumerate().take(width.div_ceil(S::Value::COLUMNS)) {
            let column = group * n..(group + 1) * n;
            let read = read.get(column.clone()).unwrap_or_default();
            let found = found.get_mut(column).unwrap_or_default();
            let mut from = 0;
            while let Some((rows, next)) = Rows::next(simd, read, from) {
                from = next;
                held.add::<S>(rows, found);
                let f = read.get(rows.first..rows.end).unwrap_or_default();
                let out = found.get_mut(rows.first..rows.end).unwrap_or_default();
                let done = match wanted {
                    Some(wanted) if phase == 0 => {
                        let first = group * S::Value::COLUMNS;
                        let wanted = wanted.part(rows.first, first, S::Value::COLUMNS);
                        transform_wanted(simd, f, out, &wanted, squares)
                    }
                    _ => false,
                };
                if !done {
                    transform(simd, f, out, squares, &mut worker.tools);
                }
            }
        }
    }
    let ([from_outside, from_inside], [in_outside, in_inside]) = (&worker.found, &held);
    for y in 0..n {
        if wanted.is_some_and(|wanted| !any(wanted.row(y))) {
            continue;
        }
        let begin = columns.first + y * columns.stride;
        let Some((product, rows)) = last else {
            // SAFETY: the caller's promise; nothing read from these elements is alive.
            let to: &mut [S::Value] = unsafe { field.part_as(begin, width) };
            for (group, to) in to.chunks_mut(S::Value::COLUMNS).enumerate() {
                let place = group * n + y;
                let outside = found(simd, from_outside, place, in_outside.get(group), y);
                let inside = found(simd, from_inside, place, in_inside.get(group), y);
                simd.join([outside, inside], to);
            }
            continue;
        };
        let mut buffer = [0.0; GROUPS * u16::COLUMNS];
        let to = match rows {
            Some(_) => buffer.get_mut(..width).unwrap_or_default(),
            // SAFETY: as above.
            None => unsafe { field.part_mut(begin, width) },
        };
        for (group, to) in to.chunks_mut(S::Value::COLUMNS).enumerate() {
            let place = group * n + y;
            let outside = found(simd, from_outside, place, in_outside.get(group), y);
            let inside = found(simd, from_inside, place, in_inside.get(group), y);
            simd.finish([outside, inside], product, to);
        }
        if let Some(rows) = rows {
            // SAFETY: the caller's promise; these voxels are no other task's.
            unsafe { rows.write(begin, to) };
        }
    }
}

/// Rows of a group of columns outside of which a phase has nothing nearby.
#[derive(Clone, Copy)]
struct Rows {
    first: usize,
    end: usize,
}

/// Columns are cut where a phase has nothing in so many rows.
const CUT: usize = 8;

impl Rows {
    const NONE: Self = Self { first: usize::MAX, end: 0 };

    /// The next rows that hold something, and where to go on. The rows beside them, which are all of
    /// the other phase, are taken in: nothing beyond those can be nearer.
    #[inline(always)]
    fn next<S: ColumnSimd>(simd: S, column: &[Row<S>], from: usize) -> Option<(Self, usize)> {
        let zero = simd.splat(S::Value::default());
        let holds = |row: &Row<S>| S::Vector::any(zero.less(simd.load(row)));
        let begin = from + column.get(from..)?.iter().position(holds)?;
        let (mut end, mut next) = (begin, begin);
        for row in column.get(begin..)? {
            next += 1;
            if holds(row) {
                end = next;
            } else if next - end == CUT {
                break;
            }
        }
        let rows = Self { first: begin.saturating_sub(1), end: (end + 1).min(column.len()) };
        Some((rows, next))
    }

    /// Adds rows that come after these; there is nothing in between.
    #[inline(always)]
    fn add<S: ColumnSimd>(&mut self, rows: Self, found: &mut [Row<S>]) {
        if self.end > 0 {
            found.get_mut(self.end..rows.first).unwrap_or_default().fill(S::Value::ZEROS);
        }
        *self = Self { first: self.first.min(rows.first), end: rows.end };
    }
}

/// What was found of a phase in row `y`.
#[inline(always)]
fn found<S: ColumnSimd>(
    simd: S,
    found: &[Row<S>],
    place: usize,
    rows: Option<&Rows>,
    y: usize,
) -> S::Vector {
    match (found.get(place), rows) {
        (Some(row), Some(rows)) if y >= rows.first && y < rows.end => simd.load(row),
        _ => simd.splat(S::Value::default()),
    }
}

/// Transforms the rows of a group of columns in which something is wanted; not to the end if it is
/// cheaper to transform them all.
#[inline(always)]
fn transform_wanted<S: ColumnSimd>(
    simd: S,
    f: &[Row<S>],
    out: &mut [Row<S>],
    wanted: &Wanted<'_>,
    squares: &[S::Value],
) -> bool {
    let mut steps = LONG_WINDOW * f.len();
    for (y, to) in out.iter_mut().enumerate() {
        let codes = wanted.row(y);
        if !any(codes) {
            continue;
        }
        let mut here = S::Value::ZEROS;
        for (here, &code) in here.as_mut().iter_mut().zip(codes) {
            *here = S::Value::from_index(usize::from(code != 0));
        }
        let taken = wanted_row(simd, f, y, &here, squares, to);
        match steps.checked_sub(taken) {
            Some(rest) => steps = rest,
            None => return false,
        }
    }
    true
}

/// Where something is wanted of a group of columns.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    codes: &'w [u8],
    columns: Columns,
    width: usize,
}

impl<'w> Wanted<'w> {
    fn row(&self, y: usize) -> &'w [u8] {
        let begin = self.columns.first + y * self.columns.stride;
        self.codes.get(begin..begin + self.width).unwrap_or_default()
    }

    /// A part of the columns, from some row on.
    fn part(&self, row: usize, begin: usize, width: usize) -> Self {
        let first = self.columns.first + row * self.columns.stride + begin;
        let width = width.min(self.width.saturating_sub(begin));
        Self { columns: Columns { first, ..self.columns }, width, ..*self }
    }
}

fn any(codes: &[u8]) -> bool {
    codes.iter().fold(0, |all, code| all | code) != 0
}
