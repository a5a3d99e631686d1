//! Terms of the library from those of the reference implementation.

use crate::reference::{self, GeneralisedWeighting, WassersteinWeighting};
use segloss::{
    Activation, BinaryCrossEntropy, Boundary, CrossEntropy, Denominator, Dice, Focal,
    GeneralisedDice, Ground, HausdorffDT, HausdorffSides, Mean, Overlap, Pooling, Ratio, Scale,
    Spacing, Term, TermActivation, TopKCrossEntropy, TreeCrossEntropy, TreeWasserstein, Tversky,
    VolumeWeighting, WassersteinDice, WassersteinDiceWeighting,
};

fn pooling(pooling: reference::Pooling) -> Pooling {
    match pooling {
        reference::Pooling::PerSample => Pooling::PerSample,
        reference::Pooling::Batch => Pooling::Batch,
    }
}

fn overlap(overlap: reference::Overlap) -> Overlap {
    match overlap {
        reference::Overlap::Product => Overlap::Product,
        reference::Overlap::Absolute => Overlap::Absolute,
    }
}

fn ground(ground: &reference::Ground) -> Ground<'_> {
    match ground {
        reference::Ground::Tree => Ground::Tree,
        reference::Ground::Matrix(matrix) => Ground::Matrix(matrix),
    }
}

/// Class weights, unless they are all 1.
fn given(weights: &[f64]) -> Option<&[f64]> {
    weights.iter().any(|&weight| weight != 1.0).then_some(weights)
}

/// A term of the library from one of the reference.
pub fn term(term: &reference::Term) -> Term<'_> {
    use reference::Term as R;
    match term {
        R::Dice {
            squared,
            jaccard,
            pooling: pool,
            overlap: over,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => Dice {
            denominator: if *squared { Denominator::Squared } else { Denominator::Linear },
            ratio: if *jaccard { Ratio::Jaccard } else { Ratio::Dice },
            pooling: pooling(*pool),
            overlap: overlap(*over),
            smooth_numerator: *smooth_numerator,
            smooth_denominator: *smooth_denominator,
            class_weights: given(class_weights),
        }
        .into(),
        R::Tversky {
            false_positive_weight,
            false_negative_weight,
            exponent,
            pooling: pool,
            overlap: over,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => Tversky {
            false_positive_weight: *false_positive_weight,
            false_negative_weight: *false_negative_weight,
            exponent: *exponent,
            pooling: pooling(*pool),
            overlap: overlap(*over),
            smooth_numerator: *smooth_numerator,
            smooth_denominator: *smooth_denominator,
            class_weights: given(class_weights),
        }
        .into(),
        R::GeneralisedDice {
            weighting,
            pooling: pool,
            overlap: over,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        } => GeneralisedDice {
            weighting: match weighting {
                GeneralisedWeighting::InverseSquare => VolumeWeighting::InverseSquare,
                GeneralisedWeighting::Inverse => VolumeWeighting::Inverse,
                GeneralisedWeighting::Uniform => VolumeWeighting::Uniform,
            },
            pooling: pooling(*pool),
            overlap: overlap(*over),
            smooth_numerator: *smooth_numerator,
            smooth_denominator: *smooth_denominator,
            class_weights: given(class_weights),
        }
        .into(),
        R::CrossEntropy { class_weights, label_smoothing } => CrossEntropy {
            label_smoothing: *label_smoothing,
            activation: TermActivation::Softmax,
            class_weights: given(class_weights),
        }
        .into(),
        R::BinaryCrossEntropy { positive_weight, class_weights } => BinaryCrossEntropy {
            positive_weights: Some(positive_weight),
            activation: TermActivation::Sigmoid,
            class_weights: given(class_weights),
        }
        .into(),
        R::Focal { gamma, sigmoid, alpha, per_voxel, class_weights } => Focal {
            gamma: *gamma,
            alpha: alpha.as_deref(),
            mean: if *per_voxel { Mean::Voxels } else { Mean::ChannelsAndVoxels },
            activation: if *sigmoid { TermActivation::Sigmoid } else { TermActivation::Softmax },
            class_weights: given(class_weights),
        }
        .into(),
        R::TopKCrossEntropy { fraction, class_weights } => TopKCrossEntropy {
            fraction: *fraction,
            activation: TermActivation::Softmax,
            class_weights: given(class_weights),
        }
        .into(),
        R::TreeCrossEntropy { node_weights } => TreeCrossEntropy { node_weights }.into(),
        R::TreeWasserstein { ground: g, normalise } => TreeWasserstein {
            ground: ground(g),
            scale: if *normalise { Scale::UnitMaximum } else { Scale::AsGiven },
        }
        .into(),
        R::WassersteinDice { ground: g, weighting, smooth_numerator, smooth_denominator } => {
            WassersteinDice {
                ground: ground(g),
                weighting: match weighting {
                    WassersteinWeighting::Default { background } => {
                        WassersteinDiceWeighting::Default { background: *background }
                    }
                    WassersteinWeighting::GeneralisedDice => {
                        WassersteinDiceWeighting::GeneralisedDice
                    }
                },
                smooth_numerator: *smooth_numerator,
                smooth_denominator: *smooth_denominator,
            }
            .into()
        }
        R::HausdorffDT {
            spacing,
            exponent,
            threshold,
            target_only,
            logarithm,
            include_background,
            class_weights,
        } => HausdorffDT {
            spacing: Spacing::millimetres(spacing).unwrap(),
            exponent: *exponent,
            threshold: *threshold,
            sides: if *target_only { HausdorffSides::Target } else { HausdorffSides::Both },
            logarithm: *logarithm,
            include_background: *include_background,
            class_weights: given(class_weights),
        }
        .into(),
        R::Boundary { spacing, include_background, class_weights } => Boundary {
            spacing: Spacing::millimetres(spacing).unwrap(),
            include_background: *include_background,
            class_weights: given(class_weights),
        }
        .into(),
    }
}

/// The activation of a case.
pub fn activation(activation: reference::Activation) -> Activation {
    match activation {
        reference::Activation::Softmax => Activation::Softmax,
        reference::Activation::Sigmoid => Activation::Sigmoid,
        reference::Activation::None => Activation::None,
    }
}
