//! A slow, obvious reference for every loss: f64, one voxel at a time, straight from the formulas.
//!
//! Only values are written down. The gradient comes from reverse-mode differentiation of that very
//! value ([`tape`]), so a mistake in a hand-derived gradient cannot be repeated here.
// No test uses everything; `pub` is for the tests that include this, and a test may panic.
#![allow(dead_code, unreachable_pub, clippy::expect_used, clippy::panic)]

mod case;
pub mod distance;
pub mod golden;
mod hausdorff;
pub mod json;
mod pointwise;
mod region;
pub mod surface;
mod surfel;
pub mod tape;
mod term;
mod transport;
mod tree;

pub use case::{Activation, Case, Target};
pub use term::{GeneralisedWeighting, Ground, Overlap, Pooling, Term, WassersteinWeighting};
pub use tree::Tree;

use case::Voxels;
use tape::{Tape, Var};

/// What one evaluation gives.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Sum of the terms times their weights.
    pub total: f64,
    /// Value of each term, without its weight.
    pub terms: Vec<f64>,
    /// Gradient of the total with respect to the scores, `[B][C][N]`.
    pub gradient: Vec<f64>,
    /// Voxels of positive weight that are not ignored.
    pub counted_voxels: usize,
}

/// Evaluates a weighted list of terms on one case.
pub fn evaluate(case: &Case, terms: &[(f64, Term)]) -> Evaluation {
    case.check();
    let tape = Tape::new();
    let voxels = Voxels::new(case, &tape);
    let counted_voxels = case.counted_voxels();
    let values: Vec<Var> = terms
        .iter()
        .map(|(_, term)| match counted_voxels {
            // Nothing counts: every mean would be 0/0, and is 0 by definition.
            0 => tape.constant(0.0),
            _ => value(&voxels, term),
        })
        .collect();
    let total = tape.sum(terms.iter().zip(&values).map(|((weight, _), &v)| *weight * v));
    let mut gradient = tape.gradient(total);
    // The scores are the first variables on the tape.
    gradient.truncate(case.scores.len());
    Evaluation {
        total: total.value(),
        terms: values.iter().map(|v| v.value()).collect(),
        gradient,
        counted_voxels,
    }
}

fn value<'t>(voxels: &Voxels<'_, 't>, term: &Term) -> Var<'t> {
    match term {
        Term::Dice { .. } | Term::Tversky { .. } | Term::GeneralisedDice { .. } => {
            region::value(voxels, term)
        }
        Term::CrossEntropy { .. }
        | Term::BinaryCrossEntropy { .. }
        | Term::Focal { .. }
        | Term::TopKCrossEntropy { .. } => pointwise::value(voxels, term),
        Term::TreeCrossEntropy { .. }
        | Term::TreeWasserstein { .. }
        | Term::WassersteinDice { .. } => transport::value(voxels, term),
        Term::HausdorffDT { .. } | Term::Boundary { .. } => hausdorff::value(voxels, term),
    }
}
