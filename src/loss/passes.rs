//! The order of the passes of an evaluation in one go.
#![forbid(unsafe_code)]

use super::Loss;
use super::call_scratch::CallScratch;
use super::coefficients::Coefficients;
use super::driver::{GradientWork, Job, Work, collect, pass, sum_pass};
use super::evaluation::{conclude, conclude_values, evaluation};
use super::field_maker::FieldMaker;
use super::fields::{FieldSource, Storage};
use super::input::{Evaluation, GradientMode};
use super::output::{Output, ScoreBuffer};
use super::plan::Plan;
use super::steps::Steps;
use super::term::Term;
use super::top_k::{Selection, select};
use super::weigh::weight_pass;
use crate::disjoint::DisjointMut;
use crate::element::Real;
use crate::error::{Argument, Cause, Error};
use crate::executor::{Executor, worker_count};
use crate::math::whole;
use core::mem::MaybeUninit;

/// The fraction of the top-k term, if there is one.
fn top_k_fraction(loss: &Loss<'_>) -> f64 {
    let fraction = |term: &Term<'_>| match term {
        Term::TopKCrossEntropy(options) => Some(options.fraction),
        _ => None,
    };
    loss.terms.iter().find_map(|weighted| fraction(&weighted.term)).unwrap_or_default()
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
pub(crate) fn evaluate<'s, R: Real>(
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
