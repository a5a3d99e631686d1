//! The plain structs and numbers of the C interface.
//!
//! Structs that may grow begin with their size; the `_init` functions fill it in. Enumerations are
//! fixed-width integers, checked on entry.
#![allow(non_camel_case_types)]

use core::ffi::c_void;

/// Outcome of a call: 0 is success, see [`segloss_status_message`](super::segloss_status_message).
pub type segloss_status = i32;

/// Success.
pub const SEGLOSS_OK: i32 = 0;
/// Status: a required pointer is null.
pub const SEGLOSS_STATUS_NULL_POINTER: i32 = 100;
/// Status: a pointer is not aligned for its element type.
pub const SEGLOSS_STATUS_MISALIGNED: i32 = 101;
/// Status: the size field of a struct is not set.
pub const SEGLOSS_STATUS_STRUCT_SIZE: i32 = 102;
/// Status: an enumeration holds an unknown number.
pub const SEGLOSS_STATUS_UNKNOWN_ENUMERATOR: i32 = 103;
/// Status: an output overlaps another argument.
pub const SEGLOSS_STATUS_OVERLAP: i32 = 104;
/// Status: an option lies outside its range.
pub const SEGLOSS_STATUS_OPTION: i32 = 105;
/// Status: a loss needs between 1 and 16 terms.
pub const SEGLOSS_STATUS_TERM_COUNT: i32 = 106;
/// Status: a term needs logits under another activation than the loss has.
pub const SEGLOSS_STATUS_ACTIVATION: i32 = 107;
/// Status: a term cannot be computed from this kind of target.
pub const SEGLOSS_STATUS_TARGET_KIND: i32 = 108;
/// Status: a term or the target needs a label tree.
pub const SEGLOSS_STATUS_TREE_MISSING: i32 = 109;
/// Status: a term cannot be computed from parts of the volume.
pub const SEGLOSS_STATUS_NOT_SHARDABLE: i32 = 110;
/// Status: the executor returned before its tasks had ended; outputs may be partly written.
pub const SEGLOSS_STATUS_EXECUTOR: i32 = 111;
/// Status: the gradient has another element type than the scores.
pub const SEGLOSS_STATUS_ELEMENT_TYPE: i32 = 112;
/// Status: a spacing is out of range or has another number of axes.
pub const SEGLOSS_STATUS_SPACING: i32 = 113;
/// Status: distance fields need a place in the scratch buffer.
pub const SEGLOSS_STATUS_FIELD_STORAGE: i32 = 114;
/// Status: batch, classes, axes and extents must be positive, axes at most 3.
pub const SEGLOSS_STATUS_SHAPE: i32 = 200;
/// Status: the product of the sizes exceeds the address space.
pub const SEGLOSS_STATUS_SHAPE_OVERFLOW: i32 = 201;
/// Status: a buffer has not the length that the shape asks for.
pub const SEGLOSS_STATUS_LENGTH: i32 = 202;
/// Status: a part lies outside the volume or does not begin at a block border.
pub const SEGLOSS_STATUS_PART: i32 = 203;
/// Status: the scratch buffer is too small.
pub const SEGLOSS_STATUS_SCRATCH_SIZE: i32 = 300;
/// Status: the label tree has no root.
pub const SEGLOSS_STATUS_TREE_NO_ROOT: i32 = 400;
/// Status: the label tree has more than one root.
pub const SEGLOSS_STATUS_TREE_TWO_ROOTS: i32 = 401;
/// Status: a node of the label tree is its own ancestor.
pub const SEGLOSS_STATUS_TREE_CYCLE: i32 = 402;
/// Status: a parent in the label tree is not a node.
pub const SEGLOSS_STATUS_TREE_PARENT: i32 = 403;
/// Status: a class is not on a leaf of the label tree.
pub const SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF: i32 = 404;
/// Status: a leaf of the label tree has no class.
pub const SEGLOSS_STATUS_TREE_LEAF_WITHOUT_CLASS: i32 = 405;
/// Status: two classes share a leaf of the label tree.
pub const SEGLOSS_STATUS_TREE_DUPLICATE_LEAF: i32 = 406;
/// Status: an edge weight lies outside 1e-18 to 1e18.
pub const SEGLOSS_STATUS_TREE_EDGE_WEIGHT: i32 = 407;
/// Status: the label tree has another number of classes than the scores.
pub const SEGLOSS_STATUS_TREE_CLASSES: i32 = 408;
/// Status: a distance matrix must be finite, non-negative and symmetric with a zero diagonal.
pub const SEGLOSS_STATUS_DISTANCE_MATRIX: i32 = 409;
/// Status: a score is NaN or infinite.
pub const SEGLOSS_STATUS_NON_FINITE: i32 = 500;
/// Status: a label is neither a class, nor a node, nor the ignore label.
pub const SEGLOSS_STATUS_LABEL: i32 = 501;
/// Status: a dense target lies outside 0..=1.
pub const SEGLOSS_STATUS_TARGET_RANGE: i32 = 502;
/// Status: a voxel weight is negative or not finite.
pub const SEGLOSS_STATUS_VOXEL_WEIGHT: i32 = 503;

