//! Distance fields of a call: where they come from and where they lie.
//!
//! Fields are made one class of one sample at a time, in scratch of the size of a sample. What
//! terms need of them, one number per class and voxel, waits in the gradient buffer until the
//! gradient takes its place, or in scratch; for the value alone it is used class by class.
//!
//! Soundness: a task of the mask pass writes the bits of its own voxels, whose first one is a
//! multiple of 16; a task of the weight pass writes its own voxels of one class.
#![allow(unsafe_code)]

use super::distance_term::{DistanceTerm, FieldWeights, distance_terms};
use super::driver::{Job, block_place, tiles};
use super::output::{Output, ScoreBuffer, store_class};
use super::plan::Plan;
use super::stage::{check, load};
use super::sums::{activate, probabilities};
use super::tile::Tile;
use crate::disjoint::{DisjointMut, Workers};
use crate::distance::{Grid, Mask, MaskRows, Product, Side, transform_volume};
use crate::element::{LANES, Lanes, Real};
use crate::error::Error;
use crate::executor::{Claim, Claims, Executor, run_tasks};
use crate::rows::row;
use crate::scratch::{Carver, Requirement};
use crate::shape::{Layout, Shape};
use crate::simd::{Kernel, Simd, Vector};
use crate::view::{Dense, Target};

/// Where a tile's field weights are read from.
#[derive(Clone, Copy)]
pub(crate) enum FieldSource<'f, R> {
    /// There are none, or not yet.
    None,
    /// Signed squared distances of the caller, `[batch][class][voxel]`.
    Given { target: &'f [f32], prediction: &'f [f32] },
    /// Weights in the order of the scores for the first term, `[term][batch][class][voxel]` for
    /// those that follow, or for all.
    Stored { first: Option<ScoreBuffer<'f>>, planes: &'f [R] },
    /// Weights of one class of one sample, for one term.
    One { plane: usize, sample: usize, class: usize, weights: &'f [R] },
}

/// What sums are taken of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldUse {
    /// Those of terms without fields.
    None,
    /// All.
    All,
    /// Those of one distance term and class.
    One { plane: usize, class: usize },
}

impl FieldUse {
    /// Whether terms without fields are summed up.
    pub(crate) const fn other_terms(self) -> bool {
        !matches!(self, Self::One { .. })
    }

    /// Whether a distance term is summed up, and the one class of it, if not all.
    pub(crate) fn of_plane(self, plane: usize) -> (bool, Option<usize>) {
        match self {
            Self::None => (false, None),
            Self::All => (true, None),
            Self::One { plane: own, class } => (own == plane, Some(class)),
        }
    }
}

impl<R> FieldSource<'_, R> {
    pub(crate) const fn used(&self) -> FieldUse {
        match self {
            Self::None => FieldUse::None,
            Self::Given { .. } | Self::Stored { .. } => FieldUse::All,
            Self::One { plane, class, .. } => FieldUse::One { plane: *plane, class: *class },
        }
    }

    /// Whether nothing is summed up of a sample.
    pub(crate) fn leaves_out(&self, sample: usize) -> bool {
        matches!(self, Self::One { sample: own, .. } if *own != sample)
    }
}

/// Where fields are kept between the steps of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The first term's in the gradient buffer, others in scratch.
    Gradient,
    /// All in scratch.
    Scratch,
    /// Nowhere: the value is taken class by class.
    Nowhere,
}

/// Bytes of one class of one sample, a bit for each voxel.
const fn bit_row(plan: &Plan<'_>) -> usize {
    plan.shape.voxels().div_ceil(8)
}

/// Voxels of a task of the weight pass, and of its buffer.
const TASK_VOXELS: usize = 16 * 1024;
const BUFFER_LANES: usize = 16;
const MASK_BUFFER: usize = 1024;

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

