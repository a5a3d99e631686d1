//! Checks of a loss against its input, before anything else happens.
#![forbid(unsafe_code)]

use super::input::{Gradient, Input, Part};
use super::plan::{Plan, TargetKind};
use super::term::{Ground, Term, TermActivation, WassersteinDiceWeighting};
use super::{Activation, MAX_TERMS};
use crate::distance::check_axes;
use crate::error::{Argument, Cause, Error};
use crate::view::check_length;

fn option(argument: Argument, position: usize, value: f64) -> Error {
    Error::new(Cause::Option, argument).at(position).found(value)
}

/// Options are used in f32 and multiplied with each other.
pub(crate) const LARGEST: f64 = 1e18;

/// Beyond it one voxel decides about the loss.
const LARGEST_EXPONENT: f64 = 8.0;

fn not_negative(argument: Argument, position: usize, value: f64) -> Result<(), Error> {
    if (0.0..=LARGEST).contains(&value) {
        return Ok(());
    }
    Err(option(argument, position, value))
}

/// A list with one non-negative number per class, or one for all where that is allowed.
fn class_list(
    argument: Argument,
    values: Option<&[f64]>,
    classes: usize,
    one_for_all: bool,
) -> Result<(), Error> {
    let Some(values) = values else { return Ok(()) };
    if !(one_for_all && values.len() == 1) {
        check_length(argument, values.len(), classes)?;
    }
    for (position, &value) in values.iter().enumerate() {
        not_negative(argument, position, value)?;
    }
    Ok(())
}