/// Argument: none in particular.
pub const SEGLOSS_ARGUMENT_NONE: u32 = 0;
/// Argument: the loss.
pub const SEGLOSS_ARGUMENT_LOSS: u32 = 1;
/// Argument: a term; the position is its index.
pub const SEGLOSS_ARGUMENT_TERM: u32 = 2;
/// Argument: the shape.
pub const SEGLOSS_ARGUMENT_SHAPE: u32 = 3;
/// Argument: the scores.
pub const SEGLOSS_ARGUMENT_SCORES: u32 = 4;
/// Argument: the target.
pub const SEGLOSS_ARGUMENT_TARGET: u32 = 5;
/// Argument: the voxel weights.
pub const SEGLOSS_ARGUMENT_VOXEL_WEIGHTS: u32 = 6;
/// Argument: the gradient.
pub const SEGLOSS_ARGUMENT_GRADIENT: u32 = 7;
/// Argument: the scratch buffer.
pub const SEGLOSS_ARGUMENT_SCRATCH: u32 = 8;
/// Argument: the executor.
pub const SEGLOSS_ARGUMENT_EXECUTOR: u32 = 9;
/// Argument: the label tree; the position is a node.
pub const SEGLOSS_ARGUMENT_TREE_NODE: u32 = 10;
/// Argument: the class-to-leaf map; the position is a class.
pub const SEGLOSS_ARGUMENT_TREE_CLASS: u32 = 11;
/// Argument: the storage of the label tree.
pub const SEGLOSS_ARGUMENT_TREE_STORAGE: u32 = 12;
/// Argument: class weights; the position is a class.
pub const SEGLOSS_ARGUMENT_CLASS_WEIGHTS: u32 = 13;
/// Argument: node weights; the position is a node.
pub const SEGLOSS_ARGUMENT_NODE_WEIGHTS: u32 = 14;
/// Argument: the distance matrix; the position is an element.
pub const SEGLOSS_ARGUMENT_DISTANCE_MATRIX: u32 = 15;
/// Argument: the exported sums.
pub const SEGLOSS_ARGUMENT_SUMS: u32 = 16;
/// Argument: the part.
pub const SEGLOSS_ARGUMENT_PART: u32 = 17;
/// Argument: the result.
pub const SEGLOSS_ARGUMENT_RESULT: u32 = 18;
/// Argument: positive weights; the position is a channel.
pub const SEGLOSS_ARGUMENT_POSITIVE_WEIGHTS: u32 = 19;
/// Argument: alpha; the position is a class.
pub const SEGLOSS_ARGUMENT_ALPHA: u32 = 20;
/// Argument: the spacing; the position is an axis.
pub const SEGLOSS_ARGUMENT_SPACING: u32 = 21;
/// Argument: a mask.
pub const SEGLOSS_ARGUMENT_MASK: u32 = 22;
/// Argument: a distance field.
pub const SEGLOSS_ARGUMENT_FIELD: u32 = 23;
/// Argument: the label map that is judged.
pub const SEGLOSS_ARGUMENT_PREDICTION: u32 = 24;
/// Argument: the label map that it is judged by.
pub const SEGLOSS_ARGUMENT_REFERENCE: u32 = 25;
/// Argument: counts of an overlap.
pub const SEGLOSS_ARGUMENT_COUNTS: u32 = 26;
/// Argument: percentiles; the position is an index in the list.
pub const SEGLOSS_ARGUMENT_PERCENTILES: u32 = 27;
/// Argument: tolerances; the position is an index in the list.
pub const SEGLOSS_ARGUMENT_TOLERANCES: u32 = 28;
/// Argument: a map of confidence scores.
pub const SEGLOSS_ARGUMENT_CONFIDENCE: u32 = 29;

