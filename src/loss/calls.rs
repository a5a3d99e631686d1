//! The calls: scratch, evaluation in one go, and its three steps for sharded volumes.
#![forbid(unsafe_code)]

use super::Loss;
use super::check::LARGEST;
use super::coefficients::{Coefficients, Slope, TermValues, finish};
use super::driver::{GradientWork, Job, Work, collect, pass, sum_pass};
use super::field_maker::FieldMaker;
use super::field_scratch::FieldScratch;
use super::fields::{FieldSource, Storage};
use super::input::{Evaluation, Gradient, GradientMode, Input, Part};
use super::output::{Output, ScoreBuffer};
use super::plan::{COUNTED, InputKind, Plan, WEIGHT, block_voxels};
use super::steps::Steps;
use super::term::Term;
use super::top_k::{Selection, select};
use super::weigh::weight_pass;
use crate::disjoint::{DisjointMut, Workers};
use crate::element::Real;
use crate::error::{Argument, Cause, Error};
use crate::executor::{Claims, Executor, MAX_WORKERS, worker_count};
use crate::math::{LIMBS, whole};
use crate::scratch::{Carver, Requirement, uninitialised};
use crate::shape::Shape;
use crate::view::{Scores, ScoresMut, check_length};
use core::mem::MaybeUninit;

/// Scratch of a call beside that of the workers.
struct CallScratch<'s, R> {
    sum_claims: Claims<'s>,
    gradient_claims: Claims<'s>,
    exact: &'s mut [[f64; LIMBS]],
    values: &'s mut [f64],
    class_sums: &'s mut [[f64; 3]],
    region: &'s mut [f64],
    transport: &'s mut [f64],
    slopes: &'s mut [Slope<R>],
    losses: &'s mut [R],
    fields: FieldScratch<'s, R>,
    workers: Workers<'s>,
}

impl<'s, R: Real> CallScratch<'s, R> {
    fn requirement(plan: &Plan<'_>, workers: usize) -> Requirement {
        Claims::requirement(plan.tasks())
            .times(2)
            .and(Requirement::of::<[f64; LIMBS]>(plan.sums()))
            .and(Requirement::of::<f64>(plan.sums()))
            .and(Requirement::of::<[f64; 3]>(plan.class_sums()))
            .and(Requirement::of::<f64>(Coefficients::region_len(plan)))
            .and(Requirement::of::<f64>(Coefficients::transport_len(plan)))
            .and(Requirement::of::<Slope<R>>(Self::slopes_len(plan)))
            .and(Requirement::of::<R>(Self::losses_len(plan)))
            .and(plan.worker_requirement::<R>().times(workers))
    }

    /// Bytes to ask of the caller.
    fn bytes(plan: &Plan<'_>, workers: usize) -> Result<usize, Error> {
        Self::requirement(plan, workers).and(FieldScratch::<R>::requirement(plan, workers)).bytes()
    }

    fn slopes_len(plan: &Plan<'_>) -> usize {
        plan.part.batch * plan.shape.classes()
    }

    fn losses_len(plan: &Plan<'_>) -> usize {
        if plan.top_k { plan.shape.batch_voxels() } else { 0 }
    }

    fn carve(
        plan: &Plan<'_>,
        workers: usize,
        bytes: &'s mut [MaybeUninit<u8>],
    ) -> Result<Self, Error> {
        let fields = FieldScratch::<R>::requirement(plan, workers);
        let (mut scratch, mut fields) =
            Carver::split(bytes, Self::requirement(plan, workers), fields)?;
        let each = plan.worker_requirement::<R>();
        Ok(Self {
            sum_claims: Claims::new(plan.tasks(), &mut scratch)?,
            gradient_claims: Claims::new(plan.tasks(), &mut scratch)?,
            exact: scratch.take(plan.sums())?,
            values: scratch.take(plan.sums())?,
            class_sums: scratch.take(plan.class_sums())?,
            region: scratch.take(Coefficients::region_len(plan))?,
            transport: scratch.take(Coefficients::transport_len(plan))?,
            slopes: scratch.take(Self::slopes_len(plan))?,
            losses: scratch.take(Self::losses_len(plan))?,
            fields: FieldScratch::carve(plan, workers, &mut fields)?,
            workers: Workers::new(scratch.take_bytes(each.times(workers))?, workers, each.size()),
        })
    }
}

