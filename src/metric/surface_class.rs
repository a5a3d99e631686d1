//! The surface metrics of one class: its masks in its box, their surfaces, the distances between them.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::boxes::{ClassBox, counts, place};
use super::surface::{
    ClassState, PercentileConvention, SurfaceMetrics, SurfaceModel, SurfaceResult, ToleranceShares,
};
use crate::distance::{Grid, Mask, MaskRows, Product, Side, box_requirement, transform_volume};
use crate::error::Error;
use crate::executor::Executor;
use crate::scratch::{Carver, Requirement};
use crate::spacing::Spacing;
use crate::surface::{
    Directed, Histogram, Masks, boundary_voxels, collect, collect_in_place, linear_percentile,
    surfels,
};
use crate::view::Labels;
use core::mem::MaybeUninit;

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
const fn element_extent(
    model: SurfaceModel,
    axes: usize,
    [planes, rows, length]: [usize; 3],
) -> [usize; 3] {
    match model {
        SurfaceModel::Voxel => [planes, rows, length],
        SurfaceModel::Surfel => [if axes > 2 { planes + 1 } else { 1 }, rows + 1, length + 1],
    }
}

/// Scratch of a call.
pub(super) struct SurfaceScratch<'s> {
    pub(super) boxes: &'s mut [ClassBox],
    masks: &'s mut [u8],
    prediction: &'s mut [u8],
    reference: &'s mut [u8],
    field: &'s mut [f32],
    squared: &'s mut [f32],
    rows: &'s mut [u8],
    histogram: &'s mut [Histogram],
    transform: &'s mut [u8],
}

impl<'s> SurfaceScratch<'s> {
    pub(super) fn requirements(
        model: SurfaceModel,
        extent: &[usize],
        workers: usize,
    ) -> (usize, usize, Requirement, Requirement) {
        let sizes = element_extent(model, extent.len(), three_axes(extent));
        let elements = sizes.iter().fold(1usize, |product, &size| product.saturating_mul(size));
        let longest = sizes.iter().copied().max().unwrap_or_default();
        let transform = box_requirement(&sizes, workers);
        let all = Requirement::of::<u8>(elements)
            .times(3)
            .and(Requirement::of::<f32>(elements).times(2))
            .and(Requirement::of::<u8>(longest))
            .and(Requirement::of::<Histogram>(1))
            .and(transform);
        (elements, longest, transform, all)
    }

    pub(super) fn carve(
        model: SurfaceModel,
        pair: &LabelPair<'_>,
        workers: usize,
        scratch: &'s mut [MaybeUninit<u8>],
    ) -> Result<Self, Error> {
        let (elements, longest, transform, requirement) =
            Self::requirements(model, pair.extent, workers);
        let boxes = Requirement::of::<ClassBox>(pair.classes);
        let (mut boxes, mut scratch) = Carver::split(scratch, boxes, requirement)?;
        let scratch = &mut scratch;
        Ok(Self {
            boxes: boxes.take(pair.classes)?,
            masks: scratch.take(elements)?,
            prediction: scratch.take(elements)?,
            reference: scratch.take(elements)?,
            field: scratch.take(elements)?,
            squared: scratch.take(elements)?,
            rows: scratch.take(longest)?,
            histogram: scratch.take(1)?,
            transform: scratch.take_bytes(transform)?,
        })
    }
}

/// Where the results of a class go.
pub(super) struct ClassOutput<'o> {
    pub(super) result: &'o mut SurfaceResult,
    pub(super) percentiles: &'o mut [f64],
    pub(super) shares: &'o mut [ToleranceShares],
}

impl ClassOutput<'_> {
    /// One value for all distances and one for all shares.
    fn fill(&mut self, distance: f64, share: f64) {
        self.result.hausdorff = distance;
        self.result.directed_maximum = [distance; 2];
        self.result.directed_mean = [distance; 2];
        self.result.assd = distance;
        self.result.masd = distance;
        self.percentiles.fill(distance);
        let all = ToleranceShares {
            surface_dice: share,
            prediction_overlap: share,
            reference_overlap: share,
        };
        self.shares.fill(all);
    }
}

/// What the evaluation of every class works on.
pub(super) struct ClassJob<'j> {
    pub(super) metrics: &'j SurfaceMetrics<'j>,
    pub(super) pair: &'j LabelPair<'j>,
    pub(super) weights: &'j [f64; 256],
    pub(super) workers: usize,
    pub(super) executor: &'j dyn Executor,
}