/// Element type: IEEE single precision.
pub const SEGLOSS_F32: u32 = 1;
/// Element type: IEEE double precision.
pub const SEGLOSS_F64: u32 = 2;
/// Element type: IEEE half precision, stored as 16 bits.
pub const SEGLOSS_F16: u32 = 3;
/// Element type: bfloat16, stored as 16 bits.
pub const SEGLOSS_BF16: u32 = 4;
/// Element type: unsigned 8-bit integer.
pub const SEGLOSS_U8: u32 = 5;
/// Element type: unsigned 16-bit integer.
pub const SEGLOSS_U16: u32 = 6;
/// Element type: signed 16-bit integer.
pub const SEGLOSS_I16: u32 = 7;
/// Element type: signed 32-bit integer.
pub const SEGLOSS_I32: u32 = 8;
/// Element type: signed 64-bit integer.
pub const SEGLOSS_I64: u32 = 9;

/// Layout `[batch][class][voxel]`: what PyTorch calls contiguous.
pub const SEGLOSS_PLANAR: u32 = 0;
/// Layout `[batch][voxel][class]`: channels last.
pub const SEGLOSS_INTERLEAVED: u32 = 1;

/// Probabilities are the softmax of the scores over the classes.
pub const SEGLOSS_SOFTMAX: u32 = 0;
/// Probabilities are the sigmoid of the scores, channel by channel.
pub const SEGLOSS_SIGMOID: u32 = 1;
/// The scores are probabilities already.
pub const SEGLOSS_NO_ACTIVATION: u32 = 2;
/// A term takes the activation of its loss.
pub const SEGLOSS_INHERIT_ACTIVATION: u32 = 3;

/// Target: an integer map of classes.
pub const SEGLOSS_TARGET_LABELS: u32 = 0;
/// Target: an integer map of nodes of the label tree, inner nodes included.
pub const SEGLOSS_TARGET_NODES: u32 = 1;
/// Target: values in `[0, 1]` for every class, in the layout of the scores.
pub const SEGLOSS_TARGET_DENSE: u32 = 2;

/// Dice (and Jaccard).
pub const SEGLOSS_TERM_DICE: u32 = 1;
/// Tversky and focal Tversky.
pub const SEGLOSS_TERM_TVERSKY: u32 = 2;
/// Generalised Dice.
pub const SEGLOSS_TERM_GENERALISED_DICE: u32 = 3;
/// Cross-entropy.
pub const SEGLOSS_TERM_CROSS_ENTROPY: u32 = 4;
/// Binary cross-entropy.
pub const SEGLOSS_TERM_BINARY_CROSS_ENTROPY: u32 = 5;
/// Focal loss.
pub const SEGLOSS_TERM_FOCAL: u32 = 6;
/// Top-k cross-entropy.
pub const SEGLOSS_TERM_TOP_K_CROSS_ENTROPY: u32 = 7;
/// Tree cross-entropy.
pub const SEGLOSS_TERM_TREE_CROSS_ENTROPY: u32 = 8;
/// Tree Wasserstein distance.
pub const SEGLOSS_TERM_TREE_WASSERSTEIN: u32 = 9;
/// Generalised Wasserstein Dice.
pub const SEGLOSS_TERM_WASSERSTEIN_DICE: u32 = 10;
/// Hausdorff distance by distance transforms; needs a spacing.
pub const SEGLOSS_TERM_HAUSDORFF_DT: u32 = 11;
/// Boundary loss; needs a spacing.
pub const SEGLOSS_TERM_BOUNDARY: u32 = 12;

