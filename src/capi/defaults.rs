//! Structs with their defaults, and presets.

use super::decode::check_pointer;
use super::status::report;
use super::types::*;
use crate::error::{Argument, Cause, Error};
use core::mem::{align_of, size_of};
use core::ptr::{null, null_mut};

pub(super) const NO_DOUBLES: segloss_doubles = segloss_doubles { data: null(), length: 0 };
pub(super) const NO_ARRAY: segloss_array = segloss_array { data: null(), length: 0, r#type: 0 };

const TERM: segloss_term = segloss_term {
    size: size_of::<segloss_term>() as u64,
    kind: 0,
    activation: SEGLOSS_INHERIT_ACTIVATION,
    weight: 1.0,
    class_weights: NO_DOUBLES,
    pooling: SEGLOSS_POOLING_PER_SAMPLE,
    overlap: SEGLOSS_OVERLAP_AUTOMATIC,
    denominator: SEGLOSS_DENOMINATOR_LINEAR,
    ratio: SEGLOSS_RATIO_DICE,
    smooth_numerator: 1e-5,
    smooth_denominator: 1e-5,
    false_positive_weight: 0.5,
    false_negative_weight: 0.5,
    exponent: 1.0,
    weighting: 0,
    mean: SEGLOSS_MEAN_OVER_CHANNELS_AND_VOXELS,
    label_smoothing: 0.0,
    positive_weights: NO_DOUBLES,
    gamma: 2.0,
    alpha: NO_DOUBLES,
    fraction: 0.1,
    node_weights: NO_DOUBLES,
    ground: SEGLOSS_GROUND_TREE,
    scale: SEGLOSS_SCALE_AS_GIVEN,
    distance_matrix: NO_DOUBLES,
    background: 0,
    spacing: [0.0; 3],
    threshold: 0.5,
    sides: SEGLOSS_HAUSDORFF_BOTH_SIDES,
    logarithm: 0,
    include_background: 0,
    reserved: 0,
};

const LOSS: segloss_loss = segloss_loss {
    size: size_of::<segloss_loss>() as u64,
    terms: null(),
    term_count: 0,
    activation: SEGLOSS_SOFTMAX,
    class_sums: 0,
    fields_in_scratch: 0,
    level: SEGLOSS_LEVEL_BEST,
    tree: segloss_tree {
        parent: null(),
        edge_weights: null(),
        nodes: 0,
        leaf_of_class: null(),
        classes: 0,
    },
};

const INPUT: segloss_input = segloss_input {
    size: size_of::<segloss_input>() as u64,
    shape: segloss_shape {
        batch: 1,
        classes: 0,
        extent: [1, 1, 1],
        axes: 3,
        layout: SEGLOSS_PLANAR,
    },
    scores: NO_ARRAY,
    target: NO_ARRAY,
    target_kind: SEGLOSS_TARGET_LABELS,
    has_ignore_label: 0,
    ignore_label: 0,
    voxel_weights: NO_ARRAY,
    target_field: null(),
    prediction_field: null(),
};

const DISTANCE: segloss_distance = segloss_distance {
    size: size_of::<segloss_distance>() as u64,
    extent: [0; 3],
    spacing: [0.0; 3],
    axes: 3,
    side: SEGLOSS_SIDE_SIGNED,
    squared: 0,
    field_type: SEGLOSS_F32,
    level: SEGLOSS_LEVEL_BEST,
    reserved: 0,
};

const GRADIENT: segloss_gradient = segloss_gradient {
    size: size_of::<segloss_gradient>() as u64,
    values: segloss_array_mut { data: null_mut(), length: 0, r#type: 0 },
    upstream: 1.0,
    mode: SEGLOSS_GRADIENT_OVERWRITE,
};

/// Writes defaults to a struct of the caller.
///
/// # Safety
/// If not null, `to` must point to memory for a `T`.
pub(super) unsafe fn write_defaults<T>(
    to: *mut T,
    given_size: usize,
    defaults: T,
    argument: Argument,
) -> Result<(), Error> {
    check_pointer(to.cast_const().cast(), align_of::<T>(), argument)?;
    let size = size_of::<T>();
    if given_size != size {
        let error = Error::new(Cause::StructSize, argument);
        return Err(error.found(given_size as f64).expected(size as f64));
    }
    // SAFETY: not null, aligned, as large as the caller's own declaration of it.
    unsafe { to.write(defaults) };
    Ok(())
}

/// Defaults of a kind of term.
const fn term_of(kind: u32) -> segloss_term {
    let exponent = if kind == SEGLOSS_TERM_HAUSDORFF_DT { 2.0 } else { TERM.exponent };
    segloss_term { kind, exponent, ..TERM }
}

/// Defaults of a term: those of the paper or tool that defines it.
///
/// `term_size` is `sizeof *term`.
///
/// # Safety
/// If not null, `term` must point to memory for a term.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_term_init(
    term: *mut segloss_term,
    term_size: usize,
    kind: u32,
) -> segloss_status {
    let known = (SEGLOSS_TERM_DICE..=SEGLOSS_TERM_BOUNDARY).contains(&kind);
    let outcome = if known {
        // SAFETY: the caller's promise.
        unsafe { write_defaults(term, term_size, term_of(kind), Argument::Term) }
    } else {
        Err(Error::new(Cause::UnknownEnumerator, Argument::Term))
    };
    // SAFETY: a null detail is not written.
    unsafe { report(outcome, null_mut()) }
}

/// A loss under softmax without terms and tree. `loss_size` is `sizeof *loss`.
///
/// # Safety
/// If not null, `loss` must point to memory for a loss.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_init(
    loss: *mut segloss_loss,
    loss_size: usize,
) -> segloss_status {
    // SAFETY: the caller's promise; a null detail is not written.
    unsafe { report(write_defaults(loss, loss_size, LOSS, Argument::Loss), null_mut()) }
}

