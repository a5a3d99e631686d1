//! Confidence of scores.

use super::decode;
use super::metric_types::*;
use super::overlap::{Span, check_read};
use super::status::report;
use super::trees::with_tree;
use super::types::*;
use crate::error::{Argument, Error};
use crate::metric::{Confidence, confidence_map, label_confident, label_tree_confident};
use crate::shape::Shape;
use crate::view::Scores;

fn confidence(kind: u32, temperature: f64) -> Result<Confidence, Error> {
    Ok(match kind {
        SEGLOSS_CONFIDENCE_MAXIMUM_PROBABILITY => Confidence::MaximumProbability { temperature },
        SEGLOSS_CONFIDENCE_MAXIMUM_LOGIT => Confidence::MaximumLogit,
        SEGLOSS_CONFIDENCE_ENERGY => Confidence::Energy { temperature },
        SEGLOSS_CONFIDENCE_NEGATIVE_ENTROPY => Confidence::NegativeEntropy { temperature },
        other => return Err(decode::unknown(Argument::Confidence, other)),
    })
}

/// Shape and scores, which must not overlap what is written nor the scratch.
///
/// # Safety
/// If not null, the pointers must point to a shape and to scores that hold as many elements as
/// they say, unchanged during `'a`.
unsafe fn scores<'a>(
    shape: *const segloss_shape,
    scores: *const segloss_array,
    scratch: &Span,
    written: &[Span],
) -> Result<(Shape, Scores<'a>), Error> {
    // SAFETY: the caller's promise.
    unsafe {
        let shape = decode::reference(shape, Argument::Shape)?;
        let scores = decode::reference(scores, Argument::Scores)?;
        for read in [
            Span::one(Argument::Shape, shape),
            Span::one(Argument::Scores, scores),
            Span::read(Argument::Scores, scores),
        ] {
            check_read(read, scratch, written)?;
        }
        Ok((decode::shape(shape)?, decode::scores(scores)?))
    }
}

/// Writes how sure the scores (logits) of every voxel are, `[batch][voxel]`.
///
/// `kind` is one of `SEGLOSS_CONFIDENCE_...`; `temperature` is positive.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_confidence_map(
    shape: *const segloss_shape,
    scores: *const segloss_array,
    kind: u32,
    temperature: f64,
    map: *mut f32,
    map_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let argument = Argument::Confidence;
        let measure = || {
            let score = confidence(kind, temperature)?;
            let written = [Span::list(argument, map, map_length)];
            let (shape, scores) = self::scores(shape, scores, &Span::NONE, &written)?;
            let map = decode::elements_mut(map.cast(), map_length, argument)?;
            confidence_map(shape, scores, score, map)
        };
        report(measure(), detail)
    }
}

/// Labels every voxel, `[batch][voxel]`, with the class of the largest score, or with `unknown`
/// where its confidence is below `threshold`; `kind` and `temperature` as for
/// `segloss_confidence_map`.
///
/// # Safety
/// As `segloss_confidence_map`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_label_confident(
    shape: *const segloss_shape,
    scores: *const segloss_array,
    kind: u32,
    temperature: f64,
    threshold: f64,
    unknown: i32,
    labels: *mut i32,
    labels_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let label = || {
            let score = confidence(kind, temperature)?;
            let written = [Span::list(Argument::Result, labels, labels_length)];
            let (shape, scores) = self::scores(shape, scores, &Span::NONE, &written)?;
            let labels = decode::elements_mut(labels.cast(), labels_length, Argument::Result)?;
            label_confident(shape, scores, score, threshold, unknown, labels)
        };
        report(label(), detail)
    }
}

/// Labels every voxel, `[batch][voxel]`, with the deepest node of the tree whose probability
/// reaches `threshold` (0 to 1), on the way from the root to the child of largest probability;
/// the root if none does. Scratch: `segloss_tree_scratch_size`.
///
/// # Safety
/// As `segloss_confidence_map`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_label_tree_confident(
    shape: *const segloss_shape,
    scores: *const segloss_array,
    tree: *const segloss_tree,
    threshold: f64,
    scratch: segloss_scratch,
    nodes: *mut i32,
    nodes_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let written = [Span::list(Argument::Result, nodes, nodes_length)];
        let label = || {
            // Before the tree is built in the scratch.
            let (shape, scores) = self::scores(shape, scores, &Span::scratch(&scratch), &written)?;
            with_tree(tree, &scratch, &written, |tree| {
                let nodes = decode::elements_mut(nodes.cast(), nodes_length, Argument::Result)?;
                label_tree_confident(shape, scores, tree, threshold, nodes)
            })
        };
        report(label(), detail)
    }
}
