//! Evaluation of losses.

use super::decode;
use super::executor::with_executor;
use super::overlap::{self, Span, is_in_place};
use super::status::report;
use super::types::*;
use crate::error::{Argument, Cause, Error};
use crate::loss::plan::{InputKind, TargetKind};
use crate::loss::{Evaluation, Loss, MAX_TERMS, Part};
use crate::shape::Shape;
use crate::tree::LabelTree;
use core::ptr::null;

/// What sizes follow from: no buffer is looked at.
struct Sizes {
    shape: Shape,
    kind: InputKind,
    double: bool,
}

fn sizes(input: &segloss_input) -> Result<Sizes, Error> {
    decode::check_size::<segloss_input>(input.size, Argument::Scores)?;
    let target = match input.target_kind {
        SEGLOSS_TARGET_LABELS => TargetKind::Labels,
        SEGLOSS_TARGET_NODES => TargetKind::Nodes,
        SEGLOSS_TARGET_DENSE if input.target.r#type == SEGLOSS_U8 => TargetKind::Binary,
        SEGLOSS_TARGET_DENSE => TargetKind::Soft,
        other => {
            let error = Error::new(Cause::UnknownEnumerator, Argument::Target);
            return Err(error.found(f64::from(other)));
        }
    };
    let double = match input.scores.r#type {
        SEGLOSS_F32 | SEGLOSS_F16 | SEGLOSS_BF16 => false,
        SEGLOSS_F64 => true,
        other => {
            let error = Error::new(Cause::UnknownEnumerator, Argument::Scores);
            return Err(error.found(f64::from(other)));
        }
    };
    let half = matches!(input.scores.r#type, SEGLOSS_F16 | SEGLOSS_BF16);
    let kind = InputKind {
        target,
        half,
        target_field: !input.target_field.is_null(),
        prediction_field: !input.prediction_field.is_null(),
    };
    Ok(Sizes { shape: decode::shape(&input.shape)?, kind, double })
}

/// A loss for questions of size: its tree has sizes only.
///
/// # Safety
/// As for the calls below.
unsafe fn sized_loss<'a>(loss: &segloss_loss) -> Result<Loss<'a>, Error> {
    // SAFETY: the caller's promise about `loss`.
    let decoded = unsafe { decode::loss(loss)? };
    if loss.tree.parent.is_null() {
        return Ok(decoded);
    }
    decode::tree_bytes(&loss.tree)?;
    // SAFETY: the arrays are there, and nothing reads their elements.
    let (nodes, classes) = unsafe {
        (
            decode::elements(loss.tree.parent.cast(), loss.tree.nodes, Argument::TreeNode)?,
            decode::elements(
                loss.tree.leaf_of_class.cast(),
                loss.tree.classes,
                Argument::TreeClass,
            )?,
        )
    };
    Ok(decoded.with_tree(LabelTree::of_sizes(nodes, classes)))
}

/// The part, or everything for null.
///
/// # Safety
/// If not null, `part` must point to a part.
unsafe fn part_of(part: *const segloss_part, shape: &Shape) -> Result<Part, Error> {
    if part.is_null() {
        return Ok(Part::whole(shape));
    }
    // SAFETY: the caller's promise.
    decode::part(unsafe { decode::reference(part, Argument::Part)? })
}

