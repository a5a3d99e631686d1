//! From the flat struct of a term to the options of its kind.

use super::decode::{elements, index, spacing, unknown};
use super::types::*;
use crate::error::{Argument, Cause, Error};
use crate::loss::{
    BinaryCrossEntropy, Boundary, CrossEntropy, Denominator, Dice, Focal, GeneralisedDice, Ground,
    HausdorffDT, HausdorffSides, Mean, Overlap, Pooling, Ratio, Scale, Term, TermActivation,
    TopKCrossEntropy, TreeCrossEntropy, TreeWasserstein, Tversky, VolumeWeighting, WassersteinDice,
    WassersteinDiceWeighting,
};

/// A list of doubles, `None` for null with length 0.
///
/// # Safety
/// As [`elements`].
pub(super) unsafe fn doubles<'a>(
    list: &segloss_doubles,
    argument: Argument,
) -> Result<Option<&'a [f64]>, Error> {
    if list.data.is_null() && list.length == 0 {
        return Ok(None);
    }
    // SAFETY: the caller's promise about `list`.
    unsafe { elements(list.data.cast(), list.length, argument) }.map(Some)
}

fn pooling(number: u32) -> Result<Pooling, Error> {
    match number {
        SEGLOSS_POOLING_PER_SAMPLE => Ok(Pooling::PerSample),
        SEGLOSS_POOLING_BATCH => Ok(Pooling::Batch),
        other => Err(unknown(Argument::Term, other)),
    }
}

fn overlap_form(number: u32) -> Result<Overlap, Error> {
    match number {
        SEGLOSS_OVERLAP_AUTOMATIC => Ok(Overlap::Automatic),
        SEGLOSS_OVERLAP_PRODUCT => Ok(Overlap::Product),
        SEGLOSS_OVERLAP_ABSOLUTE => Ok(Overlap::Absolute),
        other => Err(unknown(Argument::Term, other)),
    }
}

fn term_activation(number: u32) -> Result<TermActivation, Error> {
    match number {
        SEGLOSS_INHERIT_ACTIVATION => Ok(TermActivation::Inherit),
        SEGLOSS_SOFTMAX => Ok(TermActivation::Softmax),
        SEGLOSS_SIGMOID => Ok(TermActivation::Sigmoid),
        other => Err(unknown(Argument::Term, other)),
    }
}

/// # Safety
/// As [`term`].
unsafe fn ground<'a>(term: &segloss_term) -> Result<Ground<'a>, Error> {
    match term.ground {
        SEGLOSS_GROUND_TREE => Ok(Ground::Tree),
        SEGLOSS_GROUND_MATRIX => {
            // SAFETY: the caller's promise about the lists of `term`.
            let matrix = unsafe { doubles(&term.distance_matrix, Argument::DistanceMatrix)? };
            let missing = Error::new(Cause::NullPointer, Argument::DistanceMatrix);
            matrix.map(Ground::Matrix).ok_or(missing)
        }
        other => Err(unknown(Argument::Term, other)),
    }
}