/// Hausdorff: distance fields of prediction and target.
pub const SEGLOSS_HAUSDORFF_BOTH_SIDES: u32 = 0;
/// Hausdorff: distance field of the target alone.
pub const SEGLOSS_HAUSDORFF_TARGET_SIDE: u32 = 1;

/// Field: at foreground voxels the distance to the background, 0 elsewhere.
pub const SEGLOSS_SIDE_INSIDE: u32 = 0;
/// Field: at background voxels the distance to the foreground, 0 elsewhere.
pub const SEGLOSS_SIDE_OUTSIDE: u32 = 1;
/// Field: outside less inside, negative in the foreground.
pub const SEGLOSS_SIDE_SIGNED: u32 = 2;
/// Field: distance to the other phase, 0 everywhere if there is only one.
pub const SEGLOSS_SIDE_TWO_PHASE: u32 = 3;

/// SIMD level: the best that the processor has.
pub const SEGLOSS_LEVEL_BEST: u32 = 0;
/// SIMD level: arrays, which every target has.
pub const SEGLOSS_LEVEL_PLAIN: u32 = 1;
/// SIMD level: registers of 128 bits (SSE2, NEON, simd128 of WebAssembly); else plain.
pub const SEGLOSS_LEVEL_SIMD128: u32 = 2;
/// SIMD level: AVX2 with F16C, where they are there; else 128 bits.
pub const SEGLOSS_LEVEL_AVX2: u32 = 3;
/// SIMD level: AVX-512 (F, BW, DQ, VL), where it is there; else AVX2.
pub const SEGLOSS_LEVEL_AVX512: u32 = 4;

/// Mask: one byte per voxel, not 0 is foreground.
pub const SEGLOSS_MASK_BYTES: u32 = 0;
/// Mask: one bit per voxel, the least significant bit of a byte first.
pub const SEGLOSS_MASK_BITS: u32 = 1;
/// Mask: the voxels of a label map that have one label.
pub const SEGLOSS_MASK_LABEL: u32 = 2;

/// Region sums per sample.
pub const SEGLOSS_POOLING_PER_SAMPLE: u32 = 0;
/// Region sums over the whole batch.
pub const SEGLOSS_POOLING_BATCH: u32 = 1;

/// Overlap: product for label maps and binary targets, absolute difference for soft targets.
pub const SEGLOSS_OVERLAP_AUTOMATIC: u32 = 0;
/// Overlap: sum of `p g`.
pub const SEGLOSS_OVERLAP_PRODUCT: u32 = 1;
/// Overlap: `(sum p + sum g - sum |p - g|) / 2`.
pub const SEGLOSS_OVERLAP_ABSOLUTE: u32 = 2;

/// Dice denominator: sums of `p` and `g`.
pub const SEGLOSS_DENOMINATOR_LINEAR: u32 = 0;
/// Dice denominator: sums of squares.
pub const SEGLOSS_DENOMINATOR_SQUARED: u32 = 1;

/// Dice ratio.
pub const SEGLOSS_RATIO_DICE: u32 = 0;
/// Jaccard ratio (intersection over union).
pub const SEGLOSS_RATIO_JACCARD: u32 = 1;

