//! Status codes and their words.

use super::types::{SEGLOSS_OK, segloss_detail, segloss_status};
use crate::error::{Argument, Cause, Error};
use core::ffi::{CStr, c_char};

macro_rules! status_codes {
    ($($name:ident = $value:literal, $cause:ident, $text:literal;)+) => {
        fn message(status: segloss_status) -> &'static CStr {
            $(if status == Cause::$cause as i32 {
                return $text;
            })+
            if status == SEGLOSS_OK { c"success" } else { c"unknown status" }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn messages_and_numbers_agree_with_the_causes() {
                $(
                    assert_eq!(Cause::$cause as i32, $value);
                    assert_eq!(super::super::$name, $value);
                    assert_eq!(message($value).to_str(), Ok(Cause::$cause.message()));
                )+
            }
        }
    };
}

status_codes! {
    SEGLOSS_STATUS_NULL_POINTER = 100, NullPointer, c"a required pointer is null";
    SEGLOSS_STATUS_MISALIGNED = 101, Misaligned, c"a pointer is not aligned for its element type";
    SEGLOSS_STATUS_STRUCT_SIZE = 102, StructSize, c"the size field of a struct is not set";
    SEGLOSS_STATUS_UNKNOWN_ENUMERATOR = 103, UnknownEnumerator, c"an enumeration holds an unknown number";
    SEGLOSS_STATUS_OVERLAP = 104, Overlap, c"an output overlaps another argument";
    SEGLOSS_STATUS_OPTION = 105, Option, c"an option lies outside its range";
    SEGLOSS_STATUS_TERM_COUNT = 106, TermCount, c"a loss needs between 1 and 16 terms";
    SEGLOSS_STATUS_ACTIVATION = 107, Activation, c"a term needs logits under another activation than the loss has";
    SEGLOSS_STATUS_TARGET_KIND = 108, TargetKind, c"a term cannot be computed from this kind of target";
    SEGLOSS_STATUS_TREE_MISSING = 109, TreeMissing, c"a term or the target needs a label tree";
    SEGLOSS_STATUS_NOT_SHARDABLE = 110, NotShardable, c"a term cannot be computed from parts of the volume";
    SEGLOSS_STATUS_EXECUTOR = 111, Executor, c"the executor returned before its tasks had ended";
    SEGLOSS_STATUS_ELEMENT_TYPE = 112, ElementType, c"the gradient has another element type than the scores";
    SEGLOSS_STATUS_SPACING = 113, Spacing, c"a spacing is out of range or has another number of axes";
    SEGLOSS_STATUS_FIELD_STORAGE = 114, FieldStorage, c"distance fields need a place in the scratch buffer";
    SEGLOSS_STATUS_SHAPE = 200, Shape, c"batch, classes, axes and extents must be positive, axes at most 3";
    SEGLOSS_STATUS_SHAPE_OVERFLOW = 201, ShapeOverflow, c"the product of the sizes exceeds the address space";
    SEGLOSS_STATUS_LENGTH = 202, Length, c"a buffer has not the length that the shape asks for";
    SEGLOSS_STATUS_PART = 203, Part, c"a part lies outside the volume or does not begin at a block border";
    SEGLOSS_STATUS_SCRATCH_SIZE = 300, ScratchSize, c"the scratch buffer is too small";
    SEGLOSS_STATUS_TREE_NO_ROOT = 400, TreeNoRoot, c"the label tree has no root";
    SEGLOSS_STATUS_TREE_TWO_ROOTS = 401, TreeTwoRoots, c"the label tree has more than one root";
    SEGLOSS_STATUS_TREE_CYCLE = 402, TreeCycle, c"a node of the label tree is its own ancestor";
    SEGLOSS_STATUS_TREE_PARENT = 403, TreeParent, c"a parent in the label tree is not a node";
    SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF = 404, TreeClassNotLeaf, c"a class is not on a leaf of the label tree";
    SEGLOSS_STATUS_TREE_LEAF_WITHOUT_CLASS = 405, TreeLeafWithoutClass, c"a leaf of the label tree has no class";
    SEGLOSS_STATUS_TREE_DUPLICATE_LEAF = 406, TreeDuplicateLeaf, c"two classes share a leaf of the label tree";
    SEGLOSS_STATUS_TREE_EDGE_WEIGHT = 407, TreeEdgeWeight, c"an edge weight lies outside 1e-18 to 1e18";
    SEGLOSS_STATUS_TREE_CLASSES = 408, TreeClasses, c"the label tree has another number of classes than the scores";
    SEGLOSS_STATUS_DISTANCE_MATRIX = 409, DistanceMatrix, c"a distance matrix must be finite, non-negative and symmetric with a zero diagonal";
    SEGLOSS_STATUS_NON_FINITE = 500, NonFinite, c"a score is NaN or infinite";
    SEGLOSS_STATUS_LABEL = 501, Label, c"a label is neither a class, nor a node, nor the ignore label";
    SEGLOSS_STATUS_TARGET_RANGE = 502, TargetRange, c"a dense target lies outside 0..=1";
    SEGLOSS_STATUS_VOXEL_WEIGHT = 503, VoxelWeight, c"a voxel weight is negative or not finite";
}

fn argument_name(argument: u32) -> &'static CStr {
    macro_rules! names {
        ($($argument:ident => $name:literal),+ $(,)?) => {
            $(if argument == Argument::$argument as u32 {
                return $name;
            })+
        };
    }
    names!(
        Loss => c"loss", Term => c"term", Shape => c"shape", Scores => c"scores",
        Target => c"target", VoxelWeights => c"voxel weights", Gradient => c"gradient",
        Scratch => c"scratch", Executor => c"executor", TreeNode => c"tree node",
        TreeClass => c"tree class", TreeStorage => c"tree storage",
        ClassWeights => c"class weights", NodeWeights => c"node weights",
        DistanceMatrix => c"distance matrix", Sums => c"sums", Part => c"part",
        Result => c"result", PositiveWeights => c"positive weights", Alpha => c"alpha",
        Spacing => c"spacing", Mask => c"mask", Field => c"field", Prediction => c"prediction",
        Reference => c"reference", Counts => c"counts", Percentiles => c"percentiles",
        Tolerances => c"tolerances", Confidence => c"confidence",
    );
    c"none"
}

/// Version of the library, "major.minor.patch".
#[unsafe(no_mangle)]
pub extern "C" fn segloss_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// One sentence about a status. Never null, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn segloss_status_message(status: segloss_status) -> *const c_char {
    message(status).as_ptr()
}

/// Name of the argument of a detail. Never null, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn segloss_argument_name(argument: u32) -> *const c_char {
    argument_name(argument).as_ptr()
}

/// Status of an outcome; fills in the detail of a refusal where the caller wants it.
///
/// # Safety
/// If not null, `detail` must point to memory for a detail.
pub(super) unsafe fn report(
    outcome: Result<(), Error>,
    detail: *mut segloss_detail,
) -> segloss_status {
    let error = match outcome {
        Ok(()) => return SEGLOSS_OK,
        Err(error) => error,
    };
    let status = error.cause as i32;
    if !detail.is_null() && detail.is_aligned() {
        let found = segloss_detail {
            status,
            argument: error.argument as u32,
            position: error.position,
            value: error.value,
            expected: error.expected,
        };
        // SAFETY: not null, aligned, and the caller's promise.
        unsafe { detail.write(found) };
    }
    status
}
