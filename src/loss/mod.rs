//! Losses: lists of weighted terms, evaluated by one driver in three steps.
//!
//! 1. **Sums**, one pass over tiles: per-class sums of the region terms, values of the pointwise
//!    terms. Every input is checked here, before anything is written.
//! 2. **Value and coefficients**, a few numbers per class, no voxels.
//! 3. **Gradient**, one pass over the same tiles.
//!
//! Where no term needs sums of classes or a choice of voxels, the first pass of a gradient only
//! checks the input and sums weights, and the values come with the gradient.
//!
//! Under softmax every term adds to `H_c = p_c dL/dp_c`, which stays finite where `dL/dp` does not
//! (`H_y = -1` for cross-entropy), and the gradient with respect to the logits is
//! `H_c - p_c sum_j H_j`, taken once. Region terms on label maps need no storage for that: their
//! `H_c` is a polynomial in `p_c` with three coefficients per class.
//!
//! [`Loss::evaluate`] gives what [`Loss::accumulate`], [`Loss::finish`] and [`Loss::gradient`] give
//! in a row, to the bit.

mod call_scratch;
mod calls;
mod check;
mod class_slope;
mod coefficients;
mod cross_entropy;
mod distance_term;
mod driver;
mod elementwise;
mod evaluation;
mod field_maker;
mod field_scratch;
mod fields;
mod focal;
mod input;
mod interleaved;
mod labels;
mod logarithms;
mod masks;
mod outgoing;
mod output;
mod passes;
pub(crate) mod plan;
mod presets;
mod pull;
mod region;
mod region_sums;
mod requirements;
mod scan;
mod sharded_calls;
mod softmax_gradient;
mod stage;
mod steps;
mod sums;
mod target_fields;
mod term;
mod tile;
mod tiling;
mod top_k;
mod tree_cross_entropy;
mod wasserstein;
mod weigh;

pub use input::{ClassSums, Evaluation, Fields, Gradient, GradientMode, Input, Part};
#[cfg(feature = "capi")]
pub(crate) use target_fields::target_fields_in;
pub use target_fields::{target_fields, target_fields_scratch_bytes};
pub use term::{
    BinaryCrossEntropy, Boundary, CrossEntropy, Denominator, Dice, Focal, GeneralisedDice, Ground,
    HausdorffDT, HausdorffSides, Mean, Overlap, Pooling, Ratio, Scale, Term, TermActivation,
    TopKCrossEntropy, TreeCrossEntropy, TreeWasserstein, Tversky, VolumeWeighting, WassersteinDice,
    WassersteinDiceWeighting,
};

use crate::error::{Argument, Cause, Error};
use crate::simd::Level;
use crate::tree::LabelTree;

/// Most terms that a loss may have.
pub const MAX_TERMS: usize = 16;

/// What turns scores into probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// Softmax over the classes.
    #[default]
    Softmax,
    /// Sigmoid, channel by channel.
    Sigmoid,
    /// The scores are probabilities.
    None,
}

/// A term and its factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedTerm<'a> {
    /// Factor of the term in the loss.
    pub weight: f64,
    /// The term.
    pub term: Term<'a>,
}

/// A loss: a list of weighted terms over one activation.
///
/// ```
/// use segloss::{Activation, CrossEntropy, Dice, Input, Labels, Loss, Sequential, Shape, Target};
///
/// let loss = Loss::new(Activation::Softmax)
///     .with(1.0, Dice::default())?
///     .with(1.0, CrossEntropy::default())?;
/// let shape = Shape::planar(1, 2, &[4])?;
/// let scores = [2.0f32, 1.0, -1.0, -2.0, -2.0, -1.0, 1.0, 2.0];
/// let labels = [0u8, 0, 1, 1];
/// let input = Input::new(shape, &scores[..], Target::labels(&labels[..]));
///
/// let mut gradient = [0.0f32; 8];
/// let mut scratch = vec![0u8; loss.scratch_bytes(&input, 1)?];
/// let value = loss.evaluate(
///     &input,
///     Some((&mut gradient[..]).into()),
///     &mut scratch,
///     &Sequential,
/// )?;
/// assert_eq!(value.counted_voxels, 4);
/// assert!((value.total - (value.terms[0] + value.terms[1])).abs() < 1e-12);
/// assert!(gradient[0] < 0.0);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Loss<'a> {
    pub(crate) activation: Activation,
    pub(crate) terms: heapless::Vec<WeightedTerm<'a>, MAX_TERMS>,
    pub(crate) tree: Option<LabelTree<'a>>,
    pub(crate) class_sums: bool,
    pub(crate) fields_in_scratch: bool,
    pub(crate) level: Level,
}

impl<'a> Loss<'a> {
    /// A loss without terms.
    #[must_use]
    pub const fn new(activation: Activation) -> Self {
        Self {
            activation,
            terms: heapless::Vec::new(),
            tree: None,
            class_sums: false,
            fields_in_scratch: false,
            level: Level::Best,
        }
    }

    /// Adds a term.
    ///
    /// # Errors
    /// [`Cause::TermCount`] for more than [`MAX_TERMS`], [`Cause::Option`] for a factor that is not
    /// finite or beyond 1e18. Options of the term are checked when the loss meets its input.
    pub fn with(mut self, weight: f64, term: impl Into<Term<'a>>) -> Result<Self, Error> {
        let position = self.terms.len();
        if !(-check::LARGEST..=check::LARGEST).contains(&weight) {
            return Err(Error::new(Cause::Option, Argument::Term).at(position).found(weight));
        }
        self.terms
            .push(WeightedTerm { weight, term: term.into() })
            .map_err(|_| Error::new(Cause::TermCount, Argument::Loss).expected(MAX_TERMS as f64))?;
        Ok(self)
    }

    /// Gives the loss the label tree of its tree terms.
    #[must_use]
    pub const fn with_tree(mut self, tree: LabelTree<'a>) -> Self {
        self.tree = Some(tree);
        self
    }

    /// Takes the per-class sums even if no term needs them. The gradient of pointwise terms then
    /// takes two passes of exponentials instead of one.
    #[must_use]
    pub const fn with_class_sums(mut self) -> Self {
        self.class_sums = true;
        self
    }

    /// Keeps the fields of distance terms in scratch: one number per term, class and voxel of the
    /// batch, f64 for f64 scores. The value alone is then faster, too.
    ///
    /// Else they lie in the gradient buffer until the gradient is written, which an f32 or f64
    /// gradient of its own that is overwritten allows; with scores of 16 bits they always lie in
    /// scratch. For a gradient that is accumulated or written over the scores ask for this, or hand
    /// in all fields.
    #[must_use]
    pub const fn with_fields_in_scratch(mut self) -> Self {
        self.fields_in_scratch = true;
        self
    }

    /// Runs at a lower SIMD level than the processor offers. The result is the same bits.
    #[must_use]
    pub const fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The terms and their factors.
    #[must_use]
    pub fn terms(&self) -> &[WeightedTerm<'a>] {
        &self.terms
    }
}
