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
use super::grid::{Grid, StoredAs};
use super::lanes::{Numbers, Scaled, Whole};
use super::row::{BOTH, StepRows, Steps, rows_together};
use super::squared::Squared;
use super::tile::{Columns, ColumnsKernel, WorkerTools};
use crate::disjoint::{DisjointMut, Workers};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::scratch::{AnyBits, Carver};
use crate::simd::{Kernel, Level, Simd, dispatch_f32};
use core::marker::PhantomData;

/// Rows of a mask: 0 for background, 1 for foreground.
pub(crate) trait MaskRows: Sync {
    /// The phases of the voxels from `first` on.
    fn read(&self, first: usize, phases: &mut [u8]);
}

/// Where finished values go.
pub(crate) trait FieldRows: Sync {
    /// Takes the values of the voxels from `first` on.
    ///
    /// # Safety
    /// No two threads may write the same voxel at the same time.
    unsafe fn write(&self, first: usize, values: &[f32]);
}

/// What a transform makes of a mask.
#[derive(Clone, Copy)]
pub(crate) struct Product<'p> {
    pub(crate) side: Side,
    pub(crate) squared: bool,
    pub(crate) level: Level,
    /// Voxels that are wanted of a squared field of one side are not 0 here; what the field holds
    /// elsewhere means nothing.
    pub(crate) wanted: Option<&'p [u8]>,
}

/// Transforms a mask. `field` has one element per voxel and is written in any case; the values go
/// to `rows` instead, if that is given.
pub(crate) fn transform_volume(
    grid: &Grid,
    product: Product<'_>,
    mask: &dyn MaskRows,
    field: &mut [f32],
    rows: Option<&dyn FieldRows>,
    scratch: &mut Carver<'_>,
    workers: usize,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let field = &DisjointMut::new(field);
    let transform = Transform { grid, product, mask, field, rows };
    let scale = grid.plane_scale();
    match grid.stored() {
        StoredAs::Short => transform.run(Whole, Whole, scratch, workers, executor),
        StoredAs::ShortInPlanes => {
            transform.run(Whole, Scaled::new(scale), scratch, workers, executor)
        }
        StoredAs::Single => {
            let unscaled = Scaled::<f32>::new(1.0);
            transform.run(unscaled, Scaled::new(scale), scratch, workers, executor)
        }
    }
}

/// All passes over a volume. What is stored lies at the beginning of its tile's elements of the field
/// until the last one.
struct Transform<'p> {
    grid: &'p Grid,
    product: Product<'p>,
    mask: &'p dyn MaskRows,
    field: &'p DisjointMut<'p, f32>,
    rows: Option<&'p dyn FieldRows>,
}

impl Transform<'_> {
    fn run<V: Squared, P: Numbers<Stored = V, Value = V>, L: Numbers<Stored = V>>(
        &self,
        in_plane: P,
        across: L,
        scratch: &mut Carver<'_>,
        workers: usize,
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let grid = self.grid;
        let [plane_count, row_count] = grid.square_counts();
        let [plane_step, row_step, _] = grid.steps();
        let plane_squares = L::Value::fill_squares(scratch.take(plane_count)?, plane_step);
        let row_squares = V::fill_squares(scratch.take(row_count)?, row_step);
        let plane_claims = Claims::new(grid.plane_tasks(), scratch)?;
        let column_claims = Claims::new(grid.column_tasks(), scratch)?;
        let plane_phases = &DisjointMut::new(scratch.take(grid.planes)?);
        let each = grid.worker_requirement();
        let at_once = workers;
        let workers = Workers::new(scratch.take_bytes(each.times(workers))?, workers, each.size());
        run_tasks(grid.plane_tasks(), &plane_claims, executor, &|claim| {
            workers.with(|scratch| match grid.step_bytes() {
                2 if V::LONG_ROWS => {
                    self.planes::<u16, P>(in_plane, claim, row_squares, plane_phases, scratch)
                }
                4 if V::LONG_ROWS => {
                    self.planes::<u32, P>(in_plane, claim, row_squares, plane_phases, scratch)
                }
                _ => self.planes::<u8, P>(in_plane, claim, row_squares, plane_phases, scratch),
            })
        })?;
        run_tasks(grid.column_tasks(), &column_claims, executor, &|claim| {
            workers.with(|scratch| {
                let part = apart(claim.task(), grid.column_tasks(), at_once);
                let first = part * grid.columns_per_task();
                let end = (first + grid.columns_per_task()).min(grid.plane_voxels());
                let kernel = ColumnsKernel {
                    numbers: across,
                    field: self.field,
                    columns: Columns { first, stride: grid.plane_voxels(), rows: grid.planes },
                    width: end.saturating_sub(first),
                    tile: grid.tile_columns(),
                    row: grid.tiled_row(),
                    squares: plane_squares,
                    // SAFETY: nothing writes them any more.
                    phases: unsafe { plane_phases.part(0, grid.planes) },
                    side: self.product.side,
                    worker: &mut WorkerTools::carve(grid, scratch)?,
                    last: Some((self.product, self.rows)),
                };
                // SAFETY: the columns are those of the claimed task: `apart` gives each a part of its own.
                dispatch_f32(self.product.level, unsafe { kernel.exclusive() });
                Ok(())
            })
        })
    }

    /// Rows and columns of the planes of a task.
    fn planes<T: Steps + AnyBits, N: Numbers>(
        &self,
        numbers: N,
        claim: &Claim,
        squares: &[N::Value],
        plane_phases: &DisjointMut<'_, u8>,
        scratch: &mut Carver<'_>,
    ) -> Result<(), Error> {
        let (grid, level) = (self.grid, self.product.level);
        let worker = &mut WorkerTools::carve(grid, scratch)?;
        let length = StepRows::<T>::len(grid.row_voxels);
        let (now, next) = (scratch.take(length)?, scratch.take(length)?);
        let phases = scratch.take(StepRows::<T>::phases_len(grid.row_voxels))?;
        let steps = &mut StepRows::<T>::new(phases, now, next, grid.row_voxels);
        let row_phases = scratch.take::<u8>(grid.rows)?;
        let begin = claim.task() * grid.planes_per_task();
        let end = (begin + grid.planes_per_task()).min(grid.planes);
        for plane in begin..end {
            let first = plane * grid.plane_voxels();
            // SAFETY: the plane is one of the claimed task.
            let rows = unsafe { RowsKernel::<T, N::Stored>::new(self, first, steps, row_phases) };
            dispatch_f32(level, rows);
            let phase = phase_of_all(row_phases);
            // SAFETY: as above.
            unsafe { plane_phases.part_mut(plane, 1) }.fill(phase);
            if grid.rows > 1 && phase == BOTH {
                let kernel = ColumnsKernel {
                    numbers,
                    field: self.field,
                    columns: Columns { first, stride: grid.row_voxels, rows: grid.rows },
                    width: grid.row_voxels,
                    tile: grid.tile_columns(),
                    row: grid.row_voxels,
                    squares,
                    phases: row_phases,
                    side: self.product.side,
                    worker,
                    last: None,
                };
                // SAFETY: the plane is one of the claimed task.
                dispatch_f32(level, unsafe { kernel.exclusive() });
            }
        }
        Ok(())
    }
}