/// Generalised Dice weights `1 / G^2`.
pub const SEGLOSS_WEIGHTING_INVERSE_SQUARE: u32 = 0;
/// Generalised Dice weights `1 / G`.
pub const SEGLOSS_WEIGHTING_INVERSE: u32 = 1;
/// Generalised Dice weights 1.
pub const SEGLOSS_WEIGHTING_UNIFORM: u32 = 2;

/// Focal loss: mean over counted channels and voxels.
pub const SEGLOSS_MEAN_OVER_CHANNELS_AND_VOXELS: u32 = 0;
/// Focal loss: sum over channels, mean over voxels.
pub const SEGLOSS_MEAN_OVER_VOXELS: u32 = 1;

/// Ground distance of the label tree, in its units.
pub const SEGLOSS_GROUND_TREE: u32 = 0;
/// Ground distance from the caller's matrix.
pub const SEGLOSS_GROUND_MATRIX: u32 = 1;

/// Ground distance as given.
pub const SEGLOSS_SCALE_AS_GIVEN: u32 = 0;
/// Ground distance divided by its maximum.
pub const SEGLOSS_SCALE_UNIT_MAXIMUM: u32 = 1;

/// Generalised Wasserstein Dice: foreground weighs 1, background 0.
pub const SEGLOSS_WASSERSTEIN_DICE_DEFAULT: u32 = 0;
/// Generalised Wasserstein Dice: weights `1 / (volume + 1)`.
pub const SEGLOSS_WASSERSTEIN_DICE_GENERALISED: u32 = 1;

/// Overwrite the gradient buffer.
pub const SEGLOSS_GRADIENT_OVERWRITE: u32 = 0;
/// Add to the gradient buffer.
pub const SEGLOSS_GRADIENT_ACCUMULATE: u32 = 1;

/// Node weights: uniform over the levels, 1 along every path (`factor` weighs the top level).
pub const SEGLOSS_NODE_WEIGHTS_UNIFORM: u32 = 0;
/// Node weights: 1 at every node (Muller and Smith 2020).
pub const SEGLOSS_NODE_WEIGHTS_SUM_OVER_LEVELS: u32 = 1;
/// Node weights: hierarchical cross-entropy (Bertinetto 2020), `factor` is its alpha.
pub const SEGLOSS_NODE_WEIGHTS_HIERARCHICAL: u32 = 2;
/// Node weights: 1 at the leaves, plain cross-entropy.
pub const SEGLOSS_NODE_WEIGHTS_LEAVES: u32 = 3;

/// Dice + cross-entropy.
pub const SEGLOSS_PRESET_DICE_CROSS_ENTROPY: u32 = 1;
/// Dice + focal (gamma 2, softmax).
pub const SEGLOSS_PRESET_DICE_FOCAL: u32 = 2;
/// Dice + focal (gamma 2, sigmoid on the raw logits, as MONAI).
pub const SEGLOSS_PRESET_DICE_FOCAL_AS_MONAI: u32 = 3;
/// Tversky, false positives 0.3, false negatives 0.7.
pub const SEGLOSS_PRESET_TVERSKY: u32 = 4;
/// Cross-entropy + tree Wasserstein (unit maximum), half each.
pub const SEGLOSS_PRESET_WASSERSTEIN_CROSS_ENTROPY: u32 = 5;
/// Tree cross-entropy; the caller sets `node_weights` of its term.
pub const SEGLOSS_PRESET_TREE_CROSS_ENTROPY: u32 = 6;
/// Tree cross-entropy + Dice; the caller sets `node_weights` of the first term.
pub const SEGLOSS_PRESET_TREE_CROSS_ENTROPY_DICE: u32 = 7;
/// HausdorffDT, exponent 2. Set the spacing of its term.
pub const SEGLOSS_PRESET_HAUSDORFF_DT: u32 = 8;
/// 0.9 (Dice + focal) + 0.1 LogHausdorffDT (arXiv 2502.09148). Set the spacing of the last term.
pub const SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT: u32 = 9;
/// The same with focal in its sigmoid form, as MONAI's DiceFocalLoss.
pub const SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT_AS_MONAI: u32 = 10;
/// 0.9 Tversky (0.3, 0.7) + 0.1 LogHausdorffDT (arXiv 2502.09148). Set the spacing of the last term.
pub const SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT: u32 = 11;

