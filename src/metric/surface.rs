//! Distances between surfaces: Hausdorff distance and its percentiles, mean distances, surface Dice.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::boxes::{ClassBox, class_boxes};
use super::class_surfaces::ClassSurfaces;
use super::surface_class::ClassOutput;
use super::surface_scratch::{SurfaceScratch, three_axes};
use crate::distance::check_axes;
use crate::error::{Argument, Cause, Error};
use crate::executor::{Executor, MAX_WORKERS, worker_count};
use crate::scratch::{Requirement, uninitialised};
use crate::shape::Shape;
use crate::simd::Level;
use crate::surface::{surfel_areas, surfel_lengths};
use crate::view::check_length;
use core::mem::MaybeUninit;

/// What a surface is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SurfaceModel {
    /// Foreground voxels with a face neighbour in the background, which includes what lies outside
    /// the volume; all weigh 1 (MONAI without sub-voxels, medpy, Metrics Reloaded).
    #[default]
    Voxel,
    /// Neighbourhoods of 2x2x2 voxels (2x2 in the plane) that hold both phases, between the voxels;
    /// each weighs the area (length) of the surface in it (DeepMind's surface-distance, MONAI
    /// `use_subvoxels`). The volume is padded with background. Needs 2 or 3 axes.
    ///
    /// Areas are those of marching cubes on masks, whose facets are too large by a known amount: for
    /// a large ball 1.087 times its area, for a box its area less the bevelled edges.
    Surfel,
}

/// How a percentile is taken of the distances in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PercentileConvention {
    /// That of the tools that use the model: the maximum of the directed ones for voxels, weighted by
    /// area for surfels.
    #[default]
    Automatic,
    /// The larger one of the two directed percentiles, each linear between order statistics: NumPy's
    /// default, MONAI's `compute_hausdorff_distance`.
    MaximumOfDirected,
    /// The percentile of all distances together, linear between order statistics: medpy's `hd95`.
    Pooled,
    /// The larger one of the two directed smallest distances within which that share of the surface
    /// lies: DeepMind's `compute_robust_hausdorff`. The only one that takes weights, so the only one
    /// for [`SurfaceModel::Surfel`].
    AreaWeighted,
}

/// What is reported where a metric is not defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Undefined {
    /// Distance if one of the two masks is empty, infinite.
    pub distance_one_empty: f64,
    /// Surface Dice and overlaps if one is empty, 0.
    pub share_one_empty: f64,
    /// Distance if both are empty, NaN.
    pub distance_both_empty: f64,
    /// Surface Dice and overlaps if both are empty, NaN.
    pub share_both_empty: f64,
}

impl Default for Undefined {
    fn default() -> Self {
        Self {
            distance_one_empty: f64::INFINITY,
            share_one_empty: 0.0,
            distance_both_empty: f64::NAN,
            share_both_empty: f64::NAN,
        }
    }
}

/// Which of the two masks of a class hold a voxel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum ClassState {
    /// The class was left out.
    #[default]
    NotEvaluated = 0,
    /// Both: all metrics are defined.
    BothPresent = 1,
    /// The reference alone.
    PredictionEmpty = 2,
    /// The prediction alone.
    ReferenceEmpty = 3,
    /// None.
    BothEmpty = 4,
}

/// The surface metrics of one class. Distances are in the unit of the spacing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurfaceResult {
    /// Which masks hold a voxel: where not both do, distances are those of [`Undefined`].
    pub state: ClassState,
    /// Voxels of the prediction.
    pub prediction_voxels: u64,
    /// Voxels of the reference.
    pub reference_voxels: u64,
    /// Voxels of both.
    pub common_voxels: u64,
    /// Boundary voxels of the prediction, or the area (in the plane, length) of its surface.
    pub prediction_surface: f64,
    /// The same of the reference.
    pub reference_surface: f64,
    /// Hausdorff distance: the larger one of the directed maxima.
    pub hausdorff: f64,
    /// Largest distance from prediction to reference, and from reference to prediction.
    pub directed_maximum: [f64; 2],
    /// Mean distance from prediction to reference, and from reference to prediction.
    pub directed_mean: [f64; 2],
    /// Average symmetric surface distance: the mean over both surfaces (MONAI
    /// `compute_average_surface_distance(symmetric=True)`).
    pub assd: f64,
    /// Mean average surface distance: the mean of the two directed means (Metrics Reloaded; some
    /// call it ASSD, arXiv 2502.09148 MSD).
    pub masd: f64,
}

/// Shares of the surfaces within a tolerance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct ToleranceShares {
    /// Surface Dice (normalised surface distance): of both surfaces together.
    pub surface_dice: f64,
    /// Of the prediction's surface.
    pub prediction_overlap: f64,
    /// Of the reference's surface.
    pub reference_overlap: f64,
}