/// # Safety
/// The lists of `term` must hold as many numbers as they say, unchanged during `'a`.
pub(super) unsafe fn term<'a>(term: &segloss_term) -> Result<Term<'a>, Error> {
    // SAFETY: the caller's promise about the lists of `term`.
    let class_weights = unsafe { doubles(&term.class_weights, Argument::ClassWeights)? };
    let (smooth_numerator, smooth_denominator) = (term.smooth_numerator, term.smooth_denominator);
    Ok(match term.kind {
        SEGLOSS_TERM_DICE => Dice {
            denominator: match term.denominator {
                SEGLOSS_DENOMINATOR_LINEAR => Denominator::Linear,
                SEGLOSS_DENOMINATOR_SQUARED => Denominator::Squared,
                other => return Err(unknown(Argument::Term, other)),
            },
            ratio: match term.ratio {
                SEGLOSS_RATIO_DICE => Ratio::Dice,
                SEGLOSS_RATIO_JACCARD => Ratio::Jaccard,
                other => return Err(unknown(Argument::Term, other)),
            },
            pooling: pooling(term.pooling)?,
            overlap: overlap_form(term.overlap)?,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_TVERSKY => Tversky {
            false_positive_weight: term.false_positive_weight,
            false_negative_weight: term.false_negative_weight,
            exponent: term.exponent,
            pooling: pooling(term.pooling)?,
            overlap: overlap_form(term.overlap)?,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_GENERALISED_DICE => GeneralisedDice {
            weighting: match term.weighting {
                SEGLOSS_WEIGHTING_INVERSE_SQUARE => VolumeWeighting::InverseSquare,
                SEGLOSS_WEIGHTING_INVERSE => VolumeWeighting::Inverse,
                SEGLOSS_WEIGHTING_UNIFORM => VolumeWeighting::Uniform,
                other => return Err(unknown(Argument::Term, other)),
            },
            pooling: pooling(term.pooling)?,
            overlap: overlap_form(term.overlap)?,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_CROSS_ENTROPY => CrossEntropy {
            label_smoothing: term.label_smoothing,
            activation: term_activation(term.activation)?,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_BINARY_CROSS_ENTROPY => BinaryCrossEntropy {
            // SAFETY: the caller's promise about the lists of `term`.
            positive_weights: unsafe {
                doubles(&term.positive_weights, Argument::PositiveWeights)?
            },
            activation: term_activation(term.activation)?,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_FOCAL => Focal {
            gamma: term.gamma,
            // SAFETY: the caller's promise about the lists of `term`.
            alpha: unsafe { doubles(&term.alpha, Argument::Alpha)? },
            mean: match term.mean {
                SEGLOSS_MEAN_OVER_CHANNELS_AND_VOXELS => Mean::ChannelsAndVoxels,
                SEGLOSS_MEAN_OVER_VOXELS => Mean::Voxels,
                other => return Err(unknown(Argument::Term, other)),
            },
            activation: term_activation(term.activation)?,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_TOP_K_CROSS_ENTROPY => TopKCrossEntropy {
            fraction: term.fraction,
            activation: term_activation(term.activation)?,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_TREE_CROSS_ENTROPY => TreeCrossEntropy {
            // SAFETY: the caller's promise about the lists of `term`.
            node_weights: unsafe { doubles(&term.node_weights, Argument::NodeWeights)? }
                .unwrap_or_default(),
        }
        .into(),
        SEGLOSS_TERM_TREE_WASSERSTEIN => TreeWasserstein {
            // SAFETY: the caller's promise about the lists of `term`.
            ground: unsafe { ground(term)? },
            scale: match term.scale {
                SEGLOSS_SCALE_AS_GIVEN => Scale::AsGiven,
                SEGLOSS_SCALE_UNIT_MAXIMUM => Scale::UnitMaximum,
                other => return Err(unknown(Argument::Term, other)),
            },
        }
        .into(),
        SEGLOSS_TERM_WASSERSTEIN_DICE => WassersteinDice {
            // SAFETY: the caller's promise about the lists of `term`.
            ground: unsafe { ground(term)? },
            weighting: match term.weighting {
                SEGLOSS_WASSERSTEIN_DICE_DEFAULT => WassersteinDiceWeighting::Default {
                    background: index(Argument::Term, term.background)?,
                },
                SEGLOSS_WASSERSTEIN_DICE_GENERALISED => WassersteinDiceWeighting::GeneralisedDice,
                other => return Err(unknown(Argument::Term, other)),
            },
            smooth_numerator,
            smooth_denominator,
        }
        .into(),
        SEGLOSS_TERM_HAUSDORFF_DT => HausdorffDT {
            spacing: spacing(&term.spacing)?,
            exponent: term.exponent,
            threshold: term.threshold,
            sides: match term.sides {
                SEGLOSS_HAUSDORFF_BOTH_SIDES => HausdorffSides::Both,
                SEGLOSS_HAUSDORFF_TARGET_SIDE => HausdorffSides::Target,
                other => return Err(unknown(Argument::Term, other)),
            },
            logarithm: term.logarithm != 0,
            include_background: term.include_background != 0,
            class_weights,
        }
        .into(),
        SEGLOSS_TERM_BOUNDARY => Boundary {
            spacing: spacing(&term.spacing)?,
            include_background: term.include_background != 0,
            class_weights,
        }
        .into(),
        other => return Err(unknown(Argument::Term, other)),
    })
}
