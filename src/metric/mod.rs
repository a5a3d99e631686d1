//! Metrics: what a label map is worth, by the label map that it should be, and how sure scores are.
//!
//! [`count_overlap`] counts, for all classes in one pass, what every [`OverlapMetric`] is made of;
//! [`count_tree_overlap`] does so for every node of a label tree. [`confidence_map`] and its like
//! look at scores and need no reference.
#![forbid(unsafe_code)]

mod boxes;
mod class_masks;
mod class_surfaces;
mod confidence;
mod confident_nodes;
mod labels;
mod overlap;
mod row_tasks;
mod score_rows;
mod surface;
mod surface_class;
mod surface_scratch;
#[cfg(test)]
mod tests;
mod tree;

pub use confidence::{Confidence, confidence_map, label_confident};
pub use confident_nodes::label_tree_confident;
pub use overlap::{OverlapCounts, OverlapMetric, count_overlap};
#[cfg(feature = "capi")]
pub(crate) use surface::OutputParts;
pub use surface::{
    ClassState, PercentileConvention, SurfaceMetrics, SurfaceModel, SurfaceOutput, SurfaceResult,
    ToleranceShares, Undefined,
};
pub use tree::{TreeDistances, collapse_labels, count_tree_overlap};

use crate::spacing::Spacing;
use crate::view::Labels;

/// A label map and the one that it is judged by: one volume, classes `0..classes`.
///
/// A voxel whose reference is `ignore` is exempt: it counts in neither map, and its prediction may
/// be anything. To surfaces it is background of both maps, so that the border of an ignored region
/// is a border of the classes around it. A prediction that is `ignore`, where that is no class, belongs to no class. Any
/// other label outside `0..classes` at a voxel that counts is refused with its position and value.
///
/// The two maps may have different integer types.
#[derive(Clone, Copy, Debug)]
pub struct LabelPair<'a> {
    /// Voxels along each of 1 to 3 axes, the slowest first.
    pub extent: &'a [usize],
    /// Distance between voxels along each axis; what is counted does not depend on it.
    pub spacing: Spacing,
    /// Number of classes, at most 2^24.
    pub classes: usize,
    /// The map that is judged, one label per voxel.
    pub prediction: Labels<'a>,
    /// The map that it is judged by, one label per voxel.
    pub reference: Labels<'a>,
    /// Label of the reference's voxels that do not count: any integer, a class or not.
    pub ignore: Option<i64>,
}
