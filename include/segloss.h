/* segloss: segmentation losses with analytic gradients over buffers the caller owns.
 *
 * Every function returns 0 on success or a status, explained by segloss_status_message. Outputs are
 * written on success only. Nothing is allocated, nothing is to be freed, nothing is kept between
 * calls. A `detail` may be NULL; it says which argument was refused, where, and what was found.
 *
 * Generated from src/capi by cbindgen: change the source, then run `cargo cheader`. */

#ifndef SEGLOSS_H
#define SEGLOSS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define SEGLOSS_NOEXCEPT noexcept
#else
#define SEGLOSS_NOEXCEPT
#endif

/*
 Success.
 */
#define SEGLOSS_OK 0

/*
 Status: a required pointer is null.
 */
#define SEGLOSS_STATUS_NULL_POINTER 100

/*
 Status: a pointer is not aligned for its element type.
 */
#define SEGLOSS_STATUS_MISALIGNED 101

/*
 Status: the size field of a struct is not set.
 */
#define SEGLOSS_STATUS_STRUCT_SIZE 102

/*
 Status: an enumeration holds an unknown number.
 */
#define SEGLOSS_STATUS_UNKNOWN_ENUMERATOR 103

/*
 Status: an output overlaps another argument.
 */
#define SEGLOSS_STATUS_OVERLAP 104

/*
 Status: an option lies outside its range.
 */
#define SEGLOSS_STATUS_OPTION 105

/*
 Status: a loss needs between 1 and 16 terms.
 */
#define SEGLOSS_STATUS_TERM_COUNT 106

/*
 Status: a term needs logits under another activation than the loss has.
 */
#define SEGLOSS_STATUS_ACTIVATION 107

/*
 Status: a term cannot be computed from this kind of target.
 */
#define SEGLOSS_STATUS_TARGET_KIND 108

/*
 Status: a term or the target needs a label tree.
 */
#define SEGLOSS_STATUS_TREE_MISSING 109

/*
 Status: a term cannot be computed from parts of the volume.
 */
#define SEGLOSS_STATUS_NOT_SHARDABLE 110

/*
 Status: the executor returned before its tasks had ended; outputs may be partly written.
 */
#define SEGLOSS_STATUS_EXECUTOR 111

/*
 Status: the gradient has another element type than the scores.
 */
#define SEGLOSS_STATUS_ELEMENT_TYPE 112

/*
 Status: a spacing is out of range or has another number of axes.
 */
#define SEGLOSS_STATUS_SPACING 113

/*
 Status: distance fields need a place in the scratch buffer.
 */
#define SEGLOSS_STATUS_FIELD_STORAGE 114

/*
 Status: batch, classes, axes and extents must be positive, axes at most 3.
 */
#define SEGLOSS_STATUS_SHAPE 200

/*
 Status: the product of the sizes exceeds the address space.
 */
#define SEGLOSS_STATUS_SHAPE_OVERFLOW 201

/*
 Status: a buffer has not the length that the shape asks for.
 */
#define SEGLOSS_STATUS_LENGTH 202

/*
 Status: a part lies outside the volume or does not begin at a block border.
 */
#define SEGLOSS_STATUS_PART 203

/*
 Status: the scratch buffer is too small.
 */
#define SEGLOSS_STATUS_SCRATCH_SIZE 300

/*
 Status: the label tree has no root.
 */
#define SEGLOSS_STATUS_TREE_NO_ROOT 400

/*
 Status: the label tree has more than one root.
 */
#define SEGLOSS_STATUS_TREE_TWO_ROOTS 401

/*
 Status: a node of the label tree is its own ancestor.
 */
#define SEGLOSS_STATUS_TREE_CYCLE 402

/*
 Status: a parent in the label tree is not a node.
 */
#define SEGLOSS_STATUS_TREE_PARENT 403

/*
 Status: a class is not on a leaf of the label tree.
 */
#define SEGLOSS_STATUS_TREE_CLASS_NOT_LEAF 404

/*
 Status: a leaf of the label tree has no class.
 */
#define SEGLOSS_STATUS_TREE_LEAF_WITHOUT_CLASS 405

/*
 Status: two classes share a leaf of the label tree.
 */
#define SEGLOSS_STATUS_TREE_DUPLICATE_LEAF 406

/*
 Status: an edge weight lies outside 1e-18 to 1e18.
 */
#define SEGLOSS_STATUS_TREE_EDGE_WEIGHT 407

/*
 Status: the label tree has another number of classes than the scores.
 */
#define SEGLOSS_STATUS_TREE_CLASSES 408

/*
 Status: a distance matrix must be finite, non-negative and symmetric with a zero diagonal.
 */
#define SEGLOSS_STATUS_DISTANCE_MATRIX 409

/*
 Status: a score is NaN or infinite.
 */
#define SEGLOSS_STATUS_NON_FINITE 500

/*
 Status: a label is neither a class, nor a node, nor the ignore label.
 */
#define SEGLOSS_STATUS_LABEL 501

/*
 Status: a dense target lies outside 0..=1.
 */
#define SEGLOSS_STATUS_TARGET_RANGE 502

/*
 Status: a voxel weight is negative or not finite.
 */
#define SEGLOSS_STATUS_VOXEL_WEIGHT 503

/*
 Argument: none in particular.
 */
#define SEGLOSS_ARGUMENT_NONE 0

/*
 Argument: the loss.
 */
#define SEGLOSS_ARGUMENT_LOSS 1

/*
 Argument: a term; the position is its index.
 */
#define SEGLOSS_ARGUMENT_TERM 2

/*
 Argument: the shape.
 */
#define SEGLOSS_ARGUMENT_SHAPE 3

/*
 Argument: the scores.
 */
#define SEGLOSS_ARGUMENT_SCORES 4

/*
 Argument: the target.
 */
#define SEGLOSS_ARGUMENT_TARGET 5

/*
 Argument: the voxel weights.
 */
#define SEGLOSS_ARGUMENT_VOXEL_WEIGHTS 6

/*
 Argument: the gradient.
 */
#define SEGLOSS_ARGUMENT_GRADIENT 7

/*
 Argument: the scratch buffer.
 */
#define SEGLOSS_ARGUMENT_SCRATCH 8

/*
 Argument: the executor.
 */
#define SEGLOSS_ARGUMENT_EXECUTOR 9

/*
 Argument: the label tree; the position is a node.
 */
#define SEGLOSS_ARGUMENT_TREE_NODE 10

/*
 Argument: the class-to-leaf map; the position is a class.
 */
#define SEGLOSS_ARGUMENT_TREE_CLASS 11

/*
 Argument: the storage of the label tree.
 */
#define SEGLOSS_ARGUMENT_TREE_STORAGE 12

/*
 Argument: class weights; the position is a class.
 */
#define SEGLOSS_ARGUMENT_CLASS_WEIGHTS 13

/*
 Argument: node weights; the position is a node.
 */
#define SEGLOSS_ARGUMENT_NODE_WEIGHTS 14

/*
 Argument: the distance matrix; the position is an element.
 */
#define SEGLOSS_ARGUMENT_DISTANCE_MATRIX 15

/*
 Argument: the exported sums.
 */
