//! Makes the fields of a call, class by class.
//!
//! Soundness: a task of the weight pass writes its own voxels of one class.
#![allow(unsafe_code)]

use super::distance_term::{DistanceTerm, FieldWeights, distance_terms};
use super::driver::Job;
use super::field_scratch::{FieldScratch, TASK_VOXELS, counted, grid, only_class, only_term};
use super::fields::{FieldSource, Storage, class_part};
use super::masks::{TargetMask, bit_row, complementary, complementary_bits, mask_pass};
use super::output::{Output, store_class};
use super::plan::Plan;
use crate::disjoint::{DisjointMut, Workers};
use crate::distance::{Mask, MaskRows, Product, Side, transform_volume};
use crate::element::{LANES, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::scratch::Carver;
use crate::shape::Shape;

/// Groups of lanes that become weights at a time.
const BUFFER_LANES: usize = 16;

/// The prediction's mask of a class of a sample for a term, a bit for each voxel.
fn bit_mask<'b>(
    plan: &Plan<'_>,
    bits: &'b [u8],
    (plane, sample, class): (usize, usize, usize),
) -> &'b [u8] {
    let row = (plane * plan.shape.batch() + sample) * plan.shape.classes() + class;
    let begin = row * bit_row(plan);
    bits.get(begin..begin + bit_row(plan)).unwrap_or_default()
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

impl<'j, R: Real> FieldMaker<'_, 'j, R> {
    /// Makes the fields of the call if those of one class are all: the other class, if it counts,
    /// has the same. Returns that class.
    pub(crate) fn make_one(
        &self,
        scratch: &mut FieldScratch<'_, R>,
    ) -> Result<Option<usize>, Error> {
        let plan = self.job.plan;
        let Some(term) = only_term(plan) else { return Ok(None) };
        let class = only_class(plan)
            .or_else(|| (self.shared(&term, 0, 0, scratch.bits) == [true; 2]).then_some(0));
        if let Some(class) = class {
            self.transform(&term, 0, 0, class, scratch)?;
        }
        Ok(class)
    }

    /// Makes the weights of all terms, classes and samples. With [`Storage::Nowhere`] they are handed
    /// to `consume` one after the other.
    pub(crate) fn make(
        &self,
        storage: Storage,
        output: Option<&Output<'_>>,
        scratch: &mut FieldScratch<'_, R>,
        consume: &mut dyn FnMut(FieldSource<'_, R>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let plan = self.job.plan;
        let shape = &plan.shape;
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

    /// Checks every input and notes the prediction's masks.
    pub(crate) fn masks(
        &self,
        scratch: &mut FieldScratch<'_, R>,
        seats: &Workers<'_>,
    ) -> Result<(), Error> {
        mask_pass(self.job, scratch.mask_claims, scratch.bits, seats, self.executor)
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

    fn target_mask(&self, sample: usize, class: usize) -> TargetMask<'j> {
        let Job { plan, input, .. } = *self.job;
        TargetMask { target: &input.target, shape: &plan.shape, sample, class }
    }

    /// Whether of two classes that count, the second is what the first leaves, as a rule: its field of
    /// target and prediction is then the first one's with the other sign.
    fn shared(
        &self,
        term: &DistanceTerm<'_>,
        plane: usize,
        sample: usize,
        bits: &[u8],
    ) -> [bool; 2] {
        let plan = self.job.plan;
        let (shape, given) = (&plan.shape, &self.job.input.fields);
        if shape.classes() != 2 || counted(plan, term).count() != 2 {
            return [false; 2];
        }
        let target = |class| self.target_mask(sample, class);
        let prediction = |class| bit_mask(plan, bits, (plane, sample, class));
        [
            given.target.is_some() || complementary(&target(0), &target(1), shape.voxels()),
            !term.two_sided()
                || given.prediction.is_some()
                || complementary_bits(prediction(0), prediction(1), shape.voxels()),
        ]
    }

    /// Transforms what the caller has not; returns whether the target's field has the wrong sign.
    fn transform(
        &self,
        term: &DistanceTerm<'_>,
        plane: usize,
        sample: usize,
        class: usize,
        scratch: &mut FieldScratch<'_, R>,
    ) -> Result<bool, Error> {
        let plan = self.job.plan;
        let given = &self.job.input.fields;
        let [target_shared, prediction_shared] = match class {
            1 => self.shared(term, plane, sample, scratch.bits),
            _ => [false; 2],
        };
        let grid = grid(plan, term);
        let product =
            Product { side: Side::Signed, squared: true, level: plan.loss.level, wanted: None };
        let mut run = |mask: &dyn MaskRows, field: &mut [f32]| {
            let memory = &mut Carver::resume(scratch.transform);
            let (workers, executor) = (self.workers, self.executor);
            transform_volume(&grid, product, mask, field, None, memory, workers, executor)
        };
        if given.target.is_none() && !target_shared {
            run(&self.target_mask(sample, class), scratch.target)?;
        }
        if term.two_sided() && given.prediction.is_none() && !prediction_shared {
            let mask = Mask::Bits(bit_mask(plan, scratch.bits, (plane, sample, class)));
            run(&mask, scratch.prediction)?;
        }
        Ok(target_shared && given.target.is_none())
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
