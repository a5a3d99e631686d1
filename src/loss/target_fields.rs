//! Fields of a target, to be kept as long as its label map does not change.
#![forbid(unsafe_code)]

use super::masks::TargetMask;
use crate::distance::{Grid, Product, Side, check_axes, transform_volume};
use crate::error::{Argument, Cause, Error};
use crate::executor::{Executor, MAX_WORKERS, worker_count};
use crate::scratch::{Carver, Requirement, uninitialised};
use crate::shape::Shape;
use crate::simd::Level;
use crate::spacing::Spacing;
use crate::view::{Target, check_length};
use core::mem::MaybeUninit;

/// Bytes of scratch for [`target_fields`], O(workers x longest axis).
///
/// # Errors
/// [`Cause::Spacing`] if the spacing has another number of axes than the shape.
pub fn target_fields_scratch_bytes(
    shape: &Shape,
    spacing: &Spacing,
    workers: usize,
) -> Result<usize, Error> {
    check_axes(shape.extent(), spacing)?;
    let workers = workers.clamp(1, MAX_WORKERS);
    Grid::new(shape.extent(), spacing).requirement(workers).bytes()
}

/// Signed squared distances to every class of a target, `[batch][class][voxel]`, for
/// [`Fields`](super::Fields): negative inside, infinite for a class that fills its sample or is not
/// there.
///
/// A voxel with the ignore label belongs to no class; a dense target is cut above 0.5. Labels are
/// not checked here. O(batch x classes x voxels x log(axis)).
///
/// ```
/// use segloss::{Sequential, Shape, Spacing, Target, target_fields, target_fields_scratch_bytes};
/// let shape = Shape::planar(1, 2, &[4])?;
/// let spacing = Spacing::voxels(1)?;
/// let mut scratch = vec![0; target_fields_scratch_bytes(&shape, &spacing, 1)?];
/// let mut fields = [0.0f32; 8];
/// let target = Target::labels(&[0u8, 0, 0, 1][..]);
/// target_fields(&shape, &target, &spacing, &mut fields, &mut scratch, &Sequential)?;
/// assert_eq!(fields, [-9.0, -4.0, -1.0, 1.0, 9.0, 4.0, 1.0, -1.0]);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// Lengths, spacing or scratch that do not fit, or a target of tree nodes; the fields are then
/// untouched.
pub fn target_fields(
    shape: &Shape,
    target: &Target<'_>,
    spacing: &Spacing,
    fields: &mut [f32],
    scratch: &mut [u8],
    executor: &dyn Executor,
) -> Result<(), Error> {
    let scratch = uninitialised(scratch);
    target_fields_in(Level::Best, shape, target, spacing, fields, scratch, executor)
}

/// [`target_fields`] at a SIMD level, in memory that need not be initialised.
pub(crate) fn target_fields_in(
    level: Level,
    shape: &Shape,
    target: &Target<'_>,
    spacing: &Spacing,
    fields: &mut [f32],
    scratch: &mut [MaybeUninit<u8>],
    executor: &dyn Executor,
) -> Result<(), Error> {
    let voxels = match target {
        Target::Labels { .. } => shape.batch_voxels(),
        Target::Dense(_) => shape.elements(),
        Target::Nodes { .. } => return Err(Error::new(Cause::TargetKind, Argument::Target)),
    };
    check_length(Argument::Target, target.len(), voxels)?;
    check_length(Argument::Field, fields.len(), shape.elements())?;
    check_axes(shape.extent(), spacing)?;
    let grid = Grid::new(shape.extent(), spacing);
    let workers = worker_count(executor);
    let requirement = grid.requirement(workers);
    let nothing = Requirement::of::<u8>(0);
    let memory = Carver::split(scratch, nothing, requirement)?.1.take_bytes(requirement)?;
    let product = Product { side: Side::Signed, squared: true, level, wanted: None };
    let parts = fields.chunks_exact_mut(shape.voxels().max(1)).enumerate();
    for (index, field) in parts {
        let classes = shape.classes().max(1);
        let mask = TargetMask { target, shape, sample: index / classes, class: index % classes };
        let scratch = &mut Carver::resume(memory);
        transform_volume(&grid, product, &mask, field, None, scratch, workers, executor)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::executor::Sequential;
    use crate::simd::LEVELS;
    use std::vec::Vec;

    #[test]
    fn levels_give_the_same_bits() {
        let (extent, classes) = ([9, 20, 37], 3);
        let shape = Shape::planar(2, classes, &extent).unwrap();
        let spacing = Spacing::millimetres(&[3.0, 0.7, 0.8]).unwrap();
        let labels: Vec<u8> = (0..shape.batch_voxels()).map(|i| (i * i / 4099 % 3) as u8).collect();
        let target = Target::labels(&labels[..]);
        let at = |level| {
            let bytes = target_fields_scratch_bytes(&shape, &spacing, 1).unwrap();
            let mut scratch = std::vec![0; bytes];
            let mut fields = std::vec![f32::NAN; shape.elements()];
            let scratch = uninitialised(&mut scratch);
            target_fields_in(level, &shape, &target, &spacing, &mut fields, scratch, &Sequential)
                .unwrap();
            fields
        };
        let plain = at(Level::Plain);
        assert!(plain.iter().all(|distance| distance.is_finite()));
        for level in LEVELS.into_iter().chain([Level::Best]) {
            assert!(at(level) == plain, "{level:?}: other bits");
        }
    }
}
