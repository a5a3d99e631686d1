//! Makes the fields of a call, class by class.
//!
//! Soundness: a task of the weight pass writes its own voxels of one class.
#![allow(unsafe_code)]

use super::distance_term::{DistanceTerm, FieldWeights, distance_terms};
use super::driver::Job;
use super::fields::{FieldSource, Storage};
use super::masks::{TargetMask, bit_row, complementary, mask_pass};
use super::output::{Output, store_class};
use super::plan::Plan;
use crate::disjoint::{DisjointMut, Workers};
use crate::distance::{Grid, Mask, MaskRows, Product, Side, transform_volume};
use crate::element::{LANES, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::scratch::{Carver, Requirement};
use crate::shape::Shape;

/// Voxels of a task of the weight pass, and of its buffer.
const TASK_VOXELS: usize = 16 * 1024;
const BUFFER_LANES: usize = 16;

/// Scratch of distance terms.
pub(crate) struct FieldScratch<'s, R> {
    /// `[term][sample][class][voxel]`, a bit each.
    bits: &'s mut [u8],
    target: &'s mut [f32],
    prediction: &'s mut [f32],
    planes: &'s mut [R],
    mask_claims: &'s mut [u8],
    weight_claims: &'s mut [u8],
    transform: &'s mut [u8],
}

impl<'s, R: Real> FieldScratch<'s, R> {
    fn planes_len(plan: &Plan<'_>) -> usize {
        let sample = plan.shape.voxels();
        let whole = plan.shape.elements();
        let kept = if plan.fields_in_scratch { plan.fields } else { plan.fields.max(1) - 1 };
        // The value alone takes one class at a time.
        whole.saturating_mul(kept).max(sample)
    }

    fn weight_tasks(plan: &Plan<'_>) -> usize {
        plan.shape.voxels().div_ceil(TASK_VOXELS)
    }

    /// Requirements in the order of the fields.
    fn requirements(plan: &Plan<'_>, workers: usize) -> [Requirement; 7] {
        if !plan.makes_fields {
            return [const { Requirement::of::<u8>(0) }; 7];
        }
        let voxels = plan.shape.voxels();
        let rows = plan.fields * plan.shape.batch() * plan.shape.classes();
        let grids = distance_terms(plan).map(|(_, _, term)| grid(plan, &term).requirement(workers));
        [
            Requirement::of_rows::<u8>(rows, bit_row(plan)),
            Requirement::of::<f32>(voxels),
            Requirement::of::<f32>(voxels),
            Requirement::of::<R>(Self::planes_len(plan)),
            Claims::requirement(plan.tasks()),
            Claims::requirement(Self::weight_tasks(plan)),
            grids.fold(Requirement::of::<u8>(0), Requirement::or),
        ]
    }

    pub(crate) fn requirement(plan: &Plan<'_>, workers: usize) -> Requirement {
        Self::requirements(plan, workers)
            .into_iter()
            .fold(Requirement::of::<u8>(0), Requirement::and)
    }

    /// Weights that wait in scratch.
    pub(crate) fn planes(&self) -> &[R] {
        self.planes
    }

    pub(crate) fn carve(
        plan: &Plan<'_>,
        workers: usize,
        scratch: &mut Carver<'s>,
    ) -> Result<Self, Error> {
        let [bits, _, _, _, mask_claims, weight_claims, transform] =
            Self::requirements(plan, workers);
        let voxels = if plan.makes_fields { plan.shape.voxels() } else { 0 };
        let planes = if plan.makes_fields { Self::planes_len(plan) } else { 0 };
        Ok(Self {
            bits: scratch.take_bytes(bits)?,
            target: scratch.take(voxels)?,
            prediction: scratch.take(voxels)?,
            planes: scratch.take(planes)?,
            mask_claims: scratch.take_bytes(mask_claims)?,
            weight_claims: scratch.take_bytes(weight_claims)?,
            transform: scratch.take_bytes(transform)?,
        })
    }
}

