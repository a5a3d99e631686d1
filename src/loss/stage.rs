//! Loading a tile: with the labels' file, the one place that knows element types and layouts, and where
//! every input is checked.
#![forbid(unsafe_code)]

use super::driver::Job;
use super::fields::load_fields;
use super::interleaved::load_interleaved;
use super::labels::{count_all, load_labels, voxel_weights};
use super::output::{Buffer, Place, ScoreBuffer};
use super::plan::Plan;
use super::tile::Tile;
use crate::activation::GivenScores;
use crate::element::{Element, LANES, Lanes, Real};
use crate::error::{Argument, Cause, Error};
use crate::executor::Claim;
use crate::rows::{BLOCK, FEW, block_sum, blocks, fill, rows, rows_mut};
use crate::shape::{Layout, Shape};
use crate::simd::{Level, Simd, Vector};
use crate::view::{Dense, Target, VoxelWeights, match_labels};

/// Elements of `values` from `begin` on.
#[inline(always)]
pub(super) fn part<T>(values: &[T], begin: usize, length: usize) -> &[T] {
    values.get(begin..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// For [`load_rows`]: no class is left out.
fn all(_: usize) -> bool {
    true
}

/// Class rows of a tile from a buffer in the order of the scores; padding becomes 0. Classes that
/// are not wanted may be left as they are.
#[inline(always)]
fn load_rows<'a, E: Element + 'a, R: Real>(
    values: &Buffer<'a, E>,
    claim: &Claim,
    shape: &Shape,
    (sample, first, voxels): Place,
    (lanes, level): (usize, Level),
    wanted: impl Fn(usize) -> bool,
    to: &mut [Lanes<R>],
) {
    match shape.layout() {
        Layout::Planar => {
            for (class, row) in rows_mut(to, lanes).enumerate().filter(|&(class, _)| wanted(class))
            {
                load_row(values.part(claim, shape.index(sample, class, first), voxels), row);
            }
        }
        Layout::Interleaved => {
            let classes = shape.classes();
            let begin = shape.index(sample, 0, first);
            let from = values.part(claim, begin, voxels * classes);
            load_interleaved(level, from, classes, lanes, to);
        }
    }
}

/// A loop, as a `memcpy` is slower where rows are short and do not begin where lines do.
#[inline(always)]
pub(super) fn load_row<E: Element, R: Real>(from: &[E], to: &mut [Lanes<R>]) {
    let (full, rest) = from.as_chunks::<LANES>();
    E::read_groups(full, to);
    for to in to.iter_mut().skip(full.len()) {
        *to = [R::ZERO; LANES];
    }
    if let Some(to) = to.get_mut(full.len()) {
        for (to, from) in to.iter_mut().zip(rest) {
            *to = from.read();
        }
    }
}

/// Sets dense values of voxels that do not count to 0 and counts those other than 0 and 1; nothing if
/// one lies outside.
#[inline(always)]
fn check_dense<S: Simd>(simd: S, tile: &mut Tile<'_, S::Real>) -> Option<f64> {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let (mut outside, mut soft) = (0.0, 0.0);
    for row in rows_mut(tile.target, tile.lanes) {
        let (mut row_outside, mut row_soft) = (zero, zero);
        for (group, weight) in row.iter_mut().zip(tile.weight.iter()) {
            let counts = zero.less(simd.load(weight));
            let g = Vector::select(counts, simd.load(group), zero);
            g.store(group);
            // Not below 0 and not above 1 is true for NaN: test what is right instead.
            let low = Vector::select(g.less(zero), zero, one);
            let inside = Vector::select(g.equal(g), low, zero);
            let inside = Vector::select(one.less(g), zero, inside);
            let binary = Vector::select(g.equal(one), one, zero);
            let binary = Vector::select(g.equal(zero), one, binary);
            row_outside = row_outside + (one - inside);
            row_soft = row_soft + (one - binary);
        }
        outside += row_outside.sum();
        soft += row_soft.sum();
    }
    (outside == 0.0).then_some(soft)
}

/// Loads weights and target of a tile; checks weights and labels.
pub(crate) fn load_target<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    tile: &mut Tile<'_, R>,
) -> Result<(), Error> {
    let (plan, input) = (job.plan, job.input);
    let begin = tile.sample * plan.shape.voxels() + tile.first;
    let place = (tile.sample, tile.first, tile.voxels);
    let (level, unweighted) = (plan.loss.level, matches!(input.voxel_weights, VoxelWeights::Ones));
    voxel_weights(&input.voxel_weights, begin, tile.voxels, tile.weight)?;
    match &input.target {
        Target::Labels { labels, ignore } => {
            let count = plan.shape.classes();
            match_labels!(labels, values => {
                load_labels(level, values, begin, (count, true), (*ignore, unweighted), tile)?;
            });
        }
        Target::Nodes { nodes, ignore } => {
            let count = plan.loss.tree.map_or(0, |tree| tree.nodes());
            match_labels!(nodes, values => {
                load_labels(level, values, begin, (count, false), (*ignore, unweighted), tile)?;
            });
        }
        Target::Dense(values) => {
            if unweighted {
                count_all(tile);
            }
            let lanes = (tile.lanes, level);
            let (shape, to) = (&plan.shape, &mut *tile.target);
            match *values {
                Dense::U8(v) => load_rows(&Buffer::Shared(v), claim, shape, place, lanes, all, to),
                Dense::F32(v) => load_rows(&Buffer::Shared(v), claim, shape, place, lanes, all, to),
                Dense::F64(v) => load_rows(&Buffer::Shared(v), claim, shape, place, lanes, all, to),
            }
            fill(tile.label_lanes, -R::ONE);
        }
    }
    Ok(())
}

/// [`load_target`] and the scores.
pub(crate) fn load<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    tile: &mut Tile<'_, R>,
) -> Result<(), Error> {
    load_target(job, claim, tile)?;
    copy_scores(job, claim, tile);
    load_rest(job, claim, tile);
    Ok(())
}

