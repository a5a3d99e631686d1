//! Distance transforms and the fields of a target.

use super::decode;
use super::executor::with_executor;
use super::losses::optional;
use super::overlap::{Span, check_call};
use super::status::report;
use super::types::*;
use crate::distance::{DistanceTransform, FieldMut, FieldType, Mask, Side};
use crate::error::{Argument, Cause, Error};
use crate::loss::{target_fields_in, target_fields_scratch_bytes};
use crate::simd::Level;
use half::f16;

fn field_type(number: u32) -> Result<FieldType, Error> {
    match number {
        SEGLOSS_F32 => Ok(FieldType::F32),
        SEGLOSS_F16 => Ok(FieldType::F16),
        other => Err(decode::unknown(Argument::Field, other)),
    }
}

fn transform(distance: &segloss_distance) -> Result<DistanceTransform, Error> {
    decode::check_size::<segloss_distance>(distance.size, Argument::Field)?;
    let axes = distance.axes as usize;
    let mut extent = [0; 3];
    for (to, &from) in extent.iter_mut().zip(&distance.extent) {
        *to = decode::index(Argument::Shape, from)?;
    }
    let Some((extent, spacing)) = extent.get(..axes).zip(distance.spacing.get(..axes)) else {
        let error = Error::new(Cause::Shape, Argument::Shape).at(2);
        return Err(error.found(f64::from(distance.axes)).expected(3.0));
    };
    let spacing = crate::Spacing::millimetres(spacing)?;
    let side = match distance.side {
        SEGLOSS_SIDE_INSIDE => Side::Inside,
        SEGLOSS_SIDE_OUTSIDE => Side::Outside,
        SEGLOSS_SIDE_SIGNED => Side::Signed,
        SEGLOSS_SIDE_TWO_PHASE => Side::TwoPhase,
        other => return Err(decode::unknown(Argument::Field, other)),
    };
    let level = decode::level(distance.level, Argument::Field)?;
    let transform = DistanceTransform::new(extent, spacing)?.with_side(side).with_level(level);
    Ok(if distance.squared != 0 { transform.squared() } else { transform })
}

