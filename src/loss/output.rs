//! Scores that may be overwritten by their gradient, and gradients written tile by tile.
//!
//! Soundness: a tile's elements belong to the task that was claimed with its blocks, see
//! [`Claims`](crate::executor::Claims); tiles of different tasks share no element, and a task
//! reads its tile before it writes it.
#![allow(unsafe_code)]

use super::input::GradientMode;
use super::interleaved::store_interleaved;
use crate::disjoint::DisjointMut;
use crate::element::{ElementMut, LANES, Lanes, Real};
use crate::executor::Claim;
use crate::rows::rows;
use crate::shape::{Layout, Shape};
use crate::simd::{Ahead, Level};
use crate::view::{Scores, ScoresMut};

/// Scores of one type: borrowed, or the buffer that the gradient goes to.
#[derive(Clone, Copy)]
pub(crate) enum Buffer<'a, E> {
    Shared(&'a [E]),
    InPlace(&'a DisjointMut<'a, E>),
}

impl<'a, E> Buffer<'a, E> {
    /// Elements of the tile that a claimed task works on.
    #[inline(always)]
    pub(crate) fn part(&self, _: &Claim, begin: usize, length: usize) -> &'a [E] {
        match self {
            Self::Shared(values) => {
                values.get(begin..).and_then(|rest| rest.get(..length)).unwrap_or_default()
            }
            // SAFETY: the elements are the claimed task's own; it writes them only after the last
            // use of this part, in `store`.
            Self::InPlace(values) => unsafe { values.part(begin, length) },
        }
    }
}

