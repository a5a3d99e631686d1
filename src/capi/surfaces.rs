//! Surface metrics of label maps.

use super::decode;
use super::defaults::{NO_DOUBLES, write_defaults};
use super::executor::with_executor;
use super::losses::optional;
use super::metric_types::segloss_label_pair;
use super::metrics::with_pair;
use super::overlap::{Span, check_call};
use super::status::report;
use super::surface_types::*;
use super::terms::doubles;
use super::types::*;
use crate::error::{Argument, Error};
use crate::metric::{
    OutputParts, PercentileConvention, SurfaceMetrics, SurfaceModel, SurfaceResult,
    ToleranceShares, Undefined,
};
use core::mem::{align_of, offset_of, size_of};
use core::ptr::null_mut;

// Shares are written where the caller's structs lie.
const _: () = {
    assert!(size_of::<ToleranceShares>() == size_of::<segloss_tolerance_shares>());
    assert!(align_of::<ToleranceShares>() == align_of::<segloss_tolerance_shares>());
    macro_rules! same_place {
        ($($field:ident),+) => {
            $(assert!(
                offset_of!(ToleranceShares, $field) == offset_of!(segloss_tolerance_shares, $field)
            );)+
        };
    }
    same_place!(surface_dice, prediction_overlap, reference_overlap);
};

/// Boundary voxels, the percentile convention of the model, no percentile, no tolerance.
/// `options_size` is `sizeof *options`.
///
/// # Safety
/// If not null, `options` must point to memory for options.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_surface_options_init(
    options: *mut segloss_surface_options,
    options_size: usize,
) -> segloss_status {
    let undefined = Undefined::default();
    let defaults = segloss_surface_options {
        size: size_of::<segloss_surface_options>() as u64,
        model: SEGLOSS_SURFACE_VOXEL,
        convention: SEGLOSS_PERCENTILE_AUTOMATIC,
        percentiles: NO_DOUBLES,
        tolerances: NO_DOUBLES,
        include_background: 0,
        level: SEGLOSS_LEVEL_BEST,
        distance_one_empty: undefined.distance_one_empty,
        share_one_empty: undefined.share_one_empty,
        distance_both_empty: undefined.distance_both_empty,
        share_both_empty: undefined.share_both_empty,
    };
    // SAFETY: the caller's promise; a null detail is not written.
    unsafe { report(write_defaults(options, options_size, defaults, Argument::Term), null_mut()) }
}

/// # Safety
/// The lists of `options` must hold as many numbers as they say, unchanged during `'a`.
unsafe fn metrics<'a>(options: &segloss_surface_options) -> Result<SurfaceMetrics<'a>, Error> {
    decode::check_size::<segloss_surface_options>(options.size, Argument::Term)?;
    // SAFETY: the caller's promise.
    let (percentiles, tolerances) = unsafe {
        (
            doubles(&options.percentiles, Argument::Percentiles)?,
            doubles(&options.tolerances, Argument::Tolerances)?,
        )
    };
    Ok(SurfaceMetrics {
        model: match options.model {
            SEGLOSS_SURFACE_VOXEL => SurfaceModel::Voxel,
            SEGLOSS_SURFACE_SURFEL => SurfaceModel::Surfel,
            other => return Err(decode::unknown(Argument::Term, other)),
        },
        convention: match options.convention {
            SEGLOSS_PERCENTILE_AUTOMATIC => PercentileConvention::Automatic,
            SEGLOSS_PERCENTILE_MAXIMUM_OF_DIRECTED => PercentileConvention::MaximumOfDirected,
            SEGLOSS_PERCENTILE_POOLED => PercentileConvention::Pooled,
            SEGLOSS_PERCENTILE_AREA_WEIGHTED => PercentileConvention::AreaWeighted,
            other => return Err(decode::unknown(Argument::Percentiles, other)),
        },
        percentiles: percentiles.unwrap_or_default(),
        tolerances: tolerances.unwrap_or_default(),
        include_background: options.include_background != 0,
        undefined: Undefined {
            distance_one_empty: options.distance_one_empty,
            share_one_empty: options.share_one_empty,
            distance_both_empty: options.distance_both_empty,
            share_both_empty: options.share_both_empty,
        },
        level: decode::level(options.level, Argument::Term)?,
    })
}