/// # Safety
/// The values of `mask` must hold as many elements as they say, unchanged during `'a`.
unsafe fn mask<'a>(mask: &segloss_mask) -> Result<Mask<'a>, Error> {
    let values = &mask.values;
    let bytes = || {
        if values.r#type != SEGLOSS_U8 {
            return Err(decode::unknown(Argument::Mask, values.r#type));
        }
        // SAFETY: the caller's promise.
        unsafe { decode::elements::<u8>(values.data, values.length, Argument::Mask) }
    };
    Ok(match mask.kind {
        SEGLOSS_MASK_BYTES => Mask::Bytes(bytes()?),
        SEGLOSS_MASK_BITS => Mask::Bits(bytes()?),
        SEGLOSS_MASK_LABEL => {
            // SAFETY: the caller's promise.
            Mask::Label(unsafe { decode::labels(values, Argument::Mask)? }, mask.label)
        }
        other => return Err(decode::unknown(Argument::Mask, other)),
    })
}

/// Bytes of scratch for `segloss_distance_transform` with that many workers, any alignment.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_distance_scratch_size(
    distance: *const segloss_distance,
    workers: u64,
    bytes: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let distance = decode::reference(distance, Argument::Field)?;
            let bytes = decode::output(bytes, Argument::Result)?;
            let workers = usize::try_from(workers).unwrap_or(usize::MAX);
            let transform = transform(distance)?;
            let kind = field_type(distance.field_type)?;
            bytes.write(transform.scratch_bytes(kind, workers)? as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

/// Exact Euclidean distances of a mask, in the order of the mask.
///
/// `field` holds one number per voxel, of the type that `distance` names; it is written on success
/// only. In half precision distances beyond 65504 become infinite. The result is the same bits for
/// every executor.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `executor` and `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_distance_transform(
    distance: *const segloss_distance,
    mask_values: *const segloss_mask,
    field: segloss_array_mut,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let evaluate = || {
            let distance = decode::reference(distance, Argument::Field)?;
            let given = decode::reference(mask_values, Argument::Mask)?;
            let executor = optional(executor, Argument::Executor)?;
            let transform = transform(distance)?;
            let kind = field_type(distance.field_type)?;
            if field.r#type != distance.field_type {
                return Err(decode::unknown(Argument::Field, field.r#type));
            }
            let (data, length) = (field.data, field.length);
            let written = [Span::array(Argument::Field, data, length, field.r#type)];
            let values = &given.values;
            let reads = [
                Span::array(Argument::Mask, values.data, values.length, values.r#type),
                Span::one(Argument::Mask, given),
                Span::one(Argument::Field, distance),
            ];
            check_call(&scratch, &written, &reads, executor)?;
            let mask = mask(given)?;
            let field = match kind {
                FieldType::F32 => {
                    FieldMut::F32(decode::elements_mut(data, length, Argument::Field)?)
                }
                FieldType::F16 => {
                    FieldMut::F16(decode::elements_mut::<f16>(data, length, Argument::Field)?)
                }
            };
            let scratch = decode::scratch(&scratch)?;
            with_executor(executor, |executor| {
                transform.evaluate_in(mask, field, scratch, executor)
            })
        };
        report(evaluate(), detail)
    }
}

/// Bytes of scratch for `segloss_target_fields` with that many workers, any alignment.
///
/// # Safety
/// Pointers must be null or point to what their types say, `spacing` to 3 doubles; null is refused
/// except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_target_fields_scratch_size(
    input: *const segloss_input,
    spacing: *const f64,
    workers: u64,
    bytes: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let input = decode::reference(input, Argument::Target)?;
            decode::check_size::<segloss_input>(input.size, Argument::Target)?;
            let spacing = decode::reference(spacing.cast::<[f64; 3]>(), Argument::Spacing)?;
            let bytes = decode::output(bytes, Argument::Result)?;
            let shape = decode::shape(&input.shape)?;
            let workers = usize::try_from(workers).unwrap_or(usize::MAX);
            let spacing = decode::spacing(spacing)?;
            bytes.write(target_fields_scratch_bytes(&shape, &spacing, workers)? as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

/// Signed squared distances to every class of a target, batch x class x voxel: what
/// `segloss_input.target_field` wants, computed once as long as the labels do not change.
///
/// Of `input`, shape, target and ignore label are read. `spacing` are 3 doubles, 0 for axes that the
/// volume does not have.
///
/// # Safety
/// As `segloss_distance_transform`; `fields` must have room for `length` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_target_fields(
    input: *const segloss_input,
    spacing: *const f64,
    fields: *mut f32,
    length: u64,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let evaluate = || {
            let input = decode::reference(input, Argument::Target)?;
            decode::check_size::<segloss_input>(input.size, Argument::Target)?;
            let given = decode::reference(spacing.cast::<[f64; 3]>(), Argument::Spacing)?;
            let executor = optional(executor, Argument::Executor)?;
            let spacing = decode::spacing(given)?;
            let shape = decode::shape(&input.shape)?;
            let written = [Span::list(Argument::Field, fields, length)];
            let target = &input.target;
            let reads = [
                Span::array(Argument::Target, target.data, target.length, target.r#type),
                Span::one(Argument::Target, input),
                Span::one(Argument::Spacing, given),
            ];
            check_call(&scratch, &written, &reads, executor)?;
            let target = decode::target(input)?;
            let fields = decode::elements_mut(fields.cast(), length, Argument::Field)?;
            let scratch = decode::scratch(&scratch)?;
            with_executor(executor, |executor| {
                target_fields_in(Level::Best, &shape, &target, &spacing, fields, scratch, executor)
            })
        };
        report(evaluate(), detail)
    }
}