#define SEGLOSS_ARGUMENT_SUMS 16

/*
 Argument: the part.
 */
#define SEGLOSS_ARGUMENT_PART 17

/*
 Argument: the result.
 */
#define SEGLOSS_ARGUMENT_RESULT 18

/*
 Argument: positive weights; the position is a channel.
 */
#define SEGLOSS_ARGUMENT_POSITIVE_WEIGHTS 19

/*
 Argument: alpha; the position is a class.
 */
#define SEGLOSS_ARGUMENT_ALPHA 20

/*
 Argument: the spacing; the position is an axis.
 */
#define SEGLOSS_ARGUMENT_SPACING 21

/*
 Argument: a mask.
 */
#define SEGLOSS_ARGUMENT_MASK 22

/*
 Argument: a distance field.
 */
#define SEGLOSS_ARGUMENT_FIELD 23

/*
 Argument: the label map that is judged.
 */
#define SEGLOSS_ARGUMENT_PREDICTION 24

/*
 Argument: the label map that it is judged by.
 */
#define SEGLOSS_ARGUMENT_REFERENCE 25

/*
 Argument: counts of an overlap.
 */
#define SEGLOSS_ARGUMENT_COUNTS 26

/*
 Argument: percentiles; the position is an index in the list.
 */
#define SEGLOSS_ARGUMENT_PERCENTILES 27

/*
 Argument: tolerances; the position is an index in the list.
 */
#define SEGLOSS_ARGUMENT_TOLERANCES 28

/*
 Argument: a map of confidence scores.
 */
#define SEGLOSS_ARGUMENT_CONFIDENCE 29

/*
 Element type: IEEE single precision.
 */
#define SEGLOSS_F32 1

/*
 Element type: IEEE double precision.
 */
#define SEGLOSS_F64 2

/*
 Element type: IEEE half precision, stored as 16 bits.
 */
#define SEGLOSS_F16 3

/*
 Element type: bfloat16, stored as 16 bits.
 */
#define SEGLOSS_BF16 4

/*
 Element type: unsigned 8-bit integer.
 */
#define SEGLOSS_U8 5

/*
 Element type: unsigned 16-bit integer.
 */
#define SEGLOSS_U16 6

/*
 Element type: signed 16-bit integer.
 */
#define SEGLOSS_I16 7

/*
 Element type: signed 32-bit integer.
 */
#define SEGLOSS_I32 8

/*
 Element type: signed 64-bit integer.
 */
#define SEGLOSS_I64 9

/*
 Layout `[batch][class][voxel]`: what PyTorch calls contiguous.
 */
#define SEGLOSS_PLANAR 0

/*
 Layout `[batch][voxel][class]`: channels last.
 */
#define SEGLOSS_INTERLEAVED 1

/*
 Probabilities are the softmax of the scores over the classes.
 */
#define SEGLOSS_SOFTMAX 0

/*
 Probabilities are the sigmoid of the scores, channel by channel.
 */
#define SEGLOSS_SIGMOID 1

/*
 The scores are probabilities already.
 */
#define SEGLOSS_NO_ACTIVATION 2

/*
 A term takes the activation of its loss.
 */
#define SEGLOSS_INHERIT_ACTIVATION 3

/*
 Target: an integer map of classes.
 */
#define SEGLOSS_TARGET_LABELS 0

/*
 Target: an integer map of nodes of the label tree, inner nodes included.
 */
#define SEGLOSS_TARGET_NODES 1

/*
 Target: values in `[0, 1]` for every class, in the layout of the scores.
 */
#define SEGLOSS_TARGET_DENSE 2

/*
 Dice (and Jaccard).
 */
#define SEGLOSS_TERM_DICE 1

/*
 Tversky and focal Tversky.
 */
#define SEGLOSS_TERM_TVERSKY 2

/*
 Generalised Dice.
 */
#define SEGLOSS_TERM_GENERALISED_DICE 3

/*
 Cross-entropy.
 */
#define SEGLOSS_TERM_CROSS_ENTROPY 4

/*
 Binary cross-entropy.
 */
#define SEGLOSS_TERM_BINARY_CROSS_ENTROPY 5

/*
 Focal loss.
 */
#define SEGLOSS_TERM_FOCAL 6

/*
 Top-k cross-entropy.
 */
#define SEGLOSS_TERM_TOP_K_CROSS_ENTROPY 7

/*
 Tree cross-entropy.
 */
#define SEGLOSS_TERM_TREE_CROSS_ENTROPY 8

/*
 Tree Wasserstein distance.
 */
#define SEGLOSS_TERM_TREE_WASSERSTEIN 9

/*
 Generalised Wasserstein Dice.
 */
#define SEGLOSS_TERM_WASSERSTEIN_DICE 10

/*
 Hausdorff distance by distance transforms; needs a spacing.
 */
#define SEGLOSS_TERM_HAUSDORFF_DT 11

/*
 Boundary loss; needs a spacing.
 */
#define SEGLOSS_TERM_BOUNDARY 12

/*
 Hausdorff: distance fields of prediction and target.
 */
#define SEGLOSS_HAUSDORFF_BOTH_SIDES 0

/*
 Hausdorff: distance field of the target alone.
 */
#define SEGLOSS_HAUSDORFF_TARGET_SIDE 1

/*
 Field: at foreground voxels the distance to the background, 0 elsewhere.
 */
#define SEGLOSS_SIDE_INSIDE 0

/*
 Field: at background voxels the distance to the foreground, 0 elsewhere.
 */
#define SEGLOSS_SIDE_OUTSIDE 1

/*
 Field: outside less inside, negative in the foreground.
 */
#define SEGLOSS_SIDE_SIGNED 2

/*
 Field: distance to the other phase, 0 everywhere if there is only one.
 */
#define SEGLOSS_SIDE_TWO_PHASE 3

/*
 SIMD level: the best that the processor has.
 */
#define SEGLOSS_LEVEL_BEST 0

/*
 SIMD level: arrays, which every target has.
 */
#define SEGLOSS_LEVEL_PLAIN 1

/*
 SIMD level: registers of 128 bits (SSE2, NEON, simd128 of WebAssembly); else plain.
 */
#define SEGLOSS_LEVEL_SIMD128 2

/*
 SIMD level: AVX2 with F16C, where they are there; else 128 bits.
 */
#define SEGLOSS_LEVEL_AVX2 3

/*
 SIMD level: AVX-512 (F, BW, DQ, VL), where it is there; else AVX2.
 */
#define SEGLOSS_LEVEL_AVX512 4

/*
 Mask: one byte per voxel, not 0 is foreground.
 */
#define SEGLOSS_MASK_BYTES 0

/*
 Mask: one bit per voxel, the least significant bit of a byte first.
 */
#define SEGLOSS_MASK_BITS 1

/*
 Mask: the voxels of a label map that have one label.
 */
#define SEGLOSS_MASK_LABEL 2

/*
 Region sums per sample.
 */
#define SEGLOSS_POOLING_PER_SAMPLE 0

/*
 Region sums over the whole batch.
 */
#define SEGLOSS_POOLING_BATCH 1

