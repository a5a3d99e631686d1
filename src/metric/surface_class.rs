//! The surface metrics of one class, from the distances between its surfaces.
#![forbid(unsafe_code)]

use super::boxes::counts;
use super::class_surfaces::ClassSurfaces;
use super::surface::{ClassState, PercentileConvention, SurfaceResult, ToleranceShares};
use super::surface_scratch::SurfaceScratch;
use crate::error::Error;
use crate::surface::{Directed, Summary, linear_percentile};

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

impl ClassSurfaces<'_> {
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
            ClassState::BothPresent => {
                return self.distances(class, &found, scratch, |there, back| {
                    self.report(there, back, &mut output);
                });
            }
            ClassState::BothEmpty => output.fill(distance, share),
            ClassState::PredictionEmpty | ClassState::ReferenceEmpty => {
                output.fill(distance, share);
                let [prediction, reference] = self.sizes(class, &found, scratch)?;
                output.result.prediction_surface = prediction;
                output.result.reference_surface = reference;
            }
        }
        Ok(())
    }

    /// All metrics from the distances in both directions.
    fn report(
        &self,
        forward: &Directed<'_>,
        backward: &Directed<'_>,
        output: &mut ClassOutput<'_>,
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
                    let of = |directed: &Directed<'_>, summary: &Summary| {
                        linear_percentile(directed.weighted(), summary.size, share)
                    };
                    libm::fmax(of(forward, &there), of(backward, &back))
                }
                PercentileConvention::Pooled => {
                    linear_percentile(forward.weighted().chain(backward.weighted()), both, share)
                }
                PercentileConvention::AreaWeighted => libm::fmax(
                    forward.weighted_percentile(share, there.size),
                    backward.weighted_percentile(share, back.size),
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
