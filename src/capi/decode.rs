//! From the structs of the C interface to the types of the library.

use super::overlap::Span;
use super::terms;
use super::types::*;
use crate::error::{Argument, Cause, Error};
use crate::loss::{Activation, Fields, Gradient, GradientMode, Input, Loss, MAX_TERMS, Part};
use crate::shape::{Layout, Shape};
use crate::simd::Level;
use crate::spacing::Spacing;
use crate::tree::LabelTree;
use crate::view::{Dense, Labels, Scores, ScoresMut, Target, VoxelWeights};
use core::ffi::c_void;
use core::mem::{MaybeUninit, align_of, size_of};
use core::slice;
use half::{bf16, f16};

/// A number that no enumerator has.
pub(super) fn unknown(argument: Argument, number: u32) -> Error {
    Error::new(Cause::UnknownEnumerator, argument).found(f64::from(number))
}

/// A number of the caller as an index of this machine.
pub(super) fn index(argument: Argument, value: u64) -> Result<usize, Error> {
    usize::try_from(value)
        .map_err(|_| Error::new(Cause::ShapeOverflow, argument).found(value as f64))
}

/// A struct of the caller.
///
/// # Safety
/// If not null, `pointer` must point to a `T` that lives, unchanged, for `'a`.
pub(super) unsafe fn reference<'a, T>(
    pointer: *const T,
    argument: Argument,
) -> Result<&'a T, Error> {
    check_pointer(pointer.cast(), align_of::<T>(), argument)?;
    // SAFETY: not null and aligned by the line above; the rest is the caller's promise.
    Ok(unsafe { &*pointer })
}

/// A result of the caller, to be written.
///
/// # Safety
/// If not null, `pointer` must point to memory for a `T` that nothing else uses during `'a`.
pub(super) unsafe fn output<'a, T>(
    pointer: *mut T,
    argument: Argument,
) -> Result<&'a mut MaybeUninit<T>, Error> {
    check_pointer(pointer.cast_const().cast(), align_of::<T>(), argument)?;
    // SAFETY: not null and aligned by the line above; the rest is the caller's promise.
    Ok(unsafe { &mut *pointer.cast::<MaybeUninit<T>>() })
}

/// Refuses null and misaligned pointers.
pub(super) fn check_pointer(
    pointer: *const c_void,
    alignment: usize,
    argument: Argument,
) -> Result<(), Error> {
    if pointer.is_null() {
        return Err(Error::new(Cause::NullPointer, argument));
    }
    if pointer.addr() & alignment.wrapping_sub(1) != 0 {
        return Err(Error::new(Cause::Misaligned, argument).expected(alignment as f64));
    }
    Ok(())
}

/// Refuses a struct that is smaller than this version's.
pub(super) fn check_size<T>(size: u64, argument: Argument) -> Result<(), Error> {
    let expected = size_of::<T>();
    if size >= expected as u64 {
        return Ok(());
    }
    Err(Error::new(Cause::StructSize, argument).found(size as f64).expected(expected as f64))
}

/// Terms lie one after the other: a larger one could not be followed.
fn check_stride(size: u64) -> Result<(), Error> {
    let expected = size_of::<segloss_term>();
    if size == expected as u64 {
        return Ok(());
    }
    let error = Error::new(Cause::StructSize, Argument::Term);
    Err(error.found(size as f64).expected(expected as f64))
}

/// Elements of a buffer; its bytes must fit the address space.
///
/// # Safety
/// If not null, `data` must point to `length` elements that live, unchanged, for `'a`.
pub(super) unsafe fn elements<'a, T>(
    data: *const c_void,
    length: u64,
    argument: Argument,
) -> Result<&'a [T], Error> {
    check_pointer(data, align_of::<T>(), argument)?;
    let length = buffer_length::<T>(length, argument)?;
    // SAFETY: not null, aligned, no larger than a slice may be; the rest is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data.cast(), length) })
}

/// Elements of a buffer that is written.
///
/// # Safety
/// If not null, `data` must point to `length` elements that nothing else uses during `'a`.
pub(super) unsafe fn elements_mut<'a, T>(
    data: *mut c_void,
    length: u64,
    argument: Argument,
) -> Result<&'a mut [T], Error> {
    check_pointer(data, align_of::<T>(), argument)?;
    let length = buffer_length::<T>(length, argument)?;
    // SAFETY: as above.
    Ok(unsafe { slice::from_raw_parts_mut(data.cast(), length) })
}

fn buffer_length<T>(length: u64, argument: Argument) -> Result<usize, Error> {
    let length = index(argument, length)?;
    if length > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(Error::new(Cause::ShapeOverflow, argument).found(length as f64));
    }
    Ok(length)
}

