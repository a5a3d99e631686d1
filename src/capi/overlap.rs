//! Memory that a call writes may be nothing else that it reads or writes.

use super::decode;
use super::types::*;
use crate::error::{Argument, Cause, Error};
use core::ffi::c_void;
use core::mem::size_of;

/// Bytes of an argument.
#[derive(Clone, Copy)]
pub(super) struct Span {
    argument: Argument,
    begin: usize,
    end: usize,
}

impl Span {
    /// The scratch of calls that need none.
    pub(super) const NONE: Self = Self { argument: Argument::Scratch, begin: 0, end: 0 };

    pub(super) fn new(argument: Argument, data: *const c_void, bytes: usize) -> Self {
        let begin = data.addr();
        Self { argument, begin, end: begin.saturating_add(bytes) }
    }

    /// Elements of a list of the caller.
    pub(super) fn list<T>(argument: Argument, data: *const T, length: u64) -> Self {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Self::new(argument, data.cast(), length.saturating_mul(size_of::<T>()))
    }

    pub(super) fn array(argument: Argument, data: *const c_void, length: u64, kind: u32) -> Self {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Self::new(argument, data, length.saturating_mul(element_bytes(kind)))
    }

    pub(super) fn gradient(gradient: &segloss_gradient) -> Self {
        let values = &gradient.values;
        Self::array(Argument::Gradient, values.data, values.length, values.r#type)
    }

    pub(super) fn scratch(scratch: &segloss_scratch) -> Self {
        Self::list(Argument::Scratch, scratch.data.cast_const().cast::<u8>(), scratch.bytes)
    }

    /// What is read of a buffer whose elements have a type.
    pub(super) fn read(argument: Argument, array: &segloss_array) -> Self {
        Self::array(argument, array.data, array.length, array.r#type)
    }

    /// A struct of the caller.
    pub(super) fn one<T>(argument: Argument, place: *const T) -> Self {
        Self::list(argument, place, 1)
    }

    pub(super) fn result<T>(result: *const T) -> Self {
        Self::list(Argument::Result, result, 1)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.begin < other.end && other.begin < self.end
    }
}

fn element_bytes(kind: u32) -> usize {
    match kind {
        SEGLOSS_F64 | SEGLOSS_I64 => 8,
        SEGLOSS_F32 | SEGLOSS_I32 => 4,
        SEGLOSS_F16 | SEGLOSS_BF16 | SEGLOSS_U16 | SEGLOSS_I16 => 2,
        _ => 1,
    }
}

/// Whether the gradient is to be written over the scores.
pub(super) fn is_in_place(input: &segloss_input, gradient: &segloss_gradient) -> bool {
    let (values, scores) = (&gradient.values, &input.scores);
    values.data.cast_const() == scores.data
        && values.length == scores.length
        && values.r#type == scores.r#type
        && gradient.mode == SEGLOSS_GRADIENT_OVERWRITE
}

/// What is read of a tree.
pub(super) fn tree_spans(tree: &segloss_tree) -> [Span; 3] {
    let edges = if tree.edge_weights.is_null() { 0 } else { tree.nodes };
    [
        Span::list(Argument::TreeNode, tree.parent, tree.nodes),
        Span::list(Argument::TreeNode, tree.edge_weights, edges),
        Span::list(Argument::TreeClass, tree.leaf_of_class, tree.classes),
    ]
}

/// Calls `visit` with everything that is read of a loss and its input.
///
/// # Safety
/// `loss.terms` must point to `term_count` terms.
unsafe fn visit_reads(
    loss: &segloss_loss,
    input: &segloss_input,
    visit: &mut dyn FnMut(Span) -> Result<(), Error>,
) -> Result<(), Error> {
    for (argument, array) in [
        (Argument::Scores, &input.scores),
        (Argument::Target, &input.target),
        (Argument::VoxelWeights, &input.voxel_weights),
    ] {
        visit(Span::read(argument, array))?;
    }
    let elements = decode::shape(&input.shape)?.elements() as u64;
    for field in [input.target_field, input.prediction_field] {
        visit(Span::list(Argument::Field, field, if field.is_null() { 0 } else { elements }))?;
    }
    for span in tree_spans(&loss.tree) {
        visit(span)?;
    }
    visit(Span::one(Argument::Loss, loss))?;
    visit(Span::one(Argument::Scores, input))?;
    visit(Span::list(Argument::Term, loss.terms, loss.term_count))?;
    // SAFETY: the caller's promise.
    let terms: &[segloss_term] =
        unsafe { decode::elements(loss.terms.cast(), loss.term_count, Argument::Term)? };
    for term in terms {
        for (argument, list) in [
            (Argument::ClassWeights, &term.class_weights),
            (Argument::PositiveWeights, &term.positive_weights),
            (Argument::Alpha, &term.alpha),
            (Argument::NodeWeights, &term.node_weights),
            (Argument::DistanceMatrix, &term.distance_matrix),
        ] {
            visit(Span::list(argument, list.data, list.length))?;
        }
    }
    Ok(())
}

/// Refuses a read that overlaps what is written.
pub(super) fn check_read(read: Span, scratch: &Span, written: &[Span]) -> Result<(), Error> {
    if read.overlaps(scratch) {
        return Err(Error::new(Cause::Overlap, read.argument));
    }
    match written.iter().find(|span| read.overlaps(span)) {
        Some(span) => Err(Error::new(Cause::Overlap, span.argument)),
        None => Ok(()),
    }
}

/// Refuses written memory that overlaps scratch or other written memory.
pub(super) fn check_written(scratch: &Span, written: &[Span]) -> Result<(), Error> {
    for (index, span) in written.iter().enumerate() {
        let others = written.iter().skip(index + 1);
        if span.overlaps(scratch) || others.into_iter().any(|other| span.overlaps(other)) {
            return Err(Error::new(Cause::Overlap, span.argument));
        }
    }
    Ok(())
}

/// Refuses every overlap of what a call writes with its scratch and with what it reads, of which its
/// executor is a part.
pub(super) fn check_call(
    scratch: &segloss_scratch,
    written: &[Span],
    reads: &[Span],
    executor: Option<&segloss_executor>,
) -> Result<(), Error> {
    let scratch = Span::scratch(scratch);
    check_written(&scratch, written)?;
    let executor = executor.map(|executor| Span::one(Argument::Executor, executor));
    for &read in reads.iter().chain(&executor) {
        check_read(read, &scratch, written)?;
    }
    Ok(())
}

/// Refuses every overlap of what a call on a loss writes; `in_place` allows that of the gradient
/// with the scores.
///
/// # Safety
/// `loss.terms` must point to `term_count` terms.
pub(super) unsafe fn check(
    loss: &segloss_loss,
    input: &segloss_input,
    scratch: &segloss_scratch,
    written: &[Span],
    in_place: bool,
) -> Result<(), Error> {
    let scratch = Span::scratch(scratch);
    check_written(&scratch, written)?;
    // SAFETY: the caller's promise.
    unsafe {
        visit_reads(loss, input, &mut |read| {
            // In place the scores have the gradient's bytes, compared with the scratch above.
            let is_scores = read.begin == input.scores.data.addr();
            if in_place && read.argument == Argument::Scores && is_scores {
                return Ok(());
            }
            check_read(read, &scratch, written)
        })
    }
}