/// Sizes and layout of the scores.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_shape {
    /// Samples, at least 1.
    pub batch: u64,
    /// Classes or channels, at least 1.
    pub classes: u64,
    /// Voxels along each axis; entries past `axes` are not read.
    pub extent: [u64; 3],
    /// Spatial axes, 1 to 3.
    pub axes: u32,
    /// `SEGLOSS_PLANAR` or `SEGLOSS_INTERLEAVED`.
    pub layout: u32,
}

/// A buffer that is only read.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_array {
    /// First element.
    pub data: *const c_void,
    /// Number of elements.
    pub length: u64,
    /// Element type, `SEGLOSS_F32` and so on.
    pub r#type: u32,
}

/// A buffer that is written.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_array_mut {
    /// First element.
    pub data: *mut c_void,
    /// Number of elements.
    pub length: u64,
    /// Element type, `SEGLOSS_F32` and so on.
    pub r#type: u32,
}

/// A list of doubles; `NULL` with length 0 stands for the default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_doubles {
    /// First element.
    pub data: *const f64,
    /// Number of elements.
    pub length: u64,
}

/// The label tree: node 0 and so on, in any order.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_tree {
    /// Parent of every node; the root's is itself or -1. `NULL`: no tree.
    pub parent: *const i32,
    /// Weight of the edge from every node to its parent (the root's is not read), from 1e-18 to 1e18;
    /// `NULL`: 1.
    pub edge_weights: *const f64,
    /// Number of nodes.
    pub nodes: u64,
    /// Leaf of every class.
    pub leaf_of_class: *const i32,
    /// Number of classes.
    pub classes: u64,
}

/// One term of a loss: its kind, its weight and all options; each kind reads its own.
///
/// Fill it with `segloss_term_init`, then change what you want.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_term {
    /// `sizeof(segloss_term)` of the caller.
    pub size: u64,
    /// `SEGLOSS_TERM_...`.
    pub kind: u32,
    /// Activation of this term: cross-entropy, binary cross-entropy, focal, top-k.
    pub activation: u32,
    /// Factor of the term in the loss.
    pub weight: f64,
    /// Weight of every class: all but the tree terms. 0 leaves a class out.
    pub class_weights: segloss_doubles,
    /// Region terms: `SEGLOSS_POOLING_...`.
    pub pooling: u32,
    /// Region terms: `SEGLOSS_OVERLAP_...`.
    pub overlap: u32,
    /// Dice: `SEGLOSS_DENOMINATOR_...`.
    pub denominator: u32,
    /// Dice: `SEGLOSS_RATIO_...`.
    pub ratio: u32,
    /// Region terms: added to the numerator.
    pub smooth_numerator: f64,
    /// Region terms: added to the denominator.
    pub smooth_denominator: f64,
    /// Tversky: weight of false positives (alpha in Salehi 2017).
    pub false_positive_weight: f64,
    /// Tversky: weight of false negatives (beta in Salehi 2017).
    pub false_negative_weight: f64,
    /// Tversky: exponent of the focal form, 1 for plain Tversky. Hausdorff: exponent of distances.
    pub exponent: f64,
    /// Generalised Dice: `SEGLOSS_WEIGHTING_...`; Wasserstein Dice: `SEGLOSS_WASSERSTEIN_DICE_...`.
    pub weighting: u32,
    /// Focal: `SEGLOSS_MEAN_OVER_...`.
    pub mean: u32,
    /// Cross-entropy: label smoothing in `[0, 1]`.
    pub label_smoothing: f64,
    /// Binary cross-entropy: weight of positives, one per channel or one for all.
    pub positive_weights: segloss_doubles,
    /// Focal: gamma.
    pub gamma: f64,
    /// Focal: alpha, one per class or one for all; `NULL`: none.
    pub alpha: segloss_doubles,
    /// Top-k: share of the counted voxels, in `(0, 1]`.
    pub fraction: f64,
    /// Tree cross-entropy: weight of every node; one that holds every class adds nothing.
    pub node_weights: segloss_doubles,
    /// Wasserstein terms: `SEGLOSS_GROUND_...`.
    pub ground: u32,
    /// Tree Wasserstein: `SEGLOSS_SCALE_...`.
    pub scale: u32,
    /// Wasserstein terms: classes x classes ground distances for `SEGLOSS_GROUND_MATRIX`.
    pub distance_matrix: segloss_doubles,
    /// Wasserstein Dice, default weighting: the background class.
    pub background: u64,
    /// Distance terms: spacing of the voxels along each axis of the volume, the slowest first, 0 for
    /// axes that it does not have. There is no default; ones stand for distances in voxels.
    pub spacing: [f64; 3],
    /// Hausdorff: probability above which a voxel is foreground of the prediction.
    pub threshold: f64,
    /// Hausdorff: `SEGLOSS_HAUSDORFF_...`.
    pub sides: u32,
    /// Hausdorff: not 0: `ln(1 + mean)`.
    pub logarithm: u32,
    /// Distance terms: not 0: class 0 counts as well.
    pub include_background: u32,
    /// 0.
    pub reserved: u32,
}

