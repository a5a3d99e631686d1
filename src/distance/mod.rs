//! Exact Euclidean distance transforms of masks with 1 to 3 axes.
//!
//! The distance of a voxel is that between its centre and the centre of the nearest voxel of the
//! other phase (Saito and Toriwaki 1994; SciPy's `distance_transform_edt`). Both phases are found
//! in one go, as one signed field.

mod buffers;
mod column;
mod grid;
mod halving;
mod integers;
mod lanes;
mod row;
mod singles;
mod squared;
mod tile;
mod volume;

use crate::disjoint::DisjointMut;
use crate::error::{Argument, Cause, Error};
use crate::executor::{Executor, MAX_WORKERS, worker_count};
use crate::scratch::{Carver, Requirement, uninitialised};
use crate::shape::Shape;
use crate::simd::Level;
use crate::spacing::Spacing;
use crate::view::{Labels, check_length};
use buffers::HalfRows;
use core::mem::MaybeUninit;
pub(crate) use grid::{Grid, box_requirement, by_axis};
use half::f16;
pub(crate) use volume::{FieldRows, MaskRows, Product, transform_volume};

/// Rows are numbered as f32, which is whole up to here.
pub(crate) const LONGEST_AXIS: usize = 1 << 24;

/// Refuses a spacing of other axes, and an axis whose voxels cannot be numbered.
pub(crate) fn check_axes(extent: &[usize], spacing: &Spacing) -> Result<(), Error> {
    spacing.check_axes(extent)?;
    match extent.iter().position(|&size| size > LONGEST_AXIS) {
        None => Ok(()),
        Some(axis) => {
            let error = Error::new(Cause::Shape, Argument::Shape).at(2 + axis);
            Err(error.expected(LONGEST_AXIS as f64))
        }
    }
}

/// Which voxels are foreground.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// One byte per voxel; what is not 0 is foreground.
    Bytes(&'a [u8]),
    /// One bit per voxel: voxel `i` is bit `i % 8` of byte `i / 8`, the least significant first.
    /// Bits past the last voxel are not read.
    Bits(&'a [u8]),
    /// The voxels of a label map that have this label.
    Label(Labels<'a>, i64),
}

/// What a field holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// At a foreground voxel the distance to the background, 0 elsewhere: SciPy's
    /// `distance_transform_edt(mask)`. Infinite where there is no background.
    Inside,
    /// At a background voxel the distance to the foreground, 0 elsewhere. Infinite where there is
    /// no foreground.
    Outside,
    /// [`Side::Outside`] less [`Side::Inside`]: negative in the foreground.
    #[default]
    Signed,
    /// [`Side::Outside`] plus [`Side::Inside`]: the distance to the other phase. 0 everywhere if
    /// there is only one phase (MONAI's rule).
    TwoPhase,
}

/// Where a field goes, one number per voxel.
#[derive(Debug)]
pub enum FieldMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Half precision, for devices: rounded from f32, infinite beyond 65504. Takes one f32 per
    /// voxel of scratch.
    F16(&'a mut [f16]),
}

/// Element type of a field, for [`DistanceTransform::scratch_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
}

/// The exact Euclidean distance transform of masks of one extent and spacing.
///
/// ```
/// use segloss::{DistanceTransform, FieldType, Mask, Sequential, Side, Spacing};
///
/// let mask = [0u8, 1, 1, 1, 0, 0];
/// let transform = DistanceTransform::new(&[6], Spacing::millimetres(&[0.5])?)?;
/// let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1)?];
/// let mut field = [0.0f32; 6];
/// transform.evaluate(Mask::Bytes(&mask), &mut field[..], &mut scratch, &Sequential)?;
/// assert_eq!(field, [0.5, -0.5, -1.0, -0.5, 0.5, 1.0]);
///
/// let inside = transform.with_side(Side::Inside).squared();
/// inside.evaluate(Mask::Bytes(&mask), &mut field[..], &mut scratch, &Sequential)?;
/// assert_eq!(field, [0.0, 0.25, 1.0, 0.25, 0.0, 0.0]);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DistanceTransform {
    grid: Grid,
    side: Side,
    squared: bool,
    level: Level,
}

