//! The masks that distance terms measure: of the prediction, a bit for each voxel, and of the target.
//!
//! Soundness: a task writes the bits of its own voxels, whose first one is a multiple of 16.
#![allow(unsafe_code)]

use super::Activation;
use super::distance_term::{DistanceTerm, distance_terms};
use super::driver::{Job, WorkerScratch, tiles};
use super::plan::Plan;
use super::stage::{inspect, load, settle};
use super::steps::Steps;
use super::sums::{activate, probabilities};
use super::tile::Tile;
use crate::activation::{GivenScores, VoxelSums, exponentials, too_large};
use crate::disjoint::{DisjointMut, Workers};
use crate::distance::{Mask, MaskRows};
use crate::element::{LANES, Real};
use crate::error::Error;
use crate::executor::{Claims, Executor, run_tasks};
use crate::rows::{BLOCK, block_of, blocks, blocks_mut, column, row, store_block};
use crate::scratch::Carver;
use crate::shape::{Layout, Shape};
use crate::simd::{Ahead, Kernel, Simd, Vector};
use crate::view::{Dense, Target};

/// Voxels of two masks that are compared at a time.
const MASK_BUFFER: usize = 1024;

/// Bytes of one class of one sample, a bit for each voxel.
pub(crate) const fn bit_row(plan: &Plan<'_>) -> usize {
    plan.shape.voxels().div_ceil(8)
}

/// Sets the bits of the prediction's masks. Returns whether the tile must be inspected.
struct MaskKernel<'k, 't, R> {
    plan: &'k Plan<'k>,
    tile: &'k mut Tile<'t, R>,
    bits: &'k DisjointMut<'k, u8>,
}

impl<R: Real> Kernel<R> for MaskKernel<'_, '_, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> bool {
        let Self { plan, tile, bits } = self;
        let outside = settle(simd, plan, tile).is_none();
        let softmax = plan.loss.activation == Activation::Softmax;
        let compared = if more_than_half(plan) { compare(simd, tile) } else { None };
        let suspicious = match compared {
            Some(suspicious) => suspicious,
            None if softmax => {
                let (maximum, inverse) = (&mut *tile.maximum, &mut *tile.inverse);
                let sums = VoxelSums {
                    maximum,
                    inverse,
                    log_sum: &mut [],
                    own_score: &mut [],
                    own_class: &[],
                };
                let mut unwritten = Ahead::NOTHING;
                exponentials(
                    simd,
                    (GivenScores::NONE, tile.softmax),
                    sums,
                    (tile.ahead, &mut unwritten),
                )
            }
            None => activate(simd, plan, Steps::MASKS, (tile, GivenScores::NONE), None),
        };
        let classes = tile.classes;
        for (plane, _, term) in distance_terms(plan) {
            if !term.two_sided() || plan.prediction_given {
                continue;
            }
            let threshold = simd.splat(R::from_f64(term.threshold()));
            for class in 0..classes {
                if term.class_factor(classes, class) == 0.0 {
                    continue;
                }
                let place = (plane * plan.shape.batch() + tile.sample) * classes + class;
                let skipped = tile.first / 8;
                let length = (2 * tile.lanes).min(bit_row(plan).saturating_sub(skipped));
                // SAFETY: these are the bits of the voxels of the claimed task.
                let to = unsafe { bits.part_mut(place * bit_row(plan) + skipped, length) };
                let own = row(probabilities(plan, tile), class, tile.lanes);
                for (index, to) in to.chunks_mut(BLOCK * LANES / 8).enumerate() {
                    let mut above = block_of(simd, own, index);
                    let mut limit = [threshold; BLOCK];
                    if compared.is_some() {
                        limit = block_of(simd, tile.maximum, index);
                    } else if softmax {
                        let inverse = block_of(simd, tile.inverse, index);
                        for (above, inverse) in above.iter_mut().zip(inverse) {
                            *above = *above * inverse;
                        }
                    }
                    let weight = block_of(simd, tile.weight, index);
                    let bits = less(limit, above) & less([simd.zero(); BLOCK], weight);
                    put(bits.to_le_bytes(), to);
                }
            }
        }
        suspicious | outside
    }
}