/// Where results go.
#[derive(Debug)]
pub struct SurfaceOutput<'a> {
    /// One per class.
    pub classes: &'a mut [SurfaceResult],
    /// `[class][percentile]`.
    pub percentiles: &'a mut [f64],
    /// `[class][tolerance]`.
    pub shares: &'a mut [ToleranceShares],
}

/// Surface metrics of all classes of a pair of label maps.
///
/// Every class is evaluated in the smallest box that holds it in both maps; distances are found once
/// in each direction, whatever is asked for, and only from surface to surface. They are exact, those
/// of a [`DistanceTransform`](crate::DistanceTransform) of the surface; a distance counts as within a tolerance with a
/// relative slack of 1e-6, so that a tolerance that is a multiple of the spacing means what it says.
///
/// ```
/// use segloss::{
///     ClassState, LabelPair, Labels, Sequential, Spacing, SurfaceMetrics, SurfaceOutput,
///     SurfaceResult, ToleranceShares,
/// };
/// let reference = [0u8, 1, 1, 1, 0, 0];
/// let prediction = [0u8, 0, 1, 1, 1, 1];
/// let pair = LabelPair {
///     extent: &[6],
///     spacing: Spacing::millimetres(&[2.0])?,
///     classes: 2,
///     prediction: Labels::U8(&prediction),
///     reference: Labels::U8(&reference),
///     ignore: None,
/// };
/// let metrics = SurfaceMetrics { tolerances: &[2.0], ..SurfaceMetrics::default() };
/// let mut classes = [SurfaceResult::default(); 2];
/// let (mut hd95, mut shares) = ([0.0; 2], [ToleranceShares::default(); 2]);
/// let mut scratch = vec![0; metrics.scratch_bytes(&[6], 2, 1)?];
/// let output = SurfaceOutput { classes: &mut classes, percentiles: &mut hd95, shares: &mut shares };
/// metrics.evaluate(&pair, output, &mut scratch, &Sequential)?;
/// assert_eq!(classes[1].state, ClassState::BothPresent);
/// assert_eq!(classes[1].hausdorff, 4.0);
/// assert_eq!(classes[1].masd, 2.5);
/// assert_eq!(shares[1].surface_dice, 0.75);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceMetrics<'a> {
    /// Voxels by default.
    pub model: SurfaceModel,
    /// Follows the model by default.
    pub convention: PercentileConvention,
    /// From 0 to 100; 95 alone by default. 100 is the Hausdorff distance.
    pub percentiles: &'a [f64],
    /// For surface Dice and overlaps, in the unit of the spacing; none by default.
    pub tolerances: &'a [f64],
    /// Whether class 0 is evaluated; not by default.
    pub include_background: bool,
    /// What stands for undefined values.
    pub undefined: Undefined,
    /// SIMD level; the result is the same bits at all of them.
    pub level: Level,
}

impl Default for SurfaceMetrics<'_> {
    fn default() -> Self {
        Self {
            model: SurfaceModel::Voxel,
            convention: PercentileConvention::Automatic,
            percentiles: &[95.0],
            tolerances: &[],
            include_background: false,
            undefined: Undefined::default(),
            level: Level::Best,
        }
    }
}

