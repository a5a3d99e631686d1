//! The plain structs and numbers of the metrics.
#![allow(non_camel_case_types)]

use super::types::segloss_array;

/// `2 TP / (2 TP + FP + FN)`.
pub const SEGLOSS_METRIC_DICE: u32 = 1;
/// `TP / (TP + FP + FN)`.
pub const SEGLOSS_METRIC_JACCARD: u32 = 2;
/// `TP / (TP + FP)`.
pub const SEGLOSS_METRIC_PRECISION: u32 = 3;
/// `TP / (TP + FN)`.
pub const SEGLOSS_METRIC_SENSITIVITY: u32 = 4;
/// `TN / (TN + FP)`.
pub const SEGLOSS_METRIC_SPECIFICITY: u32 = 5;
/// `(1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)`.
pub const SEGLOSS_METRIC_F_BETA: u32 = 6;
/// `(TP + TN) / (TP + FP + FN + TN)`.
pub const SEGLOSS_METRIC_ACCURACY: u32 = 7;
/// `1 - |FP - FN| / (2 TP + FP + FN)`.
pub const SEGLOSS_METRIC_VOLUME_SIMILARITY: u32 = 8;
/// `(FP - FN) / (TP + FN)`.
pub const SEGLOSS_METRIC_RELATIVE_VOLUME_DIFFERENCE: u32 = 9;
/// Cohen's kappa.
pub const SEGLOSS_METRIC_COHEN_KAPPA: u32 = 10;
/// Matthews correlation coefficient.
pub const SEGLOSS_METRIC_MATTHEWS: u32 = 11;

/// Confidence: the largest of `softmax(z / temperature)`.
pub const SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY: u32 = 1;
/// Confidence: the largest score; the temperature is not read.
pub const SEGLOSS_CONFIDENCE_MAXIMUM_LOGIT: u32 = 2;
/// Confidence: `temperature * ln(sum(exp(z / temperature)))`.
pub const SEGLOSS_CONFIDENCE_ENERGY: u32 = 3;
/// Confidence: `sum(p ln p)` of `p = softmax(z / temperature)`.
pub const SEGLOSS_CONFIDENCE_NEGATIVE_ENTROPY: u32 = 4;

/// A label map and the one that it is judged by: one volume, labels `0 .. classes - 1`.
///
/// A voxel whose reference is the ignore label is exempt. A prediction that is the ignore label,
/// where that is no class, belongs to no class. Any other label of a voxel that counts is refused.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_label_pair {
    /// `sizeof(segloss_label_pair)` of the caller.
    pub size: u64,
    /// Voxels along each axis, the slowest first; entries past `axes` are not read.
    pub extent: [u64; 3],
    /// Distance between voxels along each axis, 1e-6 to 1e6; counts do not depend on it.
    pub spacing: [f64; 3],
    /// Axes, 1 to 3.
    pub axes: u32,
    /// Not 0: voxels of the reference labelled `ignore_label` do not count.
    pub has_ignore_label: u32,
    /// The ignore label: any integer, a class or not.
    pub ignore_label: i64,
    /// Number of classes, at most 2^24.
    pub classes: u64,
    /// The map that is judged (u8, u16, i16, i32 or i64), one label per voxel.
    pub prediction: segloss_array,
    /// The map that it is judged by, of any of these types.
    pub reference: segloss_array,
}

/// How often a class was right and wrong. Counts of parts add up, element by element.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_overlap_counts {
    /// Voxels of the class in both maps.
    pub true_positive: u64,
    /// Voxels of the class in the prediction alone.
    pub false_positive: u64,
    /// Voxels of the class in the reference alone.
    pub false_negative: u64,
    /// Voxels of the class in neither map.
    pub true_negative: u64,
}

/// How far predicted and true class lie apart in a label tree, summed over voxels. Sums of parts
/// add up.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_tree_distance_sums {
    /// Voxels that count.
    pub counted_voxels: u64,
    /// Sum of the tree distances; over `counted_voxels` the tree-induced error.
    pub total_distance: f64,
    /// Sum of the depths of the lowest common ancestors; the root has depth 0.
    pub total_ancestor_depth: u64,
}