/// Step 2: exact sums as numbers, the values of the terms, and coefficients.
fn conclude(
    plan: &Plan<'_>,
    exact: &[[f64; LIMBS]],
    values: &mut [f64],
    upstream: f64,
    coefficients: &mut Coefficients<'_>,
) -> TermValues {
    for (value, limbs) in values.iter_mut().zip(exact) {
        *value = whole(limbs);
    }
    let mut terms = TermValues::new();
    finish(plan, values, upstream, coefficients, &mut terms);
    terms
}

/// [`conclude`] for the values alone.
fn conclude_values(
    plan: &Plan<'_>,
    exact: &[[f64; LIMBS]],
    values: &mut [f64],
    selection: Selection,
) -> TermValues {
    let mut nothing = Coefficients::new(&mut [], &mut [], selection);
    conclude(plan, exact, values, 0.0, &mut nothing)
}

/// What the caller is told.
fn evaluation<'s>(
    plan: &Plan<'_>,
    terms: TermValues,
    values: &[f64],
    class_sums: &'s mut [[f64; 3]],
) -> Evaluation<'s> {
    let total = plan.loss.terms.iter().zip(&terms).map(|(t, value)| t.weight * value).sum();
    let (scalars, columns) = values.split_at_checked(plan.scalars()).unwrap_or_default();
    collect_class_sums(plan, columns, class_sums);
    let scalar = |index: usize| scalars.get(index).copied().unwrap_or_default();
    Evaluation {
        total,
        terms,
        counted_voxels: scalar(COUNTED) as u64,
        weight: scalar(WEIGHT),
        class_sums,
        classes: plan.shape.classes(),
    }
}

/// From `[sample][column][class]` to `[sample][class][column]`, the first three columns.
fn collect_class_sums(plan: &Plan<'_>, columns: &[f64], to: &mut [[f64; 3]]) {
    let classes = plan.shape.classes();
    let sample_sums = columns.chunks_exact((plan.columns * classes).max(1));
    for (to, columns) in to.chunks_exact_mut(classes.max(1)).zip(sample_sums) {
        for (column, values) in columns.chunks_exact(classes.max(1)).take(3).enumerate() {
            for (to, &value) in to.iter_mut().zip(values) {
                if let Some(to) = to.get_mut(column) {
                    *to = value;
                }
            }
        }
    }
}

/// The fraction of the top-k term, if there is one.
fn top_k_fraction(loss: &Loss<'_>) -> f64 {
    let fraction = |term: &Term<'_>| match term {
        Term::TopKCrossEntropy(options) => Some(options.fraction),
        _ => None,
    };
    loss.terms.iter().find_map(|weighted| fraction(&weighted.term)).unwrap_or_default()
}

fn check_gradient(gradient: &Gradient<'_>, input: &Input<'_>) -> Result<(), Error> {
    check_length(Argument::Gradient, gradient.values.len(), input.shape.elements())?;
    if !gradient.values.same_type(&input.scores) {
        return Err(Error::new(Cause::ElementType, Argument::Gradient));
    }
    check_upstream(gradient.upstream)
}

fn check_upstream(upstream: f64) -> Result<(), Error> {
    if (-LARGEST..=LARGEST).contains(&upstream) {
        return Ok(());
    }
    Err(Error::new(Cause::Option, Argument::Gradient).found(upstream))
}

