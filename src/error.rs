//! Every reason to refuse a call, with the numbers needed to fix it.
#![forbid(unsafe_code)]

use core::fmt;

/// Why a call was refused.
///
/// The discriminants are the status codes of the C interface, grouped by hundreds, never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Cause {
    /// A required pointer is null.
    NullPointer = 100,
    /// A pointer is not aligned for its element type.
    Misaligned = 101,
    /// A struct is smaller than its first version: its size field was not set.
    StructSize = 102,
    /// An enumeration holds a number that has no meaning.
    UnknownEnumerator = 103,
    /// An output overlaps another argument where that is not allowed.
    Overlap = 104,
    /// An option lies outside its range; no number may exceed 1e18.
    Option = 105,
    /// The loss has no term, or more than [`MAX_TERMS`](crate::loss::MAX_TERMS).
    TermCount = 106,
    /// The term needs logits under an activation that the loss does not have.
    Activation = 107,
    /// The term cannot be computed from this kind of target.
    TargetKind = 108,
    /// The term or the target needs a label tree and the loss has none.
    TreeMissing = 109,
    /// The term cannot be computed from parts of the volume.
    NotShardable = 110,
    /// The executor returned before its tasks had ended: it broke its promise, and outputs may be
    /// partly written.
    Executor = 111,
    /// The gradient has another element type than the scores.
    ElementType = 112,
    /// A spacing is not a number from 1e-6 to 1e6, or has not as many axes as the volume.
    Spacing = 113,
    /// A term needs distance fields that have no place: see
    /// [`Loss::with_fields_in_scratch`](crate::Loss::with_fields_in_scratch).
    FieldStorage = 114,

    /// Batch, class or axis count, or an extent, is zero or too many.
    Shape = 200,
    /// The product of the sizes exceeds the address space.
    ShapeOverflow = 201,
    /// A buffer has not the length that its shape asks for.
    Length = 202,
    /// A part of a volume lies outside it or does not begin at a block border.
    Part = 203,

    /// The scratch buffer is too small.
    ScratchSize = 300,

    /// No node is its own parent or has none.
    TreeNoRoot = 400,
    /// More than one node has no parent.
    TreeTwoRoots = 401,
    /// A node is its own ancestor.
    TreeCycle = 402,
    /// A parent is not a node.
    TreeParent = 403,
    /// A class sits on an inner node or outside the tree.
    TreeClassNotLeaf = 404,
    /// A leaf has no class.
    TreeLeafWithoutClass = 405,
    /// Two classes share a leaf.
    TreeDuplicateLeaf = 406,
    /// An edge weight lies outside 1e-18 to 1e18.
    TreeEdgeWeight = 407,
    /// The tree has not as many leaves as the scores have classes.
    TreeClasses = 408,
    /// A ground distance matrix is not symmetric, non-negative and finite with a zero diagonal.
    DistanceMatrix = 409,

    /// A score that counts is NaN, infinite, or so large that differences of scores would be.
    NonFinite = 500,
    /// A label is neither a class (or node) nor the ignore label.
    Label = 501,
    /// A dense target lies outside `[0, 1]`.
    TargetRange = 502,
    /// A voxel weight is negative, not finite or beyond 1e18.
    VoxelWeight = 503,
}

impl Cause {
    /// One sentence for people.
    ///
    /// ```
    /// assert!(segloss::Cause::TreeCycle.message().contains("ancestor"));
    /// ```
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NullPointer => "a required pointer is null",
            Self::Misaligned => "a pointer is not aligned for its element type",
            Self::StructSize => "the size field of a struct is not set",
            Self::UnknownEnumerator => "an enumeration holds an unknown number",
            Self::Overlap => "an output overlaps another argument",
            Self::Option => "an option lies outside its range",
            Self::TermCount => "a loss needs between 1 and 16 terms",
            Self::Activation => "a term needs logits under another activation than the loss has",
            Self::TargetKind => "a term cannot be computed from this kind of target",
            Self::TreeMissing => "a term or the target needs a label tree",
            Self::NotShardable => "a term cannot be computed from parts of the volume",
            Self::Executor => "the executor returned before its tasks had ended",
            Self::ElementType => "the gradient has another element type than the scores",
            Self::Spacing => "a spacing is out of range or has another number of axes",
            Self::FieldStorage => "distance fields need a place in the scratch buffer",
            Self::Shape => "batch, classes, axes and extents must be positive, axes at most 3",
            Self::ShapeOverflow => "the product of the sizes exceeds the address space",
            Self::Length => "a buffer has not the length that the shape asks for",
            Self::Part => "a part lies outside the volume or does not begin at a block border",
            Self::ScratchSize => "the scratch buffer is too small",
            Self::TreeNoRoot => "the label tree has no root",
            Self::TreeTwoRoots => "the label tree has more than one root",
            Self::TreeCycle => "a node of the label tree is its own ancestor",
            Self::TreeParent => "a parent in the label tree is not a node",
            Self::TreeClassNotLeaf => "a class is not on a leaf of the label tree",
            Self::TreeLeafWithoutClass => "a leaf of the label tree has no class",
            Self::TreeDuplicateLeaf => "two classes share a leaf of the label tree",
            Self::TreeEdgeWeight => "an edge weight lies outside 1e-18 to 1e18",
            Self::TreeClasses => "the label tree has another number of classes than the scores",
            Self::DistanceMatrix => {
                "a distance matrix must be finite, non-negative and symmetric with a zero diagonal"
            }
            Self::NonFinite => "a score is NaN or infinite",
            Self::Label => "a label is neither a class, nor a node, nor the ignore label",
            Self::TargetRange => "a dense target lies outside 0..=1",
            Self::VoxelWeight => "a voxel weight is negative or not finite",
        }
    }
}

