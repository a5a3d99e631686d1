//! Metrics of label maps: overlap of classes and of nodes of a label tree.

use super::decode;
use super::defaults::{NO_ARRAY, write_defaults};
use super::metric_types::*;
use super::overlap::{Span, check_read, check_written};
use super::status::report;
use super::trees::with_tree;
use super::types::*;
use crate::error::{Argument, Error};
use crate::metric::{
    LabelPair, OverlapCounts, OverlapMetric, TreeDistances, collapse_labels, count_overlap,
    count_tree_overlap,
};
use crate::spacing::Spacing;
use core::mem::{align_of, offset_of, size_of};
use core::ptr::null_mut;

// Counts are written where the caller's structs lie.
const _: () = {
    assert!(size_of::<OverlapCounts>() == size_of::<segloss_overlap_counts>());
    assert!(align_of::<OverlapCounts>() == align_of::<segloss_overlap_counts>());
    macro_rules! same_place {
        ($($field:ident),+) => {
            $(assert!(
                offset_of!(OverlapCounts, $field) == offset_of!(segloss_overlap_counts, $field)
            );)+
        };
    }
    same_place!(true_positive, false_positive, false_negative, true_negative);
};

/// A pair of maps along three axes of extent 1, without an ignore label. There is no default
/// spacing: the 0 that is written is refused by calls that measure distances. `pair_size` is `sizeof *pair`.
///
/// # Safety
/// If not null, `pair` must point to memory for a pair.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_label_pair_init(
    pair: *mut segloss_label_pair,
    pair_size: usize,
) -> segloss_status {
    let defaults = segloss_label_pair {
        size: size_of::<segloss_label_pair>() as u64,
        extent: [1; 3],
        spacing: [0.0; 3],
        axes: 3,
        has_ignore_label: 0,
        ignore_label: 0,
        classes: 0,
        prediction: NO_ARRAY,
        reference: NO_ARRAY,
    };
    // SAFETY: the caller's promise; a null detail is not written.
    unsafe { report(write_defaults(pair, pair_size, defaults, Argument::Prediction), null_mut()) }
}

/// Decodes a pair and hands it to `work`; a call that needs no `distances` may leave the spacing
/// unset.
///
/// # Safety
/// If not null, `pair` must point to a pair whose maps hold as many labels as they say.
pub(super) unsafe fn with_pair<T>(
    pair: *const segloss_label_pair,
    distances: bool,
    scratch: &Span,
    written: &[Span],
    work: impl FnOnce(&LabelPair<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let pair = decode::reference(pair, Argument::Prediction)?;
        decode::check_size::<segloss_label_pair>(pair.size, Argument::Prediction)?;
        check_written(scratch, written)?;
        for read in [
            Span::one(Argument::Prediction, pair),
            Span::read(Argument::Prediction, &pair.prediction),
            Span::read(Argument::Reference, &pair.reference),
        ] {
            check_read(read, scratch, written)?;
        }
        let (extent, axes) = decode::extent(&pair.extent, pair.axes)?;
        let extent = extent.get(..axes).unwrap_or_default();
        let unset = pair.spacing == [0.0; 3];
        work(&LabelPair {
            extent,
            spacing: if unset && !distances {
                Spacing::voxels(axes)?
            } else {
                Spacing::millimetres(pair.spacing.get(..axes).unwrap_or_default())?
            },
            classes: decode::index(Argument::Shape, pair.classes)?,
            prediction: decode::labels(&pair.prediction, Argument::Prediction)?,
            reference: decode::labels(&pair.reference, Argument::Reference)?,
            ignore: (pair.has_ignore_label != 0).then_some(pair.ignore_label),
        })
    }
}

/// Counts, for all classes at once, what `segloss_overlap_score` makes metrics of.
///
/// `voxel_weights` are whole-number multiplicities of the voxels, 0 exempts one; `NULL` with
/// length 0: every voxel counts once. `counts` gets one element per class, overwritten.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `voxel_weights` and `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_count_overlap(
    pair: *const segloss_label_pair,
    voxel_weights: *const u8,
    voxel_weights_length: u64,
    counts: *mut segloss_overlap_counts,
    counts_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::list(Argument::Counts, counts, counts_length)];
        let count = with_pair(pair, false, &Span::NONE, &written, |pair| {
            let argument = Argument::VoxelWeights;
            let weights = if voxel_weights.is_null() && voxel_weights_length == 0 {
                None
            } else {
                let read = Span::list(argument, voxel_weights, voxel_weights_length);
                check_read(read, &Span::NONE, &written)?;
                Some(decode::elements(voxel_weights.cast(), voxel_weights_length, argument)?)
            };
            let counts = decode::elements_mut(counts.cast(), counts_length, Argument::Counts)?;
            count_overlap(pair, weights, counts)
        });
        report(count, detail)
    }
}