/*
 Overlap: product for label maps and binary targets, absolute difference for soft targets.
 */
#define SEGLOSS_OVERLAP_AUTOMATIC 0

/*
 Overlap: sum of `p g`.
 */
#define SEGLOSS_OVERLAP_PRODUCT 1

/*
 Overlap: `(sum p + sum g - sum |p - g|) / 2`.
 */
#define SEGLOSS_OVERLAP_ABSOLUTE 2

/*
 Dice denominator: sums of `p` and `g`.
 */
#define SEGLOSS_DENOMINATOR_LINEAR 0

/*
 Dice denominator: sums of squares.
 */
#define SEGLOSS_DENOMINATOR_SQUARED 1

/*
 Dice ratio.
 */
#define SEGLOSS_RATIO_DICE 0

/*
 Jaccard ratio (intersection over union).
 */
#define SEGLOSS_RATIO_JACCARD 1

/*
 Generalised Dice weights `1 / G^2`.
 */
#define SEGLOSS_WEIGHTING_INVERSE_SQUARE 0

/*
 Generalised Dice weights `1 / G`.
 */
#define SEGLOSS_WEIGHTING_INVERSE 1

/*
 Generalised Dice weights 1.
 */
#define SEGLOSS_WEIGHTING_UNIFORM 2

/*
 Focal loss: mean over counted channels and voxels.
 */
#define SEGLOSS_MEAN_OVER_CHANNELS_AND_VOXELS 0

/*
 Focal loss: sum over channels, mean over voxels.
 */
#define SEGLOSS_MEAN_OVER_VOXELS 1

/*
 Ground distance of the label tree, in its units.
 */
#define SEGLOSS_GROUND_TREE 0

/*
 Ground distance from the caller's matrix.
 */
#define SEGLOSS_GROUND_MATRIX 1

/*
 Ground distance as given.
 */
#define SEGLOSS_SCALE_AS_GIVEN 0

/*
 Ground distance divided by its maximum.
 */
#define SEGLOSS_SCALE_UNIT_MAXIMUM 1

/*
 Generalised Wasserstein Dice: foreground weighs 1, background 0.
 */
#define SEGLOSS_WASSERSTEIN_DICE_DEFAULT 0

/*
 Generalised Wasserstein Dice: weights `1 / (volume + 1)`.
 */
#define SEGLOSS_WASSERSTEIN_DICE_GENERALISED 1

/*
 Overwrite the gradient buffer.
 */
#define SEGLOSS_GRADIENT_OVERWRITE 0

/*
 Add to the gradient buffer.
 */
#define SEGLOSS_GRADIENT_ACCUMULATE 1

/*
 Node weights: uniform over the levels, 1 along every path (`factor` weighs the top level).
 */
#define SEGLOSS_NODE_WEIGHTS_UNIFORM 0

/*
 Node weights: 1 at every node (Muller and Smith 2020).
 */
#define SEGLOSS_NODE_WEIGHTS_SUM_OVER_LEVELS 1

/*
 Node weights: hierarchical cross-entropy (Bertinetto 2020), `factor` is its alpha.
 */
#define SEGLOSS_NODE_WEIGHTS_HIERARCHICAL 2

/*
 Node weights: 1 at the leaves, plain cross-entropy.
 */
#define SEGLOSS_NODE_WEIGHTS_LEAVES 3

/*
 Dice + cross-entropy.
 */
#define SEGLOSS_PRESET_DICE_CROSS_ENTROPY 1

/*
 Dice + focal (gamma 2, softmax).
 */
#define SEGLOSS_PRESET_DICE_FOCAL 2

/*
 Dice + focal (gamma 2, sigmoid on the raw logits, as MONAI).
 */
#define SEGLOSS_PRESET_DICE_FOCAL_AS_MONAI 3

/*
 Tversky, false positives 0.3, false negatives 0.7.
 */
#define SEGLOSS_PRESET_TVERSKY 4

/*
 Cross-entropy + tree Wasserstein (unit maximum), half each.
 */
#define SEGLOSS_PRESET_WASSERSTEIN_CROSS_ENTROPY 5

/*
 Tree cross-entropy; the caller sets `node_weights` of its term.
 */
#define SEGLOSS_PRESET_TREE_CROSS_ENTROPY 6

/*
 Tree cross-entropy + Dice; the caller sets `node_weights` of the first term.
 */
#define SEGLOSS_PRESET_TREE_CROSS_ENTROPY_DICE 7

/*
 HausdorffDT, exponent 2. Set the spacing of its term.
 */
#define SEGLOSS_PRESET_HAUSDORFF_DT 8

/*
 0.9 (Dice + focal) + 0.1 LogHausdorffDT (arXiv 2502.09148). Set the spacing of the last term.
 */
#define SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT 9

/*
 The same with focal in its sigmoid form, as MONAI's DiceFocalLoss.
 */
#define SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT_AS_MONAI 10

/*
 0.9 Tversky (0.3, 0.7) + 0.1 LogHausdorffDT (arXiv 2502.09148). Set the spacing of the last term.
 */
#define SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT 11

/*
 `2 TP / (2 TP + FP + FN)`.
 */
#define SEGLOSS_METRIC_DICE 1

/*
 `TP / (TP + FP + FN)`.
 */
#define SEGLOSS_METRIC_JACCARD 2

/*
 `TP / (TP + FP)`.
 */
#define SEGLOSS_METRIC_PRECISION 3

/*
 `TP / (TP + FN)`.
 */
#define SEGLOSS_METRIC_SENSITIVITY 4

/*
 `TN / (TN + FP)`.
 */
#define SEGLOSS_METRIC_SPECIFICITY 5

/*
 `(1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)`.
 */
#define SEGLOSS_METRIC_F_BETA 6

/*
 `(TP + TN) / (TP + FP + FN + TN)`.
 */
#define SEGLOSS_METRIC_ACCURACY 7

/*
 `1 - |FP - FN| / (2 TP + FP + FN)`.
 */
#define SEGLOSS_METRIC_VOLUME_SIMILARITY 8

/*
 `(FP - FN) / (TP + FN)`.
 */
#define SEGLOSS_METRIC_RELATIVE_VOLUME_DIFFERENCE 9

/*
 Cohen's kappa.
 */
#define SEGLOSS_METRIC_COHEN_KAPPA 10

/*
 Matthews correlation coefficient.
 */
#define SEGLOSS_METRIC_MATTHEWS 11

/*
 Confidence: the largest of `softmax(z / temperature)`.
 */
#define SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY 1

/*
 Confidence: the largest score; the temperature is not read.
 */
#define SEGLOSS_CONFIDENCE_MAXIMUM_LOGIT 2

/*
 Confidence: `temperature * ln(sum(exp(z / temperature)))`.
 */
#define SEGLOSS_CONFIDENCE_ENERGY 3

/*
 Confidence: `sum(p ln p)` of `p = softmax(z / temperature)`.
 */
#define SEGLOSS_CONFIDENCE_NEGATIVE_ENTROPY 4

/*
 Surface: foreground voxels with a face neighbour in the background.
 */
#define SEGLOSS_SURFACE_VOXEL 0

/*
 Surface: neighbourhoods of 2x2x2 (2x2) voxels of both phases, weighed by the area in them.
 */