/// An input of one sample with three axes of extent 1 and all voxel weights 1. `input_size` is
/// `sizeof *input`.
///
/// # Safety
/// If not null, `input` must point to memory for an input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_input_init(
    input: *mut segloss_input,
    input_size: usize,
) -> segloss_status {
    // SAFETY: the caller's promise; a null detail is not written.
    unsafe { report(write_defaults(input, input_size, INPUT, Argument::Scores), null_mut()) }
}

/// An overwriting gradient with factor 1. `gradient_size` is `sizeof *gradient`.
///
/// # Safety
/// If not null, `gradient` must point to memory for a gradient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_gradient_init(
    gradient: *mut segloss_gradient,
    gradient_size: usize,
) -> segloss_status {
    let outcome =
        // SAFETY: the caller's promise.
        unsafe { write_defaults(gradient, gradient_size, GRADIENT, Argument::Gradient) };
    // SAFETY: a null detail is not written.
    unsafe { report(outcome, null_mut()) }
}

/// A signed transform in single precision. `distance_size` is `sizeof *distance`.
///
/// # Safety
/// If not null, `distance` must point to memory for a transform.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_distance_init(
    distance: *mut segloss_distance,
    distance_size: usize,
) -> segloss_status {
    let outcome =
        // SAFETY: the caller's promise.
        unsafe { write_defaults(distance, distance_size, DISTANCE, Argument::Field) };
    // SAFETY: a null detail is not written.
    unsafe { report(outcome, null_mut()) }
}

