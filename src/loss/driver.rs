//! The two passes over tiles, as tasks of the caller's executor.

use super::coefficients::{Coefficients, Slope};
use super::fields::{FieldSource, FieldUse};
use super::input::{GradientMode, Input};
use super::output::{Output, Place, ScoreBuffer, StoreMode, store};
use super::plan::Plan;
use super::pull::{result, tile_gradient};
use super::stage::{inspect, load, settle};
use super::sums::{BlockSums, tile_sums};
use super::tile::Tile;
use crate::disjoint::{DisjointMut, Workers};
use crate::element::{LANES, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::math::{LIMBS, cut_into};
use crate::scratch::Carver;
use crate::shape::Layout;
use crate::simd::{Kernel, Simd, flush};

/// What both passes work on.
pub(crate) struct Job<'j, R> {
    pub plan: &'j Plan<'j>,
    pub input: &'j Input<'j>,
    pub scores: ScoreBuffer<'j>,
    pub fields: FieldSource<'j, R>,
}

impl<'j, R> Job<'j, R> {
    /// Work without fields other than the caller's.
    pub(crate) fn new(plan: &'j Plan<'j>, input: &'j Input<'j>, scores: ScoreBuffer<'j>) -> Self {
        let fields = if plan.fields == 0 || plan.makes_fields {
            FieldSource::None
        } else {
            FieldSource::Given {
                target: input.fields.target.unwrap_or_default(),
                prediction: input.fields.prediction.unwrap_or_default(),
            }
        };
        Self { plan, input, scores, fields }
    }

    /// The same work with other fields.
    pub(crate) fn with_fields<'f>(&'f self, fields: FieldSource<'f, R>) -> Job<'f, R> {
        Job { plan: self.plan, input: self.input, scores: self.scores, fields }
    }
}

/// Where a task's block lies.
pub(crate) fn block_place(plan: &Plan<'_>, task: usize) -> Place {
    let blocks = plan.blocks_per_sample().max(1);
    let (sample, block) = (task / blocks, task % blocks);
    let begin = block * plan.block_voxels();
    let voxels = plan.part_voxels().saturating_sub(begin).min(plan.block_voxels());
    (sample, plan.part.first_voxel + begin, voxels)
}

/// Tiles of a block: first voxel and number of voxels.
pub(crate) fn tiles(
    plan: &Plan<'_>,
    (_, first, voxels): Place,
) -> impl Iterator<Item = (usize, usize)> {
    let length = plan.lanes * LANES;
    (0..plan.tiles_per_block)
        .map(move |tile| (first + tile * length, voxels.saturating_sub(tile * length).min(length)))
        .filter(|&(_, voxels)| voxels > 0)
}

/// Adds a loaded tile to the sums of its block. Returns whether the tile must be inspected.
struct SumKernel<'k, 't, 'b, R> {
    plan: &'k Plan<'k>,
    tile: &'k mut Tile<'t, R>,
    block: &'k mut BlockSums<'b>,
    losses: &'k mut [R],
    fields: FieldUse,
}

impl<R: Real> Kernel<R> for SumKernel<'_, '_, '_, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> bool {
        let Some(soft) = settle(simd, self.plan, self.tile) else { return true };
        tile_sums(simd, self.plan, soft, self.fields, self.tile, self.block, self.losses)
    }
}

/// Turns a loaded tile into its gradient. Returns whether the tile must be inspected.
struct GradientKernel<'k, 't, R> {
    plan: &'k Plan<'k>,
    coefficients: &'k Coefficients<'k>,
    slopes: &'k [Slope<R>],
    tile: &'k mut Tile<'t, R>,
}

impl<R: Real> Kernel<R> for GradientKernel<'_, '_, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> bool {
        let outside = settle(simd, self.plan, self.tile).is_none();
        outside | tile_gradient(simd, self.plan, self.coefficients, self.slopes, self.tile)
    }
}

/// A worker's scratch, cut as [`Plan::worker_requirement`] counts it.
pub(crate) struct WorkerScratch<'t, R> {
    exact: &'t mut [[f64; LIMBS]],
    block: BlockSums<'t>,
    pub(crate) tile: Tile<'t, R>,
}

impl<'t, R: Real> WorkerScratch<'t, R> {
    pub(crate) fn carve(plan: &Plan<'_>, scratch: &mut Carver<'t>) -> Result<Self, Error> {
        let exact = scratch.take::<[f64; LIMBS]>(plan.sums())?;
        let block = scratch.take::<f64>(plan.block_sums())?;
        let (scalars, columns) = block.split_at_mut_checked(plan.scalars()).unwrap_or_default();
        let classes = plan.shape.classes();
        let tile = Tile::carve(plan, scratch)?;
        Ok(Self { exact, block: BlockSums { scalars, columns, classes }, tile })
    }
}

