//! Step 2: from exact sums to what the caller is told.
#![forbid(unsafe_code)]

use super::coefficients::{Coefficients, TermValues, finish};
use super::input::Evaluation;
use super::plan::{COUNTED, Plan, WEIGHT};
use super::top_k::Selection;
use crate::math::{LIMBS, whole};

/// Exact sums as numbers, the values of the terms, and coefficients.
pub(crate) fn conclude(
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
pub(crate) fn conclude_values(
    plan: &Plan<'_>,
    exact: &[[f64; LIMBS]],
    values: &mut [f64],
    selection: Selection,
) -> TermValues {
    let mut nothing = Coefficients::new(&mut [], &mut [], selection);
    conclude(plan, exact, values, 0.0, &mut nothing)
}

/// What the caller is told.
pub(crate) fn evaluation<'s>(
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