/// Runs the same code in f32 or f64.
macro_rules! in_precision {
    ($scores:expr, $real:ident => $body:expr) => {
        if matches!($scores, ScoreBuffer::F64(_)) {
            type $real = f64;
            $body
        } else {
            type $real = f32;
            $body
        }
    };
}

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

    /// [`Loss::sums_len`] for buffers that are not there yet.
    pub(crate) fn sums_len_of_shape(
        &self,
        shape: Shape,
        kind: InputKind,
        part: &Part,
    ) -> Result<usize, Error> {
        Ok(Plan::of_shape(self, shape, kind, *part)?.shardable()?.exported_sums())
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
    /// Nothing is written on an error (but see [`Cause::Executor`]). The result is the same bits for
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

    /// Voxels of a block, the unit that parts of a volume are cut in; it follows from the number
    /// of classes.
    #[must_use]
    pub fn block_voxels(shape: &Shape) -> usize {
        block_voxels(shape.classes())
    }

    /// Length of the sums of [`Loss::accumulate`].
    ///
    /// # Errors
    /// What is wrong with the loss, the shapes of its input or the part.
    pub fn sums_len(&self, input: &Input<'_>, part: &Part) -> Result<usize, Error> {
        self.sums_len_of_shape(input.shape, InputKind::of(input, false), part)
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

fn scratch_bytes(plan: &Plan<'_>, double: bool, workers: usize) -> Result<usize, Error> {
    let workers = workers.clamp(1, MAX_WORKERS);
    if double {
        CallScratch::<f64>::bytes(plan, workers)
    } else {
        CallScratch::<f32>::bytes(plan, workers)
    }
}

/// Where the fields of a call wait for its gradient.
fn storage(
    plan: &Plan<'_>,
    scores: &ScoreBuffer<'_>,
    output: Option<(&Output<'_>, GradientMode)>,
) -> Result<Storage, Error> {
    match output {
        _ if plan.fields_in_scratch => Ok(Storage::Scratch),
        None => Ok(Storage::Nowhere),
        Some((Output::F32(_) | Output::F64(_), GradientMode::Overwrite)) if !scores.in_place() => {
            Ok(Storage::Gradient)
        }
        Some(_) => Err(Error::new(Cause::FieldStorage, Argument::Gradient)),
    }
}

/// The three steps, or a look over the input and one pass for value and gradient.
fn evaluate<'s, R: Real>(
    job: &Job<'_, R>,
    output: Option<(&Output<'_>, GradientMode)>,
    upstream: f64,
    scratch: &'s mut [MaybeUninit<u8>],
    executor: &dyn Executor,
) -> Result<Evaluation<'s>, Error> {
    let plan = job.plan;
    let workers = worker_count(executor);
    let storage = if plan.makes_fields { Some(storage(plan, &job.scores, output)?) } else { None };
    let mut call = CallScratch::<R>::carve(plan, workers, scratch)?;
    let maker = FieldMaker { job, executor, workers };
    let mut only = None;
    if storage.is_some() {
        maker.masks(&mut call.fields, &call.workers)?;
        only = maker.make_one(&mut call.fields)?;
    }
    let mut all_sums = true;
    match storage.filter(|_| only.is_none()) {
        None => {}
        Some(Storage::Nowhere) => {
            all_sums = false;
            let all = (Steps::ALL_SUMS, &mut *call.losses);
            sum_pass::<R>(job, &call.sum_claims, all, &call.workers, executor)?;
            let (claims, seats) = (&mut call.gradient_claims, &call.workers);
            maker.make(Storage::Nowhere, None, &mut call.fields, &mut |fields| {
                claims.reset();
                let sums = (Steps::ALL_SUMS, &mut [][..]);
                sum_pass::<R>(&job.with_fields(fields), claims, sums, seats, executor)
            })?;
        }
        Some(storage) => {
            let gradient = output.map(|(output, _)| output);
            maker.make(storage, gradient, &mut call.fields, &mut |_| Ok(()))?;
        }
    }
    let fields = match (only, storage, output) {
        (_, None, _) => job.fields,
        (Some(class), ..) => call.fields.signed(class),
        (_, Some(Storage::Gradient), Some((output, _))) => {
            FieldSource::Stored { first: Some(output.scores()), planes: call.fields.planes }
        }
        (_, Some(_), _) => FieldSource::Stored { first: None, planes: call.fields.planes },
    };
    let job = &job.with_fields(fields);
    let early = if output.is_some() { plan.steps_before_gradient() } else { Steps::ALL_SUMS };
    if output.is_some() && plan.pointwise() {
        weight_pass(job, &call.sum_claims, &call.workers, executor)?;
    } else if all_sums {
        let sums = (early, &mut *call.losses);
        sum_pass(job, &call.sum_claims, sums, &call.workers, executor)?;
    }
    collect(plan, &mut call.workers, workers, call.exact);
    let selection = if plan.top_k {
        let counted = call.exact.first().map(whole).unwrap_or_default();
        select(call.losses, top_k_fraction(plan.loss), counted as u64)
    } else {
        Selection::default()
    };
    let mut coefficients = Coefficients::new(call.region, call.transport, selection);
    let mut terms = conclude(plan, call.exact, call.values, upstream, &mut coefficients);
    if let Some((output, mode)) = output {
        coefficients.slopes(plan, call.slopes);
        let (coefficients, slopes) = (&coefficients, &*call.slopes);
        let gradient = Some(GradientWork { coefficients, slopes, output, mode });
        let losses = &DisjointMut::new(&mut []);
        let late = early.rest_of(Steps::ALL_SUMS);
        let work = Work { sums: late, losses, gradient };
        pass(job, &call.gradient_claims, &work, &call.workers, executor)?;
        if late != Steps::NONE {
            collect(plan, &mut call.workers, workers, call.exact);
            terms = conclude_values(plan, call.exact, call.values, selection);
        }
    }
    Ok(evaluation(plan, terms, call.values, call.class_sums))
}
