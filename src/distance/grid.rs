//! A volume as the passes see it: how it is cut into tasks, and the scratch that they need.
#![forbid(unsafe_code)]

use super::row::StepRows;
use super::squared::Squared;
use crate::element::{LANES, Lanes};
use crate::executor::Claims;
use crate::scratch::Requirement;
use crate::spacing::Spacing;

/// Vectors of columns that are read together: four cache lines of a row.
pub(super) const GROUPS: usize = 4;
/// Rows beyond which fewer groups are read together, to spare scratch.
const LONG_COLUMN: usize = 2048;
/// Voxels of a task, at least.
const TASK_VOXELS: usize = 16 * 1024;
/// Rows up to here are measured in 8 bits, and in 16.
const BYTE_ROW: usize = 1 << 8;
const SHORT_ROW: usize = 1 << 16;

/// How many parts of a size a whole has.
const fn parts(whole: usize, size: usize) -> usize {
    whole.div_ceil(if size == 0 { 1 } else { size })
}

/// Squared length of a number of steps along a row.
#[inline(always)]
pub(super) fn square_in_row(steps: f32, squared_step: f32) -> f32 {
    steps * steps * squared_step
}

/// Squared lengths of 0, 1, 2, ... steps along a column.
pub(super) fn fill_squares(squares: &mut [f32], squared_step: f64) -> &[f32] {
    for (t, square) in squares.iter_mut().enumerate() {
        let t = t as f64;
        *square = (t * t * squared_step) as f32;
    }
    squares
}

/// What belongs to the axes of an extent, where a [`Grid`] has them: planes, rows, voxels of a row.
/// Axes of one voxel are left out; one axis is a row, two are planes of one row each.
pub(crate) fn by_axis<T: Copy>(
    extent: &[usize],
    values: impl Iterator<Item = T>,
    missing: T,
) -> [T; 3] {
    let axes = extent.iter().filter(|&&size| size > 1).count();
    let mut longer = extent.iter().zip(values).filter(|&(&size, _)| size > 1);
    let mut next = || longer.next().map_or(missing, |(_, value)| value);
    match axes {
        0 => [missing; 3],
        1 => [missing, missing, next()],
        2 => {
            let planes = next();
            [planes, missing, next()]
        }
        _ => {
            let (planes, rows) = (next(), next());
            [planes, rows, next()]
        }
    }
}

/// How squared distances are stored between the passes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredAs {
    /// In 16 bits, in which the last pass computes too.
    Short,
    /// In 16 bits, which suffice for planes.
    ShortInPlanes,
    /// In single precision.
    Single,
}

/// A volume as planes of rows of voxels, without axes of one voxel where that can be had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(super) planes: usize,
    pub(super) rows: usize,
    pub(super) row_voxels: usize,
    /// Squared spacing of planes, rows and voxels.
    pub(super) squared: [f64; 3],
}

impl Grid {
    pub(crate) fn new(extent: &[usize], spacing: &Spacing) -> Self {
        let squares = spacing.along().iter().map(|step| step * step);
        let squared = by_axis(extent, squares, 1.0);
        let [planes, rows, row_voxels] = by_axis(extent, extent.iter().copied(), 1);
        Self { planes, rows, row_voxels, squared }
    }

    /// Planes, rows of a plane, voxels of a row.
    pub(crate) const fn sizes(&self) -> [usize; 3] {
        [self.planes, self.rows, self.row_voxels]
    }

    /// Whether steps along all axes are as long as in another volume.
    pub(crate) fn has_steps_of(&self, other: &Self) -> bool {
        let axes = |grid: &Self| grid.sizes().map(|size| size > 1);
        self.squared == other.squared && axes(self) == axes(other)
    }

    /// Squares of 0, 1, 2, ... steps along each axis, as a transform has them; it adds those along
    /// rows and columns before those across planes, times [`Grid::plane_scale`].
    pub(crate) fn fill_squares(&self, squares: [&mut [f32]; 3]) {
        let [planes, rows, voxels] = squares;
        let [plane_step, row_step, voxel_step] = self.steps();
        fill_squares(planes, plane_step);
        fill_squares(rows, row_step);
        for (t, square) in voxels.iter_mut().enumerate() {
            *square = square_in_row(t as f32, voxel_step as f32);
        }
    }

    pub(crate) const fn voxels(&self) -> usize {
        self.planes * self.rows * self.row_voxels
    }

    pub(super) const fn plane_voxels(&self) -> usize {
        self.rows * self.row_voxels
    }

    pub(super) fn longest_column(&self) -> usize {
        self.planes.max(self.rows)
    }

    pub(super) fn groups(&self) -> usize {
        (LONG_COLUMN * GROUPS / self.longest_column().max(1)).clamp(1, GROUPS)
    }

