//! Exact Euclidean distance transforms of masks with 1 to 3 axes.
//!
//! The distance of a voxel is that between its centre and the centre of the nearest voxel of the
//! other phase (Saito and Toriwaki 1994; SciPy's `distance_transform_edt`). Both phases are found
//! in one go, as one signed field.

use crate::error::{Argument, Cause, Error};
use crate::simd::Level;
use crate::spacing::Spacing;
use crate::view::Labels;
use half::f16;

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
