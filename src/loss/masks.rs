//! The masks that distance terms measure: of the prediction, a bit for each voxel, and of the target.
//!
//! Soundness: a task writes the bits of its own voxels, whose first one is a multiple of 16.
#![allow(unsafe_code)]

use super::distance_term::distance_terms;
use super::driver::{Job, WorkerScratch, block_place, tiles};
use super::plan::{Plan, Steps};
use super::stage::{inspect, load, settle};
use super::sums::{activate, probabilities};
use super::tile::Tile;
use crate::disjoint::{DisjointMut, Workers};
use crate::distance::{Mask, MaskRows};
use crate::element::Real;
use crate::error::Error;
use crate::executor::{Claims, Executor, run_tasks};
use crate::rows::row;
use crate::scratch::Carver;
use crate::shape::{Layout, Shape};
use crate::simd::{Kernel, Simd, Vector};
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
        let suspicious = activate(simd, plan, Steps::MASKS, tile, None);
        let (zero, classes) = (simd.zero(), tile.classes);
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
                let probability = row(probabilities(plan, tile), class, tile.lanes);
                for (to, (p, w)) in to.chunks_mut(2).zip(probability.iter().zip(&*tile.weight)) {
                    let above = S::Vector::bits(threshold.less(simd.load(p)));
                    let counts = S::Vector::bits(zero.less(simd.load(w)));
                    for (to, from) in to.iter_mut().zip((above & counts).to_le_bytes()) {
                        *to = from;
                    }
                }
            }
        }
        suspicious | outside
    }
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
            let place = block_place(plan, claim.task());
            let mut tile = WorkerScratch::<R>::carve(plan, scratch)?.tile;
            for (first, voxels) in tiles(plan, place) {
                let tile = &mut tile.place(place.0, first, voxels);
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