/// [`load`], but for the scores that can be read where they are.
pub(crate) fn load_around<'j, R: Real>(
    job: &Job<'j, R>,
    claim: &Claim,
    tile: &mut Tile<'_, R>,
) -> Result<GivenScores<'j, R>, Error> {
    load_target(job, claim, tile)?;
    let given = given_scores(job, claim, tile);
    if given.is_none() {
        copy_scores(job, claim, tile);
    }
    load_rest(job, claim, tile);
    Ok(given)
}

fn load_rest<R: Real>(job: &Job<'_, R>, claim: &Claim, tile: &mut Tile<'_, R>) {
    let next = (tile.sample, tile.first + tile.voxels, tile.voxels);
    tile.ahead.scores = job.scores.ahead(&job.plan.shape, next, tile.lanes);
    load_fields(job, claim, tile);
}

/// Rows are copied outside of the kernels: that is as fast as memory at any SIMD level, and types
/// would multiply with levels. Only transposing interleaved values is a kernel of its own.
fn copy_scores<R: Real>(job: &Job<'_, R>, claim: &Claim, tile: &mut Tile<'_, R>) {
    let plan = job.plan;
    let place = (tile.sample, tile.first, tile.voxels);
    let to = if plan.softmax { &mut *tile.softmax } else { &mut *tile.scores };
    let lanes = (tile.lanes, plan.loss.level);
    load_scores(&job.scores, claim, &plan.shape, place, lanes, all, to);
}

/// The scores of a tile where they are, if that can be: rows without voxels that do not count, of few
/// classes, as those of many push each other out of a cache if powers of two lie between them.
fn given_scores<'j, R: Real>(
    job: &Job<'j, R>,
    claim: &Claim,
    tile: &Tile<'_, R>,
) -> GivenScores<'j, R> {
    let shape = &job.plan.shape;
    let whole = tile.counted == tile.voxels && tile.voxels == tile.lanes * LANES;
    if !whole || shape.layout() != Layout::Planar || shape.classes() > FEW {
        return GivenScores::NONE;
    }
    let row = |class| {
        let begin = shape.index(tile.sample, class, tile.first);
        match &job.scores {
            ScoreBuffer::F32(values) => f32::reals(values.part(claim, begin, tile.voxels)),
            ScoreBuffer::F64(values) => f64::reals(values.part(claim, begin, tile.voxels)),
            ScoreBuffer::F16(_) | ScoreBuffer::Bf16(_) => None,
        }
    };
    GivenScores::new((0..shape.classes()).map(row), tile.voxels)
}