/// The part of a whole of `parts` that is some task's: tasks that are run at once, one after the
/// other, are far apart. Beside each other they would fetch ahead what the other one is writing. No
/// two tasks have the same part.
fn apart(task: usize, parts: usize, at_once: usize) -> usize {
    let at_once = at_once.max(1);
    let (turn, worker) = (task / at_once, task % at_once);
    worker * (parts / at_once) + worker.min(parts % at_once) + turn
}

/// The phase of rows that all have the same, or [`BOTH`].
fn phase_of_all(rows: &[u8]) -> u8 {
    let first = rows.first().copied().unwrap_or(BOTH);
    if rows.iter().all(|&row| row == first) { first } else { BOTH }
}

/// Rows of the plane that begins at `first`. Nothing is stored of those that have one phase.
struct RowsKernel<'k, 's, T, V> {
    pass: &'k Transform<'k>,
    first: usize,
    steps: &'k mut StepRows<'s, T>,
    phases: &'k mut [u8],
    values: PhantomData<V>,
}

impl<'k, 's, T: Steps, V: Squared> RowsKernel<'k, 's, T, V> {
    /// # Safety
    /// Nothing else may use the plane's elements of the field until the kernel has run.
    const unsafe fn new(
        pass: &'k Transform<'k>,
        first: usize,
        steps: &'k mut StepRows<'s, T>,
        phases: &'k mut [u8],
    ) -> Self {
        Self { pass, first, steps, phases, values: PhantomData }
    }
}

impl<T: Steps, V: Squared> Kernel<f32> for RowsKernel<'_, '_, T, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = f32>>(self, _: S) {
        let Self { pass, first, steps, phases, .. } = self;
        let (grid, side) = (pass.grid, pass.product.side);
        let [_, _, voxel_step] = grid.steps().map(|step| step as f32);
        let (length, tile) = (grid.row_voxels, grid.tile_columns().max(1));
        let together = rows_together(length).max(1);
        for first_row in (0..grid.rows).step_by(together) {
            let rows = together.min(grid.rows - first_row);
            let begin_of = |row| first + (first_row + row) * length;
            for row in 0..rows {
                steps.read(row, |phases| pass.mask.read(begin_of(row), phases));
            }
            steps.measure(rows);
            for (row, phase) in phases.iter_mut().skip(first_row).take(rows).enumerate() {
                *phase = steps.phase(row);
                if *phase != BOTH {
                    continue;
                }
                for begin in (0..length).step_by(tile) {
                    let width = tile.min(length - begin);
                    // SAFETY: promised in `new`; the part is not used beyond this tile.
                    let to = unsafe { pass.field.part_as::<V>(begin_of(row) + begin, width) };
                    steps.write(row, begin, voxel_step, side, to);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::apart;
    use std::vec::Vec;

    #[test]
    fn every_part_is_one_task_s() {
        for parts in 0..40 {
            for at_once in 0..9 {
                let mut all: Vec<usize> =
                    (0..parts).map(|task| apart(task, parts, at_once)).collect();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..parts), "{parts} parts, {at_once} at once");
            }
        }
    }
}