/// A loss: an activation, a list of terms and, where they need it, a label tree.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_loss {
    /// `sizeof(segloss_loss)` of the caller.
    pub size: u64,
    /// The terms, `sizeof(segloss_term)` apart.
    pub terms: *const segloss_term,
    /// Number of terms, 1 to 16.
    pub term_count: u64,
    /// `SEGLOSS_SOFTMAX`, `SEGLOSS_SIGMOID` or `SEGLOSS_NO_ACTIVATION`.
    pub activation: u32,
    /// Not 0: per-class sums are taken even if no term needs them.
    pub class_sums: u32,
    /// Not 0: fields of distance terms are kept in scratch, one number per term, class and voxel. Needed
    /// for a gradient that is accumulated or written over the scores, unless fields are handed in.
    pub fields_in_scratch: u32,
    /// `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
    pub level: u32,
    /// The label tree of the tree terms.
    pub tree: segloss_tree,
}

/// What the loss is computed from.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_input {
    /// `sizeof(segloss_input)` of the caller.
    pub size: u64,
    /// Sizes and layout of scores, gradient and dense target.
    pub shape: segloss_shape,
    /// Scores: f32, f64, f16 or bf16.
    pub scores: segloss_array,
    /// Labels or nodes (u8, u16, i16, i32, i64; batch x voxels), or a dense target (u8, f32, f64).
    pub target: segloss_array,
    /// `SEGLOSS_TARGET_...`.
    pub target_kind: u32,
    /// Not 0: voxels labelled `ignore_label` do not count.
    pub has_ignore_label: u32,
    /// The ignore label.
    pub ignore_label: i64,
    /// Voxel weights (f32, or a u8 mask; batch x voxels); `data` `NULL`: all 1.
    pub voxel_weights: segloss_array,
    /// Signed squared distances of the target's masks, batch x class x voxel, negative inside; or
    /// `NULL`, and distance terms compute them. See `segloss_target_fields`.
    pub target_field: *const f32,
    /// The same of the prediction's masks: `segloss_distance_transform`, signed and squared.
    pub prediction_field: *const f32,
}

/// Where the gradient goes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_gradient {
    /// `sizeof(segloss_gradient)` of the caller.
    pub size: u64,
    /// The buffer: element type, length and layout of the scores. It may be the scores themselves.
    pub values: segloss_array_mut,
    /// Factor of the gradient, for loss scaling.
    pub upstream: f64,
    /// `SEGLOSS_GRADIENT_OVERWRITE` or `SEGLOSS_GRADIENT_ACCUMULATE`.
    pub mode: u32,
}