/// A bit for each voxel of a block.
#[inline(always)]
fn less<V: Vector>(low: [V; BLOCK], high: [V; BLOCK]) -> u64 {
    let groups = low.into_iter().zip(high).enumerate();
    groups.fold(0, |bits, (group, (low, high))| {
        bits | u64::from(V::bits(low.less(high))) << (group * LANES)
    })
}

/// Writes as many bytes as there is room for.
#[inline(always)]
fn put<const N: usize>(bytes: [u8; N], to: &mut [u8]) {
    if let Some(to) = to.first_chunk_mut() {
        *to = bytes;
        return;
    }
    for (to, from) in to.iter_mut().zip(bytes) {
        *to = from;
    }
}

/// Whether a class belongs to the masks if it has more than half of the probability: as a rule the one
/// with the largest score.
fn more_than_half(plan: &Plan<'_>) -> bool {
    let half = |term: DistanceTerm<'_>| !term.two_sided() || term.threshold() == 0.5;
    plan.loss.activation == Activation::Softmax
        && plan.shape.classes() > 1
        && distance_terms(plan).all(|(_, _, term)| half(term))
}

/// What [`exponentials`] would return, from the scores alone, and the second largest score of every
/// voxel in the place of the maximum: a larger one has more than half of the probability. Nothing, if
/// somewhere the two largest are so near to each other that all others together, or the rounding of
/// probabilities, may change that.
#[inline(always)]
fn compare<S: Simd>(simd: S, tile: &mut Tile<'_, S::Real>) -> Option<bool> {
    // More than a half is 1 / (1 + n e^-gap) if gap > ln n, whatever the n other scores are.
    let others = simd.splat(S::Real::from_f64(tile.classes.saturating_sub(1) as f64));
    let near = others.ln() + others * simd.splat(S::Real::one_of(1e-5, 1e-12));
    let zero = simd.zero();
    let mut sizes = [zero; BLOCK];
    let voxels = blocks_mut(tile.maximum).iter_mut().zip(blocks(tile.weight));
    for (index, (limit, weight)) in voxels.enumerate() {
        let mut largest = [simd.splat(-S::Real::LARGEST); BLOCK];
        let mut second = largest;
        for (class, scores) in column(tile.softmax, tile.lanes, index).enumerate() {
            tile.ahead.scores.prefetch(class, index * BLOCK * LANES, BLOCK * LANES);
            let groups = largest.iter_mut().zip(&mut second).zip(&mut sizes);
            for (z, ((largest, second), size)) in scores.iter().zip(groups) {
                let z = simd.load(z);
                *size = *size + z.absolute();
                *second = second.larger(largest.smaller(z));
                *largest = largest.larger(z);
            }
        }
        let mut nearest = near;
        for ((largest, second), weight) in largest.into_iter().zip(second).zip(weight) {
            let counts = zero.less(simd.load(weight));
            nearest = nearest.smaller(Vector::select(counts, largest - second, near));
        }
        if S::Vector::any(nearest.less(near)) {
            return None;
        }
        store_block(second, limit);
    }
    Some(too_large(sizes))
}

/// Checks every input and, where a field of the prediction must be made, notes its masks.
pub(crate) fn mask_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &mut [u8],
    bits: &mut [u8],
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let plan = job.plan;
    let claims = Claims::new(plan.tasks(), &mut Carver::resume(claims))?;
    let bits = &DisjointMut::new(bits);
    run_tasks(plan.tasks(), &claims, executor, &|claim| {
        workers.with(|scratch| {
            let tile_memory = WorkerScratch::carve::<R>(plan, scratch)?.tile_memory;
            let mut tile = Tile::carve(plan, plan.lanes * LANES, &mut *tile_memory)?;
            let blocks = plan.blocks(claim.task());
            let all = blocks.flat_map(|place| tiles(plan, place).map(move |part| (place.0, part)));
            for (sample, (first, voxels)) in all {
                if !tile.fits(voxels) {
                    tile = Tile::carve(plan, voxels, &mut *tile_memory)?;
                }
                let tile = &mut tile;
                tile.place((sample, first, voxels));
                load(job, claim, tile)?;
                if R::dispatch(plan.loss.level, MaskKernel { plan, tile, bits }) {
                    inspect(job, claim, tile)?;
                }
            }
            Ok(())
        })
    })
}

