//! Scratch of a call.
#![forbid(unsafe_code)]

use super::coefficients::{Coefficients, Slope};
use super::field_scratch::FieldScratch;
use super::plan::Plan;
use crate::disjoint::Workers;
use crate::element::Real;
use crate::error::Error;
use crate::executor::{Claims, MAX_WORKERS};
use crate::math::LIMBS;
use crate::scratch::{Carver, Requirement};
use core::mem::MaybeUninit;

/// Scratch of a call beside that of the workers.
pub(crate) struct CallScratch<'s, R> {
    pub sum_claims: Claims<'s>,
    pub gradient_claims: Claims<'s>,
    pub exact: &'s mut [[f64; LIMBS]],
    pub values: &'s mut [f64],
    pub class_sums: &'s mut [[f64; 3]],
    pub region: &'s mut [f64],
    pub transport: &'s mut [f64],
    pub slopes: &'s mut [Slope<R>],
    pub losses: &'s mut [R],
    pub fields: FieldScratch<'s, R>,
    pub workers: Workers<'s>,
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

    pub(crate) fn carve(
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

/// Bytes of the scratch of a call in f64 or f32.
pub(crate) fn scratch_bytes(plan: &Plan<'_>, double: bool, workers: usize) -> Result<usize, Error> {
    let workers = workers.clamp(1, MAX_WORKERS);
    if double {
        CallScratch::<f64>::bytes(plan, workers)
    } else {
        CallScratch::<f32>::bytes(plan, workers)
    }
}