#define SEGLOSS_SURFACE_SURFEL 1

/*
 Percentile: the larger directed one, linear between order statistics (MONAI).
 */
#define SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED 0

/*
 Percentile: of all distances together, linear between order statistics (medpy).
 */
#define SEGLOSS_PERCENTILE_POOLED 1

/*
 Percentile: the larger directed distance within which that share of the surface lies (DeepMind).
 */
#define SEGLOSS_PERCENTILE_AREA_WEIGHTED 2

/*
 Percentile: as the tools that use the model: the maximum of directed ones for voxels,
 area-weighted for surfels.
 */
#define SEGLOSS_PERCENTILE_AUTOMATIC 3

/*
 The class was left out.
 */
#define SEGLOSS_CLASS_NOT_EVALUATED 0

/*
 Both masks hold a voxel: all metrics are defined.
 */
#define SEGLOSS_CLASS_BOTH_PRESENT 1

/*
 The reference alone holds a voxel.
 */
#define SEGLOSS_CLASS_PREDICTION_EMPTY 2

/*
 The prediction alone holds a voxel.
 */
#define SEGLOSS_CLASS_REFERENCE_EMPTY 3

/*
 None holds a voxel.
 */
#define SEGLOSS_CLASS_BOTH_EMPTY 4

/*
 Outcome of a call: 0 is success, see [`segloss_status_message`](super::segloss_status_message).
 */
typedef int32_t segloss_status;

/*
 A list of doubles; `NULL` with length 0 stands for the default.
 */
typedef struct segloss_doubles {
    /*
     First element.
     */
    const double *data;
    /*
     Number of elements.
     */
    uint64_t length;
} segloss_doubles;

/*
 One term of a loss: its kind, its weight and all options; each kind reads its own.

 Fill it with `segloss_term_init`, then change what you want.
 */
typedef struct segloss_term {
    /*
     `sizeof(segloss_term)` of the caller.
     */
    uint64_t size;
    /*
     `SEGLOSS_TERM_...`.
     */
    uint32_t kind;
    /*
     Activation of this term: cross-entropy, binary cross-entropy, focal, top-k.
     */
    uint32_t activation;
    /*
     Factor of the term in the loss.
     */
    double weight;
    /*
     Weight of every class: all but the tree terms. 0 leaves a class out.
     */
    struct segloss_doubles class_weights;
    /*
     Region terms: `SEGLOSS_POOLING_...`.
     */
    uint32_t pooling;
    /*
     Region terms: `SEGLOSS_OVERLAP_...`.
     */
    uint32_t overlap;
    /*
     Dice: `SEGLOSS_DENOMINATOR_...`.
     */
    uint32_t denominator;
    /*
     Dice: `SEGLOSS_RATIO_...`.
     */
    uint32_t ratio;
    /*
     Region terms: added to the numerator.
     */
    double smooth_numerator;
    /*
     Region terms: added to the denominator.
     */
    double smooth_denominator;
    /*
     Tversky: weight of false positives (alpha in Salehi 2017).
     */
    double false_positive_weight;
    /*
     Tversky: weight of false negatives (beta in Salehi 2017).
     */
    double false_negative_weight;
    /*
     Tversky: exponent of the focal form, 1 for plain Tversky. Hausdorff: exponent of distances.
     */
    double exponent;
    /*
     Generalised Dice: `SEGLOSS_WEIGHTING_...`; Wasserstein Dice: `SEGLOSS_WASSERSTEIN_DICE_...`.
     */
    uint32_t weighting;
    /*
     Focal: `SEGLOSS_MEAN_OVER_...`.
     */
    uint32_t mean;
    /*
     Cross-entropy: label smoothing in `[0, 1]`.
     */
    double label_smoothing;
    /*
     Binary cross-entropy: weight of positives, one per channel or one for all.
     */
    struct segloss_doubles positive_weights;
    /*
     Focal: gamma.
     */
    double gamma;
    /*
     Focal: alpha, one per class or one for all; `NULL`: none.
     */
    struct segloss_doubles alpha;
    /*
     Top-k: share of the counted voxels, in `(0, 1]`.
     */
    double fraction;
    /*
     Tree cross-entropy: weight of every node; one that holds every class adds nothing.
     */
    struct segloss_doubles node_weights;
    /*
     Wasserstein terms: `SEGLOSS_GROUND_...`.
     */
    uint32_t ground;
    /*
     Tree Wasserstein: `SEGLOSS_SCALE_...`.
     */
    uint32_t scale;
    /*
     Wasserstein terms: classes x classes ground distances for `SEGLOSS_GROUND_MATRIX`.
     */
    struct segloss_doubles distance_matrix;
    /*
     Wasserstein Dice, default weighting: the background class.
     */
    uint64_t background;
    /*
     Distance terms: spacing of the voxels along each axis of the volume, the slowest first, 0 for
     axes that it does not have. There is no default; ones stand for distances in voxels.
     */
    double spacing[3];
    /*
     Hausdorff: probability above which a voxel is foreground of the prediction.
     */
    double threshold;
    /*
     Hausdorff: `SEGLOSS_HAUSDORFF_...`.
     */
    uint32_t sides;
    /*
     Hausdorff: not 0: `ln(1 + mean)`.
     */
    uint32_t logarithm;
    /*
     Distance terms: not 0: class 0 counts as well.
     */
    uint32_t include_background;
    /*
     0.
     */
    uint32_t reserved;
} segloss_term;

/*
 The label tree: node 0 and so on, in any order.
 */
typedef struct segloss_tree {
    /*
     Parent of every node; the root's is itself or -1. `NULL`: no tree.
     */
    const int32_t *parent;
    /*
     Weight of the edge from every node to its parent (the root's is not read), from 1e-18 to 1e18;
     `NULL`: 1.
     */
    const double *edge_weights;
    /*
     Number of nodes.
     */
    uint64_t nodes;
    /*
     Leaf of every class.
     */
    const int32_t *leaf_of_class;
    /*
     Number of classes.
     */
    uint64_t classes;
} segloss_tree;

/*
 A loss: an activation, a list of terms and, where they need it, a label tree.
 */
typedef struct segloss_loss {
    /*
     `sizeof(segloss_loss)` of the caller.
     */
    uint64_t size;
    /*
     The terms, `sizeof(segloss_term)` apart.
     */
    const struct segloss_term *terms;
    /*
     Number of terms, 1 to 16.
     */
    uint64_t term_count;
    /*
     `SEGLOSS_SOFTMAX`, `SEGLOSS_SIGMOID` or `SEGLOSS_NO_ACTIVATION`.
     */
    uint32_t activation;
    /*
     Not 0: per-class sums are taken even if no term needs them.
     */
    uint32_t class_sums;
    /*
     Not 0: fields of distance terms are kept in scratch, one number per term, class and voxel. Needed
     for a gradient that is accumulated or written over the scores, unless fields are handed in.
     */
    uint32_t fields_in_scratch;
    /*
     `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
     */
    uint32_t level;
    /*
     The label tree of the tree terms.
     */
    struct segloss_tree tree;
} segloss_loss;