/// The argument that an [`Error`] speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Argument {
    /// None in particular.
    #[default]
    None = 0,
    /// The loss and its activation.
    Loss = 1,
    /// A term of the loss; the position is its index in the list.
    Term = 2,
    /// The shape.
    Shape = 3,
    /// The scores.
    Scores = 4,
    /// Label map, node label map or dense target.
    Target = 5,
    /// The voxel weights.
    VoxelWeights = 6,
    /// The gradient.
    Gradient = 7,
    /// The scratch buffer.
    Scratch = 8,
    /// The executor.
    Executor = 9,
    /// The label tree; the position is a node.
    TreeNode = 10,
    /// The class-to-leaf map; the position is a class.
    TreeClass = 11,
    /// The storage of the label tree.
    TreeStorage = 12,
    /// Class weights of a term; the position is a class.
    ClassWeights = 13,
    /// Node weights of a tree term; the position is a node.
    NodeWeights = 14,
    /// Ground distance matrix; the position is an element.
    DistanceMatrix = 15,
    /// Exported sums.
    Sums = 16,
    /// The part of a volume.
    Part = 17,
    /// The result.
    Result = 18,
    /// Positive weights of the binary cross-entropy; the position is a channel.
    PositiveWeights = 19,
    /// Alpha of the focal loss; the position is a class.
    Alpha = 20,
    /// The spacing; the position is an axis.
    Spacing = 21,
    /// A mask.
    Mask = 22,
    /// A distance field.
    Field = 23,
    /// The label map that is judged.
    Prediction = 24,
    /// The label map that it is judged by.
    Reference = 25,
    /// Counts of an overlap.
    Counts = 26,
    /// Percentiles; the position is an index in the list.
    Percentiles = 27,
    /// Tolerances; the position is an index in the list.
    Tolerances = 28,
    /// A map of confidence scores.
    Confidence = 29,
}

/// A refusal: what, where, and the value found there.
///
/// Outputs are untouched when a call returns one.
///
/// ```
/// use segloss::{Cause, Shape};
/// let error = Shape::planar(1, 0, &[4, 4]).unwrap_err();
/// assert_eq!(error.cause, Cause::Shape);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Error {
    /// Why.
    pub cause: Cause,
    /// Which argument.
    pub argument: Argument,
    /// Index of the offending element in that argument, 0 where there is none.
    pub position: u64,
    /// The value found (a label, a score, a length), 0 where there is none.
    pub value: f64,
    /// What was needed instead (a length, a size, a bound), 0 where there is no single answer.
    pub expected: f64,
}

impl Error {
    pub(crate) const fn new(cause: Cause, argument: Argument) -> Self {
        Self { cause, argument, position: 0, value: 0.0, expected: 0.0 }
    }

    pub(crate) const fn at(mut self, position: usize) -> Self {
        self.position = position as u64;
        self
    }

    pub(crate) const fn found(mut self, value: f64) -> Self {
        self.value = value;
        self
    }

    pub(crate) const fn expected(mut self, expected: f64) -> Self {
        self.expected = expected;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({:?}, position {}, found {}, expected {})",
            self.cause.message(),
            self.argument,
            self.position,
            self.value,
            self.expected
        )
    }
}

impl core::error::Error for Error {}