impl ClassJob<'_> {
    pub(super) fn evaluate(
        &self,
        class: usize,
        mut output: ClassOutput<'_>,
        scratch: &mut SurfaceScratch<'_>,
    ) -> Result<(), Error> {
        let found = scratch.boxes.get(class).copied().unwrap_or_default();
        let [prediction_voxels, reference_voxels, common_voxels] = counts(&found);
        *output.result = SurfaceResult {
            prediction_voxels,
            reference_voxels,
            common_voxels,
            ..SurfaceResult::default()
        };
        let undefined = &self.metrics.undefined;
        let (distance, share) = match (prediction_voxels, reference_voxels) {
            (0, 0) => (undefined.distance_both_empty, undefined.share_both_empty),
            _ => (undefined.distance_one_empty, undefined.share_one_empty),
        };
        output.result.state = match (prediction_voxels, reference_voxels) {
            _ if class == 0 && !self.metrics.include_background => ClassState::NotEvaluated,
            (0, 0) => ClassState::BothEmpty,
            (0, _) => ClassState::PredictionEmpty,
            (_, 0) => ClassState::ReferenceEmpty,
            _ => ClassState::BothPresent,
        };
        match output.result.state {
            ClassState::NotEvaluated => output.fill(f64::NAN, f64::NAN),
            ClassState::BothPresent => return self.measure(class, &found, output, scratch),
            ClassState::BothEmpty => output.fill(distance, share),
            ClassState::PredictionEmpty | ClassState::ReferenceEmpty => {
                output.fill(distance, share);
                let sizes = self.elements(class, &found, scratch);
                let count = sizes.iter().product::<usize>();
                let size = |codes: &[u8]| {
                    let codes = codes.get(..count).unwrap_or_default();
                    let of = |code: &u8| self.weights.get(usize::from(*code)).copied();
                    let held = codes.iter().filter(|&&code| code != 0);
                    held.filter_map(of).fold(0.0, |sum, weight| sum + weight)
                };
                output.result.prediction_surface = size(scratch.prediction);
                output.result.reference_surface = size(scratch.reference);
            }
        }
        Ok(())
    }

    /// Finds the elements of both surfaces of a class; returns the extent of their box.
    fn elements(
        &self,
        class: usize,
        found: &ClassBox,
        scratch: &mut SurfaceScratch<'_>,
    ) -> [usize; 3] {
        let (first, extent) = place(found);
        let [planes, rows, length] = extent;
        let voxels = scratch.masks.get_mut(..planes * rows * length).unwrap_or_default();
        self.read_masks(class, first, extent, voxels, scratch.rows);
        let masks = Masks { voxels, extent, axes: self.pair.extent.len() };
        let sizes = element_extent(self.metrics.model, self.pair.extent.len(), extent);
        let count = sizes.iter().product::<usize>();
        let prediction = scratch.prediction.get_mut(..count).unwrap_or_default();
        let reference = scratch.reference.get_mut(..count).unwrap_or_default();
        match self.metrics.model {
            SurfaceModel::Voxel => boundary_voxels(&masks, scratch.rows, prediction, reference),
            SurfaceModel::Surfel => surfels(&masks, prediction, reference),
        }
        sizes
    }

    /// The masks of a class in a box: bit 0 the prediction's, bit 1 the reference's.
    fn read_masks(
        &self,
        class: usize,
        [z0, y0, x0]: [usize; 3],
        [_, rows, length]: [usize; 3],
        voxels: &mut [u8],
        buffer: &mut [u8],
    ) {
        let [_, all_rows, all_voxels] = three_axes(self.pair.extent);
        let label = class as i64;
        let ignore = self.pair.ignore;
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        for (index, to) in voxels.chunks_exact_mut(length.max(1)).enumerate() {
            let (z, y) = (z0 + index / rows.max(1), y0 + index % rows.max(1));
            let first = (z * all_rows + y) * all_voxels + x0;
            let read = |labels: Labels<'_>, label: i64, phases: &mut [u8]| {
                Mask::Label(labels, label).read(first, phases);
            };
            read(self.pair.prediction, label, to);
            read(self.pair.reference, label, buffer);
            for (to, reference) in to.iter_mut().zip(&*buffer) {
                *to |= reference << 1;
            }
            if let Some(ignore) = ignore {
                read(self.pair.reference, ignore, buffer);
                for (to, ignored) in to.iter_mut().zip(&*buffer) {
                    *to = if *ignored == 0 { *to } else { 0 };
                }
            }
        }
    }

    /// Writes the squared distance to the nearest element of `codes` at every element of `wanted`.
    fn distances(
        &self,
        sizes: [usize; 3],
        codes: &[u8],
        wanted: &[u8],
        field: &mut [f32],
        memory: &mut [u8],
    ) -> Result<(), Error> {
        let axes = self.pair.extent.len();
        let extent = sizes.get(3 - axes..).unwrap_or_default();
        let spacing: &Spacing = &self.pair.spacing;
        let grid = Grid::new(extent, spacing);
        let level = self.metrics.level;
        let product = Product { side: Side::Outside, squared: true, level, wanted: Some(wanted) };
        let mask = Mask::Bytes(codes);
        let scratch = &mut Carver::resume(memory);
        let (workers, executor) = (self.workers, self.executor);
        transform_volume(&grid, product, &mask, field, None, scratch, workers, executor)
    }

    fn measure(
        &self,
        class: usize,
        found: &ClassBox,
        mut output: ClassOutput<'_>,
        scratch: &mut SurfaceScratch<'_>,
    ) -> Result<(), Error> {
        let sizes = self.elements(class, found, scratch);
        let count = sizes.iter().product::<usize>();
        let prediction = scratch.prediction.get_mut(..count).unwrap_or_default();
        let reference = scratch.reference.get_mut(..count).unwrap_or_default();
        let field = scratch.field.get_mut(..count).unwrap_or_default();
        self.distances(sizes, reference, prediction, field, scratch.transform)?;
        let forward = collect(field, prediction, scratch.squared, scratch.masks);
        self.distances(sizes, prediction, reference, field, scratch.transform)?;
        let backward = collect_in_place(field, reference);
        let directed = |squared, codes| Directed { squared, codes, weights: self.weights };
        let forward = directed(
            scratch.squared.get(..forward).unwrap_or_default(),
            scratch.masks.get(..forward).unwrap_or_default(),
        );
        let backward = directed(
            field.get(..backward).unwrap_or_default(),
            reference.get(..backward).unwrap_or_default(),
        );
        for histogram in scratch.histogram.iter_mut() {
            self.report(&forward, &backward, &mut output, histogram);
        }
        Ok(())
    }

    /// All metrics from the distances in both directions.
    fn report(
        &self,
        forward: &Directed<'_>,
        backward: &Directed<'_>,
        output: &mut ClassOutput<'_>,
        histogram: &mut Histogram,
    ) {
        let (there, back) = (forward.summary(), backward.summary());
        let both = there.size + back.size;
        let result = &mut *output.result;
        result.prediction_surface = there.size;
        result.reference_surface = back.size;
        result.directed_maximum = [there.largest, back.largest];
        result.hausdorff = libm::fmax(there.largest, back.largest);
        result.directed_mean = [there.sum / there.size, back.sum / back.size];
        result.assd = (there.sum + back.sum) / both;
        let [a, b] = result.directed_mean;
        result.masd = (a + b) / 2.0;
        for (to, percentile) in output.percentiles.iter_mut().zip(self.metrics.percentiles) {
            let share = percentile / 100.0;
            *to = match self.metrics.convention() {
                PercentileConvention::MaximumOfDirected | PercentileConvention::Automatic => {
                    let mut of = |directed: &Directed<'_>| {
                        let squared = directed.squared.iter().copied();
                        linear_percentile(squared, directed.squared.len(), share, histogram)
                    };
                    libm::fmax(of(forward), of(backward))
                }
                PercentileConvention::Pooled => {
                    let squared = forward.squared.iter().chain(backward.squared).copied();
                    let count = forward.squared.len() + backward.squared.len();
                    linear_percentile(squared, count, share, histogram)
                }
                PercentileConvention::AreaWeighted => libm::fmax(
                    forward.weighted_percentile(share, there.size, histogram),
                    backward.weighted_percentile(share, back.size, histogram),
                ),
            };
        }
        for (to, &tolerance) in output.shares.iter_mut().zip(self.metrics.tolerances) {
            let (there_within, back_within) =
                (forward.within(tolerance), backward.within(tolerance));
            *to = ToleranceShares {
                surface_dice: (there_within + back_within) / both,
                prediction_overlap: there_within / there.size,
                reference_overlap: back_within / back.size,
            };
        }
    }
}
