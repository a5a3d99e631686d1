//! Distance fields of a call: where they come from and where they lie.
//!
//! Fields are made one class of one sample at a time, in scratch of the size of a sample. What
//! terms need of them, one number per class and voxel, waits in the gradient buffer until the
//! gradient takes its place, or in scratch; for the value alone it is used class by class.
#![forbid(unsafe_code)]

use super::distance_term::{DistanceTerm, FieldWeights, distance_terms};
use super::driver::Job;
use super::output::ScoreBuffer;
use super::tile::Tile;
use crate::element::{Lanes, Real};
use crate::executor::Claim;
use crate::shape::Shape;

/// Where a tile's field weights are read from.
#[derive(Clone, Copy)]
pub(crate) enum FieldSource<'f, R> {
    /// There are none, or not yet.
    None,
    /// Signed squared distances: the caller's, and those that it has not of this class of the one
    /// sample. Another class that counts has them with the other sign.
    Signed { target: &'f [f32], prediction: &'f [f32], class: usize },
    /// Weights in the order of the scores for the first term, `[term][batch][class][voxel]` for
    /// those that follow, or for all.
    Stored { first: Option<ScoreBuffer<'f>>, planes: &'f [R] },
    /// Weights of one class of one sample, for one term.
    One { plane: usize, sample: usize, class: usize, weights: &'f [R] },
}

/// What sums are taken of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldUse {
    /// Those of terms without fields.
    None,
    /// All.
    All,
    /// Those of one distance term and class.
    One { plane: usize, class: usize },
}

impl FieldUse {
    /// Whether terms without fields are summed up.
    pub(crate) const fn other_terms(self) -> bool {
        !matches!(self, Self::One { .. })
    }

    /// Whether a distance term is summed up, and the one class of it, if not all.
    pub(crate) fn of_plane(self, plane: usize) -> (bool, Option<usize>) {
        match self {
            Self::None => (false, None),
            Self::All => (true, None),
            Self::One { plane: own, class } => (own == plane, Some(class)),
        }
    }
}

impl<R> FieldSource<'_, R> {
    pub(crate) const fn used(&self) -> FieldUse {
        match self {
            Self::None => FieldUse::None,
            Self::Signed { .. } | Self::Stored { .. } => FieldUse::All,
            Self::One { plane, class, .. } => FieldUse::One { plane: *plane, class: *class },
        }
    }

    /// Whether fields wait where the gradient goes.
    pub(crate) const fn in_gradient(&self) -> bool {
        matches!(self, Self::Stored { first: Some(_), .. })
    }

    /// Whether nothing is summed up of a sample.
    pub(crate) fn leaves_out(&self, sample: usize) -> bool {
        matches!(self, Self::One { sample: own, .. } if *own != sample)
    }
}

/// Where fields are kept between the steps of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The first term's in the gradient buffer, others in scratch.
    Gradient,
    /// All in scratch.
    Scratch,
    /// Nowhere: the value is taken class by class.
    Nowhere,
}

/// Field weights of a tile, by plane and class.
#[inline(always)]
pub(crate) fn load_fields<R: Real>(job: &Job<'_, R>, claim: &Claim, tile: &mut Tile<'_, R>) {
    let plan = job.plan;
    let (shape, classes, lanes) = (&plan.shape, tile.classes, tile.lanes);
    let place = (tile.sample, tile.first, tile.voxels);
    for (plane, _, term) in distance_terms(plan) {
        let begin = plane * classes * lanes;
        let rows = tile.fields.get_mut(begin..begin + classes * lanes).unwrap_or_default();
        let counts = |class| term.class_factor(classes, class) != 0.0;
        if let FieldSource::Stored { first: Some(buffer), .. } = &job.fields
            && plane == 0
        {
            let lanes = (lanes, plan.loss.level);
            super::stage::load_scores(buffer, claim, shape, place, lanes, counts, rows);
            continue;
        }
        for (class, to) in rows.chunks_exact_mut(lanes.max(1)).enumerate() {
            if counts(class) {
                load_class(job, &term, plane, class, place, to);
            }
        }
    }
}

fn load_class<'j, R: Real>(
    job: &'j Job<'j, R>,
    term: &DistanceTerm<'_>,
    plane: usize,
    class: usize,
    (sample, first, voxels): (usize, usize, usize),
    to: &mut [Lanes<R>],
) {
    let shape = &job.plan.shape;
    match job.fields {
        FieldSource::None => {}
        FieldSource::Signed { target, prediction, class: own } => {
            let given = &job.input.fields;
            let part = |given: Option<&'j [f32]>, made: &'j [f32]| {
                let field = given.map_or(made, |given| class_part(shape, given, sample, class));
                field.get(first..first + voxels).unwrap_or_default()
            };
            let prediction = part(given.prediction, prediction);
            FieldWeights {
                term: *term,
                target: part(given.target, target),
                prediction: if term.two_sided() { prediction } else { &[] },
                negated: given.target.is_none() && class != own,
                to,
            }
            .compute(job.plan.loss.level);
        }
        FieldSource::Stored { first: in_gradient, planes } => {
            let plane = plane - usize::from(in_gradient.is_some());
            let row = (plane * shape.batch() + sample) * shape.classes() + class;
            let begin = row * shape.voxels() + first;
            copy_padded(planes.get(begin..begin + voxels).unwrap_or_default(), to);
        }
        FieldSource::One { plane: own_plane, sample: own, class: own_class, weights } => {
            if (own_plane, own, own_class) == (plane, sample, class) {
                copy_padded(weights.get(first..first + voxels).unwrap_or_default(), to);
            }
        }
    }
}

/// Part of a planar buffer that belongs to one class of one sample.
pub(crate) fn class_part<'v, T>(
    shape: &Shape,
    values: &'v [T],
    sample: usize,
    class: usize,
) -> &'v [T] {
    let begin = (sample * shape.classes() + class) * shape.voxels();
    values.get(begin..begin + shape.voxels()).unwrap_or_default()
}

fn copy_padded<R: Real>(from: &[R], to: &mut [Lanes<R>]) {
    let to = to.as_flattened_mut();
    let (head, tail) = to.split_at_mut(from.len().min(to.len()));
    for (to, from) in head.iter_mut().zip(from) {
        *to = *from;
    }
    tail.fill(R::ZERO);
}