/// Bytes of scratch for the evaluation of a loss with that many workers, any alignment.
///
/// Looks at shape, element types, terms and the sizes of the tree, not at scores or target:
/// their pointers and lengths may still be unset. `part` is that of the sharded calls, else
/// `NULL`.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `part` and
/// `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_scratch_size(
    loss: *const segloss_loss,
    input: *const segloss_input,
    part: *const segloss_part,
    workers: u64,
    bytes: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let loss = decode::reference(loss, Argument::Loss)?;
            let sizes = sizes(decode::reference(input, Argument::Scores)?)?;
            let part = part_of(part, &sizes.shape)?;
            let bytes = decode::output(bytes, Argument::Result)?;
            let workers = usize::try_from(workers).unwrap_or(usize::MAX);
            let own = sized_loss(loss)?.scratch_bytes_of_shape(
                sizes.shape,
                sizes.kind,
                &part,
                sizes.double,
                workers,
            )?;
            let total = own.checked_add(decode::tree_bytes(&loss.tree)?);
            let too_large = Error::new(Cause::ShapeOverflow, Argument::Scratch);
            bytes.write(total.ok_or(too_large)? as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

fn encode(evaluation: &Evaluation<'_>) -> segloss_evaluation {
    let sums = evaluation.all_class_sums();
    let mut terms = [0.0; MAX_TERMS];
    for (to, from) in terms.iter_mut().zip(&evaluation.terms) {
        *to = *from;
    }
    segloss_evaluation {
        total: evaluation.total,
        terms,
        term_count: evaluation.terms.len() as u64,
        counted_voxels: evaluation.counted_voxels,
        weight: evaluation.weight,
        class_sums: if sums.is_empty() { null() } else { sums.as_ptr().cast() },
        class_sums_length: sums.len() as u64,
    }
}

/// Value of a loss and of each of its terms, and its gradient with respect to the scores.
///
/// `gradient` `NULL`: the value alone, one pass over the scores; terms on distances that make their
/// fields take one more, and one for every class unless `fields_in_scratch` is set. The gradient may be written over
/// the scores (same pointer, type and length, overwriting); no other overlap is allowed.
/// `executor` `NULL`: everything on the calling thread, and so are tasks that an executor leaves
/// out. `result` and gradient are written on success only. The result is the same bits for every
/// executor.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `gradient`, `executor` and `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_evaluate(
    loss: *const segloss_loss,
    input: *const segloss_input,
    gradient: *const segloss_gradient,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    result: *mut segloss_evaluation,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let evaluate = || {
            let loss = decode::reference(loss, Argument::Loss)?;
            let input = decode::reference(input, Argument::Scores)?;
            let gradient = optional(gradient, Argument::Gradient)?;
            let executor = optional(executor, Argument::Executor)?;
            let result = decode::output(result, Argument::Result)?;
            let decoded = decode::loss(loss)?;
            let gradient_span = gradient.map(decode::check_gradient).transpose()?;
            let in_place = gradient.is_some_and(|gradient| is_in_place(input, gradient));
            let checked = decode::input(input, in_place)?;
            let result_span = Span::result(result.as_ptr());
            let written = [result_span, gradient_span.unwrap_or(result_span)];
            let written = written.get(..1 + usize::from(gradient.is_some())).unwrap_or(&written);
            overlap::check(loss, input, &scratch, written, in_place)?;
            check_structs(gradient, executor, &scratch, written)?;
            let (tree, scratch) = decode::tree(&loss.tree, decode::scratch(&scratch)?)?;
            let decoded = tree.into_iter().fold(decoded, Loss::with_tree);
            let gradient = gradient.map(|gradient| decode::gradient(gradient)).transpose()?;
            let evaluation = with_executor(executor, |executor| match gradient {
                Some(gradient) if in_place => decoded.evaluate_in_place_in(
                    &checked,
                    gradient.values,
                    gradient.upstream,
                    scratch,
                    executor,
                ),
                gradient => decoded.evaluate_in(&checked, gradient, scratch, executor),
            })?;
            result.write(encode(&evaluation));
            Ok(())
        };
        report(evaluate(), detail)
    }
}

/// Refuses written memory that overlaps a struct which is read while the call runs.
fn check_structs(
    gradient: Option<&segloss_gradient>,
    executor: Option<&segloss_executor>,
    scratch: &segloss_scratch,
    written: &[Span],
) -> Result<(), Error> {
    let scratch = Span::scratch(scratch);
    if let Some(gradient) = gradient {
        overlap::check_read(Span::one(Argument::Gradient, gradient), &scratch, written)?;
    }
    match executor {
        Some(executor) => {
            overlap::check_read(Span::one(Argument::Executor, executor), &scratch, written)
        }
        None => Ok(()),
    }
}

/// A struct that may be left out.
///
/// # Safety
/// If not null, `pointer` must point to a `T` that lives for `'a`.
pub(super) unsafe fn optional<'a, T>(
    pointer: *const T,
    argument: Argument,
) -> Result<Option<&'a T>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { decode::reference(pointer, argument) }.map(Some)
}