/// Scratch memory; null with 0 bytes is empty.
///
/// # Safety
/// As [`elements_mut`], for bytes that need not be initialised.
pub(super) unsafe fn scratch<'a>(
    scratch: &segloss_scratch,
) -> Result<&'a mut [MaybeUninit<u8>], Error> {
    if scratch.data.is_null() && scratch.bytes == 0 {
        return Ok(&mut []);
    }
    // SAFETY: the caller's promise about `scratch`.
    unsafe { elements_mut(scratch.data, scratch.bytes, Argument::Scratch) }
}

/// The extents that are there, of 1 to 3 axes.
pub(super) fn extent(extent: &[u64; 3], axes: u32) -> Result<([usize; 3], usize), Error> {
    if axes as usize > extent.len() {
        let error = Error::new(Cause::Shape, Argument::Shape).at(2);
        return Err(error.found(f64::from(axes)).expected(extent.len() as f64));
    }
    let mut extents = [0; 3];
    for (to, &from) in extents.iter_mut().zip(extent).take(axes as usize) {
        *to = index(Argument::Shape, from)?;
    }
    Ok((extents, axes as usize))
}

pub(super) fn shape(shape: &segloss_shape) -> Result<Shape, Error> {
    let layout = match shape.layout {
        SEGLOSS_PLANAR => Layout::Planar,
        SEGLOSS_INTERLEAVED => Layout::Interleaved,
        other => return Err(unknown(Argument::Shape, other)),
    };
    let (extent, axes) = extent(&shape.extent, shape.axes)?;
    let (batch, classes) =
        (index(Argument::Shape, shape.batch)?, index(Argument::Shape, shape.classes)?);
    Shape::new(batch, classes, extent.get(..axes).unwrap_or_default(), layout)
}

/// # Safety
/// As [`elements`].
pub(super) unsafe fn scores<'a>(array: &segloss_array) -> Result<Scores<'a>, Error> {
    let (data, length, argument) = (array.data, array.length, Argument::Scores);
    // SAFETY: the caller's promise about `array`.
    unsafe {
        Ok(match array.r#type {
            SEGLOSS_F32 => Scores::F32(elements(data, length, argument)?),
            SEGLOSS_F64 => Scores::F64(elements(data, length, argument)?),
            SEGLOSS_F16 => Scores::F16(elements::<f16>(data, length, argument)?),
            SEGLOSS_BF16 => Scores::Bf16(elements::<bf16>(data, length, argument)?),
            other => return Err(unknown(argument, other)),
        })
    }
}

/// # Safety
/// As [`elements_mut`].
unsafe fn scores_mut<'a>(array: &segloss_array_mut) -> Result<ScoresMut<'a>, Error> {
    let (data, length, argument) = (array.data, array.length, Argument::Gradient);
    // SAFETY: the caller's promise about `array`.
    unsafe {
        Ok(match array.r#type {
            SEGLOSS_F32 => ScoresMut::F32(elements_mut(data, length, argument)?),
            SEGLOSS_F64 => ScoresMut::F64(elements_mut(data, length, argument)?),
            SEGLOSS_F16 => ScoresMut::F16(elements_mut::<f16>(data, length, argument)?),
            SEGLOSS_BF16 => ScoresMut::Bf16(elements_mut::<bf16>(data, length, argument)?),
            other => return Err(unknown(argument, other)),
        })
    }
}

/// # Safety
/// As [`elements`].
pub(super) unsafe fn labels<'a>(
    array: &segloss_array,
    argument: Argument,
) -> Result<Labels<'a>, Error> {
    let (data, length) = (array.data, array.length);
    // SAFETY: the caller's promise about `array`.
    unsafe {
        Ok(match array.r#type {
            SEGLOSS_U8 => Labels::U8(elements(data, length, argument)?),
            SEGLOSS_U16 => Labels::U16(elements(data, length, argument)?),
            SEGLOSS_I16 => Labels::I16(elements(data, length, argument)?),
            SEGLOSS_I32 => Labels::I32(elements(data, length, argument)?),
            SEGLOSS_I64 => Labels::I64(elements(data, length, argument)?),
            other => return Err(unknown(argument, other)),
        })
    }
}

/// # Safety
/// As [`elements`].
unsafe fn dense<'a>(array: &segloss_array) -> Result<Dense<'a>, Error> {
    let (data, length, argument) = (array.data, array.length, Argument::Target);
    // SAFETY: the caller's promise about `array`.
    unsafe {
        Ok(match array.r#type {
            SEGLOSS_U8 => Dense::U8(elements(data, length, argument)?),
            SEGLOSS_F32 => Dense::F32(elements(data, length, argument)?),
            SEGLOSS_F64 => Dense::F64(elements(data, length, argument)?),
            other => return Err(unknown(argument, other)),
        })
    }
}