impl DistanceTransform {
    /// Signed distances in volumes of 1 to 3 axes, the slowest first.
    ///
    /// # Errors
    /// [`Cause::Shape`] for an extent of 0 or another number of axes, [`Cause::ShapeOverflow`] for
    /// too many voxels, [`Cause::Spacing`] if the spacing has another number of axes.
    pub fn new(extent: &[usize], spacing: Spacing) -> Result<Self, Error> {
        let shape = Shape::planar(1, 1, extent)?;
        check_axes(shape.extent(), &spacing)?;
        let grid = Grid::new(shape.extent(), &spacing);
        Ok(Self { grid, side: Side::Signed, squared: false, level: Level::Best })
    }

    /// Another side than the signed field.
    #[must_use]
    pub const fn with_side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    /// Squared distances, for which no square root is taken; a signed field keeps its sign.
    #[must_use]
    pub const fn squared(mut self) -> Self {
        self.squared = true;
        self
    }

    /// Runs at a lower SIMD level than the processor offers. The result is the same bits.
    #[must_use]
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Bytes of scratch for [`DistanceTransform::evaluate`] with that many
    /// [workers](Executor::workers), any alignment: O(workers x longest axis), and four bytes per
    /// voxel for a field in half precision.
    ///
    /// # Errors
    /// [`Cause::ShapeOverflow`] if that does not fit.
    pub fn scratch_bytes(&self, field: FieldType, workers: usize) -> Result<usize, Error> {
        self.requirement(field, workers).bytes()
    }

    fn requirement(&self, field: FieldType, workers: usize) -> Requirement {
        let workers = workers.clamp(1, MAX_WORKERS);
        let volume = if field == FieldType::F16 { self.grid.voxels() } else { 0 };
        Requirement::of::<f32>(volume).and(self.grid.requirement(workers))
    }

    /// Writes the field of a mask, in the order of the mask.
    ///
    /// The result is the same bits for every executor, worker count and SIMD level. For unit
    /// spacing and `sum of squared extents < 2^24` squared distances are exact and distances are
    /// correctly rounded; else the relative error is below 3e-7, that of squares below 5e-7. O(voxels x log(longest axis)).
    ///
    /// # Errors
    /// Lengths of mask or field, or scratch, that do not fit; the field is then untouched.
    pub fn evaluate<'f>(
        &self,
        mask: Mask<'_>,
        field: impl Into<FieldMut<'f>>,
        scratch: &mut [u8],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        self.evaluate_in(mask, field.into(), uninitialised(scratch), executor)
    }

    /// [`DistanceTransform::evaluate`] in memory that need not be initialised.
    pub(crate) fn evaluate_in(
        &self,
        mask: Mask<'_>,
        field: FieldMut<'_>,
        scratch: &mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let voxels = self.grid.voxels();
        mask.check(voxels)?;
        check_length(Argument::Field, field.len(), voxels)?;
        let workers = worker_count(executor);
        let requirement = self.requirement(field.field_type(), workers);
        let (_, mut scratch) = Carver::split(scratch, Requirement::of::<u8>(0), requirement)?;
        let scratch = &mut scratch;
        let product =
            Product { side: self.side, squared: self.squared, level: self.level, wanted: None };
        let grid = &self.grid;
        match field {
            FieldMut::F32(field) => {
                transform_volume(grid, product, &mask, field, None, scratch, workers, executor)
            }
            FieldMut::F16(field) => {
                let volume = scratch.take(voxels)?;
                let rows = HalfRows(DisjointMut::new(field));
                let rows = Some(&rows as &dyn FieldRows);
                transform_volume(grid, product, &mask, volume, rows, scratch, workers, executor)
            }
        }
    }
}
