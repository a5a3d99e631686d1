//! Looking over the scores of a block where they lie.
#![forbid(unsafe_code)]

use super::driver::Job;
use super::output::{Buffer, Place, ScoreBuffer};
use crate::activation::too_large;
use crate::element::{Element, LANES, Lanes, Real};
use crate::executor::Claim;
use crate::rows::BLOCK;
use crate::shape::Layout;
use crate::simd::{Ahead, Kernel, Simd, Vector};

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
        let (blocks, groups) = groups.as_chunks::<BLOCK>();
        let mut sizes = [simd.zero(); BLOCK];
        for (index, block) in blocks.iter().enumerate() {
            self.ahead.prefetch(0, index * size_of_val(block), size_of_val(block));
            for (size, group) in sizes.iter_mut().zip(block) {
                *size = *size + read(simd, group).absolute();
            }
        }
        for (size, group) in sizes.iter_mut().zip(groups) {
            *size = *size + read(simd, group).absolute();
        }
        let mut padded: Lanes<R> = [R::ZERO; LANES];
        E::read_slice(rest, &mut padded);
        let [size, ..] = &mut sizes;
        *size = *size + simd.load(&padded).absolute();
        too_large(sizes)
    }
}

#[inline(always)]
fn read<S: Simd, E: Element>(simd: S, from: &[E; LANES]) -> S::Vector {
    let mut lanes = [S::Real::ZERO; LANES];
    E::read_lanes(from, &mut lanes);
    simd.load(&lanes)
}