/// # Safety
/// As [`elements`].
unsafe fn voxel_weights<'a>(array: &segloss_array) -> Result<VoxelWeights<'a>, Error> {
    let (data, length, argument) = (array.data, array.length, Argument::VoxelWeights);
    if data.is_null() && length == 0 {
        return Ok(VoxelWeights::Ones);
    }
    // SAFETY: the caller's promise about `array`.
    unsafe {
        Ok(match array.r#type {
            SEGLOSS_F32 => VoxelWeights::F32(elements(data, length, argument)?),
            SEGLOSS_U8 => VoxelWeights::U8(elements(data, length, argument)?),
            other => return Err(unknown(argument, other)),
        })
    }
}

/// A distance field of the caller; null is none.
///
/// # Safety
/// As [`elements`].
unsafe fn field<'a>(data: *const f32, length: u64) -> Result<Option<&'a [f32]>, Error> {
    if data.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { elements(data.cast(), length, Argument::Field) }.map(Some)
}

/// Spacing of as many axes as have one.
pub(super) fn spacing(along: &[f64; 3]) -> Result<Spacing, Error> {
    let axes = along.iter().position(|&step| step == 0.0).unwrap_or(along.len());
    Spacing::millimetres(along.get(..axes).unwrap_or_default())
}

/// What is compared with: labels, nodes or dense values.
///
/// # Safety
/// The target's buffer must hold as many elements as it says, unchanged during `'a`.
pub(super) unsafe fn target<'a>(input: &segloss_input) -> Result<Target<'a>, Error> {
    let ignore = (input.has_ignore_label != 0).then_some(input.ignore_label);
    // SAFETY: the caller's promise about `input`.
    unsafe {
        Ok(match input.target_kind {
            SEGLOSS_TARGET_LABELS => {
                Target::Labels { labels: labels(&input.target, Argument::Target)?, ignore }
            }
            SEGLOSS_TARGET_NODES => {
                Target::Nodes { nodes: labels(&input.target, Argument::Target)?, ignore }
            }
            SEGLOSS_TARGET_DENSE => Target::Dense(dense(&input.target)?),
            other => return Err(unknown(Argument::Target, other)),
        })
    }
}

/// The input; its scores are left out where they are also the gradient.
///
/// # Safety
/// Every buffer of `input` must hold as many elements as it says, unchanged during `'a`, except
/// the scores if `in_place`.
pub(super) unsafe fn input<'a>(input: &segloss_input, in_place: bool) -> Result<Input<'a>, Error> {
    check_size::<segloss_input>(input.size, Argument::Scores)?;
    let shape = shape(&input.shape)?;
    // SAFETY: the caller's promise about `input`.
    unsafe {
        let target = target(input)?;
        let scores = if in_place { Scores::F32(&[]) } else { scores(&input.scores)? };
        let voxel_weights = voxel_weights(&input.voxel_weights)?;
        let length = shape.elements() as u64;
        let fields = Fields {
            target: field(input.target_field, length)?,
            prediction: field(input.prediction_field, length)?,
        };
        Ok(Input { shape, scores, target, voxel_weights, fields })
    }
}

/// Checks the numbers of a gradient; its buffer is not looked at.
pub(super) fn check_gradient(gradient: &segloss_gradient) -> Result<Span, Error> {
    check_size::<segloss_gradient>(gradient.size, Argument::Gradient)?;
    gradient_mode(gradient.mode)?;
    Ok(Span::gradient(gradient))
}

fn gradient_mode(number: u32) -> Result<GradientMode, Error> {
    match number {
        SEGLOSS_GRADIENT_OVERWRITE => Ok(GradientMode::Overwrite),
        SEGLOSS_GRADIENT_ACCUMULATE => Ok(GradientMode::Accumulate),
        other => Err(unknown(Argument::Gradient, other)),
    }
}

/// # Safety
/// The buffer must hold as many elements as it says, and nothing else may use it during `'a`.
pub(super) unsafe fn gradient<'a>(gradient: &segloss_gradient) -> Result<Gradient<'a>, Error> {
    let mode = gradient_mode(gradient.mode)?;
    // SAFETY: the caller's promise about `gradient`.
    let values = unsafe { scores_mut(&gradient.values)? };
    Ok(Gradient { values, upstream: gradient.upstream, mode })
}

pub(super) fn part(part: &segloss_part) -> Result<Part, Error> {
    let of = |value| index(Argument::Part, value);
    Ok(Part {
        batch: of(part.batch)?,
        first_sample: of(part.first_sample)?,
        first_voxel: of(part.first_voxel)?,
        voxels: if part.voxels == 0 { None } else { Some(of(part.voxels)?) },
    })
}