/// A metric (`SEGLOSS_METRIC_...`) of the counts of a class, `undefined` where its formula is 0/0.
///
/// `beta` is read for `SEGLOSS_METRIC_F_BETA` alone.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_overlap_score(
    counts: *const segloss_overlap_counts,
    metric: u32,
    beta: f64,
    undefined: f64,
    score: *mut f64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let measure = || {
            let counts = *decode::reference(counts.cast::<OverlapCounts>(), Argument::Counts)?;
            let score = decode::output(score, Argument::Result)?;
            let metric = match metric {
                SEGLOSS_METRIC_DICE => OverlapMetric::Dice,
                SEGLOSS_METRIC_JACCARD => OverlapMetric::Jaccard,
                SEGLOSS_METRIC_PRECISION => OverlapMetric::Precision,
                SEGLOSS_METRIC_SENSITIVITY => OverlapMetric::Sensitivity,
                SEGLOSS_METRIC_SPECIFICITY => OverlapMetric::Specificity,
                SEGLOSS_METRIC_F_BETA => OverlapMetric::FBeta(beta),
                SEGLOSS_METRIC_ACCURACY => OverlapMetric::Accuracy,
                SEGLOSS_METRIC_VOLUME_SIMILARITY => OverlapMetric::VolumeSimilarity,
                SEGLOSS_METRIC_RELATIVE_VOLUME_DIFFERENCE => {
                    OverlapMetric::RelativeVolumeDifference
                }
                SEGLOSS_METRIC_COHEN_KAPPA => OverlapMetric::CohenKappa,
                SEGLOSS_METRIC_MATTHEWS => OverlapMetric::Matthews,
                other => return Err(decode::unknown(Argument::Counts, other)),
            };
            score.write(counts.score(metric, undefined));
            Ok(())
        };
        report(measure(), detail)
    }
}

/// Counts as `segloss_count_overlap` does for every node of a label tree, whose mask is the union
/// of the classes below it, and measures how far wrong the wrong classes are.
///
/// `nodes` gets one element per node, overwritten. A prediction of no class is in no mask; its
/// distance is that from the root. Scratch: `segloss_tree_scratch_size`.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_count_tree_overlap(
    pair: *const segloss_label_pair,
    tree: *const segloss_tree,
    scratch: segloss_scratch,
    nodes: *mut segloss_overlap_counts,
    nodes_length: u64,
    distances: *mut segloss_tree_distance_sums,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [
            Span::list(Argument::Counts, nodes, nodes_length),
            Span::result(distances.cast_const()),
        ];
        let count = with_pair(pair, false, &Span::scratch(&scratch), &written, |pair| {
            with_tree(tree, &scratch, &written, |tree| {
                let distances = decode::output(distances, Argument::Result)?;
                let nodes = decode::elements_mut(nodes.cast(), nodes_length, Argument::Counts)?;
                let TreeDistances { counted_voxels, total_distance, total_ancestor_depth } =
                    count_tree_overlap(pair, tree, nodes)?;
                distances.write(segloss_tree_distance_sums {
                    counted_voxels,
                    total_distance,
                    total_ancestor_depth,
                });
                Ok(())
            })
        });
        report(count, detail)
    }
}

/// Replaces every class by its ancestor at a depth, or by its leaf where that is not so deep, as
/// node numbers; depth 0 is the root.
///
/// `labels` (u8, u16, i16, i32 or i64) has as many elements as `nodes`. If `has_ignore_label` is
/// not 0, voxels labelled `ignore_label` stay so; it must be an i32, and no node that another
/// class becomes. Scratch: `segloss_tree_scratch_size`.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_collapse_labels(
    tree: *const segloss_tree,
    depth: u64,
    labels: *const segloss_array,
    has_ignore_label: u32,
    ignore_label: i64,
    scratch: segloss_scratch,
    nodes: *mut i32,
    nodes_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let argument = Argument::Target;
        let written = [Span::list(Argument::Result, nodes, nodes_length)];
        let collapse = || {
            let labels = decode::reference(labels, argument)?;
            for read in [Span::one(argument, labels), Span::read(argument, labels)] {
                check_read(read, &Span::scratch(&scratch), &written)?;
            }
            let labels = decode::labels(labels, argument)?;
            with_tree(tree, &scratch, &written, |tree| {
                let nodes = decode::elements_mut(nodes.cast(), nodes_length, Argument::Result)?;
                let depth = usize::try_from(depth).unwrap_or(usize::MAX);
                let ignore = (has_ignore_label != 0).then_some(ignore_label);
                collapse_labels(tree, depth, labels, ignore, nodes)
            })
        };
        report(collapse(), detail)
    }
}