/*
 Sizes and layout of the scores.
 */
typedef struct segloss_shape {
    /*
     Samples, at least 1.
     */
    uint64_t batch;
    /*
     Classes or channels, at least 1.
     */
    uint64_t classes;
    /*
     Voxels along each axis; entries past `axes` are not read.
     */
    uint64_t extent[3];
    /*
     Spatial axes, 1 to 3.
     */
    uint32_t axes;
    /*
     `SEGLOSS_PLANAR` or `SEGLOSS_INTERLEAVED`.
     */
    uint32_t layout;
} segloss_shape;

/*
 A buffer that is only read.
 */
typedef struct segloss_array {
    /*
     First element.
     */
    const void *data;
    /*
     Number of elements.
     */
    uint64_t length;
    /*
     Element type, `SEGLOSS_F32` and so on.
     */
    uint32_t type;
} segloss_array;

/*
 What the loss is computed from.
 */
typedef struct segloss_input {
    /*
     `sizeof(segloss_input)` of the caller.
     */
    uint64_t size;
    /*
     Sizes and layout of scores, gradient and dense target.
     */
    struct segloss_shape shape;
    /*
     Scores: f32, f64, f16 or bf16.
     */
    struct segloss_array scores;
    /*
     Labels or nodes (u8, u16, i16, i32, i64; batch x voxels), or a dense target (u8, f32, f64).
     */
    struct segloss_array target;
    /*
     `SEGLOSS_TARGET_...`.
     */
    uint32_t target_kind;
    /*
     Not 0: voxels labelled `ignore_label` do not count.
     */
    uint32_t has_ignore_label;
    /*
     The ignore label.
     */
    int64_t ignore_label;
    /*
     Voxel weights (f32, or a u8 mask; batch x voxels); `data` `NULL`: all 1.
     */
    struct segloss_array voxel_weights;
    /*
     Signed squared distances of the target's masks, batch x class x voxel, negative inside; or
     `NULL`, and distance terms compute them. See `segloss_target_fields`.
     */
    const float *target_field;
    /*
     The same of the prediction's masks: `segloss_distance_transform`, signed and squared.
     */
    const float *prediction_field;
} segloss_input;

/*
 A buffer that is written.
 */
typedef struct segloss_array_mut {
    /*
     First element.
     */
    void *data;
    /*
     Number of elements.
     */
    uint64_t length;
    /*
     Element type, `SEGLOSS_F32` and so on.
     */
    uint32_t type;
} segloss_array_mut;

/*
 Where the gradient goes.
 */
typedef struct segloss_gradient {
    /*
     `sizeof(segloss_gradient)` of the caller.
     */
    uint64_t size;
    /*
     The buffer: element type, length and layout of the scores. It may be the scores themselves.
     */
    struct segloss_array_mut values;
    /*
     Factor of the gradient, for loss scaling.
     */
    double upstream;
    /*
     `SEGLOSS_GRADIENT_OVERWRITE` or `SEGLOSS_GRADIENT_ACCUMULATE`.
     */
    uint32_t mode;
} segloss_gradient;

/*
 A distance transform: sizes and spacing of the volume, and what the field holds.

 Fill it with `segloss_distance_init`; extent and spacing have no default.
 */
typedef struct segloss_distance {
    /*
     `sizeof(segloss_distance)` of the caller.
     */
    uint64_t size;
    /*
     Voxels along each axis, the slowest first.
     */
    uint64_t extent[3];
    /*
     Spacing along each axis.
     */
    double spacing[3];
    /*
     Number of axes, 1 to 3.
     */
    uint32_t axes;
    /*
     `SEGLOSS_SIDE_...`, signed by default.
     */
    uint32_t side;
    /*
     Not 0: squared distances; signed ones keep their sign.
     */
    uint32_t squared;
    /*
     `SEGLOSS_F32`, or `SEGLOSS_F16` for a field in half precision.
     */
    uint32_t field_type;
    /*
     `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
     */
    uint32_t level;
    /*
     0.
     */
    uint32_t reserved;
} segloss_distance;

/*
 The part of a batch that a sharded call works on.
 */
typedef struct segloss_part {
    /*
     Samples of the whole batch, over all ranks.
     */
    uint64_t batch;
    /*
     Index in the whole batch of the first sample of the input.
     */
    uint64_t first_sample;
    /*
     First voxel of every sample to work on; a multiple of the block size.
     */
    uint64_t first_voxel;
    /*
     Number of voxels to work on; 0 stands for all that follow.
     */
    uint64_t voxels;
} segloss_part;

/*
 Which argument was refused, where, and what was found.
 */
typedef struct segloss_detail {
    /*
     The status.
     */
    segloss_status status;
    /*
     `SEGLOSS_ARGUMENT_...`.
     */
    uint32_t argument;
    /*
     Index of the offending element in that argument.
     */
    uint64_t position;
    /*
     The value found there.
     */
    double value;
    /*
     What was needed instead, where there is a single answer.
     */
    double expected;
} segloss_detail;

/*
 Memory that the library may use during a call; any alignment.
 */
typedef struct segloss_scratch {
    /*
     First byte.
     */
    void *data;
    /*
     Number of bytes, at least what the size query says.
     */
    uint64_t bytes;
} segloss_scratch;

/*
 One task: call it with every index below the number of tasks, once, in any order, on any thread.
 */
typedef void (*segloss_task)(void *state,
                             uint64_t index);

/*
 The caller's parallel-for; `NULL` instead runs everything on the calling thread.
 */
typedef struct segloss_executor {
    /*
     Handed to `parallel_for`.
     */
    void *context;
    /*
     How many tasks may run at once, at least 1; scratch grows with it.
     */
    uint64_t workers;
    /*
     Calls `task(state, i)` for every `i < tasks` and returns when all are done. It is not called
     for a single task.
     */
    void (*parallel_for)(void *context,
                         uint64_t tasks,
                         segloss_task task,
                         void *state);
} segloss_executor;

/*
 The sums of one class of one sample.
 */
typedef struct segloss_class_sums {
    /*
     Sum of `w p g`.
     */
    double overlap;
    /*
     Sum of `w p`.
     */
    double prediction;
    /*
     Sum of `w g`.
     */
    double reference;
} segloss_class_sums;

/*
 The outcome of an evaluation.
 */
typedef struct segloss_evaluation {
    /*
     Weighted sum of the terms.
     */
    double total;
    /*
     Value of every term, without its weight.
     */
    double terms[16];
    /*
     Number of terms.
     */
    uint64_t term_count;
    /*
     Voxels with a positive weight.
     */
    uint64_t counted_voxels;
    /*
     Sum of the voxel weights.
     */
    double weight;
    /*
     Sums `[batch][class]`, in the scratch buffer: valid until it is used again. `NULL` if no
     term needs them and `segloss_loss.class_sums` is 0.
     */
    const struct segloss_class_sums *class_sums;
    /*
     Number of entries of `class_sums`.
     */
    uint64_t class_sums_length;
} segloss_evaluation;

/*
 Which voxels are foreground.
 */