impl SurfaceMetrics<'_> {
    /// Bytes of scratch for [`SurfaceMetrics::evaluate`], any alignment: 11 to 12 per
    /// voxel where rows are long (64 bits are the least for a row in each of five masks), and
    /// O(classes + workers x longest axis).
    ///
    /// # Errors
    /// What is wrong with the extent.
    pub fn scratch_bytes(
        &self,
        extent: &[usize],
        classes: usize,
        workers: usize,
    ) -> Result<usize, Error> {
        Shape::planar(1, classes, extent)?;
        let workers = workers.clamp(1, MAX_WORKERS);
        let surfaces = SurfaceScratch::requirement(self.model, extent, workers);
        Requirement::of::<ClassBox>(classes).and(surfaces).bytes()
    }

    /// The convention that is followed.
    pub(super) fn convention(&self) -> PercentileConvention {
        match (self.convention, self.model) {
            (PercentileConvention::Automatic, SurfaceModel::Voxel) => {
                PercentileConvention::MaximumOfDirected
            }
            (PercentileConvention::Automatic, SurfaceModel::Surfel) => {
                PercentileConvention::AreaWeighted
            }
            (named, _) => named,
        }
    }

    fn check(&self, pair: &LabelPair<'_>, output: &OutputParts<'_>) -> Result<(), Error> {
        check_axes(pair.extent, &pair.spacing)?;
        if self.model == SurfaceModel::Surfel {
            if self.convention() != PercentileConvention::AreaWeighted {
                return Err(Error::new(Cause::Option, Argument::Percentiles));
            }
            if pair.extent.len() < 2 {
                return Err(Error::new(Cause::Shape, Argument::Shape).found(1.0).expected(2.0));
            }
        }
        let list = |argument, values: &[f64], largest: f64| match values
            .iter()
            .position(|value| !(0.0..=largest).contains(value))
        {
            None => Ok(()),
            Some(position) => {
                let value = values.get(position).copied().unwrap_or_default();
                Err(Error::new(Cause::Option, argument).at(position).found(value))
            }
        };
        list(Argument::Percentiles, self.percentiles, 100.0)?;
        list(Argument::Tolerances, self.tolerances, LARGEST_TOLERANCE)?;
        let lengths = [
            (Argument::Result, output.classes, 1),
            (Argument::Percentiles, output.percentiles.len(), self.percentiles.len()),
            (Argument::Tolerances, output.shares.len(), self.tolerances.len()),
        ];
        for (argument, found, each) in lengths {
            check_length(argument, found, pair.classes.saturating_mul(each))?;
        }
        Ok(())
    }

    /// Evaluates every class. Nothing is written on an error (but see
    /// [`Cause::Executor`](crate::Cause::Executor)), and the result is the same bits for every
    /// executor and SIMD level. One class is evaluated after the other, so that many small cases are
    /// better run side by side.
    ///
    /// O(voxels + sum over classes of the voxels of their boxes), if surfaces are near each other;
    /// at worst with a factor of log(axis) for the latter.
    ///
    /// # Errors
    /// What is wrong with the pair, the options, the lengths of the output or the scratch.
    pub fn evaluate(
        &self,
        pair: &LabelPair<'_>,
        output: SurfaceOutput<'_>,
        scratch: &mut [u8],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let SurfaceOutput { classes, percentiles, shares } = output;
        let parts = OutputParts { classes: classes.len(), percentiles, shares };
        let mut results = classes.iter_mut();
        let write = &mut |result| {
            if let Some(to) = results.next() {
                *to = result;
            }
        };
        self.evaluate_in(pair, parts, write, uninitialised(scratch), executor)
    }

    /// [`SurfaceMetrics::evaluate`] in memory that need not be initialised; `write` gets the results
    /// of one class after the other.
    pub(crate) fn evaluate_in(
        &self,
        pair: &LabelPair<'_>,
        output: OutputParts<'_>,
        write: &mut dyn FnMut(SurfaceResult),
        scratch: &mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let reader = pair.reader(None)?;
        self.check(pair, &output)?;
        let workers = worker_count(executor);
        let sizes = three_axes(pair.extent);
        let find_boxes = |boxes: &mut [ClassBox], memory: &mut [u8]| {
            class_boxes(&reader, sizes, boxes, memory, workers, executor)
        };
        let mut scratch = SurfaceScratch::carve(self.model, pair, workers, scratch, find_boxes)?;
        let weights = self.weights(pair);
        let mut percentiles = output.percentiles.chunks_mut(self.percentiles.len().max(1));
        let mut shares = output.shares.chunks_mut(self.tolerances.len().max(1));
        for class in 0..output.classes {
            let mut result = SurfaceResult::default();
            let own = ClassOutput {
                result: &mut result,
                percentiles: percentiles.next().unwrap_or_default(),
                shares: shares.next().unwrap_or_default(),
            };
            let surfaces =
                ClassSurfaces { metrics: self, pair, weights: &weights, workers, executor };
            surfaces.evaluate(class, own, &mut scratch)?;
            write(result);
        }
        Ok(())
    }

    /// Weight of every code of an element.
    fn weights(&self, pair: &LabelPair<'_>) -> [f64; 256] {
        match (self.model, pair.spacing.along()) {
            (SurfaceModel::Surfel, &[z, y, x]) => surfel_areas([z, y, x]),
            (SurfaceModel::Surfel, &[y, x]) => {
                let mut weights = [0.0; 256];
                for (weight, length) in weights.iter_mut().zip(surfel_lengths([y, x])) {
                    *weight = length;
                }
                weights
            }
            _ => [1.0; 256],
        }
    }
}

/// Squares of tolerances must be finite.
const LARGEST_TOLERANCE: f64 = 1e18;

/// Where results go that are not handed out one by one.
pub(crate) struct OutputParts<'o> {
    /// Number of results.
    pub classes: usize,
    pub percentiles: &'o mut [f64],
    pub shares: &'o mut [ToleranceShares],
}
