//! The passes over a volume, as tasks of the caller's executor.
//!
//! 1. Rows, and then columns across the rows, of one plane after the other.
//! 2. Columns across the planes, which end in what the caller asked for.
//!
//! In between the volume holds signed squared distances: positive in the background, negative in
//! the foreground. A voxel of the other phase is a parabola of height 0, so that one number serves
//! both phases.
//!
//! Soundness: a task of the first pass writes the planes that it has claimed, one of the second
//! pass the columns that it has claimed; neither reads others.
#![allow(unsafe_code)]

use super::Side;
use super::column::{Tools, transform};
use super::row::{StepRows, Steps};
use crate::disjoint::{DisjointMut, Workers};
use crate::element::{LANES, Lanes};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::scratch::{Carver, Requirement};
use crate::simd::{Kernel, Level, Simd, Vector, dispatch_f32};
use crate::spacing::Spacing;

/// Groups of 16 columns that are read together: four cache lines of a row.
const GROUPS: usize = 4;
/// Rows beyond which fewer groups are read together, to spare scratch.
const LONG_COLUMN: usize = 2048;
/// Voxels of a task, at least.
const TASK_VOXELS: usize = 16 * 1024;
/// Rows up to here are measured in 16 bits.
const SHORT_ROW: usize = i16::MAX as usize;

/// Rows of a mask: 0 for background, 1 for foreground.
pub(crate) trait MaskRows: Sync {
    /// The phases of the voxels from `first` on.
    fn read(&self, first: usize, phases: &mut [u8]);
}

/// Where finished values go.
pub(crate) trait FieldRows: Sync {
    /// Takes the values of the voxels from `first` on.
    fn write(&self, first: usize, values: &[f32]);
}

/// How many parts of a size a whole has.
const fn parts(whole: usize, size: usize) -> usize {
    whole.div_ceil(if size == 0 { 1 } else { size })
}

/// A volume as planes of rows of voxels, without axes of one voxel where that can be had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    planes: usize,
    rows: usize,
    row_voxels: usize,
    /// Squared spacing of planes, rows and voxels.
    squared: [f64; 3],
}

impl Grid {
    pub(crate) fn new(extent: &[usize], spacing: &Spacing) -> Self {
        let mut sizes = [1; 3];
        let mut squared = [1.0; 3];
        let longer = extent.iter().zip(spacing.along()).filter(|&(&size, _)| size > 1);
        let axes = longer.clone().count();
        for (axis, (&size, &step)) in longer.enumerate() {
            // One axis is a row; two are planes of one row each.
            let place = match (axes, axis) {
                (1, _) => 2,
                (2, 0) => 0,
                (2, _) => 2,
                (_, axis) => axis,
            };
            if let (Some(to), Some(square)) = (sizes.get_mut(place), squared.get_mut(place)) {
                *to = size;
                *square = step * step;
            }
        }
        let [planes, rows, row_voxels] = sizes;
        Self { planes, rows, row_voxels, squared }
    }

    pub(crate) const fn voxels(&self) -> usize {
        self.planes * self.rows * self.row_voxels
    }

    const fn plane_voxels(&self) -> usize {
        self.rows * self.row_voxels
    }

    fn longest_column(&self) -> usize {
        self.planes.max(self.rows)
    }

    fn groups(&self) -> usize {
        (LONG_COLUMN * GROUPS / self.longest_column().max(1)).clamp(1, GROUPS)
    }

    fn tile_columns(&self) -> usize {
        self.groups() * LANES
    }

    fn planes_per_task(&self) -> usize {
        parts(TASK_VOXELS, self.plane_voxels()).min(self.planes)
    }

    fn plane_tasks(&self) -> usize {
        parts(self.planes, self.planes_per_task())
    }

    fn columns_per_task(&self) -> usize {
        let tiles = parts(TASK_VOXELS, self.tile_columns() * self.planes);
        let all = parts(self.plane_voxels(), self.tile_columns());
        tiles.min(all) * self.tile_columns()
    }

    fn column_tasks(&self) -> usize {
        parts(self.plane_voxels(), self.columns_per_task())
    }

    const fn short_rows(&self) -> bool {
        self.row_voxels <= SHORT_ROW
    }

    fn step_rows(&self) -> Requirement {
        if self.short_rows() {
            Requirement::of::<u16>(StepRows::<u16>::len(self.row_voxels)).times(2)
        } else {
            Requirement::of::<u32>(StepRows::<u32>::len(self.row_voxels)).times(2)
        }
    }

    fn worker_requirement(&self) -> Requirement {
        let column = Requirement::of::<Lanes<f32>>(self.longest_column());
        self.step_rows()
            .and(Requirement::of::<u8>(self.row_voxels))
            .and(Requirement::of::<Lanes<f32>>(self.longest_column() * self.groups()).times(2))
            .and(column.times(3))
            .and(Requirement::of::<u32>(self.longest_column()))
    }