typedef struct segloss_mask {
    /*
     `SEGLOSS_MASK_...`.
     */
    uint32_t kind;
    /*
     0.
     */
    uint32_t reserved;
    /*
     Bytes or bits (type `SEGLOSS_U8`; for bits the length is the number of bytes), or labels of
     any type.
     */
    struct segloss_array values;
    /*
     The label of `SEGLOSS_MASK_LABEL`.
     */
    int64_t label;
} segloss_mask;

/*
 A label map and the one that it is judged by: one volume, labels `0 .. classes - 1`.

 A voxel whose reference is the ignore label is exempt. A prediction that is the ignore label,
 where that is no class, belongs to no class. Any other label of a voxel that counts is refused.
 */
typedef struct segloss_label_pair {
    /*
     `sizeof(segloss_label_pair)` of the caller.
     */
    uint64_t size;
    /*
     Voxels along each axis, the slowest first; entries past `axes` are not read.
     */
    uint64_t extent[3];
    /*
     Distance between voxels along each axis, 1e-6 to 1e6; counts do not depend on it.
     */
    double spacing[3];
    /*
     Axes, 1 to 3.
     */
    uint32_t axes;
    /*
     Not 0: voxels of the reference labelled `ignore_label` do not count.
     */
    uint32_t has_ignore_label;
    /*
     The ignore label: any integer, a class or not.
     */
    int64_t ignore_label;
    /*
     Number of classes, at most 2^24.
     */
    uint64_t classes;
    /*
     The map that is judged (u8, u16, i16, i32 or i64), one label per voxel.
     */
    struct segloss_array prediction;
    /*
     The map that it is judged by, of any of these types.
     */
    struct segloss_array reference;
} segloss_label_pair;

/*
 How often a class was right and wrong. Counts of parts add up, element by element.
 */
typedef struct segloss_overlap_counts {
    /*
     Voxels of the class in both maps.
     */
    uint64_t true_positive;
    /*
     Voxels of the class in the prediction alone.
     */
    uint64_t false_positive;
    /*
     Voxels of the class in the reference alone.
     */
    uint64_t false_negative;
    /*
     Voxels of the class in neither map.
     */
    uint64_t true_negative;
} segloss_overlap_counts;

/*
 How far predicted and true class lie apart in a label tree, summed over voxels. Sums of parts
 add up.
 */
typedef struct segloss_tree_distance_sums {
    /*
     Voxels that count.
     */
    uint64_t counted_voxels;
    /*
     Sum of the tree distances; over `counted_voxels` the tree-induced error.
     */
    double total_distance;
    /*
     Sum of the depths of the lowest common ancestors; the root has depth 0.
     */
    uint64_t total_ancestor_depth;
} segloss_tree_distance_sums;

/*
 What surface metrics are computed, and how. Fill it with `segloss_surface_options_init`.
 */
typedef struct segloss_surface_options {
    /*
     `sizeof(segloss_surface_options)` of the caller.
     */
    uint64_t size;
    /*
     `SEGLOSS_SURFACE_...`, voxels by default.
     */
    uint32_t model;
    /*
     `SEGLOSS_PERCENTILE_...`, automatic by default; surfels take the area-weighted one alone.
     */
    uint32_t convention;
    /*
     Percentiles from 0 to 100; none by default.
     */
    struct segloss_doubles percentiles;
    /*
     Tolerances of surface Dice and overlaps, in the unit of the spacing; none by default.
     */
    struct segloss_doubles tolerances;
    /*
     Not 0: class 0 is evaluated as well.
     */
    uint32_t include_background;
    /*
     `SEGLOSS_LEVEL_...`, the best by default. All give the same bits.
     */
    uint32_t level;
    /*
     Distance if one mask is empty, infinite by default.
     */
    double distance_one_empty;
    /*
     Surface Dice and overlaps if one mask is empty, 0 by default.
     */
    double share_one_empty;
    /*
     Distance if both masks are empty, NaN by default.
     */
    double distance_both_empty;
    /*
     Surface Dice and overlaps if both masks are empty, NaN by default.
     */
    double share_both_empty;
} segloss_surface_options;

/*
 The surface metrics of one class; distances in the unit of the spacing.
 */
typedef struct segloss_surface_result {
    /*
     `SEGLOSS_CLASS_...`: which masks hold a voxel.
     */
    uint32_t state;
    /*
     0.
     */
    uint32_t reserved;
    /*
     Voxels of the prediction.
     */
    uint64_t prediction_voxels;
    /*
     Voxels of the reference.
     */
    uint64_t reference_voxels;
    /*
     Voxels of both.
     */
    uint64_t common_voxels;
    /*
     Boundary voxels of the prediction, or area (length) of its surface.
     */
    double prediction_surface;
    /*
     The same of the reference.
     */
    double reference_surface;
    /*
     Hausdorff distance.
     */
    double hausdorff;
    /*
     Largest distance from prediction to reference, and back.
     */
    double directed_maximum[2];
    /*
     Mean distance from prediction to reference, and back.
     */
    double directed_mean[2];
    /*
     Average symmetric surface distance: the mean over both surfaces.
     */
    double assd;
    /*
     Mean average surface distance: the mean of the two directed means.
     */
    double masd;
} segloss_surface_result;

/*
 Shares of the surfaces within a tolerance.
 */
typedef struct segloss_tolerance_shares {
    /*
     Surface Dice (normalised surface distance).
     */
    double surface_dice;
    /*
     Of the prediction's surface.
     */
    double prediction_overlap;
    /*
     Of the reference's surface.
     */
    double reference_overlap;
} segloss_tolerance_shares;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Version of the library, "major.minor.patch".
 */
const char *segloss_version(void)
SEGLOSS_NOEXCEPT;

/*
 One sentence about a status. Never null, never freed.
 */
const char *segloss_status_message(segloss_status status)
SEGLOSS_NOEXCEPT;

/*
 Name of the argument of a detail. Never null, never freed.
 */
const char *segloss_argument_name(uint32_t argument)
SEGLOSS_NOEXCEPT;

/*
 Defaults of a term: those of the paper or tool that defines it.

 `term_size` is `sizeof *term`.

 # Safety
 If not null, `term` must point to memory for a term.
 */
segloss_status segloss_term_init(struct segloss_term *term,
                                 size_t term_size,
                                 uint32_t kind)
SEGLOSS_NOEXCEPT;

/*
 A loss under softmax without terms and tree. `loss_size` is `sizeof *loss`.

 # Safety
 If not null, `loss` must point to memory for a loss.
 */
segloss_status segloss_loss_init(struct segloss_loss *loss,
                                 size_t loss_size)
SEGLOSS_NOEXCEPT;

/*
 An input of one sample with three axes of extent 1 and all voxel weights 1. `input_size` is
 `sizeof *input`.

 # Safety
 If not null, `input` must point to memory for an input.
 */
segloss_status segloss_input_init(struct segloss_input *input,
                                  size_t input_size)
SEGLOSS_NOEXCEPT;

/*
 An overwriting gradient with factor 1. `gradient_size` is `sizeof *gradient`.

 # Safety
 If not null, `gradient` must point to memory for a gradient.
 */
segloss_status segloss_gradient_init(struct segloss_gradient *gradient,
                                     size_t gradient_size)