/// Class rows of a tile from scores of any type, see [`load_rows`].
#[inline(always)]
pub(crate) fn load_scores<R: Real>(
    scores: &ScoreBuffer<'_>,
    claim: &Claim,
    shape: &Shape,
    place: Place,
    lanes: (usize, Level),
    wanted: impl Fn(usize) -> bool,
    to: &mut [Lanes<R>],
) {
    match scores {
        ScoreBuffer::F32(values) => load_rows(values, claim, shape, place, lanes, wanted, to),
        ScoreBuffer::F64(values) => load_rows(values, claim, shape, place, lanes, wanted, to),
        ScoreBuffer::F16(values) => load_rows(values, claim, shape, place, lanes, wanted, to),
        ScoreBuffer::Bf16(values) => load_rows(values, claim, shape, place, lanes, wanted, to),
    }
}

/// Counts the voxels of a tile whose target is loaded. Returns the number of dense target values
/// other than 0 and 1, or nothing if there is one outside these bounds.
#[inline(always)]
pub(crate) fn settle_target<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    tile: &mut Tile<'_, S::Real>,
) -> Option<f64> {
    if tile.counted < tile.voxels {
        let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
        // No lane counts so many that they would be rounded.
        let (mut counted, mut ones) = ([zero; BLOCK], [zero; BLOCK]);
        for block in blocks(tile.weight) {
            for ((counted, ones), weight) in counted.iter_mut().zip(&mut ones).zip(block) {
                let weight = simd.load(weight);
                *counted = *counted + Vector::select(zero.less(weight), one, zero);
                *ones = *ones + Vector::select(weight.equal(one), one, zero);
            }
        }
        tile.counted = block_sum(counted) as usize;
        tile.all_weigh_one = block_sum(ones) as usize == tile.lanes * LANES;
    }
    if plan.target.dense() { check_dense(simd, tile) } else { Some(0.0) }
}

/// [`settle_target`] of a loaded tile, whose scores of voxels that do not count become 0.
#[inline(always)]
pub(crate) fn settle<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    tile: &mut Tile<'_, S::Real>,
) -> Option<f64> {
    let soft = settle_target(simd, plan, tile);
    if tile.counted < tile.voxels {
        let zero = simd.zero();
        let class_rows = if plan.softmax { &mut *tile.softmax } else { &mut *tile.scores };
        for row in rows_mut(class_rows, tile.lanes) {
            for (group, weight) in row.iter_mut().zip(&*tile.weight) {
                let counts = zero.less(simd.load(weight));
                Vector::select(counts, simd.load(group), zero).store(group);
            }
        }
    }
    soft
}

/// Looks at every value of a tile that may hold a bad one; where none does, it is loaded anew.
#[cold]
#[inline(never)]
pub(crate) fn inspect<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    tile: &mut Tile<'_, R>,
) -> Result<(), Error> {
    load(job, claim, tile)?;
    let plan = job.plan;
    let inside = |value: R| value >= R::ZERO && value <= R::ONE;
    let target = (Cause::TargetRange, Argument::Target);
    first_bad(plan, tile, tile.target, target, inside)?;
    let class_rows = if plan.softmax { &*tile.softmax } else { &*tile.scores };
    // Differences of scores must not overflow.
    let finite = |z: R| (z * R::from_f32(4.0)).finite();
    first_bad(plan, tile, class_rows, (Cause::NonFinite, Argument::Scores), finite)
}

/// The first class, then the first voxel that counts and is not good.
fn first_bad<R: Real>(
    plan: &Plan<'_>,
    tile: &Tile<'_, R>,
    class_rows: &[Lanes<R>],
    (cause, argument): (Cause, Argument),
    good: impl Fn(R) -> bool,
) -> Result<(), Error> {
    for (class, row) in rows(class_rows, tile.lanes).enumerate() {
        let voxels = row.as_flattened().iter().zip(tile.weight.as_flattened());
        for (voxel, (&value, &weight)) in voxels.enumerate() {
            if weight != R::ZERO && !good(value) {
                let position = plan.shape.index(tile.sample, class, tile.first + voxel);
                return Err(Error::new(cause, argument).at(position).found(value.to_f64()));
            }
        }
    }
    Ok(())
}