/// The arrays of a tree: parents, edge weights, leaves of classes.
pub(super) type TreeArrays<'a> = (&'a [i32], Option<&'a [f64]>, &'a [i32]);

/// # Safety
/// The arrays of `tree` must hold as many elements as it says, unchanged during `'a`.
pub(super) unsafe fn tree_arrays<'a>(tree: &segloss_tree) -> Result<TreeArrays<'a>, Error> {
    // SAFETY: the caller's promise about `tree`.
    unsafe {
        let parent = elements(tree.parent.cast(), tree.nodes, Argument::TreeNode)?;
        let leaves = elements(tree.leaf_of_class.cast(), tree.classes, Argument::TreeClass)?;
        let edges = if tree.edge_weights.is_null() {
            None
        } else {
            Some(elements(tree.edge_weights.cast(), tree.nodes, Argument::TreeNode)?)
        };
        Ok((parent, edges, leaves))
    }
}

/// The loss without its tree.
///
/// # Safety
/// `loss.terms` must point to `term_count` terms whose lists hold as many numbers as they say, all
/// unchanged during `'a`.
pub(super) unsafe fn loss<'a>(loss: &segloss_loss) -> Result<Loss<'a>, Error> {
    check_size::<segloss_loss>(loss.size, Argument::Loss)?;
    let activation = match loss.activation {
        SEGLOSS_SOFTMAX => Activation::Softmax,
        SEGLOSS_SIGMOID => Activation::Sigmoid,
        SEGLOSS_NO_ACTIVATION => Activation::None,
        other => return Err(unknown(Argument::Loss, other)),
    };
    if loss.term_count == 0 || loss.term_count > MAX_TERMS as u64 {
        let error = Error::new(Cause::TermCount, Argument::Loss);
        return Err(error.found(loss.term_count as f64));
    }
    // SAFETY: the caller's promise about `loss.terms`.
    let terms: &[segloss_term] =
        unsafe { elements(loss.terms.cast(), loss.term_count, Argument::Term)? };
    tree_bytes(&loss.tree)?;
    let mut decoded = Loss::new(activation).with_level(level(loss.level, Argument::Loss)?);
    for (position, given) in terms.iter().enumerate() {
        let at_term = |error: Error| match error.argument {
            Argument::Term => error.at(position),
            _ => error,
        };
        check_stride(given.size).map_err(at_term)?;
        // SAFETY: the caller's promise about the lists of the terms.
        let term = unsafe { terms::term(given) }.map_err(at_term)?;
        decoded = decoded.with(given.weight, term)?;
    }
    if loss.class_sums != 0 {
        decoded = decoded.with_class_sums();
    }
    if loss.fields_in_scratch != 0 {
        decoded = decoded.with_fields_in_scratch();
    }
    Ok(decoded)
}

pub(super) fn level(number: u32, argument: Argument) -> Result<Level, Error> {
    match number {
        SEGLOSS_LEVEL_BEST => Ok(Level::Best),
        SEGLOSS_LEVEL_PLAIN => Ok(Level::Plain),
        SEGLOSS_LEVEL_SIMD128 => Ok(Level::Simd128),
        SEGLOSS_LEVEL_AVX2 => Ok(Level::Avx2),
        SEGLOSS_LEVEL_AVX512 => Ok(Level::Avx512),
        other => Err(unknown(argument, other)),
    }
}

/// Bytes of scratch that the tree of a loss takes.
pub(super) fn tree_bytes(tree: &segloss_tree) -> Result<usize, Error> {
    if tree.parent.is_null() {
        return Ok(0);
    }
    LabelTree::storage_bytes(
        buffer_length::<f64>(tree.nodes, Argument::TreeNode)?,
        buffer_length::<f64>(tree.classes, Argument::TreeClass)?,
    )
}

/// Builds a tree at the beginning of the scratch; the rest comes back.
///
/// # Safety
/// The arrays of `tree` must hold as many elements as it says.
pub(super) unsafe fn tree<'s>(
    tree: &segloss_tree,
    scratch: &'s mut [MaybeUninit<u8>],
) -> Result<(Option<LabelTree<'s>>, &'s mut [MaybeUninit<u8>]), Error> {
    if tree.parent.is_null() {
        return Ok((None, scratch));
    }
    let bytes = tree_bytes(tree)?;
    let found = scratch.len();
    let (storage, rest) = scratch.split_at_mut_checked(bytes).ok_or(
        Error::new(Cause::ScratchSize, Argument::Scratch)
            .found(found as f64)
            .expected(bytes as f64),
    )?;
    // SAFETY: the caller's promise about `tree`.
    let (parent, edges, leaves) = unsafe { tree_arrays(tree)? };
    Ok((Some(LabelTree::new_in(parent, edges, leaves, storage)?), rest))
}