/// Bytes of scratch for `segloss_surface_metrics` with that many workers, any alignment. Of `pair`
/// only the sizes are read.
///
/// # Safety
/// Pointers must be null or point to what their types say; null is refused except for `detail`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_surface_scratch_size(
    options: *const segloss_surface_options,
    pair: *const segloss_label_pair,
    workers: u64,
    bytes: *mut u64,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let size = || {
            let metrics = metrics(decode::reference(options, Argument::Term)?)?;
            let pair = decode::reference(pair, Argument::Prediction)?;
            decode::check_size::<segloss_label_pair>(pair.size, Argument::Prediction)?;
            let bytes = decode::output(bytes, Argument::Result)?;
            let (extent, axes) = decode::extent(&pair.extent, pair.axes)?;
            let extent = extent.get(..axes).unwrap_or_default();
            let classes = decode::index(Argument::Shape, pair.classes)?;
            let workers = usize::try_from(workers).unwrap_or(usize::MAX);
            bytes.write(metrics.scratch_bytes(extent, classes, workers)? as u64);
            Ok(())
        };
        report(size(), detail)
    }
}

fn encode(result: &SurfaceResult) -> segloss_surface_result {
    segloss_surface_result {
        state: result.state as u32,
        reserved: 0,
        prediction_voxels: result.prediction_voxels,
        reference_voxels: result.reference_voxels,
        common_voxels: result.common_voxels,
        prediction_surface: result.prediction_surface,
        reference_surface: result.reference_surface,
        hausdorff: result.hausdorff,
        directed_maximum: result.directed_maximum,
        directed_mean: result.directed_mean,
        assd: result.assd,
        masd: result.masd,
    }
}

/// Surface metrics of every class of a pair of label maps, each in its own box, all of them from one
/// pair of distance transforms.
///
/// `results` has one element per class; `percentiles` is class x percentile, `shares` class x
/// tolerance (`NULL` with length 0 where none is asked for). All are written on success only. The
/// result is the same bits for every executor.
///
/// # Safety
/// Pointers must be null or point to what their types and lengths say; null is refused except for
/// `executor`, `detail`, and lists of length 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segloss_surface_metrics(
    options: *const segloss_surface_options,
    pair: *const segloss_label_pair,
    results: *mut segloss_surface_result,
    results_length: u64,
    percentiles: *mut f64,
    percentiles_length: u64,
    shares: *mut segloss_tolerance_shares,
    shares_length: u64,
    scratch: segloss_scratch,
    executor: *const segloss_executor,
    detail: *mut segloss_detail,
) -> segloss_status {
    // SAFETY: the caller's promise.
    unsafe {
        let evaluate = || {
            let options = decode::reference(options, Argument::Term)?;
            let executor = optional(executor, Argument::Executor)?;
            let metrics = metrics(options)?;
            let written = [
                Span::list(Argument::Result, results, results_length),
                Span::list(Argument::Percentiles, percentiles, percentiles_length),
                Span::list(Argument::Tolerances, shares, shares_length),
            ];
            let scratch_span = Span::scratch(&scratch);
            let (of_percentiles, of_tolerances) = (&options.percentiles, &options.tolerances);
            let reads = [
                Span::list(Argument::Percentiles, of_percentiles.data, of_percentiles.length),
                Span::list(Argument::Tolerances, of_tolerances.data, of_tolerances.length),
                Span::one(Argument::Term, options),
            ];
            check_call(&scratch, &written, &reads, executor)?;
            let argument = Argument::Result;
            decode::check_pointer(
                results.cast_const().cast(),
                align_of::<segloss_surface_result>(),
                argument,
            )?;
            let classes = decode::index(argument, results_length)?;
            with_pair(pair, true, &scratch_span, &written, |pair| {
                let parts = OutputParts {
                    classes,
                    percentiles: list(percentiles, percentiles_length, Argument::Percentiles)?,
                    shares: list(
                        shares.cast::<ToleranceShares>(),
                        shares_length,
                        Argument::Tolerances,
                    )?,
                };
                let scratch = decode::scratch(&scratch)?;
                let mut place = 0;
                let write = &mut |result: SurfaceResult| {
                    // One call per result, of which there is room for `classes`.
                    results.add(place).write(encode(&result));
                    place += 1;
                };
                with_executor(executor, |executor| {
                    metrics.evaluate_in(pair, parts, write, scratch, executor)
                })
            })
        };
        report(evaluate(), detail)
    }
}

/// A list that is written; null with length 0 is empty.
///
/// # Safety
/// As [`decode::elements_mut`].
unsafe fn list<'a, T>(data: *mut T, length: u64, argument: Argument) -> Result<&'a mut [T], Error> {
    if data.is_null() && length == 0 {
        return Ok(&mut []);
    }
    // SAFETY: the caller's promise.
    unsafe { decode::elements_mut(data.cast(), length, argument) }
}