SEGLOSS_NOEXCEPT;

/*
 A signed transform in single precision. `distance_size` is `sizeof *distance`.

 # Safety
 If not null, `distance` must point to memory for a transform.
 */
segloss_status segloss_distance_init(struct segloss_distance *distance,
                                     size_t distance_size)
SEGLOSS_NOEXCEPT;

/*
 Writes the terms of a preset to `terms`, and their number to `count`. Room for 3 always
 suffices. Distance terms come without a spacing, which has no default. `term_size` is `sizeof *terms`.

 # Safety
 `terms` must point to memory for `capacity` terms, `count` to a number; null is refused.
 */
segloss_status segloss_preset(uint32_t preset,
                              struct segloss_term *terms,
                              size_t term_size,
                              size_t capacity,
                              uint64_t *count)
SEGLOSS_NOEXCEPT;

/*
 Bytes of scratch for the evaluation of a loss with that many workers, any alignment.

 Looks at shape, element types, terms and the sizes of the tree, not at scores or target:
 their pointers and lengths may still be unset. `part` is that of the sharded calls, else
 `NULL`.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `part` and
 `detail`.
 */
segloss_status segloss_loss_scratch_size(const struct segloss_loss *loss,
                                         const struct segloss_input *input,
                                         const struct segloss_part *part,
                                         uint64_t workers,
                                         uint64_t *bytes,
                                         struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Value of a loss and of each of its terms, and its gradient with respect to the scores.

 `gradient` `NULL`: the value alone, one pass over the scores; terms on distances that make their
 fields take one more, and one for every class unless `fields_in_scratch` is set. The gradient may be written over
 the scores (same pointer, type and length, overwriting); no other overlap is allowed.
 `executor` `NULL`: everything on the calling thread, and so are tasks that an executor leaves
 out. `result` and gradient are written on success only. The result is the same bits for every
 executor.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `gradient`, `executor` and `detail`.
 */
segloss_status segloss_loss_evaluate(const struct segloss_loss *loss,
                                     const struct segloss_input *input,
                                     const struct segloss_gradient *gradient,
                                     struct segloss_scratch scratch,
                                     const struct segloss_executor *executor,
                                     struct segloss_evaluation *result,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Voxels of a block: parts of a volume begin at multiples of it.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `detail`.
 */
segloss_status segloss_loss_block_voxels(const struct segloss_input *input,
                                         uint64_t *voxels,
                                         struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Length of the sums of the sharded calls, in doubles.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `part` and
 `detail`.
 */
segloss_status segloss_loss_sums_length(const struct segloss_loss *loss,
                                        const struct segloss_input *input,
                                        const struct segloss_part *part,
                                        uint64_t *length,
                                        struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Step 1 of a sharded evaluation: adds the sums of a part to `sums`, which begin as zeros.

 Sums of parts and ranks are added element by element (`MPI_SUM`, `ncclSum`), in any order,
 exactly.

 # Safety
 As `segloss_loss_evaluate`; `part` may be null for everything, and `sums` must hold
 `sums_length` doubles.
 */
segloss_status segloss_loss_accumulate(const struct segloss_loss *loss,
                                       const struct segloss_input *input,
                                       const struct segloss_part *part,
                                       struct segloss_scratch scratch,
                                       const struct segloss_executor *executor,
                                       double *sums,
                                       uint64_t sums_length,
                                       struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Step 2 of a sharded evaluation: the evaluation that sums stand for.

 # Safety
 As `segloss_loss_accumulate`.
 */
segloss_status segloss_loss_finish(const struct segloss_loss *loss,
                                   const struct segloss_input *input,
                                   const struct segloss_part *part,
                                   const double *sums,
                                   uint64_t sums_length,
                                   struct segloss_scratch scratch,
                                   struct segloss_evaluation *result,
                                   struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Step 3 of a sharded evaluation: the gradient of a part, from the sums of all parts.

 # Safety
 As `segloss_loss_accumulate`; `gradient` is required and may not be the scores.
 */
segloss_status segloss_loss_gradient(const struct segloss_loss *loss,
                                     const struct segloss_input *input,
                                     const struct segloss_part *part,
                                     const double *sums,
                                     uint64_t sums_length,
                                     const struct segloss_gradient *gradient,
                                     struct segloss_scratch scratch,
                                     const struct segloss_executor *executor,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Bytes of scratch for `segloss_distance_transform` with that many workers, any alignment.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `detail`.
 */
segloss_status segloss_distance_scratch_size(const struct segloss_distance *distance,
                                             uint64_t workers,
                                             uint64_t *bytes,
                                             struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Exact Euclidean distances of a mask, in the order of the mask.

 `field` holds one number per voxel, of the type that `distance` names; it is written on success
 only. In half precision distances beyond 65504 become infinite. The result is the same bits for
 every executor.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `executor` and `detail`.
 */
segloss_status segloss_distance_transform(const struct segloss_distance *distance,
                                          const struct segloss_mask *mask_values,
                                          struct segloss_array_mut field,
                                          struct segloss_scratch scratch,
                                          const struct segloss_executor *executor,
                                          struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Bytes of scratch for `segloss_target_fields` with that many workers, any alignment.

 # Safety
 Pointers must be null or point to what their types say, `spacing` to 3 doubles; null is refused
 except for `detail`.
 */
segloss_status segloss_target_fields_scratch_size(const struct segloss_input *input,
                                                  const double *spacing,
                                                  uint64_t workers,
                                                  uint64_t *bytes,
                                                  struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Signed squared distances to every class of a target, batch x class x voxel: what
 `segloss_input.target_field` wants, computed once as long as the labels do not change.

 Of `input`, shape, target and ignore label are read. `spacing` are 3 doubles, 0 for axes that the
 volume does not have.

 # Safety
 As `segloss_distance_transform`; `fields` must have room for `length` floats.
 */
segloss_status segloss_target_fields(const struct segloss_input *input,
                                     const double *spacing,
                                     float *fields,
                                     uint64_t length,
                                     struct segloss_scratch scratch,
                                     const struct segloss_executor *executor,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Bytes of scratch for the calls on a tree, any alignment.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `detail`.
 */
segloss_status segloss_tree_scratch_size(const struct segloss_tree *tree,
                                         uint64_t *bytes,
                                         struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Validates a tree: one status per defect, the detail names the node or class.

 # Safety
 As `segloss_tree_scratch_size`; the arrays of the tree must hold as many elements as it says.
 */
segloss_status segloss_tree_check(const struct segloss_tree *tree,
                                  struct segloss_scratch scratch,
                                  struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Node weights by rule (`SEGLOSS_NODE_WEIGHTS_...`), one per node.

 `factor`: that of the top level for uniform weights, alpha for hierarchical ones, else not read.

 # Safety
 As `segloss_tree_check`; `weights` must have room for `length` doubles, all written on success.
 */
segloss_status segloss_tree_node_weights(const struct segloss_tree *tree,
                                         uint32_t rule,
                                         double factor,
                                         struct segloss_scratch scratch,
                                         double *weights,
                                         uint64_t length,
                                         struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Node weights from one weight per level; `level_weights[d]` is that of depth `d`, the root has
 depth 0.

 # Safety
 As `segloss_tree_node_weights`; `level_weights` must hold `levels` doubles.
 */
segloss_status segloss_tree_level_weights(const struct segloss_tree *tree,
                                          const double *level_weights,
                                          uint64_t levels,
                                          struct segloss_scratch scratch,
                                          double *weights,
                                          uint64_t length,
                                          struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Distance between two classes along the tree. The position of a refused class is 0 or 1.

 # Safety
 As `segloss_tree_check`.
 */
segloss_status segloss_tree_distance(const struct segloss_tree *tree,
                                     uint64_t class_a,
                                     uint64_t class_b,
                                     struct segloss_scratch scratch,
                                     double *distance,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 All distances between classes, `classes x classes`, row by row.

 # Safety
 As `segloss_tree_check`; `distances` must have room for `length` doubles.
 */
segloss_status segloss_tree_distances(const struct segloss_tree *tree,
                                      struct segloss_scratch scratch,
                                      double *distances,
                                      uint64_t length,
                                      struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 A pair of maps along three axes of extent 1, without an ignore label. There is no default
 spacing: the 0 that is written is refused by calls that measure distances. `pair_size` is `sizeof *pair`.

 # Safety
 If not null, `pair` must point to memory for a pair.
 */
segloss_status segloss_label_pair_init(struct segloss_label_pair *pair,
                                       size_t pair_size)
SEGLOSS_NOEXCEPT;

/*
 Counts, for all classes at once, what `segloss_overlap_score` makes metrics of.

 `voxel_weights` are whole-number multiplicities of the voxels, 0 exempts one; `NULL` with
 length 0: every voxel counts once. `counts` gets one element per class, overwritten.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `voxel_weights` and `detail`.
 */
segloss_status segloss_count_overlap(const struct segloss_label_pair *pair,
                                     const uint8_t *voxel_weights,
                                     uint64_t voxel_weights_length,
                                     struct segloss_overlap_counts *counts,
                                     uint64_t counts_length,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 A metric (`SEGLOSS_METRIC_...`) of the counts of a class, `undefined` where its formula is 0/0.

 `beta` is read for `SEGLOSS_METRIC_F_BETA` alone.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `detail`.
 */
segloss_status segloss_overlap_score(const struct segloss_overlap_counts *counts,
                                     uint32_t metric,
                                     double beta,
                                     double undefined,
                                     double *score,
                                     struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Counts as `segloss_count_overlap` does for every node of a label tree, whose mask is the union
 of the classes below it, and measures how far wrong the wrong classes are.

 `nodes` gets one element per node, overwritten. A prediction of no class is in no mask; its
 distance is that from the root. Scratch: `segloss_tree_scratch_size`.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `detail`.
 */
segloss_status segloss_count_tree_overlap(const struct segloss_label_pair *pair,
                                          const struct segloss_tree *tree,
                                          struct segloss_scratch scratch,
                                          struct segloss_overlap_counts *nodes,
                                          uint64_t nodes_length,
                                          struct segloss_tree_distance_sums *distances,
                                          struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Replaces every class by its ancestor at a depth, or by its leaf where that is not so deep, as
 node numbers; depth 0 is the root.

 `labels` (u8, u16, i16, i32 or i64) has as many elements as `nodes`. If `has_ignore_label` is
 not 0, voxels labelled `ignore_label` stay so; it must be an i32, and no node that another
 class becomes. Scratch: `segloss_tree_scratch_size`.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `detail`.
 */
segloss_status segloss_collapse_labels(const struct segloss_tree *tree,
                                       uint64_t depth,
                                       const struct segloss_array *labels,
                                       uint32_t has_ignore_label,
                                       int64_t ignore_label,
                                       struct segloss_scratch scratch,
                                       int32_t *nodes,
                                       uint64_t nodes_length,
                                       struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Boundary voxels, the percentile convention of the model, no percentile, no tolerance.
 `options_size` is `sizeof *options`.

 # Safety
 If not null, `options` must point to memory for options.
 */
segloss_status segloss_surface_options_init(struct segloss_surface_options *options,
                                            size_t options_size)
SEGLOSS_NOEXCEPT;

/*
 Bytes of scratch for `segloss_surface_metrics` with that many workers, any alignment. Of `pair`
 only the sizes are read.

 # Safety
 Pointers must be null or point to what their types say; null is refused except for `detail`.
 */
segloss_status segloss_surface_scratch_size(const struct segloss_surface_options *options,
                                            const struct segloss_label_pair *pair,
                                            uint64_t workers,
                                            uint64_t *bytes,
                                            struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Surface metrics of every class of a pair of label maps, each in its own box, all of them from one
 pair of distance transforms.

 `results` has one element per class; `percentiles` is class x percentile, `shares` class x
 tolerance (`NULL` with length 0 where none is asked for). All are written on success only. The
 result is the same bits for every executor.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `executor`, `detail`, and lists of length 0.
 */
segloss_status segloss_surface_metrics(const struct segloss_surface_options *options,
                                       const struct segloss_label_pair *pair,
                                       struct segloss_surface_result *results,
                                       uint64_t results_length,
                                       double *percentiles,
                                       uint64_t percentiles_length,
                                       struct segloss_tolerance_shares *shares,
                                       uint64_t shares_length,
                                       struct segloss_scratch scratch,
                                       const struct segloss_executor *executor,
                                       struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Writes how sure the scores (logits) of every voxel are, `[batch][voxel]`.

 `kind` is one of `SEGLOSS_CONFIDENCE_...`; `temperature` is positive.

 # Safety
 Pointers must be null or point to what their types and lengths say; null is refused except for
 `detail`.
 */
segloss_status segloss_confidence_map(const struct segloss_shape *shape,
                                      const struct segloss_array *scores,
                                      uint32_t kind,
                                      double temperature,
                                      float *map,
                                      uint64_t map_length,
                                      struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Labels every voxel, `[batch][voxel]`, with the class of the largest score, or with `unknown`
 where its confidence is below `threshold`; `kind` and `temperature` as for
 `segloss_confidence_map`.

 # Safety
 As `segloss_confidence_map`.
 */
segloss_status segloss_label_confident(const struct segloss_shape *shape,
                                       const struct segloss_array *scores,
                                       uint32_t kind,
                                       double temperature,
                                       double threshold,
                                       int32_t unknown,
                                       int32_t *labels,
                                       uint64_t labels_length,
                                       struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

/*
 Labels every voxel, `[batch][voxel]`, with the deepest node of the tree whose probability
 reaches `threshold` (0 to 1), on the way from the root to the child of largest probability;
 the root if none does. Scratch: `segloss_tree_scratch_size`.

 # Safety
 As `segloss_confidence_map`.
 */
segloss_status segloss_label_tree_confident(const struct segloss_shape *shape,
                                            const struct segloss_array *scores,
                                            const struct segloss_tree *tree,
                                            double threshold,
                                            struct segloss_scratch scratch,
                                            int32_t *nodes,
                                            uint64_t nodes_length,
                                            struct segloss_detail *detail)
SEGLOSS_NOEXCEPT;

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SEGLOSS_H */
