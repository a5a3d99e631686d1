//! What well-known tools mean by the same names.
//!
//! Read from the sources of MONAI 1.6.1, google-deepmind/surface-distance 0.1, medpy 0.5.2 and
//! MetricsReloaded.

use crate::measure::Surfaces;
use segloss::{PercentileConvention, SurfaceModel};

/// The tool whose definitions and names are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    /// Voxel surfaces; larger of the two directed percentiles
    Monai,
    /// Surface elements weighted by their area
    Deepmind,
    /// Voxel surfaces; percentile of the distances of both sides together
    Medpy,
    /// Voxel surfaces; larger of the two directed percentiles; ASSD and MASD
    MetricsReloaded,
}

/// The end of `--help`.
pub(crate) const HELP: &str = "\
Conventions:
  Without --like: boundary voxels; HD95 is the larger of the two directed percentiles; ASSD is the
  mean over the distances of both sides together; MASD is the mean of the two directed means.

  --like            surface   HD95                 mean distances
  monai             voxels    larger of directed   ASD: prediction to reference (symmetric=False)
                                                   ASSD: both sides together (symmetric=True;
                                                   MASD before MONAI 0.9)
  deepmind          elements  larger of directed,  one for each direction, weighted by area
                              weighted by area
  medpy             voxels    both sides together  ASD: prediction to reference
                                                   ASSD: both sides together (MASD before 0.5)
  metrics-reloaded  voxels    larger of directed   ASSD: both sides together
                                                   MASD: mean of the two directed means

  Voxels: a voxel with a face neighbour outside is surface; what lies beyond the image is outside.
  Elements: neighbourhoods of 2x2x2 voxels (2-D: 2x2) with both phases, which count with the area
  (2-D: length) of the surface in them; MONAI has them as use_subvoxels.
  NSD@t is the share of both surfaces that is within t mm of the other, in every convention.
  For an empty mask the tools return inf, NaN, 0 or an error. Here distances are then \"-\" and the
  state says why; Dice, IoU and NSD are 0 where one side is empty.

Undefined numbers are empty in CSV and null in JSON, whose columns are the same in every convention.
Exit status: 0 if every case was measured, else 1.";

/// A column of mean distances.
pub(crate) struct Mean {
    pub(crate) title: &'static str,
    pub(crate) of: fn(&Surfaces) -> f64,
}

const ASSD: Mean = Mean { title: "ASSD", of: |surfaces| surfaces.assd };
const MASD: Mean = Mean { title: "MASD", of: |surfaces| surfaces.masd };
const ASD: Mean = Mean { title: "ASD", of: |surfaces| surfaces.directed_mean[0] };
const TO_REFERENCE: Mean = Mean { title: "mean P>R", of: |surfaces| surfaces.directed_mean[0] };
const TO_PREDICTION: Mean = Mean { title: "mean R>P", of: |surfaces| surfaces.directed_mean[1] };

/// How surfaces are measured, and which means are shown.
pub(crate) struct Convention {
    pub(crate) name: &'static str,
    pub(crate) model: SurfaceModel,
    pub(crate) percentile: PercentileConvention,
    pub(crate) means: &'static [Mean],
}

impl Convention {
    pub(crate) fn of(tool: Option<Tool>) -> Self {
        let voxels =
            |name, percentile, means| Self { name, model: SurfaceModel::Voxel, percentile, means };
        let directed = PercentileConvention::MaximumOfDirected;
        match tool {
            None => voxels("segloss", directed, &[ASSD, MASD]),
            Some(Tool::Monai) => voxels("monai", directed, &[ASD, ASSD]),
            Some(Tool::Medpy) => voxels("medpy", PercentileConvention::Pooled, &[ASD, ASSD]),
            Some(Tool::MetricsReloaded) => voxels("metrics-reloaded", directed, &[ASSD, MASD]),
            Some(Tool::Deepmind) => Self {
                name: "deepmind",
                model: SurfaceModel::Surfel,
                percentile: PercentileConvention::AreaWeighted,
                means: &[TO_REFERENCE, TO_PREDICTION],
            },
        }
    }

    pub(crate) const fn model_name(&self) -> &'static str {
        match self.model {
            SurfaceModel::Surfel => "surface elements",
            _ => "boundary voxels",
        }
    }

    pub(crate) const fn percentile_name(&self) -> &'static str {
        match self.percentile {
            PercentileConvention::Pooled => "both sides together",
            PercentileConvention::AreaWeighted => "larger of directed, weighted by area",
            _ => "larger of directed",
        }
    }
}
