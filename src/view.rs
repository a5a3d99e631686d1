//! The caller's buffers, tagged with their element type.
#![forbid(unsafe_code)]

use crate::error::{Argument, Cause, Error};
use half::{bf16, f16};

/// Scores (logits or probabilities) of a batch, see [`Shape`](crate::Shape) for their order.
#[derive(Clone, Copy, Debug)]
pub enum Scores<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision; everything is then computed in f64.
    F64(&'a [f64]),
    /// Half precision, computed in f32.
    F16(&'a [f16]),
    /// bfloat16, computed in f32.
    Bf16(&'a [bf16]),
}

/// A buffer for gradients, of the same type and order as the scores.
#[derive(Debug)]
pub enum ScoresMut<'a> {
    /// Single precision.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
    /// Half precision.
    F16(&'a mut [f16]),
    /// bfloat16.
    Bf16(&'a mut [bf16]),
}

/// A map of integers, one per voxel of every sample: `[batch][voxel]`.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// Unsigned 8-bit.
    U8(&'a [u8]),
    /// Unsigned 16-bit.
    U16(&'a [u16]),
    /// Signed 16-bit.
    I16(&'a [i16]),
    /// Signed 32-bit.
    I32(&'a [i32]),
    /// Signed 64-bit.
    I64(&'a [i64]),
}

/// A value in `[0, 1]` for every class of every voxel, in the order of the scores.
#[derive(Clone, Copy, Debug)]
pub enum Dense<'a> {
    /// 0 or 1.
    U8(&'a [u8]),
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// What the prediction is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// One class per voxel. Voxels with the ignore label do not count.
    Labels {
        /// The map.
        labels: Labels<'a>,
        /// Any integer, inside or outside the classes.
        ignore: Option<i64>,
    },
    /// One node of the label tree per voxel: a leaf, or an inner node for a coarse annotation.
    Nodes {
        /// The map.
        nodes: Labels<'a>,
        /// Any integer, inside or outside the nodes.
        ignore: Option<i64>,
    },
    /// Channels that may overlap, or soft labels.
    Dense(Dense<'a>),
}

/// How much each voxel counts: `[batch][voxel]`, non-negative; 0 exempts a voxel altogether.
#[derive(Clone, Copy, Debug, Default)]
pub enum VoxelWeights<'a> {
    /// All 1.
    #[default]
    Ones,
    /// Any non-negative number.
    F32(&'a [f32]),
    /// 0 or the number itself.
    U8(&'a [u8]),
}

macro_rules! each {
    ($self:expr, $($variant:ident)|+, $values:ident => $body:expr) => {
        match $self {
            $(Self::$variant($values) => $body,)+
        }
    };
}

macro_rules! from_slices {
    ($view:ident: $($variant:ident($type:ty)),+) => {
        $(impl<'a> From<&'a [$type]> for $view<'a> {
            fn from(values: &'a [$type]) -> Self {
                Self::$variant(values)
            }
        })+
    };
}

from_slices!(Scores: F32(f32), F64(f64), F16(f16), Bf16(bf16));
from_slices!(Labels: U8(u8), U16(u16), I16(i16), I32(i32), I64(i64));
from_slices!(Dense: U8(u8), F32(f32), F64(f64));

impl Scores<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, F32 | F64 | F16 | Bf16, values => values.len())
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ScoresMut<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, F32 | F64 | F16 | Bf16, values => values.len())
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether elements have 16 bits.
    pub(crate) const fn half(&self) -> bool {
        matches!(self, Self::F16(_) | Self::Bf16(_))
    }

    /// Whether elements have the type of `scores`.
    pub(crate) fn same_type(&self, scores: &Scores<'_>) -> bool {
        matches!(
            (self, scores),
            (Self::F32(_), Scores::F32(_))
                | (Self::F64(_), Scores::F64(_))
                | (Self::F16(_), Scores::F16(_))
                | (Self::Bf16(_), Scores::Bf16(_))
        )
    }
}

impl Labels<'_> {
    /// Number of voxels.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, U8 | U16 | I16 | I32 | I64, values => values.len())
    }

    /// Whether there is no voxel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Dense<'_> {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        each!(self, U8 | F32 | F64, values => values.len())
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Target<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Labels { labels, .. } | Self::Nodes { nodes: labels, .. } => labels.len(),
            Self::Dense(values) => values.len(),
        }
    }
}

impl VoxelWeights<'_> {
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Ones => None,
            Self::F32(values) => Some(values.len()),
            Self::U8(values) => Some(values.len()),
        }
    }
}

/// An integer label type.
pub(crate) trait Label: Copy + Default + PartialEq + TryFrom<i64> + Into<i64> {
    /// The label as an index; what cannot be one becomes `u32::MAX`.
    fn index(self) -> u32;

    /// [`Label::index`] of a label that is an index, anything of others.
    fn known_index(self) -> u32;

    /// Whether all labels are indices below `count`. Nothing is converted: as many are compared at a
    /// time as a register holds.
    fn all_below(values: &[Self], count: u32) -> bool;
}

macro_rules! label {
    ($($type:ty),+) => {
        $(impl Label for $type {
            #[inline(always)]
            fn index(self) -> u32 {
                u32::try_from(self).unwrap_or(u32::MAX)
            }
            #[inline(always)]
            fn known_index(self) -> u32 {
                self as u32
            }
            #[inline(always)]
            fn all_below(values: &[Self], count: u32) -> bool {
                let Some(largest) = count.checked_sub(1) else { return values.is_empty() };
                let largest = Self::try_from(largest).unwrap_or(Self::MAX);
                // No branch in the loop.
                values.iter().fold(true, |below, value| below & (0..=largest).contains(value))
            }
        })+
    };
}
label!(u8, u16, i16, i32, i64);

/// Runs code on the elements of a label map, whatever their type.
macro_rules! match_labels {
    ($labels:expr, $values:ident => $body:expr) => {
        match $labels {
            $crate::view::Labels::U8($values) => $body,
            $crate::view::Labels::U16($values) => $body,
            $crate::view::Labels::I16($values) => $body,
            $crate::view::Labels::I32($values) => $body,
            $crate::view::Labels::I64($values) => $body,
        }
    };
}
pub(crate) use match_labels;

/// Refuses a buffer of another length than expected.
pub(crate) fn check_length(argument: Argument, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::new(Cause::Length, argument).found(found as f64).expected(expected as f64))
}
