//! The calls for volumes in parts: an evaluation's three steps, one by one.
#![forbid(unsafe_code)]

use super::Loss;
use super::call_scratch::{CallScratch, scratch_bytes};
use super::check::check_gradient;
use super::coefficients::Coefficients;
use super::driver::{GradientWork, Job, Work, collect, pass, sum_pass};
use super::evaluation::{conclude, conclude_values, evaluation};
use super::input::{Evaluation, Gradient, Input, Part};
use super::output::{Output, ScoreBuffer, in_precision};
use super::plan::{InputKind, Plan};
use super::steps::Steps;
use super::tiling::block_voxels;
use super::top_k::Selection;
use crate::disjoint::DisjointMut;
use crate::error::{Argument, Error};
use crate::executor::{Executor, worker_count};
use crate::math::LIMBS;
use crate::scratch::uninitialised;
use crate::shape::Shape;
use crate::view::{Scores, check_length};
use core::mem::MaybeUninit;

impl Loss<'_> {
    /// Voxels of a block, the unit that parts of a volume are cut in; it follows from the number
    /// of classes.
    #[must_use]
    pub fn block_voxels(shape: &Shape) -> usize {
        block_voxels(shape.classes())
    }

    /// [`Loss::scratch_bytes`] of the sharded calls, whose batch may be larger than the input's.
    ///
    /// # Errors
    /// As [`Loss::scratch_bytes`].
    pub fn part_scratch_bytes(
        &self,
        input: &Input<'_>,
        part: &Part,
        workers: usize,
    ) -> Result<usize, Error> {
        let plan = Plan::new(self, input, *part)?;
        scratch_bytes(&plan, matches!(input.scores, Scores::F64(_)), workers)
    }

    /// [`Loss::part_scratch_bytes`] for buffers that are not there yet.
    #[cfg(feature = "capi")]
    pub(crate) fn scratch_bytes_of_shape(
        &self,
        shape: Shape,
        kind: InputKind,
        part: &Part,
        double: bool,
        workers: usize,
    ) -> Result<usize, Error> {
        scratch_bytes(&Plan::of_shape(self, shape, kind, *part)?, double, workers)
    }

    /// Length of the sums of [`Loss::accumulate`].
    ///
    /// # Errors
    /// What is wrong with the loss, the shapes of its input or the part.
    pub fn sums_len(&self, input: &Input<'_>, part: &Part) -> Result<usize, Error> {
        self.sums_len_of_shape(input.shape, InputKind::of(input, false), part)
    }

    /// [`Loss::sums_len`] for buffers that are not there yet.
    pub(crate) fn sums_len_of_shape(
        &self,
        shape: Shape,
        kind: InputKind,
        part: &Part,
    ) -> Result<usize, Error> {
        Ok(Plan::of_shape(self, shape, kind, *part)?.shardable()?.exported_sums())
    }

    fn shardable<'p>(&'p self, input: &Input<'_>, part: &Part) -> Result<Plan<'p>, Error> {
        Plan::new(self, input, *part)?.shardable()
    }

    /// Step 1 on a part of the voxels: adds its sums to `sums`, which begin as zeros.
    ///
    /// Sums are added up element by element, in any order: those of several parts in one array,
    /// those of several ranks by an all-reduce (`MPI_SUM`, `ncclSum` on doubles). Every addition
    /// is exact, so the order cannot be seen.
    ///
    /// # Errors
    /// As [`Loss::evaluate`]; a top-k term cannot be had from parts, nor a distance term that has to
    /// make its fields.
    pub fn accumulate(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &mut [f64],
        scratch: &mut [u8],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        self.accumulate_in(input, part, sums, uninitialised(scratch), executor)
    }

    /// [`Loss::accumulate`] in memory that need not be initialised.
    pub(crate) fn accumulate_in(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &mut [f64],
        scratch: &mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let plan = self.shardable(input, part)?;
        check_length(Argument::Sums, sums.len(), plan.exported_sums())?;
        let scores = ScoreBuffer::from(input.scores);
        let workers = worker_count(executor);
        let (sums, _) = sums.as_chunks_mut::<LIMBS>();
        in_precision!(scores, R => {
            let job = Job::<R>::new(&plan, input, scores);
            let mut call = CallScratch::<R>::carve(&plan, workers, scratch)?;
            let all = (Steps::ALL_SUMS, call.losses);
            sum_pass::<R>(&job, &call.sum_claims, all, &call.workers, executor)?;
            collect(&plan, &mut call.workers, workers, sums);
        });
        Ok(())
    }

    /// Step 2: the evaluation that sums stand for. Of `input` the sizes are checked; scores and target
    /// are not read.
    ///
    /// # Errors
    /// As [`Loss::accumulate`].
    pub fn finish<'s>(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &[f64],
        scratch: &'s mut [u8],
    ) -> Result<Evaluation<'s>, Error> {
        self.finish_in(input, part, sums, uninitialised(scratch))
    }

    /// [`Loss::finish`] in memory that need not be initialised.
    pub(crate) fn finish_in<'s>(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &[f64],
        scratch: &'s mut [MaybeUninit<u8>],
    ) -> Result<Evaluation<'s>, Error> {
        let plan = self.shardable(input, part)?;
        check_length(Argument::Sums, sums.len(), plan.exported_sums())?;
        let (exact, _) = sums.as_chunks::<LIMBS>();
        let call = CallScratch::<f32>::carve(&plan, 0, scratch)?;
        let terms = conclude_values(&plan, exact, call.values, Selection::default());
        Ok(evaluation(&plan, terms, call.values, call.class_sums))
    }

    /// Step 3 on a part of the voxels: its gradient, from the sums of all parts.
    ///
    /// The data must be what [`Loss::accumulate`] has seen and checked: parts of the gradient may
    /// have been written when an error shows up only here.
    ///
    /// # Errors
    /// As [`Loss::accumulate`].
    pub fn gradient(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &[f64],
        gradient: Gradient<'_>,
        scratch: &mut [u8],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        self.gradient_in(input, part, sums, gradient, uninitialised(scratch), executor)
    }

    /// [`Loss::gradient`] in memory that need not be initialised.
    pub(crate) fn gradient_in(
        &self,
        input: &Input<'_>,
        part: &Part,
        sums: &[f64],
        gradient: Gradient<'_>,
        scratch: &mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<(), Error> {
        let plan = self.shardable(input, part)?;
        check_length(Argument::Sums, sums.len(), plan.exported_sums())?;
        check_gradient(&gradient, input)?;
        let (exact, _) = sums.as_chunks::<LIMBS>();
        let scores = ScoreBuffer::from(input.scores);
        let (upstream, mode) = (gradient.upstream, gradient.mode);
        let output = Output::from(gradient.values);
        let workers = worker_count(executor);
        in_precision!(scores, R => {
            let job = Job::<R>::new(&plan, input, scores);
            let call = CallScratch::<R>::carve(&plan, workers, scratch)?;
            let mut coefficients =
                Coefficients::new(call.region, call.transport, Selection::default());
            conclude(&plan, exact, call.values, upstream, &mut coefficients);
            coefficients.slopes(&plan, call.slopes);
            let (coefficients, slopes, output) = (&coefficients, &*call.slopes, &output);
            let gradient = GradientWork { coefficients, slopes, output, mode };
            let losses = &DisjointMut::new(&mut []);
            let work = Work { sums: Steps::NONE, losses, gradient: Some(gradient) };
            pass(&job, &call.gradient_claims, &work, &call.workers, executor)
        })
    }
}