/// The mask of a class in the target.
pub(crate) struct TargetMask<'t> {
    pub target: &'t Target<'t>,
    pub shape: &'t Shape,
    pub sample: usize,
    pub class: usize,
}

impl MaskRows for TargetMask<'_> {
    fn read(&self, first: usize, phases: &mut [u8]) {
        let (shape, class) = (self.shape, self.class as i64);
        match self.target {
            // Ignored voxels belong to no class.
            Target::Labels { ignore, .. } if *ignore == Some(class) => phases.fill(0),
            Target::Labels { labels, .. } | Target::Nodes { nodes: labels, .. } => {
                let begin = self.sample * shape.voxels() + first;
                Mask::Label(*labels, class).read(begin, phases);
            }
            Target::Dense(values) => {
                let begin = shape.index(self.sample, self.class, first);
                let step = match shape.layout() {
                    Layout::Planar => 1,
                    Layout::Interleaved => shape.classes(),
                };
                match *values {
                    Dense::U8(values) => above_half(values, begin, step, phases, |v| v > 0),
                    Dense::F32(values) => above_half(values, begin, step, phases, |v| v > 0.5),
                    Dense::F64(values) => above_half(values, begin, step, phases, |v| v > 0.5),
                }
            }
        }
    }
}

fn above_half<T: Copy>(
    values: &[T],
    begin: usize,
    step: usize,
    phases: &mut [u8],
    above: impl Fn(T) -> bool,
) {
    let values = values.get(begin..).unwrap_or_default();
    for (phase, &value) in phases.iter_mut().zip(values.iter().step_by(step.max(1))) {
        *phase = u8::from(above(value));
    }
}

/// Whether every voxel is in just one of two masks of bits.
pub(crate) fn complementary_bits(one: &[u8], other: &[u8], voxels: usize) -> bool {
    let whole = voxels / 8;
    let mut bytes = one.iter().zip(other).map(|(a, b)| a ^ b);
    let all = bytes.by_ref().take(whole).fold(u8::MAX, |all, byte| all & byte);
    let last = u8::MAX << (voxels % 8);
    all == u8::MAX && bytes.all(|byte| byte | last == u8::MAX)
}

/// Whether every voxel is in just one of two masks.
pub(crate) fn complementary(one: &dyn MaskRows, other: &dyn MaskRows, voxels: usize) -> bool {
    let (mut a, mut b) = ([0; MASK_BUFFER], [0; MASK_BUFFER]);
    (0..voxels).step_by(MASK_BUFFER).all(|first| {
        let count = MASK_BUFFER.min(voxels - first);
        let (a, b) = (a.get_mut(..count), b.get_mut(..count));
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        one.read(first, a);
        other.read(first, b);
        a.iter().zip(&*b).fold(1, |both, (a, b)| both & (a ^ b)) == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn bits_are_complementary_where_masks_are() {
        let bytes: Vec<u8> = (0..6).map(|i| (i * 73 + 41) as u8).collect();
        for voxels in 1..=8 * bytes.len() {
            // What lies past the last voxel does not matter.
            let mut others: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
            for flaw in (0..8 * bytes.len()).map(Some).chain([None]) {
                if let Some(flaw) = flaw {
                    others[flaw / 8] ^= 1 << (flaw % 8);
                }
                let length = voxels.div_ceil(8);
                let (one, other) = (&bytes[..length], &others[..length]);
                let expected = complementary(&Mask::Bits(one), &Mask::Bits(other), voxels);
                assert_eq!(expected, flaw.is_none_or(|flaw| flaw >= voxels));
                assert_eq!(complementary_bits(one, other, voxels), expected, "{voxels}, {flaw:?}");
                if let Some(flaw) = flaw {
                    others[flaw / 8] ^= 1 << (flaw % 8);
                }
            }
        }
    }
}