/// Sets the bits of the prediction's masks.
struct MaskKernel<'k, 't, R> {
    plan: &'k Plan<'k>,
    tile: &'k mut Tile<'t, R>,
    bits: &'k DisjointMut<'k, u8>,
}

impl<R: Real> Kernel<R> for MaskKernel<'_, '_, R> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) -> Self::Output {
        let Self { plan, tile, bits } = self;
        check(simd, plan, tile)?;
        activate(simd, plan, tile);
        let (zero, classes) = (simd.zero(), tile.classes);
        for (plane, _, term) in distance_terms(plan) {
            if !term.two_sided() || plan.prediction_given {
                continue;
            }
            let threshold = simd.splat(R::from_f64(term.threshold()));
            for class in 0..classes {
                if term.class_factor(classes, class) == 0.0 {
                    continue;
                }
                let place = (plane * plan.shape.batch() + tile.sample) * classes + class;
                let skipped = tile.first / 8;
                let length = (2 * tile.lanes).min(bit_row(plan).saturating_sub(skipped));
                // SAFETY: these are the bits of the voxels of the claimed task.
                let to = unsafe { bits.part_mut(place * bit_row(plan) + skipped, length) };
                let probability = row(probabilities(plan, tile), class, tile.lanes);
                for (to, (p, w)) in to.chunks_mut(2).zip(probability.iter().zip(&*tile.weight)) {
                    let above = S::Vector::bits(threshold.less(simd.load(p)));
                    let counts = S::Vector::bits(zero.less(simd.load(w)));
                    for (to, from) in to.iter_mut().zip((above & counts).to_le_bytes()) {
                        *to = from;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Checks every input and, where a field of the prediction must be made, notes its masks.
fn mask_pass<R: Real>(
    job: &Job<'_, R>,
    claims: &mut [u8],
    bits: &mut [u8],
    workers: &Workers<'_>,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let plan = job.plan;
    let claims = Claims::new(plan.tasks(), &mut Carver::resume(claims))?;
    let bits = &DisjointMut::new(bits);
    run_tasks(plan.tasks(), &claims, executor, &|claim| {
        workers.with(|scratch| {
            let place = block_place(plan, claim.task());
            let mut tile = super::driver::WorkerScratch::<R>::carve(plan, scratch)?.tile;
            for (first, voxels) in tiles(plan, place) {
                let tile = &mut tile.place(place.0, first, voxels);
                load(job, claim, tile)?;
                R::dispatch(plan.loss.level, MaskKernel { plan, tile, bits })?;
            }
            Ok(())
        })
    })
}

/// The mask of a class in the target.
pub(crate) struct TargetMask<'t> {
    pub target: &'t Target<'t>,
    pub shape: &'t Shape,
    pub sample: usize,
    pub class: usize,
}

impl MaskRows for TargetMask<'_> {
    fn read(&self, first: usize, phases: &mut [u8]) {
        let (shape, class) = (self.shape, self.class as i64);
        match self.target {
            // Ignored voxels belong to no class.
            Target::Labels { ignore, .. } if *ignore == Some(class) => phases.fill(0),
            Target::Labels { labels, .. } | Target::Nodes { nodes: labels, .. } => {
                let begin = self.sample * shape.voxels() + first;
                Mask::Label(*labels, class).read(begin, phases);
            }
            Target::Dense(values) => {
                let begin = shape.index(self.sample, self.class, first);
                let step = match shape.layout() {
                    Layout::Planar => 1,
                    Layout::Interleaved => shape.classes(),
                };
                match *values {
                    Dense::U8(values) => above_half(values, begin, step, phases, |v| v > 0),
                    Dense::F32(values) => above_half(values, begin, step, phases, |v| v > 0.5),
                    Dense::F64(values) => above_half(values, begin, step, phases, |v| v > 0.5),
                }
            }
        }
    }
}

fn above_half<T: Copy>(
    values: &[T],
    begin: usize,
    step: usize,
    phases: &mut [u8],
    above: impl Fn(T) -> bool,
) {
    let values = values.get(begin..).unwrap_or_default();
    for (phase, &value) in phases.iter_mut().zip(values.iter().step_by(step.max(1))) {
        *phase = u8::from(above(value));
    }
}

/// Whether every voxel is in just one of two masks.
fn complementary(one: &dyn MaskRows, other: &dyn MaskRows, voxels: usize) -> bool {
    let (mut a, mut b) = ([0; MASK_BUFFER], [0; MASK_BUFFER]);
    (0..voxels).step_by(MASK_BUFFER).all(|first| {
        let count = MASK_BUFFER.min(voxels - first);
        let (a, b) = (a.get_mut(..count), b.get_mut(..count));
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        one.read(first, a);
        other.read(first, b);
        a.iter().zip(&*b).fold(1, |both, (a, b)| both & (a ^ b)) == 1
    })
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
        let product = Product { side: Side::Signed, squared: true, level: plan.loss.level };
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

/// Field weights of a tile, by plane and class.
#[inline(always)]
pub(crate) fn load_fields<R: Real>(job: &Job<'_, R>, claim: &Claim, tile: &mut Tile<'_, R>) {
    let plan = job.plan;
    let (shape, classes, lanes) = (&plan.shape, tile.classes, tile.lanes);
    let place = (tile.sample, tile.first, tile.voxels);
    for (plane, _, term) in distance_terms(plan) {
        let begin = plane * classes * lanes;
        let rows = tile.fields.get_mut(begin..begin + classes * lanes).unwrap_or_default();
        if let FieldSource::Stored { first: Some(buffer), .. } = &job.fields
            && plane == 0
        {
            super::stage::load_scores(buffer, claim, shape, place, lanes, rows);
            continue;
        }
        for (class, to) in rows.chunks_exact_mut(lanes.max(1)).enumerate() {
            if term.class_factor(classes, class) == 0.0 {
                continue;
            }
            load_class(job, &term, plane, class, place, to);
        }
    }
}

fn load_class<R: Real>(
    job: &Job<'_, R>,
    term: &DistanceTerm<'_>,
    plane: usize,
    class: usize,
    (sample, first, voxels): (usize, usize, usize),
    to: &mut [Lanes<R>],
) {
    let shape = &job.plan.shape;
    let part = |values: &'_ [f32]| -> core::ops::Range<usize> {
        let begin = (sample * shape.classes() + class) * shape.voxels() + first;
        if values.is_empty() { 0..0 } else { begin..begin + voxels }
    };
    match job.fields {
        FieldSource::None => {}
        FieldSource::Given { target, prediction } => {
            let prediction = if term.two_sided() { prediction } else { &[] };
            FieldWeights {
                term: *term,
                target: target.get(part(target)).unwrap_or_default(),
                prediction: prediction.get(part(prediction)).unwrap_or_default(),
                negated: false,
                to,
            }
            .compute(job.plan.loss.level);
        }
        FieldSource::Stored { first: in_gradient, planes } => {
            let plane = plane - usize::from(in_gradient.is_some());
            let row = (plane * shape.batch() + sample) * shape.classes() + class;
            let begin = row * shape.voxels() + first;
            copy_padded(planes.get(begin..begin + voxels).unwrap_or_default(), to);
        }
        FieldSource::One { plane: own_plane, sample: own, class: own_class, weights } => {
            if (own_plane, own, own_class) == (plane, sample, class) {
                copy_padded(weights.get(first..first + voxels).unwrap_or_default(), to);
            }
        }
    }
}

fn copy_padded<R: Real>(from: &[R], to: &mut [Lanes<R>]) {
    let to = to.as_flattened_mut();
    let (head, tail) = to.split_at_mut(from.len().min(to.len()));
    for (to, from) in head.iter_mut().zip(from) {
        *to = *from;
    }
    tail.fill(R::ZERO);
}
