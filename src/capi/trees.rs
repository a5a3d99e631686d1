//! Label trees: validation, node weights, distances.

use super::decode::{self, check_pointer};
use super::overlap::{Span, check_read, check_written, tree_spans};
use super::status::report;
use super::types::*;
use crate::error::{Argument, Cause, Error};
use crate::tree::LabelTree;

/// Builds the tree and hands it to `work`.
///
/// # Safety
/// As for the calls below.
pub(super) unsafe fn with_tree<T>(
    tree: *const segloss_tree,
    scratch: &segloss_scratch,
    written: &[Span],
    work: impl FnOnce(&LabelTree<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let tree = decode::reference(tree, Argument::TreeNode)?;
        let scratch_span = Span::scratch(scratch);
        check_written(&scratch_span, written)?;
        for read in tree_spans(tree) {
            check_read(read, &scratch_span, written)?;
        }
        let (tree, _) = decode::tree(tree, decode::scratch(scratch)?)?;
        let missing = Error::new(Cause::NullPointer, Argument::TreeNode);
        work(&tree.ok_or(missing)?)
    }
}

/// Bytes of scratch for the calls on a tree, any alignment.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_scratch_size(
    tree: *const segloss_tree,
    bytes: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let tree = decode::reference(tree, Argument::TreeNode)?;
            let bytes = decode::output(bytes, Argument::Result)?;
            check_pointer(tree.parent.cast(), 1, Argument::TreeNode)?;
            bytes.write(decode::tree_bytes(tree)? as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

/// Validates a tree: one status per defect, the detail names the node or class.
///
/// # Safety
/// As `segloss_tree_scratch_size`; the arrays of the tree must hold as many elements as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_check(
    tree: *const segloss_tree,
    scratch: segloss_scratch,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe { report(with_tree(tree, &scratch, &[], |_| Ok(())), detail) }
}

/// Node weights by rule (`SEGLOSS_NODE_WEIGHTS_...`), one per node.
///
/// `factor`: that of the top level for uniform weights, alpha for hierarchical ones, else not read.
///
/// # Safety
/// As `segloss_tree_check`; `weights` must have room for `length` doubles, all written on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_node_weights(
    tree: *const segloss_tree,
    rule: u32,
    factor: f64,
    scratch: segloss_scratch,
    weights: *mut f64,
    length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::list(Argument::NodeWeights, weights, length)];
        let fill = with_tree(tree, &scratch, &written, |tree| {
            let weights = decode::elements_mut(weights.cast(), length, Argument::NodeWeights)?;
            match rule {
                SEGLOSS_NODE_WEIGHTS_UNIFORM => tree.uniform_node_weights(factor, weights),
                SEGLOSS_NODE_WEIGHTS_SUM_OVER_LEVELS => tree.sum_over_levels_node_weights(weights),
                SEGLOSS_NODE_WEIGHTS_HIERARCHICAL => {
                    tree.hierarchical_node_weights(factor, weights)
                }
                SEGLOSS_NODE_WEIGHTS_LEAVES => tree.leaf_node_weights(weights),
                other => {
                    let error = Error::new(Cause::UnknownEnumerator, Argument::NodeWeights);
                    Err(error.found(f64::from(other)))
                }
            }
        });
        report(fill, detail)
    }
}

/// Node weights from one weight per level; `level_weights[d]` is that of depth `d`, the root has
/// depth 0.
///
/// # Safety
/// As `segloss_tree_node_weights`; `level_weights` must hold `levels` doubles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_level_weights(
    tree: *const segloss_tree,
    level_weights: *const f64,
    levels: u64,
    scratch: segloss_scratch,
    weights: *mut f64,
    length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::list(Argument::NodeWeights, weights, length)];
        let fill = with_tree(tree, &scratch, &written, |tree| {
            let read = Span::list(Argument::NodeWeights, level_weights, levels);
            check_read(read, &Span::scratch(&scratch), &written)?;
            let argument = Argument::NodeWeights;
            let levels = decode::elements(level_weights.cast(), levels, argument)?;
            let weights = decode::elements_mut(weights.cast(), length, argument)?;
            tree.level_node_weights(levels, weights)
        });
        report(fill, detail)
    }
}

/// Distance between two classes along the tree. The position of a refused class is 0 or 1.
///
/// # Safety
/// As `segloss_tree_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_distance(
    tree: *const segloss_tree,
    class_a: u64,
    class_b: u64,
    scratch: segloss_scratch,
    distance: *mut f64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::result(distance)];
        let measure = with_tree(tree, &scratch, &written, |tree| {
            let distance = decode::output(distance, Argument::Result)?;
            let class = |position: usize, class: u64| {
                let index = decode::index(Argument::TreeClass, class)?;
                if index < tree.classes() {
                    return Ok(index);
                }
                let error = Error::new(Cause::Label, Argument::TreeClass).at(position);
                let error = error.found(index as f64);
                Err(error.expected(tree.classes() as f64 - 1.0))
            };
            distance.write(tree.distance(class(0, class_a)?, class(1, class_b)?));
            Ok(())
        });
        report(measure, detail)
    }
}

/// All distances between classes, `classes x classes`, row by row.
///
/// # Safety
/// As `segloss_tree_check`; `distances` must have room for `length` doubles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_tree_distances(
    tree: *const segloss_tree,
    scratch: segloss_scratch,
    distances: *mut f64,
    length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::list(Argument::DistanceMatrix, distances, length)];
        let measure = with_tree(tree, &scratch, &written, |tree| {
            let argument = Argument::DistanceMatrix;
            let distances = decode::elements_mut(distances.cast(), length, argument)?;
            tree.distances(distances)
        });
        report(measure, detail)
    }
}
