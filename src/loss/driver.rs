//! The passes over tiles, as tasks of the caller's executor.

use super::coefficients::{Coefficients, Slope};
use super::fields::{FieldSource, FieldUse};
use super::input::{GradientMode, Input};
use super::outgoing::{Finish, Join, Outgoing, Waiting, joins, set_out};
use super::output::{Output, Place, ScoreBuffer, store};
use super::plan::Plan;
use super::pull::{result, tile_gradient};
use super::stage::{inspect, load, load_around, settle};
use super::steps::Steps;
use super::sums::{BlockSums, activate, tile_sums, tile_values};
use super::tile::Tile;
use super::tree_cross_entropy::needs_scores;
use crate::activation::GivenScores;
use crate::disjoint::{DisjointMut, Workers};
use crate::element::{LANES, Lanes, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::math::LIMBS;
use crate::scratch::Carver;
use crate::simd::{Kernel, Simd, flush};
use core::mem::take;

/// What the passes work on.
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
            FieldSource::Signed { target: &[], prediction: &[], class: 0 }
        };
        Self { plan, input, scores, fields }
    }

    /// The same work with other fields.
    pub(crate) fn with_fields<'f>(&'f self, fields: FieldSource<'f, R>) -> Job<'f, R> {
        Job { plan: self.plan, input: self.input, scores: self.scores, fields }
    }
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

/// What a pass makes of the scores.
pub(crate) struct Work<'w, R> {
    /// Which sums are taken.
    pub sums: Steps,
    /// Place of the voxel losses of top-k.
    pub losses: &'w DisjointMut<'w, R>,
    pub gradient: Option<GradientWork<'w, R>>,
}

/// What the gradient is made of, and where it goes.
#[derive(Clone, Copy)]
pub(crate) struct GradientWork<'w, R> {
    pub coefficients: &'w Coefficients<'w>,
    pub slopes: &'w [Slope<R>],
    pub output: &'w Output<'w>,
    pub mode: GradientMode,
}

/// What the gradient of a sample is made of.
type Slopes<'k, R> = (&'k Coefficients<'k>, &'k [Slope<R>]);

/// Adds a loaded tile to the sums of its block and turns it into its gradient, as far as they are
/// wanted.
struct TileKernel<'k, 't, 's, 'b, 'o, R> {
    plan: &'k Plan<'k>,
    tile: &'k mut Tile<'t, R>,
    given: GivenScores<'k, R>,
    steps: Steps,
    sums: &'k mut TileSums<'s, 'b, R>,
    gradient: Option<Slopes<'k, R>>,
    /// The gradient of the last tile.
    outgoing: Option<&'k mut Outgoing<'o, R>>,
}

/// Where a tile is added to.
struct TileSums<'k, 'b, R> {
    block: &'k mut BlockSums<'b>,
    losses: &'k mut [R],
    fields: FieldUse,
}

/// What has become of a tile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// The same, but it must be inspected.
    Suspicious,
    /// Nothing: it needs scores that it does not keep.
    NeedsScores,
}

impl<R: Real> Kernel<R> for TileKernel<'_, '_, '_, '_, '_, R> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> Outcome {
        let Self { plan, tile, given, steps, sums, gradient, mut outgoing } = self;
        let Some(soft) = settle(simd, plan, tile) else { return Outcome::Suspicious };
        let suspicious = activate(simd, plan, steps, (tile, given), outgoing.as_deref_mut());
        let keeps_scores = tile.keeps_scores || plan.scores.meet(steps);
        let may_need_scores = plan.spare_scores && plan.node_sums.meet(steps);
        if may_need_scores && !keeps_scores && needs_scores(simd, tile) {
            return Outcome::NeedsScores;
        }
        let TileSums { block, losses, fields } = sums;
        if steps.meet(Steps::SUMS) {
            tile_sums(simd, plan, soft, *fields, tile, block, losses);
        }
        let values = steps.meet(Steps::VALUES) && fields.other_terms();
        if values {
            tile_values(simd, plan, gradient.is_some(), tile, block);
        }
        if let Some((coefficients, slopes)) = gradient {
            let values = values.then_some(&mut **block);
            tile_gradient(simd, plan, coefficients, slopes, tile, values);
        }
        if let Some(outgoing) = outgoing {
            Finish { outgoing }.run(simd);
        }
        if suspicious { Outcome::Suspicious } else { Outcome::Done }
    }
}

