//! Columns of a field that lie side by side: read, transformed in both phases, and written back.
#![allow(unsafe_code)]

use super::Side;
use super::column::{LONG_WINDOW, Tools, transform, wanted_row};
use super::grid::{GROUPS, Grid};
use super::volume::{FieldRows, Product};
use crate::disjoint::DisjointMut;
use crate::element::{LANES, Lanes};
use crate::error::Error;
use crate::scratch::Carver;
use crate::simd::{Kernel, Simd, Vector};

/// A worker's scratch for columns.
pub(super) struct WorkerTools<'t> {
    /// `[group][row]`.
    outside: &'t mut [Lanes<f32>],
    inside: &'t mut [Lanes<f32>],
    from_outside: &'t mut [Lanes<f32>],
    from_inside: &'t mut [Lanes<f32>],
    pub(super) phases: &'t mut [u8],
    tools: Tools<'t>,
}

impl<'t> WorkerTools<'t> {
    pub(super) fn carve(grid: &Grid, scratch: &mut Carver<'t>) -> Result<Self, Error> {
        let (rows, groups) = (grid.longest_column(), grid.groups());
        Ok(Self {
            phases: scratch.take(grid.row_voxels)?,
            outside: scratch.take(rows * groups)?,
            inside: scratch.take(rows * groups)?,
            from_outside: scratch.take(rows)?,
            from_inside: scratch.take(rows)?,
            tools: Tools { nearest: scratch.take(rows)?, candidates: scratch.take(rows)? },
        })
    }
}

/// Columns of one pass, tile by tile.
pub(super) struct ColumnsKernel<'k, 't> {
    pub field: &'k DisjointMut<'k, f32>,
    pub columns: Columns,
    /// How many there are, and how many are read together.
    pub width: usize,
    pub tile: usize,
    pub squares: &'k [f32],
    pub worker: &'k mut WorkerTools<'t>,
    /// On the last pass what values become, and where they go if not to the field.
    pub last: Option<(Product<'k>, Option<&'k dyn FieldRows>)>,
}

