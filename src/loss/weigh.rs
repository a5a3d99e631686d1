//! Step 1 where the gradient is [`Plan::pointwise`]: a look over the input that checks all of it and
//! takes the sums that values are divided by.
#![forbid(unsafe_code)]

use super::driver::{Job, WorkerScratch, tiles};
use super::output::Place;
use super::plan::{COUNTED, Plan, WEIGHT};
use super::scan::suspicious_scores;
use super::stage::{inspect, load_target, settle_target};
use super::sums::{BlockSums, weight_sums};
use super::tile::Tile;
use crate::disjoint::Workers;
use crate::element::{LANES, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::simd::{Kernel, Simd};
use crate::view::{Label, Target, VoxelWeights, match_labels};

/// Adds what a tile weighs to the sums of its block. Returns whether it must be inspected.
struct WeightKernel<'k, 't, 'b, R> {
    plan: &'k Plan<'k>,
    tile: &'k mut Tile<'t, R>,
    block: &'k mut BlockSums<'b>,
}

impl<R: Real> Kernel<R> for WeightKernel<'_, '_, '_, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> bool {
        let soft = settle_target(simd, self.plan, self.tile);
        weight_sums(simd, self.plan, soft.unwrap_or_default(), self.tile, self.block);
        soft.is_none()
    }
}

/// Whether every label is below `count`.
struct KnownLabels<'k, L> {
    values: &'k [L],
    count: u32,
}

impl<L: Label, R: Real> Kernel<R> for KnownLabels<'_, L> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, _: S) -> bool {
        L::all_below(self.values, self.count)
    }
}

/// Whether all voxels of a block are seen to count, once each, without loading them.
fn all_count<R: Real>(job: &Job<'_, R>, (sample, first, voxels): Place) -> bool {
    let plan = job.plan;
    match (&job.input.target, &job.input.voxel_weights) {
        (Target::Labels { labels, ignore: None }, VoxelWeights::Ones) if !plan.normalisers => {
            let begin = sample * plan.shape.voxels() + first;
            let count = u32::try_from(plan.shape.classes()).unwrap_or(u32::MAX);
            match_labels!(labels, values => {
                let values = values.get(begin..begin + voxels).unwrap_or_default();
                let known = R::dispatch(plan.loss.level, KnownLabels { values, count });
                known && values.len() == voxels
            })
        }
        _ => false,
    }
}

/// Adds what a block weighs to the worker's exact sums, and checks all of its input.
fn weigh_block<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    place: Place,
    WorkerScratch { exact, block, tile_memory }: &mut WorkerScratch<'_>,
) -> Result<(), Error> {
    let plan = job.plan;
    block.clear();
    let suspicious = suspicious_scores(job, claim, place);
    if !suspicious && all_count(job, place) {
        let (_, _, voxels) = place;
        block.add(COUNTED, voxels as f64);
        block.add(WEIGHT, voxels as f64);
        block.add_to(plan, place.0, exact);
        return Ok(());
    }
    let mut tile = Tile::carve(plan, plan.lanes * LANES, tile_memory)?;
    for (first, voxels) in tiles(plan, place) {
        if !tile.fits(voxels) {
            tile = Tile::carve(plan, voxels, tile_memory)?;
        }
        let tile = &mut tile;
        tile.place((place.0, first, voxels));
        load_target(job, claim, tile)?;
        if R::dispatch(plan.loss.level, WeightKernel { plan, tile, block }) || suspicious {
            inspect(job, claim, tile)?;
        }
    }
    block.add_to(plan, place.0, exact);
    Ok(())
}

/// Fills the workers' exact sums with what every block weighs.
pub(crate) fn weight_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &Claims<'_>,
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    run_tasks(job.plan.tasks(), claims, executor, &|claim| {
        workers.with(|scratch| {
            let scratch = &mut WorkerScratch::carve::<R>(job.plan, scratch)?;
            let mut blocks = job.plan.blocks(claim.task());
            blocks.try_for_each(|place| weigh_block(job, claim, place, scratch))
        })
    })
}