/// Scores of any type.
#[derive(Clone, Copy)]
pub(crate) enum ScoreBuffer<'a> {
    F32(Buffer<'a, f32>),
    F64(Buffer<'a, f64>),
    F16(Buffer<'a, half::f16>),
    Bf16(Buffer<'a, half::bf16>),
}

/// Runs the same code in f32 or f64.
macro_rules! in_precision {
    ($scores:expr, $real:ident => $body:expr) => {
        if matches!($scores, ScoreBuffer::F64(_)) {
            type $real = f64;
            $body
        } else {
            type $real = f32;
            $body
        }
    };
}
pub(crate) use in_precision;

impl ScoreBuffer<'_> {
    /// Scores of a tile that will be read, if they lie apart from the gradient.
    pub(crate) fn ahead(&self, shape: &Shape, (sample, first, _): Place, lanes: usize) -> Ahead {
        let (begin, stride) = (shape.index(sample, 0, first), row_stride(shape, lanes));
        match self {
            Self::F32(Buffer::Shared(values)) => ahead(values, begin, stride),
            Self::F64(Buffer::Shared(values)) => ahead(values, begin, stride),
            Self::F16(Buffer::Shared(values)) => ahead(values, begin, stride),
            Self::Bf16(Buffer::Shared(values)) => ahead(values, begin, stride),
            _ => Ahead::NOTHING,
        }
    }

    /// Whether the gradient goes where the scores are.
    pub(crate) const fn in_place(&self) -> bool {
        matches!(
            self,
            Self::F32(Buffer::InPlace(_))
                | Self::F64(Buffer::InPlace(_))
                | Self::F16(Buffer::InPlace(_))
                | Self::Bf16(Buffer::InPlace(_))
        )
    }
}

impl<'a> From<Scores<'a>> for ScoreBuffer<'a> {
    fn from(scores: Scores<'a>) -> Self {
        match scores {
            Scores::F32(values) => Self::F32(Buffer::Shared(values)),
            Scores::F64(values) => Self::F64(Buffer::Shared(values)),
            Scores::F16(values) => Self::F16(Buffer::Shared(values)),
            Scores::Bf16(values) => Self::Bf16(Buffer::Shared(values)),
        }
    }
}

fn ahead<T>(values: &[T], begin: usize, stride: usize) -> Ahead {
    Ahead::new(values.as_ptr().wrapping_add(begin), stride)
}

/// How far the class rows of a tile lie apart.
fn row_stride(shape: &Shape, lanes: usize) -> usize {
    match shape.layout() {
        Layout::Planar => shape.voxels(),
        // All of a tile lies together.
        Layout::Interleaved => lanes * LANES,
    }
}

/// A gradient buffer of any type.
pub(crate) enum Output<'a> {
    F32(DisjointMut<'a, f32>),
    F64(DisjointMut<'a, f64>),
    F16(DisjointMut<'a, half::f16>),
    Bf16(DisjointMut<'a, half::bf16>),
}

impl<'a> From<ScoresMut<'a>> for Output<'a> {
    fn from(values: ScoresMut<'a>) -> Self {
        match values {
            ScoresMut::F32(values) => Self::F32(DisjointMut::new(values)),
            ScoresMut::F64(values) => Self::F64(DisjointMut::new(values)),
            ScoresMut::F16(values) => Self::F16(DisjointMut::new(values)),
            ScoresMut::Bf16(values) => Self::Bf16(DisjointMut::new(values)),
        }
    }
}

impl<'a> Output<'a> {
    /// Elements, if their type is the one that is computed in; else none.
    ///
    /// # Safety
    /// While they live, nobody else uses them.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn own_part<R: Real>(&self, begin: usize, length: usize) -> &mut [R] {
        // SAFETY: promised by the caller.
        let part = unsafe {
            match self {
                Self::F32(values) => R::slice_of_mut(Some(values.part_mut(begin, length)), None),
                Self::F64(values) => R::slice_of_mut(None, Some(values.part_mut(begin, length))),
                Self::F16(_) | Self::Bf16(_) => None,
            }
        };
        part.unwrap_or_default()
    }

    /// Where the gradient of a tile goes.
    pub(crate) fn ahead(&self, shape: &Shape, (sample, first, _): Place, lanes: usize) -> Ahead {
        let (begin, stride) = (shape.index(sample, 0, first), row_stride(shape, lanes));
        match self {
            Self::F32(values) => values.ahead(begin, stride),
            Self::F64(values) => values.ahead(begin, stride),
            Self::F16(values) => values.ahead(begin, stride),
            Self::Bf16(values) => values.ahead(begin, stride),
        }
    }

    /// The scores that lie where the gradient goes.
    pub(crate) fn scores(&'a self) -> ScoreBuffer<'a> {
        match self {
            Self::F32(values) => ScoreBuffer::F32(Buffer::InPlace(values)),
            Self::F64(values) => ScoreBuffer::F64(Buffer::InPlace(values)),
            Self::F16(values) => ScoreBuffer::F16(Buffer::InPlace(values)),
            Self::Bf16(values) => ScoreBuffer::Bf16(Buffer::InPlace(values)),
        }
    }
}

/// Where a tile lies: sample, first voxel, number of voxels.
pub(crate) type Place = (usize, usize, usize);

/// Writes a tile's gradient.
#[inline(always)]
pub(crate) fn store<R: Real>(
    output: &Output<'_>,
    claim: &Claim,
    shape: &Shape,
    place: Place,
    lanes: (usize, Level),
    gradient: &[Lanes<R>],
    mode: GradientMode,
) {
    match output {
        Output::F32(to) => store_rows(to, claim, shape, place, lanes, gradient, mode),
        Output::F64(to) => store_rows(to, claim, shape, place, lanes, gradient, mode),
        Output::F16(to) => store_rows(to, claim, shape, place, lanes, gradient, mode),
        Output::Bf16(to) => store_rows(to, claim, shape, place, lanes, gradient, mode),
    }
}

/// Writes values of one class.
pub(crate) fn store_class<R: Real>(
    output: &Output<'_>,
    claim: &Claim,
    shape: &Shape,
    place: Place,
    class: usize,
    values: &[R],
) {
    match output {
        Output::F32(to) => store_class_in(to, claim, shape, place, class, values),
        Output::F64(to) => store_class_in(to, claim, shape, place, class, values),
        Output::F16(to) => store_class_in(to, claim, shape, place, class, values),
        Output::Bf16(to) => store_class_in(to, claim, shape, place, class, values),
    }
}

fn store_class_in<E: ElementMut, R: Real>(
    output: &DisjointMut<'_, E>,
    _: &Claim,
    shape: &Shape,
    (sample, first, voxels): Place,
    class: usize,
    values: &[R],
) {
    match shape.layout() {
        Layout::Planar => {
            // SAFETY: these voxels of this class are the claimed task's own, and nothing read from
            // them is alive.
            let to = unsafe { output.part_mut(shape.index(sample, class, first), voxels) };
            E::write_slice(values, to);
        }
        Layout::Interleaved => {
            let classes = shape.classes();
            // SAFETY: as above; other classes of these voxels are not in use.
            let to = unsafe { output.part_mut(shape.index(sample, 0, first), voxels * classes) };
            for (to, &value) in to.iter_mut().skip(class).step_by(classes.max(1)).zip(values) {
                *to = E::write(value);
            }
        }
    }
}

/// Writes values, as many as there are places.
#[inline(always)]
pub(crate) fn put<E: ElementMut, R: Real>(to: &mut [E], values: &[R], mode: GradientMode) {
    match mode {
        GradientMode::Overwrite => E::write_slice(values, to),
        GradientMode::Accumulate => {
            let length = to.len().min(values.len());
            let (groups, rest) = to.get_mut(..length).unwrap_or_default().as_chunks_mut();
            let (value_groups, last_values) =
                values.get(..length).unwrap_or_default().as_chunks::<LANES>();
            for (to, values) in groups.iter_mut().zip(value_groups) {
                let mut sum = [R::ZERO; LANES];
                E::read_lanes(to, &mut sum);
                for (sum, &value) in sum.iter_mut().zip(values) {
                    *sum += value;
                }
                E::write_lanes(&sum, to);
            }
            for (to, &value) in rest.iter_mut().zip(last_values) {
                *to = E::write(to.read::<R>() + value);
            }
        }
    }
}

#[inline(always)]
fn store_rows<E: ElementMut, R: Real>(
    output: &DisjointMut<'_, E>,
    _: &Claim,
    shape: &Shape,
    (sample, first, voxels): Place,
    (lanes, level): (usize, Level),
    gradient: &[Lanes<R>],
    mode: GradientMode,
) {
    match shape.layout() {
        Layout::Planar => {
            for (class, row) in rows(gradient, lanes).enumerate() {
                // SAFETY: these voxels are the claimed task's own, and nothing read from them is
                // alive.
                let to = unsafe { output.part_mut(shape.index(sample, class, first), voxels) };
                put(to, row.as_flattened(), mode);
            }
        }
        Layout::Interleaved => {
            let classes = shape.classes();
            // SAFETY: as above.
            let to = unsafe { output.part_mut(shape.index(sample, 0, first), voxels * classes) };
            store_interleaved(level, gradient, classes, lanes, to, mode);
        }
    }
}
