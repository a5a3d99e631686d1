//! Scratch of distance terms, and which of their fields a call needs.
#![forbid(unsafe_code)]

use super::distance_term::{DistanceTerm, distance_terms};
use super::fields::FieldSource;
use super::masks::bit_row;
use super::plan::Plan;
use crate::distance::Grid;
use crate::element::Real;
use crate::error::Error;
use crate::executor::Claims;
use crate::scratch::{Carver, Requirement};

/// Voxels of a task that makes weights of fields.
pub(super) const TASK_VOXELS: usize = 16 * 1024;

/// Scratch of distance terms.
pub(crate) struct FieldScratch<'s, R> {
    /// `[term][sample][class][voxel]`, a bit each.
    pub bits: &'s mut [u8],
    pub target: &'s mut [f32],
    pub prediction: &'s mut [f32],
    pub planes: &'s mut [R],
    pub mask_claims: &'s mut [u8],
    pub weight_claims: &'s mut [u8],
    pub transform: &'s mut [u8],
}

impl<'s, R: Real> FieldScratch<'s, R> {
    fn target_len(plan: &Plan<'_>) -> usize {
        if plan.makes_fields && !plan.target_given { plan.shape.voxels() } else { 0 }
    }

    fn prediction_len(plan: &Plan<'_>) -> usize {
        let wanted = distance_terms(plan).any(|(_, _, term)| term.two_sided());
        if plan.makes_fields && wanted && !plan.prediction_given { plan.shape.voxels() } else { 0 }
    }

    fn planes_len(plan: &Plan<'_>) -> usize {
        if !plan.makes_fields || only_class(plan).is_some() {
            return 0;
        }
        let sample = plan.shape.voxels();
        let whole = plan.shape.elements();
        let kept = if plan.fields_in_scratch { plan.fields } else { plan.fields.max(1) - 1 };
        // The value alone takes one class at a time.
        whole.saturating_mul(kept).max(sample)
    }

    pub(super) fn weight_tasks(plan: &Plan<'_>) -> usize {
        plan.shape.voxels().div_ceil(TASK_VOXELS)
    }

    /// Requirements in the order of the fields.
    fn requirements(plan: &Plan<'_>, workers: usize) -> [Requirement; 7] {
        if !plan.makes_fields {
            return [const { Requirement::of::<u8>(0) }; 7];
        }
        let rows = plan.fields * plan.shape.batch() * plan.shape.classes();
        let grids = distance_terms(plan).map(|(_, _, term)| grid(plan, &term).requirement(workers));
        [
            Requirement::of_rows::<u8>(rows, bit_row(plan)),
            Requirement::of::<f32>(Self::target_len(plan)),
            Requirement::of::<f32>(Self::prediction_len(plan)),
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

    /// The fields of a class that [`FieldMaker::make_one`](super::field_maker::FieldMaker::make_one) has made.
    pub(crate) fn signed(&self, class: usize) -> FieldSource<'_, R> {
        FieldSource::Signed { target: self.target, prediction: self.prediction, class }
    }

    pub(crate) fn carve(
        plan: &Plan<'_>,
        workers: usize,
        scratch: &mut Carver<'s>,
    ) -> Result<Self, Error> {
        let [bits, _, _, _, mask_claims, weight_claims, transform] =
            Self::requirements(plan, workers);
        Ok(Self {
            bits: scratch.take_bytes(bits)?,
            target: scratch.take(Self::target_len(plan))?,
            prediction: scratch.take(Self::prediction_len(plan))?,
            planes: scratch.take(Self::planes_len(plan))?,
            mask_claims: scratch.take_bytes(mask_claims)?,
            weight_claims: scratch.take_bytes(weight_claims)?,
            transform: scratch.take_bytes(transform)?,
        })
    }
}

pub(super) fn grid(plan: &Plan<'_>, term: &DistanceTerm<'_>) -> Grid {
    Grid::new(plan.shape.extent(), term.spacing())
}

/// The classes that count for a term.
pub(super) fn counted<'t>(
    plan: &Plan<'_>,
    term: &'t DistanceTerm<'_>,
) -> impl Iterator<Item = usize> + 't {
    let classes = plan.shape.classes();
    (0..classes).filter(move |&class| term.class_factor(classes, class) != 0.0)
}

/// The one term of a plan for one sample, if there is no other.
pub(super) fn only_term<'p>(plan: &'p Plan<'_>) -> Option<DistanceTerm<'p>> {
    let mut terms = distance_terms(plan);
    let (_, _, term) = terms.next()?;
    (terms.next().is_none() && plan.shape.batch() == 1).then_some(term)
}

/// The one class that has a field.
pub(super) fn only_class(plan: &Plan<'_>) -> Option<usize> {
    let term = only_term(plan)?;
    let mut classes = counted(plan, &term);
    classes.next().filter(|_| classes.next().is_none())
}
