//! What a loss is computed from, and what comes back.
#![forbid(unsafe_code)]

use super::MAX_TERMS;
use crate::shape::Shape;
use crate::view::{Dense, Labels, Scores, ScoresMut, Target, VoxelWeights};

/// Scores and what they are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Sizes and layout.
    pub shape: Shape,
    /// Logits or probabilities.
    pub scores: Scores<'a>,
    /// Labels, nodes or a dense target.
    pub target: Target<'a>,
    /// How much each voxel counts.
    pub voxel_weights: VoxelWeights<'a>,
    /// Distance fields that the caller has.
    pub fields: Fields<'a>,
}

/// Distance fields of the caller, so that they need not be computed: the target's does not change
/// in training, and the prediction's may be refreshed now and then.
///
/// Each is `[batch][class][voxel]` whatever the layout of the scores, and holds *signed squared*
/// distances, negative inside: what [`DistanceTransform`](crate::DistanceTransform) with
/// [`squared`](crate::DistanceTransform::squared) makes of a mask, or
/// [`target_fields`](super::target_fields) of all classes of a target at once. Classes that do not
/// count are not read; the others must not hold NaN, which is not looked for. With all fields given
/// that its terms need, a loss needs no scratch for fields and can be taken from parts of a volume.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// Of the target's masks.
    pub target: Option<&'a [f32]>,
    /// Of the prediction's masks.
    pub prediction: Option<&'a [f32]>,
}

impl<'a> Input<'a> {
    /// Input in which every voxel weighs 1.
    pub fn new(shape: Shape, scores: impl Into<Scores<'a>>, target: Target<'a>) -> Self {
        Self { scores: scores.into(), ..Self::without_scores(shape, target) }
    }

    /// Input of [`Loss::evaluate_in_place`](super::Loss::evaluate_in_place), whose scores are
    /// handed in apart.
    #[must_use]
    pub const fn without_scores(shape: Shape, target: Target<'a>) -> Self {
        Self {
            shape,
            scores: Scores::F32(&[]),
            target,
            voxel_weights: VoxelWeights::Ones,
            fields: Fields { target: None, prediction: None },
        }
    }

    /// The same with voxel weights.
    #[must_use]
    pub const fn with_weights(mut self, weights: VoxelWeights<'a>) -> Self {
        self.voxel_weights = weights;
        self
    }

    /// The same with distance fields.
    #[must_use]
    pub const fn with_fields(mut self, fields: Fields<'a>) -> Self {
        self.fields = fields;
        self
    }
}

impl<'a> Target<'a> {
    /// A label map without an ignore label.
    pub fn labels(labels: impl Into<Labels<'a>>) -> Self {
        Self::Labels { labels: labels.into(), ignore: None }
    }

    /// A label map; voxels labelled `ignore` do not count.
    pub fn sparse_labels(labels: impl Into<Labels<'a>>, ignore: i64) -> Self {
        Self::Labels { labels: labels.into(), ignore: Some(ignore) }
    }

    /// A map of tree nodes without an ignore label.
    pub fn nodes(nodes: impl Into<Labels<'a>>) -> Self {
        Self::Nodes { nodes: nodes.into(), ignore: None }
    }

    /// A map of tree nodes; voxels labelled `ignore` do not count.
    pub fn sparse_nodes(nodes: impl Into<Labels<'a>>, ignore: i64) -> Self {
        Self::Nodes { nodes: nodes.into(), ignore: Some(ignore) }
    }

    /// Overlapping or soft channels.
    pub fn dense(values: impl Into<Dense<'a>>) -> Self {
        Self::Dense(values.into())
    }
}

/// Whether a gradient replaces what its buffer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GradientMode {
    /// The buffer is overwritten.
    #[default]
    Overwrite,
    /// The gradient is added to the buffer.
    Accumulate,
}

/// Where the gradient with respect to the scores goes.
#[derive(Debug)]
pub struct Gradient<'a> {
    /// The buffer: type, length and order of the scores.
    pub values: ScoresMut<'a>,
    /// Factor, for loss scaling and for losses that are part of a larger one.
    pub upstream: f64,
    /// Overwrite or accumulate.
    pub mode: GradientMode,
}

impl<'a> Gradient<'a> {
    /// The plain gradient.
    pub fn new(values: impl Into<ScoresMut<'a>>) -> Self {
        Self { values: values.into(), upstream: 1.0, mode: GradientMode::Overwrite }
    }

    /// The same times a factor.
    #[must_use]
    pub const fn times(mut self, upstream: f64) -> Self {
        self.upstream = upstream;
        self
    }

    /// The same, added to the buffer.
    #[must_use]
    pub const fn accumulated(mut self) -> Self {
        self.mode = GradientMode::Accumulate;
        self
    }
}

macro_rules! from_buffers {
    ($($variant:ident($type:ty)),+) => {
        $(
            impl<'a> From<&'a mut [$type]> for ScoresMut<'a> {
                fn from(values: &'a mut [$type]) -> Self {
                    Self::$variant(values)
                }
            }
            impl<'a> From<&'a mut [$type]> for Gradient<'a> {
                fn from(values: &'a mut [$type]) -> Self {
                    Self::new(values)
                }
            }
        )+
    };
}

from_buffers!(F32(f32), F64(f64), F16(half::f16), Bf16(half::bf16));

/// The part of a batch that a sharded call works on.
///
/// The input holds some samples of a batch; the voxels from `first_voxel` on are worked on.
/// The bits of the sums are those of one call on the whole if parts begin at multiples of
/// [`Loss::block_voxels`](super::Loss::block_voxels), which is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Samples of the whole batch, over all ranks.
    pub batch: usize,
    /// Index in the whole batch of the first sample of the input.
    pub first_sample: usize,
    /// First voxel of every sample to work on.
    pub first_voxel: usize,
    /// Number of voxels to work on; `None` stands for all that follow.
    pub voxels: Option<usize>,
}

impl Part {
    /// Everything.
    #[must_use]
    pub const fn whole(shape: &Shape) -> Self {
        Self { batch: shape.batch(), first_sample: 0, first_voxel: 0, voxels: None }
    }
}

/// The sums of one class of one sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClassSums {
    /// `sum w p g`.
    pub overlap: f64,
    /// `sum w p`.
    pub prediction: f64,
    /// `sum w g`.
    pub reference: f64,
}

/// The outcome of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation<'s> {
    /// Weighted sum of the terms.
    pub total: f64,
    /// Value of every term, without its weight.
    pub terms: heapless::Vec<f64, MAX_TERMS>,
    /// Voxels with a positive weight.
    pub counted_voxels: u64,
    /// Sum of the voxel weights.
    pub weight: f64,
    /// `[sample][class]`, empty where they were not taken.
    pub(crate) class_sums: &'s [[f64; 3]],
    pub(crate) classes: usize,
}

impl Evaluation<'_> {
    /// Sums of a class of a sample; `None` out of range, for a target of nodes, or where no term
    /// needed them and [`Loss::with_class_sums`](super::Loss::with_class_sums) was not asked for.
    #[must_use]
    pub fn class_sums(&self, sample: usize, class: usize) -> Option<ClassSums> {
        if class >= self.classes {
            return None;
        }
        let place = sample.checked_mul(self.classes)?.checked_add(class)?;
        let &[overlap, prediction, reference] = self.class_sums.get(place)?;
        Some(ClassSums { overlap, prediction, reference })
    }

    /// `[sample][class][overlap, prediction, reference]`.
    #[cfg(feature = "capi")]
    pub(crate) const fn all_class_sums(&self) -> &[[f64; 3]] {
        self.class_sums
    }
}