impl Plan<'_> {
    /// Checks buffers against the shape.
    pub(super) fn check_lengths(&self, input: &Input<'_>, scores_len: usize) -> Result<(), Error> {
        check_length(Argument::Scores, scores_len, self.shape.elements())?;
        let target =
            if self.target.dense() { self.shape.elements() } else { self.shape.batch_voxels() };
        check_length(Argument::Target, input.target.len(), target)?;
        for field in [input.fields.target, input.fields.prediction].into_iter().flatten() {
            check_length(Argument::Field, field.len(), self.shape.elements())?;
        }
        match input.voxel_weights.len() {
            Some(weights) => {
                check_length(Argument::VoxelWeights, weights, self.shape.batch_voxels())
            }
            None => Ok(()),
        }
    }

    /// Checks the loss against shape and kind of target.
    pub(super) fn check(&self) -> Result<(), Error> {
        let terms = self.loss.terms.len();
        if terms == 0 || terms > MAX_TERMS {
            let error = Error::new(Cause::TermCount, Argument::Loss);
            return Err(error.found(terms as f64).expected(1.0));
        }
        self.check_part()?;
        if let Some(tree) = &self.loss.tree {
            if tree.classes() != self.shape.classes() {
                return Err(Error::new(Cause::TreeClasses, Argument::Loss)
                    .found(tree.classes() as f64)
                    .expected(self.shape.classes() as f64));
            }
        } else if self.target == TargetKind::Nodes {
            return Err(Error::new(Cause::TreeMissing, Argument::Target));
        }
        let mut top_k = false;
        for (position, weighted) in self.loss.terms.iter().enumerate() {
            self.check_kind(position, &weighted.term)?;
            self.check_options(position, &weighted.term)?;
            if let Term::TopKCrossEntropy(_) = weighted.term {
                if top_k {
                    // One number per voxel is kept, not two.
                    return Err(Error::new(Cause::Option, Argument::Term).at(position));
                }
                top_k = true;
            }
        }
        Ok(())
    }

    fn check_part(&self) -> Result<(), Error> {
        let Part { batch, first_sample, first_voxel, voxels } = self.part;
        let refuse = |position, value: usize, expected: usize| {
            let error = Error::new(Cause::Part, Argument::Part).at(position);
            Err(error.found(value as f64).expected(expected as f64))
        };
        let fits = first_sample.checked_add(self.shape.batch()).is_some_and(|end| end <= batch);
        if !fits {
            return refuse(0, batch, self.shape.batch());
        }
        // Sums of the whole batch must be countable.
        let countable = batch
            .checked_mul(self.shape.classes())
            .and_then(|n| n.checked_mul(self.columns.max(4) * 64))
            .is_some_and(|n| n <= isize::MAX as usize);
        if !countable {
            return Err(Error::new(Cause::ShapeOverflow, Argument::Part).found(batch as f64));
        }
        if first_voxel % self.block_voxels().max(1) != 0 {
            return refuse(2, first_voxel, self.block_voxels());
        }
        let end = first_voxel.checked_add(voxels.unwrap_or_default());
        if first_voxel >= self.shape.voxels() || end.is_none_or(|end| end > self.shape.voxels()) {
            return refuse(3, first_voxel, self.shape.voxels());
        }
        // A part may end inside a block only where the sample ends.
        let inside = voxels.is_some_and(|n| {
            n % self.block_voxels().max(1) != 0 && first_voxel + n != self.shape.voxels()
        });
        if inside || voxels == Some(0) {
            return refuse(3, voxels.unwrap_or_default(), self.block_voxels());
        }
        Ok(())
    }

    /// Whether the term can be had from this activation and target.
    fn check_kind(&self, position: usize, term: &Term<'_>) -> Result<(), Error> {
        let refuse = |cause| Err(Error::new(cause, Argument::Term).at(position));
        let softmax = |activation| match activation {
            TermActivation::Inherit => self.loss.activation == Activation::Softmax,
            TermActivation::Softmax => true,
            TermActivation::Sigmoid => false,
        };
        let activation_fits = match term {
            Term::Dice(_)
            | Term::Tversky(_)
            | Term::GeneralisedDice(_)
            | Term::HausdorffDT(_)
            | Term::Boundary(_) => true,
            Term::CrossEntropy(options) => softmax(options.activation),
            Term::TopKCrossEntropy(options) => softmax(options.activation),
            Term::BinaryCrossEntropy(options) => self.takes_sigmoid(options.activation),
            Term::Focal(options) => {
                softmax(options.activation) || self.takes_sigmoid(options.activation)
            }
            Term::TreeCrossEntropy(_) | Term::TreeWasserstein(_) | Term::WassersteinDice(_) => {
                softmax(TermActivation::Inherit)
            }
        };
        if !activation_fits {
            return refuse(Cause::Activation);
        }
        let matrix = |ground: &Ground<'_>| matches!(ground, Ground::Matrix(_));
        let target_fits = match (self.target, term) {
            (TargetKind::Labels, _) => true,
            (TargetKind::Nodes, term) => matches!(term, Term::TreeCrossEntropy(_)),
            (_, Term::TopKCrossEntropy(_) | Term::WassersteinDice(_)) => false,
            (_, Term::TreeWasserstein(options)) => !matrix(&options.ground),
            _ => true,
        };
        if !target_fits {
            return refuse(Cause::TargetKind);
        }
        let needs_tree = match term {
            Term::TreeCrossEntropy(_) => true,
            Term::TreeWasserstein(options) => !matrix(&options.ground),
            Term::WassersteinDice(options) => !matrix(&options.ground),
            _ => false,
        };
        if needs_tree && self.loss.tree.is_none() {
            return refuse(Cause::TreeMissing);
        }
        Ok(())
    }

    /// Whether the options of a term lie in their ranges.
    fn check_options(&self, position: usize, term: &Term<'_>) -> Result<(), Error> {
        let classes = self.shape.classes();
        let number = |value| not_negative(Argument::Term, position, value);
        let weights = |values| class_list(Argument::ClassWeights, values, classes, false);
        match term {
            Term::Dice(options) => {
                number(options.smooth_numerator)?;
                number(options.smooth_denominator)?;
                weights(options.class_weights)
            }
            Term::Tversky(options) => {
                number(options.smooth_numerator)?;
                number(options.smooth_denominator)?;
                number(options.false_positive_weight)?;
                number(options.false_negative_weight)?;
                number(options.exponent)?;
                if options.exponent == 0.0 {
                    return Err(option(Argument::Term, position, 0.0));
                }
                weights(options.class_weights)
            }
            Term::GeneralisedDice(options) => {
                number(options.smooth_numerator)?;
                number(options.smooth_denominator)?;
                weights(options.class_weights)
            }
            Term::CrossEntropy(options) => {
                number(options.label_smoothing)?;
                if options.label_smoothing > 1.0 {
                    return Err(option(Argument::Term, position, options.label_smoothing));
                }
                weights(options.class_weights)
            }
            Term::BinaryCrossEntropy(options) => {
                class_list(Argument::PositiveWeights, options.positive_weights, classes, true)?;
                weights(options.class_weights)
            }
            Term::Focal(options) => {
                number(options.gamma)?;
                class_list(Argument::Alpha, options.alpha, classes, true)?;
                weights(options.class_weights)
            }
            Term::TopKCrossEntropy(options) => {
                if !(options.fraction > 0.0 && options.fraction <= 1.0) {
                    return Err(option(Argument::Term, position, options.fraction));
                }
                weights(options.class_weights)
            }
            Term::TreeCrossEntropy(options) => {
                let nodes = self.loss.tree.map_or(0, |tree| tree.nodes());
                check_length(Argument::NodeWeights, options.node_weights.len(), nodes)?;
                let root = self.loss.tree.map_or(0, |tree| tree.root() as usize);
                let others = options.node_weights.iter().enumerate();
                for (node, &weight) in others.filter(|&(node, _)| node != root) {
                    not_negative(Argument::NodeWeights, node, weight)?;
                }
                Ok(())
            }
            Term::TreeWasserstein(options) => self.check_ground(&options.ground),
            Term::WassersteinDice(options) => {
                number(options.smooth_numerator)?;
                number(options.smooth_denominator)?;
                if let WassersteinDiceWeighting::Default { background } = options.weighting
                    && background >= classes
                {
                    return Err(option(Argument::Term, position, background as f64));
                }
                self.check_ground(&options.ground)
            }
            Term::HausdorffDT(options) => {
                let above = |value: f64, limit: f64| value > 0.0 && value <= limit;
                if !above(options.exponent, LARGEST_EXPONENT) {
                    return Err(option(Argument::Term, position, options.exponent));
                }
                if !above(options.threshold, 1.0) {
                    return Err(option(Argument::Term, position, options.threshold));
                }
                check_axes(self.shape.extent(), &options.spacing)?;
                let square = |side: f64| side * side;
                let sides = self.shape.extent().iter().zip(options.spacing.along());
                let diagonal = sides.fold(0.0, |sum, (&n, step)| sum + square(n as f64 * step));
                if libm::pow(diagonal, options.exponent / 2.0) > LARGEST {
                    return Err(option(Argument::Term, position, options.exponent));
                }
                weights(options.class_weights)
            }
            Term::Boundary(options) => {
                check_axes(self.shape.extent(), &options.spacing)?;
                weights(options.class_weights)
            }
        }
    }

    fn check_ground(&self, ground: &Ground<'_>) -> Result<(), Error> {
        let Ground::Matrix(matrix) = ground else {
            return Ok(());
        };
        let classes = self.shape.classes();
        let argument = Argument::DistanceMatrix;
        check_length(argument, matrix.len(), classes.saturating_mul(classes))?;
        for (row, distances) in matrix.chunks_exact(classes.max(1)).enumerate() {
            for (column, &distance) in distances.iter().enumerate() {
                let mirrored = matrix.get(column * classes + row).copied().unwrap_or_default();
                let symmetric = (distance - mirrored).abs() <= 1e-6 * distance.abs();
                let diagonal = row != column || distance == 0.0;
                if !((0.0..=LARGEST).contains(&distance) && symmetric && diagonal) {
                    let error = Error::new(Cause::DistanceMatrix, argument);
                    return Err(error.at(row * classes + column).found(distance));
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn check_gradient(gradient: &Gradient<'_>, input: &Input<'_>) -> Result<(), Error> {
    check_length(Argument::Gradient, gradient.values.len(), input.shape.elements())?;
    if !gradient.values.same_type(&input.scores) {
        return Err(Error::new(Cause::ElementType, Argument::Gradient));
    }
    check_upstream(gradient.upstream)
}

pub(crate) fn check_upstream(upstream: f64) -> Result<(), Error> {
    if (-LARGEST..=LARGEST).contains(&upstream) {
        return Ok(());
    }
    Err(Error::new(Cause::Option, Argument::Gradient).found(upstream))
}