/// Adds a block to the worker's exact sums.
fn sum_block<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    losses: &DisjointMut<'_, R>,
    scratch: &mut Carver<'_>,
) -> Result<(), Error> {
    let plan = job.plan;
    let place = block_place(plan, claim.task());
    if job.fields.leaves_out(place.0) {
        return Ok(());
    }
    let fields = job.fields.used();
    let WorkerScratch { exact, mut block, mut tile } = WorkerScratch::<R>::carve(plan, scratch)?;
    block.scalars.fill(0.0);
    block.columns.fill(0.0);
    for (first, voxels) in tiles(plan, place) {
        let tile = &mut tile.place(place.0, first, voxels);
        let begin = place.0 * plan.shape.voxels() + first;
        let kept = if plan.top_k && fields.other_terms() { voxels } else { 0 };
        // SAFETY: these voxels belong to the claimed task's block alone.
        #[allow(unsafe_code)]
        let losses = unsafe { losses.part_mut(begin, kept) };
        let block = &mut block;
        load(job, claim, tile)?;
        if R::dispatch(plan.loss.level, SumKernel { plan, tile, block, losses, fields }) {
            inspect(job, claim, tile)?;
        }
    }
    let sample = plan.part.first_sample + place.0;
    let (scalars, columns) = exact.split_at_mut_checked(plan.scalars()).unwrap_or_default();
    let columns = columns.get_mut(sample * block.columns.len()..).unwrap_or_default();
    for (limbs, &value) in scalars.iter_mut().zip(&*block.scalars) {
        cut_into(limbs, value);
    }
    for (limbs, &value) in columns.iter_mut().zip(&*block.columns) {
        cut_into(limbs, value);
    }
    Ok(())
}

/// Writes the gradient of a block.
fn gradient_block<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    (coefficients, slopes): (&Coefficients<'_>, &[Slope<R>]),
    (output, mode): (&Output<'_>, GradientMode),
    scratch: &mut Carver<'_>,
) -> Result<(), Error> {
    let plan = job.plan;
    let place = block_place(plan, claim.task());
    let mut tile = WorkerScratch::<R>::carve(plan, scratch)?.tile;
    let classes = plan.shape.classes();
    let slopes = slopes.get((plan.part.first_sample + place.0) * classes..).unwrap_or_default();
    let slopes = slopes.get(..classes).unwrap_or_default();
    let cached = job.scores.in_place()
        || job.fields.in_gradient()
        || plan.shape.layout() == Layout::Interleaved;
    let bytes = plan.shape.elements() * size_of::<f32>();
    let mode = StoreMode::new(mode, bytes, cached);
    for (first, voxels) in tiles(plan, place) {
        let tile = &mut tile.place(place.0, first, voxels);
        load(job, claim, tile)?;
        if R::dispatch(plan.loss.level, GradientKernel { plan, coefficients, slopes, tile }) {
            inspect(job, claim, tile)?;
            load(job, claim, tile)?;
            R::dispatch(plan.loss.level, GradientKernel { plan, coefficients, slopes, tile });
        }
        let place = (place.0, first, voxels);
        let lanes = (tile.lanes, plan.loss.level);
        store(output, claim, &plan.shape, place, lanes, result(plan, tile), mode);
    }
    if mode == StoreMode::Stream {
        flush();
    }
    Ok(())
}

/// Step 1: fills the workers' exact sums.
pub(crate) fn sum_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &Claims<'_>,
    losses: &mut [R],
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let losses = DisjointMut::new(losses);
    run_tasks(job.plan.tasks(), claims, executor, &|claim| {
        workers.with(|scratch| sum_block(job, claim, &losses, scratch))
    })
}

/// Adds the workers' exact sums.
pub(crate) fn collect(
    plan: &Plan<'_>,
    workers: &mut Workers<'_>,
    count: usize,
    sums: &mut [[f64; LIMBS]],
) {
    workers.each(count, |scratch| {
        let Ok(exact) = scratch.take::<[f64; LIMBS]>(plan.sums()) else {
            return;
        };
        for (sum, part) in sums.iter_mut().zip(exact) {
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += *part;
            }
        }
    });
}

/// Step 3: writes the gradient.
pub(crate) fn gradient_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &Claims<'_>,
    coefficients: (&Coefficients<'_>, &[Slope<R>]),
    output: (&Output<'_>, GradientMode),
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    run_tasks(job.plan.tasks(), claims, executor, &|claim| {
        workers.with(|scratch| gradient_block::<R>(job, claim, coefficients, output, scratch))
    })
}
