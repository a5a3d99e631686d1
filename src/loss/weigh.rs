//! Step 1 where the gradient is [`Plan::pointwise`]: a look over the input that checks all of it and
//! takes the sums that values are divided by.
#![forbid(unsafe_code)]

use super::driver::{Job, WorkerScratch, block_place, tiles};
use super::plan::Plan;
use super::scan::suspicious_scores;
use super::stage::{inspect, load_target, settle_target};
use super::sums::{BlockSums, weight_sums};
use super::tile::Tile;
use crate::disjoint::Workers;
use crate::element::Real;
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::scratch::Carver;
use crate::simd::{Kernel, Simd};

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

/// Adds what a block weighs to the worker's exact sums, and checks all of its input.
fn weigh_block<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    scratch: &mut Carver<'_>,
) -> Result<(), Error> {
    let plan = job.plan;
    let place = block_place(plan, claim.task());
    let WorkerScratch { exact, mut block, mut tile } = WorkerScratch::<R>::carve(plan, scratch)?;
    block.clear();
    let suspicious = suspicious_scores(job, claim, place);
    for (first, voxels) in tiles(plan, place) {
        let tile = &mut tile.place(place.0, first, voxels);
        load_target(job, claim, tile)?;
        let block = &mut block;
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
        workers.with(|scratch| weigh_block(job, claim, scratch))
    })
}
