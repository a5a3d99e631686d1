//! The plain structs and numbers of surface metrics.
#![allow(non_camel_case_types)]

use super::types::segloss_doubles;

/// Surface: foreground voxels with a face neighbour in the background.
pub const SEGLOSS_SURFACE_VOXEL: u32 = 0;
/// Surface: neighbourhoods of 2x2x2 (2x2) voxels of both phases, weighed by the area in them.
pub const SEGLOSS_SURFACE_SURFEL: u32 = 1;

/// Percentile: the larger directed one, linear between order statistics (MONAI).
pub const SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED: u32 = 0;
/// Percentile: of all distances together, linear between order statistics (medpy).
pub const SEGLOSS_PERCENTILE_POOLED: u32 = 1;
/// Percentile: the larger directed distance within which that share of the surface lies (DeepMind).
pub const SEGLOSS_PERCENTILE_AREA_WEIGHTED: u32 = 2;
/// Percentile: as the tools that use the model: the maximum of directed ones for voxels,
/// area-weighted for surfels.
pub const SEGLOSS_PERCENTILE_AUTOMATIC: u32 = 3;

/// The class was left out.
pub const SEGLOSS_CLASS_NOT_EVALUATED: u32 = 0;
/// Both masks hold a voxel: all metrics are defined.
pub const SEGLOSS_CLASS_BOTH_PRESENT: u32 = 1;
/// The reference alone holds a voxel.
pub const SEGLOSS_CLASS_PREDICTION_EMPTY: u32 = 2;
/// The prediction alone holds a voxel.
pub const SEGLOSS_CLASS_REFERENCE_EMPTY: u32 = 3;
/// None holds a voxel.
pub const SEGLOSS_CLASS_BOTH_EMPTY: u32 = 4;

/// What surface metrics are computed, and how. Fill it with `segloss_surface_options_init`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_surface_options {
    /// `sizeof(segloss_surface_options)` of the caller.
    pub size: u64,
    /// `SEGLOSS_SURFACE_...`, voxels by default.
    pub model: u32,
    /// `SEGLOSS_PERCENTILE_...`, automatic by default; surfels take the area-weighted one alone.
    pub convention: u32,
    /// Percentiles from 0 to 100; none by default.
    pub percentiles: segloss_doubles,
    /// Tolerances of surface Dice and overlaps, in the unit of the spacing; none by default.
    pub tolerances: segloss_doubles,
    /// Not 0: class 0 is evaluated as well.
    pub include_background: u32,
    /// `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
    pub level: u32,
    /// Distance if one mask is empty, infinite by default.
    pub distance_one_empty: f64,
    /// Surface Dice and overlaps if one mask is empty, 0 by default.
    pub share_one_empty: f64,
    /// Distance if both masks are empty, NaN by default.
    pub distance_both_empty: f64,
    /// Surface Dice and overlaps if both masks are empty, NaN by default.
    pub share_both_empty: f64,
}

/// The surface metrics of one class; distances in the unit of the spacing.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_surface_result {
    /// `SEGLOSS_CLASS_...`: which masks hold a voxel.
    pub state: u32,
    /// 0.
    pub reserved: u32,
    /// Voxels of the prediction.
    pub prediction_voxels: u64,
    /// Voxels of the reference.
    pub reference_voxels: u64,
    /// Voxels of both.
    pub common_voxels: u64,
    /// Boundary voxels of the prediction, or area (length) of its surface.
    pub prediction_surface: f64,
    /// The same of the reference.
    pub reference_surface: f64,
    /// Hausdorff distance.
    pub hausdorff: f64,
    /// Largest distance from prediction to reference, and back.
    pub directed_maximum: [f64; 2],
    /// Mean distance from prediction to reference, and back.
    pub directed_mean: [f64; 2],
    /// Average symmetric surface distance: the mean over both surfaces.
    pub assd: f64,
    /// Mean average surface distance: the mean of the two directed means.
    pub masd: f64,
}

/// Shares of the surfaces within a tolerance.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_tolerance_shares {
    /// Surface Dice (normalised surface distance).
    pub surface_dice: f64,
    /// Of the prediction's surface.
    pub prediction_overlap: f64,
    /// Of the reference's surface.
    pub reference_overlap: f64,
}
