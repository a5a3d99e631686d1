//! The scratch of surface metrics.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::boxes::ClassBox;
use super::row_tasks::task_count;
use super::surface::SurfaceModel;
use crate::distance::{Grid, box_requirement};
use crate::error::Error;
use crate::executor::Claims;
use crate::scratch::{Carver, Requirement};
use crate::surface::{BitVolume, NearOffsets, NearWeights, Pyramid};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// Squares that are looked up beyond the last place of an axis.
const SPARE_SQUARES: usize = 33;

/// Planes, rows and voxels of a row.
pub(super) fn three_axes(extent: &[usize]) -> [usize; 3] {
    match *extent {
        [x] => [1, 1, x],
        [y, x] => [1, y, x],
        [z, y, x] => [z, y, x],
        _ => [0; 3],
    }
}

/// Places for elements in a box of a volume with some axes.
pub(super) const fn element_extent(
    model: SurfaceModel,
    axes: usize,
    [planes, rows, length]: [usize; 3],
) -> [usize; 3] {
    match model {
        SurfaceModel::Voxel => [planes, rows, length],
        SurfaceModel::Surfel => [if axes > 2 { planes + 1 } else { 1 }, rows + 1, length + 1],
    }
}

/// How large the parts of the scratch are.
#[derive(Clone, Copy)]
struct Sizes {
    elements: usize,
    words: usize,
    pyramid: usize,
    squares: usize,
    tasks: usize,
    transform: Requirement,
}

impl Sizes {
    fn new(model: SurfaceModel, extent: &[usize], workers: usize) -> Self {
        let sizes = element_extent(model, extent.len(), three_axes(extent));
        Self {
            elements: sizes.iter().fold(1, |product, &size| product.saturating_mul(size)),
            words: BitVolume::len(sizes),
            pyramid: Pyramid::len(sizes),
            squares: sizes.iter().copied().max().unwrap_or_default().saturating_add(SPARE_SQUARES),
            tasks: task_count(sizes),
            transform: box_requirement(&sizes, workers),
        }
    }

    fn requirement(&self) -> Requirement {
        Requirement::of::<AtomicU64>(self.words)
            .times(5)
            .and(Requirement::of::<AtomicU64>(self.pyramid))
            .and(Requirement::of::<f32>(self.squares).times(3))
            .and(Requirement::of_rows::<AtomicU64>(self.tasks, NEAR_WEIGHTS))
            .and(Requirement::of::<AtomicU64>(self.tasks))
            .and(Claims::requirement(self.tasks))
            .and(Requirement::of::<AtomicU32>(self.elements))
            .and(Requirement::of::<AtomicU8>(self.elements))
            .and(Requirement::of::<f32>(self.elements))
            .and(Requirement::of::<u8>(self.elements))
            .and(self.transform)
    }
}

/// Offsets that weights are noted for.
pub(super) const NEAR_WEIGHTS: usize = size_of::<NearWeights>() / size_of::<f64>();

/// Scratch of a call.
pub(super) struct SurfaceScratch<'s> {
    pub(super) boxes: &'s mut [ClassBox],
    pub(super) masks: [&'s [AtomicU64]; 2],
    pub(super) surfaces: [&'s [AtomicU64]; 2],
    pub(super) left: &'s [AtomicU64],
    pub(super) pyramid: &'s [AtomicU64],
    pub(super) squares: [&'s mut [f32]; 3],
    /// The volume whose steps `squares` holds, and the shortest offsets in it.
    pub(super) steps: Option<(Grid, NearOffsets)>,
    /// `[task][offset]`, and elements that are left of each task.
    pub(super) near: &'s [AtomicU64],
    pub(super) counts: &'s [AtomicU64],
    pub(super) claims: &'s mut [u8],
    /// What is far, of one direction behind the other: an element of both surfaces is not.
    pub(super) squared: &'s [AtomicU32],
    pub(super) codes: &'s [AtomicU8],
    pub(super) field: &'s mut [f32],
    pub(super) wanted: &'s mut [u8],
    pub(super) transform: &'s mut [u8],
}

impl<'s> SurfaceScratch<'s> {
    pub(super) fn requirement(
        model: SurfaceModel,
        extent: &[usize],
        workers: usize,
    ) -> Requirement {
        Sizes::new(model, extent, workers).requirement()
    }

    /// `find_boxes` gets boxes without a voxel, and all other memory.
    pub(super) fn carve(
        model: SurfaceModel,
        pair: &LabelPair<'_>,
        workers: usize,
        scratch: &'s mut [MaybeUninit<u8>],
        find_boxes: impl FnOnce(&mut [ClassBox], &mut [u8]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let sizes = Sizes::new(model, pair.extent, workers);
        let boxes = Requirement::of::<ClassBox>(pair.classes);
        let (mut boxes, mut scratch) = Carver::split(scratch, boxes, sizes.requirement())?;
        let boxes = boxes.take(pair.classes)?;
        let memory = scratch.take_bytes(sizes.requirement())?;
        find_boxes(boxes, memory)?;
        let scratch = &mut Carver::resume(memory);
        Ok(Self {
            boxes,
            masks: [scratch.take(sizes.words)?, scratch.take(sizes.words)?],
            surfaces: [scratch.take(sizes.words)?, scratch.take(sizes.words)?],
            left: scratch.take(sizes.words)?,
            pyramid: scratch.take(sizes.pyramid)?,
            squares: [
                scratch.take(sizes.squares)?,
                scratch.take(sizes.squares)?,
                scratch.take(sizes.squares)?,
            ],
            steps: None,
            near: scratch.take(sizes.tasks * NEAR_WEIGHTS)?,
            counts: scratch.take(sizes.tasks)?,
            claims: scratch.take_bytes(Claims::requirement(sizes.tasks))?,
            squared: scratch.take(sizes.elements)?,
            codes: scratch.take(sizes.elements)?,
            field: scratch.take(sizes.elements)?,
            wanted: scratch.take(sizes.elements)?,
            transform: scratch.take_bytes(sizes.transform)?,
        })
    }
}