/// Voxels of a block: parts of a volume begin at multiples of it.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_block_voxels(
    input: *const segloss_input,
    voxels: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let sizes = sizes(decode::reference(input, Argument::Scores)?)?;
            decode::output(voxels, Argument::Result)?
                .write(Loss::block_voxels(&sizes.shape) as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

/// Length of the sums of the sharded calls, in doubles.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `part` and
/// `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_sums_length(
    loss: *const segloss_loss,
    input: *const segloss_input,
    part: *const segloss_part,
    length: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let loss = sized_loss(decode::reference(loss, Argument::Loss)?)?;
            let sizes = sizes(decode::reference(input, Argument::Scores)?)?;
            let part = part_of(part, &sizes.shape)?;
            let length = decode::output(length, Argument::Result)?;
            let found = loss.sums_len_of_shape(sizes.shape, sizes.kind, &part)?;
            length.write(found as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

/// Step 1 of a sharded evaluation: adds the sums of a part to `sums`, which begin as zeros.
///
/// Sums of parts and ranks are added element by element (`MPI_SUM`, `ncclSum`), in any order,
/// exactly.
///
/// # Safety
/// As `segloss_loss_evaluate`; `part` may be null for everything, and `sums` must hold
/// `sums_length` doubles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_accumulate(
    loss: *const segloss_loss,
    input: *const segloss_input,
    part: *const segloss_part,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    sums: *mut f64,
    sums_length: u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let accumulate = || {
            let loss = decode::reference(loss, Argument::Loss)?;
            let input = decode::reference(input, Argument::Scores)?;
            let executor = optional(executor, Argument::Executor)?;
            let decoded = decode::loss(loss)?;
            let checked = decode::input(input, false)?;
            let part = part_of(part, &checked.shape)?;
            let written = [Span::list(Argument::Sums, sums, sums_length)];
            overlap::check(loss, input, &scratch, &written, false)?;
            check_structs(None, executor, &scratch, &written)?;
            let (tree, scratch) = decode::tree(&loss.tree, decode::scratch(&scratch)?)?;
            let decoded = tree.into_iter().fold(decoded, Loss::with_tree);
            let sums = decode::elements_mut(sums.cast(), sums_length, Argument::Sums)?;
            with_executor(executor, |executor| {
                decoded.accumulate_in(&checked, &part, sums, scratch, executor)
            })
        };
        report(accumulate(), detail)
    }
}

/// Step 2 of a sharded evaluation: the evaluation that sums stand for.
///
/// # Safety
/// As `segloss_loss_accumulate`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_finish(
    loss: *const segloss_loss,
    input: *const segloss_input,
    part: *const segloss_part,
    sums: *const f64,
    sums_length: u64,
    scratch: segloss_scratch,
    result: *mut segloss_evaluation,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let finish = || {
            let loss = decode::reference(loss, Argument::Loss)?;
            let input = decode::reference(input, Argument::Scores)?;
            let result = decode::output(result, Argument::Result)?;
            let decoded = decode::loss(loss)?;
            let checked = decode::input(input, false)?;
            let part = part_of(part, &checked.shape)?;
            let written = [Span::result(result.as_ptr())];
            let sums_span = Span::list(Argument::Sums, sums, sums_length);
            overlap::check_read(sums_span, &Span::scratch(&scratch), &written)?;
            overlap::check(loss, input, &scratch, &written, false)?;
            let (tree, scratch) = decode::tree(&loss.tree, decode::scratch(&scratch)?)?;
            let decoded = tree.into_iter().fold(decoded, Loss::with_tree);
            let sums = decode::elements(sums.cast(), sums_length, Argument::Sums)?;
            let evaluation = decoded.finish_in(&checked, &part, sums, scratch)?;
            result.write(encode(&evaluation));
            Ok(())
        };
        report(finish(), detail)
    }
}

/// Step 3 of a sharded evaluation: the gradient of a part, from the sums of all parts.
///
/// # Safety
/// As `segloss_loss_accumulate`; `gradient` is required and may not be the scores.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_loss_gradient(
    loss: *const segloss_loss,
    input: *const segloss_input,
    part: *const segloss_part,
    sums: *const f64,
    sums_length: u64,
    gradient: *const segloss_gradient,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let write = || {
            let loss = decode::reference(loss, Argument::Loss)?;
            let input = decode::reference(input, Argument::Scores)?;
            let gradient = decode::reference(gradient, Argument::Gradient)?;
            let executor = optional(executor, Argument::Executor)?;
            let decoded = decode::loss(loss)?;
            let written = [decode::check_gradient(gradient)?];
            let checked = decode::input(input, false)?;
            let part = part_of(part, &checked.shape)?;
            let sums_span = Span::list(Argument::Sums, sums, sums_length);
            overlap::check_read(sums_span, &Span::scratch(&scratch), &written)?;
            overlap::check(loss, input, &scratch, &written, false)?;
            check_structs(Some(gradient), executor, &scratch, &written)?;
            let (tree, scratch) = decode::tree(&loss.tree, decode::scratch(&scratch)?)?;
            let decoded = tree.into_iter().fold(decoded, Loss::with_tree);
            let sums = decode::elements(sums.cast(), sums_length, Argument::Sums)?;
            let gradient = decode::gradient(gradient)?;
            with_executor(executor, |executor| {
                decoded.gradient_in(&checked, &part, sums, gradient, scratch, executor)
            })
        };
        report(write(), detail)
    }
}