    fn square_counts(&self) -> [usize; 2] {
        [self.planes + SPARE_SQUARES, self.rows + SPARE_SQUARES]
    }

    /// Scratch of a transform beside the field.
    pub(crate) fn requirement(&self, workers: usize) -> Requirement {
        let [planes, rows] = self.square_counts();
        Requirement::of::<f32>(planes)
            .and(Requirement::of::<f32>(rows))
            .and(Claims::requirement(self.plane_tasks()))
            .and(Claims::requirement(self.column_tasks()))
            .and(self.worker_requirement().times(workers))
    }
}

/// Scratch of a transform of any box inside a volume, beside the field.
pub(crate) fn box_requirement(extent: &[usize], workers: usize) -> Requirement {
    let longest = extent.iter().copied().max().unwrap_or(1);
    let lanes =
        if longest <= LONG_COLUMN { longest * GROUPS } else { longest.max(LONG_COLUMN * GROUPS) };
    let area = longest.saturating_mul(longest).min(extent.iter().product());
    let worker = Requirement::of::<u32>(StepRows::<u32>::len(longest))
        .times(2)
        .and(Requirement::of::<u8>(longest))
        .and(Requirement::of::<Lanes<f32>>(lanes).times(2))
        .and(Requirement::of::<Lanes<f32>>(longest).times(3))
        .and(Requirement::of::<u32>(longest));
    Requirement::of::<f32>(longest + SPARE_SQUARES)
        .times(2)
        .and(Claims::requirement(longest))
        .and(Claims::requirement(area.div_ceil(LANES)))
        .and(worker.times(workers))
}

/// Squares that kernels may look up past the last row.
const SPARE_SQUARES: usize = 8;

/// What a transform makes of a mask.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(crate) side: Side,
    pub(crate) squared: bool,
    pub(crate) level: Level,
}

/// Transforms a mask. `field` has one element per voxel and is written in any case; the values go
/// to `rows` instead, if that is given.
pub(crate) fn transform_volume(
    grid: &Grid,
    product: Product,
    mask: &dyn MaskRows,
    field: &mut [f32],
    rows: Option<&dyn FieldRows>,
    scratch: &mut Carver<'_>,
    workers: usize,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let [plane_count, row_count] = grid.square_counts();
    let [plane_step, row_step, voxel_step] = grid.squared;
    let plane_squares = fill_squares(scratch.take(plane_count)?, plane_step);
    let row_squares = fill_squares(scratch.take(row_count)?, row_step);
    let plane_claims = Claims::new(grid.plane_tasks(), scratch)?;
    let column_claims = Claims::new(grid.column_tasks(), scratch)?;
    let each = grid.worker_requirement();
    let workers = Workers::new(scratch.take_bytes(each.times(workers))?, workers, each.size());
    let field = DisjointMut::new(field);
    run_tasks(grid.plane_tasks(), &plane_claims, executor, &|claim| {
        workers.with(|scratch| {
            let tools = &mut WorkerTools::carve(grid, scratch)?;
            let voxel_step = voxel_step as f32;
            let kernel = PlaneKernel {
                grid,
                product,
                mask,
                field: &field,
                claim,
                voxel_step,
                squares: row_squares,
            };
            if grid.short_rows() {
                let steps = step_rows::<u16>(grid, scratch)?;
                dispatch_f32(product.level, (kernel, steps, tools));
            } else {
                let steps = step_rows::<u32>(grid, scratch)?;
                dispatch_f32(product.level, (kernel, steps, tools));
            }
            Ok(())
        })
    })?;
    run_tasks(grid.column_tasks(), &column_claims, executor, &|claim| {
        workers.with(|scratch| {
            let tools = WorkerTools::carve(grid, scratch)?;
            let kernel = ColumnKernel {
                grid,
                product,
                field: &field,
                rows,
                claim,
                tools,
                squares: plane_squares,
            };
            dispatch_f32(product.level, kernel);
            Ok(())
        })
    })
}

fn fill_squares(squares: &mut [f32], squared_step: f64) -> &[f32] {
    for (t, square) in squares.iter_mut().enumerate() {
        let t = t as f64;
        *square = (t * t * squared_step) as f32;
    }
    squares
}

fn step_rows<'s, T: Steps + crate::scratch::AnyBits>(
    grid: &Grid,
    scratch: &mut Carver<'s>,
) -> Result<StepRows<'s, T>, Error> {
    let length = StepRows::<T>::len(grid.row_voxels);
    Ok(StepRows::new(scratch.take(length)?, scratch.take(length)?, grid.row_voxels))
}

/// A worker's scratch for columns.
struct WorkerTools<'t> {
    /// `[group][row]`.
    outside: &'t mut [Lanes<f32>],
    inside: &'t mut [Lanes<f32>],
    from_outside: &'t mut [Lanes<f32>],
    from_inside: &'t mut [Lanes<f32>],
    phases: &'t mut [u8],
    tools: Tools<'t>,
}