fn grid(plan: &Plan<'_>, term: &DistanceTerm<'_>) -> Grid {
    Grid::new(plan.shape.extent(), term.spacing())
}

/// Part of a planar buffer that belongs to one class of one sample.
fn class_part<'v, T>(shape: &Shape, values: &'v [T], sample: usize, class: usize) -> &'v [T] {
    let begin = (sample * shape.classes() + class) * shape.voxels();
    values.get(begin..begin + shape.voxels()).unwrap_or_default()
}

/// Where the weights of one class of one sample go.
enum WeightPlace<'w, R> {
    Output(&'w Output<'w>),
    Plane(DisjointMut<'w, R>),
}

/// The fields of a call, made class by class.
pub(crate) struct FieldMaker<'m, 'j, R> {
    pub job: &'m Job<'j, R>,
    pub executor: &'m dyn Executor,
    pub workers: usize,
}

impl<R: Real> FieldMaker<'_, '_, R> {
    /// Checks every input and makes the weights of all terms, classes and samples. With
    /// [`Storage::Nowhere`] they are handed to `consume` one after the other.
    pub(crate) fn make(
        &self,
        storage: Storage,
        output: Option<&Output<'_>>,
        scratch: &mut FieldScratch<'_, R>,
        seats: &Workers<'_>,
        consume: &mut dyn FnMut(FieldSource<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let plan = self.job.plan;
        let shape = &plan.shape;
        mask_pass(self.job, scratch.mask_claims, scratch.bits, seats, self.executor)?;
        let kept = if storage == Storage::Gradient { 1 } else { 0 };
        for (plane, _, term) in distance_terms(plan) {
            for sample in 0..shape.batch() {
                for class in 0..shape.classes() {
                    if term.class_factor(shape.classes(), class) == 0.0 {
                        continue;
                    }
                    let negated = self.transform(&term, plane, sample, class, scratch)?;
                    let voxels = shape.voxels();
                    let place = match (storage, output) {
                        (Storage::Gradient, Some(output)) if plane == 0 => {
                            WeightPlace::Output(output)
                        }
                        (Storage::Nowhere, _) => WeightPlace::Plane(DisjointMut::new(
                            scratch.planes.get_mut(..voxels).unwrap_or_default(),
                        )),
                        _ => {
                            let row = (plane - kept) * shape.batch() + sample;
                            let begin = (row * shape.classes() + class) * voxels;
                            WeightPlace::Plane(DisjointMut::new(
                                scratch.planes.get_mut(begin..begin + voxels).unwrap_or_default(),
                            ))
                        }
                    };
                    let fields =
                        self.fields(&term, sample, class, scratch.target, scratch.prediction);
                    let place = (&place, negated);
                    self.weigh(&term, sample, class, fields, place, scratch.weight_claims)?;
                    if storage == Storage::Nowhere {
                        let weights = scratch.planes.get(..voxels).unwrap_or_default();
                        consume(FieldSource::One { plane, sample, class, weights })?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Signed squared distances of target and prediction: the caller's or our own.
    fn fields<'f>(
        &'f self,
        term: &DistanceTerm<'_>,
        sample: usize,
        class: usize,
        target: &'f [f32],
        prediction: &'f [f32],
    ) -> (&'f [f32], &'f [f32]) {
        let shape = &self.job.plan.shape;
        let given = &self.job.input.fields;
        let target = given.target.map_or(target, |given| class_part(shape, given, sample, class));
        let prediction =
            given.prediction.map_or(prediction, |given| class_part(shape, given, sample, class));
        (target, if term.two_sided() { prediction } else { &[] })
    }

    /// Transforms what the caller has not; returns whether the target's field has the wrong sign.
    ///
    /// Of two classes, the second is as a rule what the first leaves: its fields are those that lie
    /// in scratch already, with the other sign.
    fn transform(
        &self,
        term: &DistanceTerm<'_>,
        plane: usize,
        sample: usize,
        class: usize,
        scratch: &mut FieldScratch<'_, R>,
    ) -> Result<bool, Error> {
        let plan = self.job.plan;
        let (shape, mut negated) = (&plan.shape, false);
        let second = class == 1 && shape.classes() == 2 && term.class_factor(2, 0) > 0.0;
        let grid = grid(plan, term);
        let product =
            Product { side: Side::Signed, squared: true, level: plan.loss.level, wanted: None };
        let mut run = |mask: &dyn MaskRows, field: &mut [f32]| {
            let memory = &mut Carver::resume(scratch.transform);
            let (workers, executor) = (self.workers, self.executor);
            transform_volume(&grid, product, mask, field, None, memory, workers, executor)
        };
        if self.job.input.fields.target.is_none() {
            let target = &self.job.input.target;
            let mask = |class| TargetMask { target, shape, sample, class };
            negated = second && complementary(&mask(0), &mask(1), shape.voxels());
            if !negated {
                run(&mask(class), scratch.target)?;
            }
        }
        if term.two_sided() && self.job.input.fields.prediction.is_none() {
            let bits = &*scratch.bits;
            let mask = |class| {
                let row = (plane * shape.batch() + sample) * shape.classes() + class;
                let begin = row * bit_row(plan);
                Mask::Bits(bits.get(begin..begin + bit_row(plan)).unwrap_or_default())
            };
            if !(second && complementary(&mask(0), &mask(1), shape.voxels())) {
                run(&mask(class), scratch.prediction)?;
            }
        }
        Ok(negated)
    }

    /// Turns fields into weights.
    fn weigh(
        &self,
        term: &DistanceTerm<'_>,
        sample: usize,
        class: usize,
        (target, prediction): (&[f32], &[f32]),
        (place, negated): (&WeightPlace<'_, R>, bool),
        claims: &mut [u8],
    ) -> Result<(), Error> {
        let plan = self.job.plan;
        let tasks = FieldScratch::<R>::weight_tasks(plan);
        let claims = Claims::new(tasks, &mut Carver::resume(claims))?;
        run_tasks(tasks, &claims, self.executor, &|claim| {
            let begin = claim.task() * TASK_VOXELS;
            let end = (begin + TASK_VOXELS).min(plan.shape.voxels());
            let mut buffer = [[R::ZERO; LANES]; BUFFER_LANES];
            for first in (begin..end).step_by(BUFFER_LANES * LANES) {
                let voxels = (end - first).min(BUFFER_LANES * LANES);
                let part = |field: &'_ [f32]| -> (usize, usize) {
                    let first = first.min(field.len());
                    (first, (first + voxels).min(field.len()))
                };
                let ((t0, t1), (p0, p1)) = (part(target), part(prediction));
                FieldWeights {
                    term: *term,
                    target: target.get(t0..t1).unwrap_or_default(),
                    prediction: prediction.get(p0..p1).unwrap_or_default(),
                    negated,
                    to: &mut buffer,
                }
                .compute(plan.loss.level);
                let weights = buffer.as_flattened().get(..voxels).unwrap_or_default();
                place.store(claim, &plan.shape, (sample, first, voxels), class, weights);
            }
            Ok(())
        })
    }
}

impl<R: Real> WeightPlace<'_, R> {
    fn store(
        &self,
        claim: &Claim,
        shape: &Shape,
        (sample, first, voxels): (usize, usize, usize),
        class: usize,
        weights: &[R],
    ) {
        match self {
            Self::Output(output) => {
                store_class(output, claim, shape, (sample, first, voxels), class, weights);
            }
            Self::Plane(plane) => {
                // SAFETY: these voxels are the claimed task's own.
                let to = unsafe { plane.part_mut(first, voxels) };
                for (to, from) in to.iter_mut().zip(weights) {
                    *to = *from;
                }
            }
        }
    }
}