/// The terms of a preset, and how many there are.
fn preset_terms(preset: u32) -> Result<([segloss_term; 3], usize), Error> {
    let term = term_of;
    let dice = term(SEGLOSS_TERM_DICE);
    let focal = term(SEGLOSS_TERM_FOCAL);
    let cross_entropy = term(SEGLOSS_TERM_CROSS_ENTROPY);
    let tree = term(SEGLOSS_TERM_TREE_CROSS_ENTROPY);
    let monai_focal = segloss_term { activation: SEGLOSS_SIGMOID, ..focal };
    let tversky = segloss_term {
        false_positive_weight: 0.3,
        false_negative_weight: 0.7,
        ..term(SEGLOSS_TERM_TVERSKY)
    };
    let log_hausdorff =
        segloss_term { weight: 0.1, logarithm: 1, ..term(SEGLOSS_TERM_HAUSDORFF_DT) };
    let weighted = |term: segloss_term| segloss_term { weight: 0.9, ..term };
    Ok(match preset {
        SEGLOSS_PRESET_DICE_CROSS_ENTROPY => ([dice, cross_entropy, TERM], 2),
        SEGLOSS_PRESET_DICE_FOCAL => ([dice, focal, TERM], 2),
        SEGLOSS_PRESET_DICE_FOCAL_AS_MONAI => ([dice, monai_focal, TERM], 2),
        SEGLOSS_PRESET_TVERSKY => ([tversky, TERM, TERM], 1),
        SEGLOSS_PRESET_WASSERSTEIN_CROSS_ENTROPY => {
            let wasserstein = segloss_term {
                weight: 0.5,
                scale: SEGLOSS_SCALE_UNIT_MAXIMUM,
                ..term(SEGLOSS_TERM_TREE_WASSERSTEIN)
            };
            ([segloss_term { weight: 0.5, ..cross_entropy }, wasserstein, TERM], 2)
        }
        SEGLOSS_PRESET_TREE_CROSS_ENTROPY => ([tree, TERM, TERM], 1),
        SEGLOSS_PRESET_TREE_CROSS_ENTROPY_DICE => ([tree, dice, TERM], 2),
        SEGLOSS_PRESET_HAUSDORFF_DT => ([term(SEGLOSS_TERM_HAUSDORFF_DT), TERM, TERM], 1),
        SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT => {
            ([weighted(dice), weighted(focal), log_hausdorff], 3)
        }
        SEGLOSS_PRESET_DICE_FOCAL_HAUSDORFF_DT_AS_MONAI => {
            ([weighted(dice), weighted(monai_focal), log_hausdorff], 3)
        }
        SEGLOSS_PRESET_TVERSKY_HAUSDORFF_DT => ([weighted(tversky), log_hausdorff, TERM], 2),
        other => {
            let error = Error::new(Cause::UnknownEnumerator, Argument::Term);
            return Err(error.found(f64::from(other)));
        }
    })
}

/// Writes the terms of a preset to `terms`, and their number to `count`. Room for 3 always
/// suffices. Distance terms come without a spacing, which has no default. `term_size` is `sizeof *terms`.
///
/// # Safety
/// `terms` must point to memory for `capacity` terms, `count` to a number; null is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_preset(
    preset: u32,
    terms: *mut segloss_term,
    term_size: usize,
    capacity: usize,
    count: *mut u64,
) -> segloss_status {
    let outcome = preset_terms(preset).and_then(|(list, length)| {
        check_pointer(count.cast_const().cast(), align_of::<u64>(), Argument::Result)?;
        check_pointer(terms.cast_const().cast(), align_of::<segloss_term>(), Argument::Term)?;
        if capacity < length {
            let error = Error::new(Cause::Length, Argument::Term);
            return Err(error.found(capacity as f64).expected(length as f64));
        }
        for (position, &term) in list.iter().take(length).enumerate() {
            // SAFETY: `position` is below `capacity`, the rest is the caller's promise.
            unsafe { write_defaults(terms.add(position), term_size, term, Argument::Term)? };
        }
        // SAFETY: not null and aligned by the check above.
        unsafe { count.write(length as u64) };
        Ok(())
    });
    // SAFETY: a null detail is not written.
    unsafe { report(outcome, null_mut()) }
}
