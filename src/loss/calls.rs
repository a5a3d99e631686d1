//! The calls that evaluate in one go.
#![forbid(unsafe_code)]

use super::Loss;
use super::call_scratch::scratch_bytes;
use super::check::{check_gradient, check_upstream};
use super::driver::Job;
use super::input::{Evaluation, Gradient, GradientMode, Input, Part};
use super::output::{Output, ScoreBuffer, in_precision};
use super::passes::evaluate;
use super::plan::Plan;
use crate::error::Error;
use crate::executor::Executor;
use crate::scratch::uninitialised;
use crate::view::ScoresMut;
use core::mem::MaybeUninit;

impl Loss<'_> {
    /// Bytes of scratch for [`Loss::evaluate`], [`Loss::accumulate`], [`Loss::finish`] and
    /// [`Loss::gradient`] with that many [workers](Executor::workers), any alignment.
    ///
    /// They follow from shape, element type and terms, not from the data:
    /// O(workers x (tile + batch x classes)), and one number per voxel for a top-k term.
    ///
    /// Terms on distances take one f32 per voxel of a sample for each field, the target's and the
    /// prediction's, that is not handed in, and one bit per term, class and voxel. Where more than one
    /// class of one sample counts, one number per voxel of a sample comes on top, and one per class and
    /// voxel of the batch for every distance term after the first, and for the first as well if scores
    /// have 16 bits or [`Loss::with_fields_in_scratch`] is asked for.
    ///
    /// # Errors
    /// What is wrong with the loss or the shapes of its input.
    pub fn scratch_bytes(&self, input: &Input<'_>, workers: usize) -> Result<usize, Error> {
        self.part_scratch_bytes(input, &Part::whole(&input.shape), workers)
    }

    /// [`Loss::scratch_bytes`] for [`Loss::evaluate_in_place`].
    ///
    /// # Errors
    /// As [`Loss::scratch_bytes`].
    pub fn scratch_bytes_in_place(
        &self,
        input: &Input<'_>,
        scores: &ScoresMut<'_>,
        workers: usize,
    ) -> Result<usize, Error> {
        let whole = Part::whole(&input.shape);
        let plan = Plan::of_buffer(self, input, whole, scores.len(), scores.half())?;
        scratch_bytes(&plan, matches!(scores, ScoresMut::F64(_)), workers)
    }

    /// Value of the loss and of each term, and its gradient with respect to the scores.
    ///
    /// Without a gradient this is one pass over the scores, with one two; of those the first only
    /// checks them where no term needs sums of classes or a choice of voxels, as for cross-entropy,
    /// focal and tree terms. Terms on distances that make their fields take one more; without a
    /// gradient one more for every class, unless [`Loss::with_fields_in_scratch`] is asked for or the
    /// fields of one class are all.
    ///
    /// Nothing is written on an error (but see [`Cause::Executor`](crate::Cause::Executor)). The result is the same bits for
    /// every executor, worker count and SIMD level.
    ///
    /// # Errors
    /// What is wrong with the loss, the input, the scratch or the executor.
    pub fn evaluate<'s>(
        &self,
        input: &Input<'_>,
        gradient: Option<Gradient<'_>>,
        scratch: &'s mut [u8],
        executor: &dyn Executor,
    ) -> Result<Evaluation<'s>, Error> {
        self.evaluate_in(input, gradient, uninitialised(scratch), executor)
    }

    /// [`Loss::evaluate`] in memory that need not be initialised.
    pub(crate) fn evaluate_in<'s>(
        &self,
        input: &Input<'_>,
        gradient: Option<Gradient<'_>>,
        scratch: &'s mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<Evaluation<'s>, Error> {
        let plan = Plan::new(self, input, Part::whole(&input.shape))?;
        if let Some(gradient) = &gradient {
            check_gradient(gradient, input)?;
        }
        let scores = ScoreBuffer::from(input.scores);
        let upstream = gradient.as_ref().map_or(0.0, |gradient| gradient.upstream);
        let output = gradient.map(|gradient| (Output::from(gradient.values), gradient.mode));
        let output = output.as_ref().map(|(output, mode)| (output, *mode));
        in_precision!(scores, R => {
            let job = Job::<R>::new(&plan, input, scores);
            evaluate(&job, output, upstream, scratch, executor)
        })
    }

    /// [`Loss::evaluate`] where the gradient overwrites the scores, without a second buffer.
    ///
    /// `input.scores` is not read: `scores` is. Bits are those of [`Loss::evaluate`].
    ///
    /// ```
    /// # use segloss::{Activation, CrossEntropy, Input, Loss, ScoresMut, Sequential, Shape, Target};
    /// let loss = Loss::new(Activation::Softmax).with(1.0, CrossEntropy::default())?;
    /// let mut scores = [2.0f32, 1.0, -2.0, -1.0];
    /// let labels = [0u8, 0];
    /// let input = Input::without_scores(Shape::planar(1, 2, &[2])?, Target::labels(&labels[..]));
    /// let buffer = ScoresMut::from(&mut scores[..]);
    /// let mut scratch = vec![0u8; loss.scratch_bytes_in_place(&input, &buffer, 1)?];
    /// loss.evaluate_in_place(&input, buffer, 1.0, &mut scratch, &Sequential)?;
    /// assert!(scores[0] < 0.0 && scores[2] > 0.0);
    /// # Ok::<(), segloss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Loss::evaluate`]; the scores are then unchanged.
    pub fn evaluate_in_place<'s>(
        &self,
        input: &Input<'_>,
        scores: ScoresMut<'_>,
        upstream: f64,
        scratch: &'s mut [u8],
        executor: &dyn Executor,
    ) -> Result<Evaluation<'s>, Error> {
        self.evaluate_in_place_in(input, scores, upstream, uninitialised(scratch), executor)
    }

    /// [`Loss::evaluate_in_place`] in memory that need not be initialised.
    pub(crate) fn evaluate_in_place_in<'s>(
        &self,
        input: &Input<'_>,
        scores: ScoresMut<'_>,
        upstream: f64,
        scratch: &'s mut [MaybeUninit<u8>],
        executor: &dyn Executor,
    ) -> Result<Evaluation<'s>, Error> {
        check_upstream(upstream)?;
        let whole = Part::whole(&input.shape);
        let plan = Plan::of_buffer(self, input, whole, scores.len(), scores.half())?;
        let output = Output::from(scores);
        let scores = output.scores();
        let target = Some((&output, GradientMode::Overwrite));
        in_precision!(scores, R => {
            let job = Job::<R>::new(&plan, input, scores);
            evaluate(&job, target, upstream, scratch, executor)
        })
    }
}