impl<'t> WorkerTools<'t> {
    fn carve(grid: &Grid, scratch: &mut Carver<'t>) -> Result<Self, Error> {
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

/// First pass over some planes.
struct PlaneKernel<'k> {
    grid: &'k Grid,
    product: Product,
    mask: &'k dyn MaskRows,
    field: &'k DisjointMut<'k, f32>,
    claim: &'k Claim,
    voxel_step: f32,
    squares: &'k [f32],
}

impl<T: Steps> Kernel<f32> for (PlaneKernel<'_>, StepRows<'_, T>, &mut WorkerTools<'_>) {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(self, simd: S) {
        let (kernel, mut steps, worker) = self;
        let (grid, side) = (kernel.grid, kernel.product.side);
        let count = grid.planes_per_task();
        let begin = kernel.claim.task() * count;
        for plane in begin..(begin + count).min(grid.planes) {
            let first = plane * grid.plane_voxels();
            for row in 0..grid.rows {
                let first = first + row * grid.row_voxels;
                kernel.mask.read(first, worker.phases);
                // SAFETY: the row lies in a plane of the claimed task.
                let to = unsafe { kernel.field.part_mut(first, grid.row_voxels) };
                steps.measure(worker.phases, kernel.voxel_step, side, to);
            }
            if grid.rows > 1 {
                let columns = Columns { first, stride: grid.row_voxels, rows: grid.rows };
                let (tile, mut begin) = (grid.tile_columns(), 0);
                while begin < grid.row_voxels {
                    let width = tile.min(grid.row_voxels - begin);
                    let tile = Columns { first: columns.first + begin, ..columns };
                    // SAFETY: the columns lie in a plane of the claimed task.
                    unsafe {
                        transform_tile(
                            simd,
                            kernel.field,
                            tile,
                            width,
                            kernel.squares,
                            worker,
                            None,
                        )
                    };
                    begin += width;
                }
            }
        }
    }
}

/// Second pass over some columns.
struct ColumnKernel<'k, 't> {
    grid: &'k Grid,
    product: Product,
    field: &'k DisjointMut<'k, f32>,
    rows: Option<&'k dyn FieldRows>,
    claim: &'k Claim,
    tools: WorkerTools<'t>,
    squares: &'k [f32],
}

impl Kernel<f32> for ColumnKernel<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(mut self, simd: S) {
        let grid = self.grid;
        let count = grid.columns_per_task();
        let mut begin = self.claim.task() * count;
        let end = (begin + count).min(grid.plane_voxels());
        while begin < end {
            let width = grid.tile_columns().min(end - begin);
            let tile = Columns { first: begin, stride: grid.plane_voxels(), rows: grid.planes };
            let last = Some((self.product, self.rows));
            // SAFETY: the columns are those of the claimed task.
            unsafe {
                transform_tile(simd, self.field, tile, width, self.squares, &mut self.tools, last)
            };
            begin += width;
        }
    }
}

/// Where columns lie in the field: their first row begins at `first`, the next ones `stride` later.
#[derive(Clone, Copy)]
struct Columns {
    first: usize,
    stride: usize,
    rows: usize,
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
    last: Option<(Product, Option<&dyn FieldRows>)>,
) {
    let n = columns.rows;
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
        if held.outside {
            transform(simd, outside, from_outside, squares, &mut worker.tools);
        }
        if held.inside {
            transform(simd, inside, from_inside, squares, &mut worker.tools);
        }
        combine(simd, *held, from_outside, from_inside, last.map(|(product, _)| product), outside);
    }
    for y in 0..n {
        let begin = columns.first + y * columns.stride;
        let mut flat = [[0.0; LANES]; GROUPS];
        for (group, to) in flat.iter_mut().enumerate().take(width.div_ceil(LANES)) {
            if let Some(values) = worker.outside.get(group * n + y) {
                *to = *values;
            }
        }
        let values = flat.as_flattened().get(..width).unwrap_or_default();
        if let Some((_, Some(rows))) = last {
            rows.write(begin, values);
            continue;
        }
        // SAFETY: the caller's promise; nothing read from these elements is alive.
        let to = unsafe { field.part_mut(begin, width) };
        for (to, value) in to.iter_mut().zip(values) {
            *to = *value;
        }
    }
}

/// Positive values to one array, negated negative ones to the other.
#[inline(always)]
fn split<S: Simd<Real = f32>>(
    simd: S,
    values: &[f32],
    outside: Option<&mut Lanes<f32>>,
    inside: Option<&mut Lanes<f32>>,
) -> Phases {
    let mut padded = [0.0; LANES];
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
    last: Option<Product>,
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
fn finished<S: Simd<Real = f32>>(simd: S, value: S::Vector, product: Product) -> S::Vector {
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