/// A worker's scratch, cut as [`Plan::worker_requirement`] counts it.
pub(crate) struct WorkerScratch<'t> {
    pub exact: &'t mut [[f64; LIMBS]],
    pub block: BlockSums<'t>,
    /// For [`Tile::carve`].
    pub tile_memory: &'t mut [u8],
}

impl<'t> WorkerScratch<'t> {
    pub(crate) fn carve<R: Real>(plan: &Plan<'_>, scratch: &mut Carver<'t>) -> Result<Self, Error> {
        let exact = scratch.take::<[f64; LIMBS]>(plan.sums())?;
        let block = scratch.take::<f64>(plan.block_sums())?;
        let (scalars, columns) = block.split_at_mut_checked(plan.scalars()).unwrap_or_default();
        let classes = plan.shape.classes();
        let tile_memory = scratch.take_bytes(plan.tile_requirement::<R>())?;
        Ok(Self { exact, block: BlockSums { scalars, columns, classes }, tile_memory })
    }
}

/// Makes of a tile what is wanted, while `outgoing` leaves.
fn work_on<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    (tile, sums): (&mut Tile<'_, R>, &mut TileSums<'_, '_, R>),
    (steps, gradient): (Steps, Option<Slopes<'_, R>>),
    mut outgoing: Option<&mut Outgoing<'_, R>>,
) -> Result<(), Error> {
    let (plan, level) = (job.plan, job.plan.loss.level);
    // Rows of the tile hold no scores then: before the exponentials nobody reads them.
    let given = if plan.softmax && !plan.scores.meet(steps) {
        load_around(job, claim, tile)?
    } else {
        load(job, claim, tile)?;
        GivenScores::NONE
    };
    let mut run = |tile: &mut Tile<'_, R>, given, steps| {
        let outgoing = outgoing.as_deref_mut();
        R::dispatch(level, TileKernel { plan, tile, given, steps, sums, gradient, outgoing })
    };
    let mut outcome = run(tile, given, steps);
    if outcome == Outcome::NeedsScores {
        tile.keeps_scores = true;
        load(job, claim, tile)?;
        outcome = run(tile, GivenScores::NONE, steps);
    }
    if outcome == Outcome::Suspicious {
        inspect(job, claim, tile)?;
        if gradient.is_some() {
            tile.keeps_scores = plan.spare_scores;
            run(tile, GivenScores::NONE, Steps::GRADIENT);
        }
    }
    Ok(())
}