impl ColumnsKernel<'_, '_> {
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

impl Kernel<f32> for Exclusive<ColumnsKernel<'_, '_>> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(self, simd: S) {
        let Self(kernel) = self;
        let mut begin = 0;
        while begin < kernel.width {
            let width = kernel.tile.min(kernel.width - begin);
            let tile = Columns { first: kernel.columns.first + begin, ..kernel.columns };
            // SAFETY: promised in `exclusive`.
            unsafe {
                transform_tile(
                    simd,
                    kernel.field,
                    tile,
                    width,
                    kernel.squares,
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

/// What a group of columns holds.
#[derive(Clone, Copy)]
struct Phases {
    outside: bool,
    inside: bool,
}

/// Transforms `width` columns that lie side by side.
///
/// # Safety
/// Nothing else may use their elements of the field.
#[inline(always)]
unsafe fn transform_tile<S: Simd<Real = f32>>(
    simd: S,
    field: &DisjointMut<'_, f32>,
    columns: Columns,
    width: usize,
    squares: &[f32],
    worker: &mut WorkerTools<'_>,
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
    let mut held = [Phases { outside: false, inside: false }; GROUPS];
    for y in 0..n {
        let begin = columns.first + y * columns.stride;
        field.prefetch(begin + width);
        field.prefetch(begin + width + LANES);
        field.prefetch(begin + width + 2 * LANES);
        field.prefetch(begin + width + 3 * LANES);
        // SAFETY: the caller's promise; the part is not used beyond this row.
        let values = unsafe { field.part(begin, width) };
        for (group, values) in values.chunks(LANES).enumerate() {
            let place = group * n + y;
            let phases =
                split(simd, values, worker.outside.get_mut(place), worker.inside.get_mut(place));
            if let Some(held) = held.get_mut(group) {
                held.outside |= phases.outside;
                held.inside |= phases.inside;
            }
        }
    }
    for (group, held) in held.iter().enumerate().take(width.div_ceil(LANES)) {
        let rows = group * n..(group + 1) * n;
        let outside = worker.outside.get_mut(rows.clone()).unwrap_or_default();
        let inside = worker.inside.get(rows).unwrap_or_default();
        let from_outside = worker.from_outside.get_mut(..n).unwrap_or_default();
        let from_inside = worker.from_inside.get_mut(..n).unwrap_or_default();
        match wanted {
            Some(wanted) if held.outside => {
                let wanted = wanted.part(group * LANES, LANES);
                transform_wanted(simd, outside, from_outside, &wanted, squares, &mut worker.tools);
            }
            None if held.outside => {
                transform(simd, outside, from_outside, squares, &mut worker.tools);
            }
            _ => {}
        }
        if held.inside {
            transform(simd, inside, from_inside, squares, &mut worker.tools);
        }
        combine(simd, *held, from_outside, from_inside, last.map(|(product, _)| product), outside);
    }
    for y in 0..n {
        if wanted.is_some_and(|wanted| !any(wanted.row(y))) {
            continue;
        }
        let begin = columns.first + y * columns.stride;
        let groups = worker.outside.iter().skip(y).step_by(n.max(1));
        if let Some((_, Some(rows))) = last {
            let mut flat = [[0.0; LANES]; GROUPS];
            for (to, values) in flat.iter_mut().zip(groups) {
                *to = *values;
            }
            let values = flat.as_flattened().get(..width).unwrap_or_default();
            // SAFETY: the caller's promise; these voxels are no other task's.
            unsafe { rows.write(begin, values) };
            continue;
        }
        // SAFETY: the caller's promise; nothing read from these elements is alive.
        let to = unsafe { field.part_mut(begin, width) };
        let (full, rest) = to.as_chunks_mut();
        let partial = worker.outside.get(full.len() * n + y);
        for (to, values) in full.iter_mut().zip(groups) {
            simd.load(values).store(to);
        }
        for (to, value) in rest.iter_mut().zip(partial.into_iter().flatten()) {
            *to = *value;
        }
    }
}

/// Transforms the rows of a group of columns in which something is wanted; all of them if that
/// turns out to be cheaper.
#[inline(always)]
fn transform_wanted<S: Simd<Real = f32>>(
    simd: S,
    f: &[Lanes<f32>],
    out: &mut [Lanes<f32>],
    wanted: &Wanted<'_>,
    squares: &[f32],
    tools: &mut Tools<'_>,
) {
    let mut steps = LONG_WINDOW * f.len();
    for (y, to) in out.iter_mut().enumerate() {
        let codes = wanted.row(y);
        if !any(codes) {
            continue;
        }
        let mut here = [0.0; LANES];
        for (here, &code) in here.iter_mut().zip(codes) {
            *here = if code == 0 { 0.0 } else { 1.0 };
        }
        let taken = wanted_row(simd, f, y, &here, squares, to);
        match steps.checked_sub(taken) {
            Some(rest) => steps = rest,
            None => return transform(simd, f, out, squares, tools),
        }
    }
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

    /// A part of the columns.
    fn part(&self, begin: usize, width: usize) -> Self {
        let first = self.columns.first + begin;
        let width = width.min(self.width.saturating_sub(begin));
        Self { columns: Columns { first, ..self.columns }, width, ..*self }
    }
}

fn any(codes: &[u8]) -> bool {
    codes.iter().fold(0, |all, code| all | code) != 0
}

/// Positive values to one array, negated negative ones to the other.
#[inline(always)]
fn split<S: Simd<Real = f32>>(
    simd: S,
    values: &[f32],
    outside: Option<&mut Lanes<f32>>,
    inside: Option<&mut Lanes<f32>>,
) -> Phases {
    // Padding like a real column does not widen the search of the others.
    let mut padded = [values.first().copied().unwrap_or_default(); LANES];
    let lanes = match values.first_chunk::<LANES>() {
        Some(lanes) => lanes,
        None => {
            for (to, from) in padded.iter_mut().zip(values) {
                *to = *from;
            }
            &padded
        }
    };
    let (Some(outside), Some(inside)) = (outside, inside) else {
        return Phases { outside: false, inside: false };
    };
    let (zero, value) = (simd.zero(), simd.load(lanes));
    value.larger(zero).store(outside);
    (zero - value).larger(zero).store(inside);
    Phases { outside: S::Vector::any(zero.less(value)), inside: S::Vector::any(value.less(zero)) }
}

/// Puts the two phases together, and on the last pass into the form that is asked for.
#[inline(always)]
fn combine<S: Simd<Real = f32>>(
    simd: S,
    held: Phases,
    from_outside: &[Lanes<f32>],
    from_inside: &[Lanes<f32>],
    last: Option<Product<'_>>,
    to: &mut [Lanes<f32>],
) {
    let zero = simd.zero();
    for ((to, outside), inside) in to.iter_mut().zip(from_outside).zip(from_inside) {
        let outside = if held.outside { simd.load(outside) } else { zero };
        let value = if held.inside { outside - simd.load(inside) } else { outside };
        let value = match last {
            Some(product) => finished(simd, value, product),
            None => value,
        };
        value.store(to);
    }
}

#[inline(always)]
fn finished<S: Simd<Real = f32>>(simd: S, value: S::Vector, product: Product<'_>) -> S::Vector {
    let zero = simd.zero();
    let mut size = value.absolute();
    if product.side == Side::TwoPhase {
        let infinite = simd.splat(f32::INFINITY);
        size = S::Vector::select(size.less(infinite), size, zero);
    }
    if !product.squared {
        size = size.square_root();
    }
    if product.side == Side::Signed {
        S::Vector::select(value.less(zero), zero - size, size)
    } else {
        size
    }
}