/// One task: call it with every index below the number of tasks, once, in any order, on any thread.
pub type segloss_task = Option<unsafe extern "C" fn(state: *mut c_void, index: u64)>;

/// The caller's parallel-for; `NULL` instead runs everything on the calling thread.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_executor {
    /// Handed to `parallel_for`.
    pub context: *mut c_void,
    /// How many tasks may run at once, at least 1; scratch grows with it.
    pub workers: u64,
    /// Calls `task(state, i)` for every `i < tasks` and returns when all are done. It is not called
    /// for a single task.
    pub parallel_for: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            tasks: u64,
            task: segloss_task,
            state: *mut c_void,
        ),
    >,
}

/// Memory that the library may use during a call; any alignment.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_scratch {
    /// First byte.
    pub data: *mut c_void,
    /// Number of bytes, at least what the size query says.
    pub bytes: u64,
}

/// The sums of one class of one sample.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_class_sums {
    /// Sum of `w p g`.
    pub overlap: f64,
    /// Sum of `w p`.
    pub prediction: f64,
    /// Sum of `w g`.
    pub reference: f64,
}

/// The part of a batch that a sharded call works on.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_part {
    /// Samples of the whole batch, over all ranks.
    pub batch: u64,
    /// Index in the whole batch of the first sample of the input.
    pub first_sample: u64,
    /// First voxel of every sample to work on; a multiple of the block size.
    pub first_voxel: u64,
    /// Number of voxels to work on; 0 stands for all that follow.
    pub voxels: u64,
}

/// The outcome of an evaluation.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_evaluation {
    /// Weighted sum of the terms.
    pub total: f64,
    /// Value of every term, without its weight.
    pub terms: [f64; 16],
    /// Number of terms.
    pub term_count: u64,
    /// Voxels with a positive weight.
    pub counted_voxels: u64,
    /// Sum of the voxel weights.
    pub weight: f64,
    /// Sums `[batch][class]`, in the scratch buffer: valid until it is used again. `NULL` if no
    /// term needs them and `segloss_loss.class_sums` is 0.
    pub class_sums: *const segloss_class_sums,
    /// Number of entries of `class_sums`.
    pub class_sums_length: u64,
}

/// Which argument was refused, where, and what was found.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_detail {
    /// The status.
    pub status: segloss_status,
    /// `SEGLOSS_ARGUMENT_...`.
    pub argument: u32,
    /// Index of the offending element in that argument.
    pub position: u64,
    /// The value found there.
    pub value: f64,
    /// What was needed instead, where there is a single answer.
    pub expected: f64,
}

/// Which voxels are foreground.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_mask {
    /// `SEGLOSS_MASK_...`.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// Bytes or bits (type `SEGLOSS_U8`; for bits the length is the number of bytes), or labels of
    /// any type.
    pub values: segloss_array,
    /// The label of `SEGLOSS_MASK_LABEL`.
    pub label: i64,
}

/// A distance transform: sizes and spacing of the volume, and what the field holds.
///
/// Fill it with `segloss_distance_init`; extent and spacing have no default.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct segloss_distance {
    /// `sizeof(segloss_distance)` of the caller.
    pub size: u64,
    /// Voxels along each axis, the slowest first.
    pub extent: [u64; 3],
    /// Spacing along each axis.
    pub spacing: [f64; 3],
    /// Number of axes, 1 to 3.
    pub axes: u32,
    /// `SEGLOSS_SIDE_...`, signed by default.
    pub side: u32,
    /// Not 0: squared distances; signed ones keep their sign.
    pub squared: u32,
    /// `SEGLOSS_F32`, or `SEGLOSS_F16` for a field in half precision.
    pub field_type: u32,
    /// `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
    pub level: u32,
    /// 0.
    pub reserved: u32,
}