/// Works on the blocks of a task.
fn run_blocks<R: Real>(
    job: &Job<'_, R>,
    claim: &Claim,
    work: &Work<'_, R>,
    scratch: &mut Carver<'_>,
) -> Result<(), Error> {
    let (plan, shape, level) = (job.plan, &job.plan.shape, job.plan.loss.level);
    let Some(sample) = plan.blocks(claim.task()).next().map(|(sample, ..)| sample) else {
        return Ok(());
    };
    if job.fields.leaves_out(sample) {
        return Ok(());
    }
    let fields = job.fields.used();
    let WorkerScratch { exact, mut block, tile_memory } = WorkerScratch::carve::<R>(plan, scratch)?;
    let mut tile = Tile::carve(plan, plan.lanes * LANES, &mut *tile_memory)?;
    let gradient = work.gradient.map(|GradientWork { coefficients, slopes, .. }| {
        let first = (plan.part.first_sample + sample) * shape.classes();
        let slopes = slopes.get(first..first + shape.classes()).unwrap_or_default();
        (coefficients, slopes)
    });
    let of_gradient = if gradient.is_some() { Steps::GRADIENT } else { Steps::NONE };
    let streamed = work.gradient.filter(|gradient| streams(job, gradient.mode));
    let stored = work.gradient.filter(|gradient| !streams(job, gradient.mode));
    let keeps_losses = plan.top_k && fields.other_terms() && work.sums.meet(Steps::SUMS);
    let finish = |waiting: Option<Waiting>, leaving: &[Lanes<R>]| {
        if let (Some(GradientWork { output, .. }), Some(waiting)) = (streamed, waiting) {
            // SAFETY: the claimed task is done with the elements of this place.
            #[allow(unsafe_code)]
            let outgoing =
                &mut unsafe { Outgoing::new(output, claim, shape, waiting, false, leaving) };
            R::dispatch(level, Finish { outgoing });
        }
    };
    let mut waiting: Option<Waiting> = None;
    for place in plan.blocks(claim.task()) {
        block.clear();
        for (first, voxels) in tiles(plan, place) {
            let place = (sample, first, voxels);
            if !tile.fits(voxels) {
                finish(waiting.take(), tile.leaving);
                tile = Tile::carve(plan, voxels, &mut *tile_memory)?;
            }
            tile.place(place);
            let leaving = take(&mut tile.leaving);
            let joined = waiting.is_some() && joins(plan, voxels);
            // SAFETY: the last tile is one of the claimed task's and not used again, and this one's
            // scores lie elsewhere.
            #[allow(unsafe_code)]
            let mut outgoing =
                streamed.zip(waiting).map(|(GradientWork { output, .. }, waiting)| unsafe {
                    Outgoing::new(output, claim, shape, waiting, joined, leaving)
                });
            if let (Some(GradientWork { output, .. }), false) = (stored, job.scores.in_place()) {
                tile.gradient_ahead = output.ahead(shape, place, tile.lanes);
            }
            let kept = if keeps_losses { voxels } else { 0 };
            // SAFETY: these voxels belong to the claimed task alone.
            #[allow(unsafe_code)]
            let losses = unsafe { work.losses.part_mut(sample * shape.voxels() + first, kept) };
            let sums = &mut TileSums { block: &mut block, losses, fields };
            let steps = work.sums.and(of_gradient);
            work_on(job, claim, (&mut tile, sums), (steps, gradient), outgoing.as_mut())?;
            if let Some(GradientWork { output, mode, .. }) = stored {
                let lanes = (tile.lanes, level);
                store(output, claim, shape, place, lanes, result(plan, &tile), mode);
            }
            tile.leaving = leaving;
            if let Some(GradientWork { output, .. }) = streamed {
                if joined {
                    // SAFETY: this place and the last one are the claimed task's, one behind the other,
                    // the first one whole, and this one long enough as it `joins`; no view of them is
                    // left.
                    #[allow(unsafe_code)]
                    let join = unsafe { Join::new(output, claim, plan, place, &tile) };
                    R::dispatch(level, join);
                }
                waiting = Some(Waiting { place, joined });
                set_out(plan, &mut tile);
            }
        }
        if work.sums != Steps::NONE {
            block.add_to(plan, sample, exact);
        }
    }
    finish(waiting, tile.leaving);
    Ok(())
}

/// Whether a tile's gradient is written past the caches while the next one is computed: not where
/// something that lies in its place is to be read again.
const fn streams<R>(job: &Job<'_, R>, mode: GradientMode) -> bool {
    let free = !job.scores.in_place() && !job.fields.in_gradient();
    job.plan.streams && free && matches!(mode, GradientMode::Overwrite)
}

/// Works on every block.
pub(crate) fn pass<R: Real>(
    job: &Job<'_, R>,
    claims: &Claims<'_>,
    work: &Work<'_, R>,
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    run_tasks(job.plan.tasks(), claims, executor, &|claim| {
        workers.with(|scratch| {
            let done = run_blocks(job, claim, work, scratch);
            if work.gradient.is_some() {
                flush();
            }
            done
        })
    })
}

/// Step 1: fills the workers' exact sums.
pub(crate) fn sum_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &Claims<'_>,
    (sums, losses): (Steps, &mut [R]),
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let losses = &DisjointMut::new(losses);
    pass(job, claims, &Work { sums, losses, gradient: None }, workers, executor)
}

/// Moves the workers' exact sums to `sums`.
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
                *sum += core::mem::take(part);
            }
        }
    });
}
