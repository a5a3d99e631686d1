//! Looking over the scores of a block where they lie.
#![forbid(unsafe_code)]

use super::driver::Job;
use super::output::{Buffer, Place, ScoreBuffer};
use crate::activation::too_large;
use crate::element::{Element, LANES, Real};
use crate::executor::Claim;
use crate::rows::{BLOCK, blocks};
use crate::shape::Layout;
use crate::simd::{Ahead, Kernel, Simd, Vector};

/// Groups that are read at a time: as many as are best converted together.
const GROUPS: usize = 8;

/// Whether some scores may be not finite or too large: always if one is, even where its voxel does
/// not count, which then makes every tile of the block be inspected.
pub(crate) fn suspicious_scores<R: Real>(job: &Job<'_, R>, claim: &Claim, place: Place) -> bool {
    match &job.scores {
        ScoreBuffer::F32(values) => suspicious(job, values, claim, place),
        ScoreBuffer::F64(values) => suspicious(job, values, claim, place),
        ScoreBuffer::F16(values) => suspicious(job, values, claim, place),
        ScoreBuffer::Bf16(values) => suspicious(job, values, claim, place),
    }
}

fn suspicious<E: Element, R: Real>(
    job: &Job<'_, R>,
    values: &Buffer<'_, E>,
    claim: &Claim,
    (sample, first, voxels): Place,
) -> bool {
    let shape = &job.plan.shape;
    let (rows, length) = match shape.layout() {
        Layout::Planar => (shape.classes(), voxels),
        Layout::Interleaved => (1, voxels * shape.classes()),
    };
    (0..rows).any(|class| {
        let values = values.part(claim, shape.index(sample, class, first), length);
        // Rows are too short for a processor to find out by itself where to read ahead.
        let stride = if rows == 1 { length } else { shape.voxels() };
        let ahead = Ahead::new(values.as_ptr().wrapping_add(stride), 1);
        R::dispatch(job.plan.loss.level, SizeKernel { values, ahead })
    })
}

/// Whether the sizes of values add up to too much.
struct SizeKernel<'k, E> {
    values: &'k [E],
    /// What is looked at next.
    ahead: Ahead,
}

impl<E: Element, R: Real> Kernel<R> for SizeKernel<'_, E> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> bool {
        let (groups, rest) = self.values.as_chunks::<LANES>();
        let (parts, groups) = groups.as_chunks::<GROUPS>();
        let mut sizes = [simd.zero(); BLOCK];
        for (index, part) in parts.iter().enumerate() {
            self.ahead.prefetch(0, index * GROUPS * LANES, GROUPS * LANES);
            add_sizes(simd, part, &mut sizes);
        }
        add_sizes(simd, groups, &mut sizes);
        let mut last = [E::default(); LANES];
        for (last, value) in last.iter_mut().zip(rest) {
            *last = *value;
        }
        add_sizes(simd, &[last], &mut sizes);
        too_large(sizes)
    }
}

/// Adds the sizes of at most [`GROUPS`] groups.
#[inline(always)]
fn add_sizes<S: Simd, E: Element>(simd: S, groups: &[[E; LANES]], sizes: &mut [S::Vector; BLOCK]) {
    let mut lanes = [[S::Real::ZERO; LANES]; GROUPS];
    E::read_groups(groups, &mut lanes);
    for block in blocks(&lanes) {
        for (size, lanes) in sizes.iter_mut().zip(block) {
            *size = *size + simd.load(lanes).absolute();
        }
    }
}