    /// Squared length of the steps in a plane if they are all as long: they are measured in those
    /// then, by whole numbers, until the last pass.
    pub(crate) fn plane_scale(&self) -> f32 {
        let [_, row, voxel] = self.squared;
        if self.rows == 1 || row == voxel { voxel as f32 } else { 1.0 }
    }

    /// Squared length of steps across planes, across rows and along a row, the last two as they
    /// are before the last pass.
    pub(super) fn steps(&self) -> [f64; 3] {
        let [plane, row, voxel] = self.squared;
        if self.rows == 1 || row == voxel { [plane, 1.0, 1.0] } else { self.squared }
    }

    /// What squared distances are stored as before the last pass.
    pub(super) fn stored(&self) -> StoredAs {
        let sizes = self.sizes();
        let [planes, rows, voxels] = sizes.map(|size| (size - 1).saturating_mul(size - 1));
        let [plane_step, row_step, voxel_step] = self.steps();
        let fits = |columns| columns <= usize::from(u16::MAX - u16::INFINITE);
        let in_planes = rows.saturating_add(voxels) < u16::STORED_INFINITE.into() && fits(rows);
        // Few columns of a row leave much of a vector empty.
        if !in_planes || [row_step, voxel_step] != [1.0; 2] || self.row_voxels <= LANES {
            StoredAs::Single
        } else if plane_step == 1.0 && self.plane_scale() == 1.0 && fits(planes) {
            StoredAs::Short
        } else {
            StoredAs::ShortInPlanes
        }
    }

    pub(super) fn tile_columns(&self) -> usize {
        self.groups() * if self.stored() == StoredAs::Short { u16::COLUMNS } else { f32::COLUMNS }
    }

    pub(super) fn planes_per_task(&self) -> usize {
        parts(TASK_VOXELS, self.plane_voxels()).min(self.planes)
    }

    pub(super) fn plane_tasks(&self) -> usize {
        parts(self.planes, self.planes_per_task())
    }

    /// Voxels after which tiles of the last pass begin anew: those of short numbers lie in one row
    /// each.
    pub(super) fn tiled_row(&self) -> usize {
        if self.stored() == StoredAs::Single { self.plane_voxels() } else { self.row_voxels }
    }

    pub(super) fn columns_per_task(&self) -> usize {
        let single = self.stored() == StoredAs::Single;
        let step = if single { self.tile_columns() } else { self.row_voxels };
        let steps = parts(TASK_VOXELS, step * self.planes);
        let all = parts(self.plane_voxels(), step);
        steps.min(all) * step
    }

    pub(super) fn column_tasks(&self) -> usize {
        parts(self.plane_voxels(), self.columns_per_task())
    }

    /// Bytes of a number of steps along a row.
    pub(super) const fn step_bytes(&self) -> usize {
        if self.row_voxels <= BYTE_ROW {
            1
        } else if self.row_voxels <= SHORT_ROW {
            2
        } else {
            4
        }
    }

    fn step_rows(&self) -> Requirement {
        let length = StepRows::<u32>::len(self.row_voxels);
        let row = match self.step_bytes() {
            1 => Requirement::of::<u8>(length),
            2 => Requirement::of::<u16>(length),
            _ => Requirement::of::<u32>(length),
        };
        row.times(2)
    }

    pub(super) fn worker_requirement(&self) -> Requirement {
        self.step_rows()
            .and(Requirement::of::<u8>(StepRows::<u8>::phases_len(self.row_voxels)))
            .and(Requirement::of::<Lanes<f32>>(self.longest_column() * self.groups()).times(4))
            .and(Requirement::of::<[u32; 2]>(self.longest_column()))
            .and(Requirement::of::<u32>(self.longest_column()))
            .and(Requirement::of::<u8>(self.rows))
    }

    pub(super) fn square_counts(&self) -> [usize; 2] {
        [self.planes + SPARE_SQUARES, self.rows + SPARE_SQUARES]
    }

    /// Scratch of a transform beside the field.
    pub(crate) fn requirement(&self, workers: usize) -> Requirement {
        let [planes, rows] = self.square_counts();
        Requirement::of::<f32>(planes)
            .and(Requirement::of::<f32>(rows))
            .and(Claims::requirement(self.plane_tasks()))
            .and(Claims::requirement(self.column_tasks()))
            .and(Requirement::of::<u8>(self.planes))
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
        .and(Requirement::of::<u8>(StepRows::<u8>::phases_len(longest)))
        .and(Requirement::of::<Lanes<f32>>(lanes).times(4))
        .and(Requirement::of::<[u32; 2]>(longest))
        .and(Requirement::of::<u32>(longest))
        .and(Requirement::of::<u8>(longest));
    Requirement::of::<f32>(longest + SPARE_SQUARES)
        .times(2)
        .and(Claims::requirement(longest))
        .and(Claims::requirement(area.div_ceil(LANES)))
        .and(Requirement::of::<u8>(longest))
        .and(worker.times(workers))
}

/// Squares that kernels may look up past the last row.
const SPARE_SQUARES: usize = 8;
