//! Labels of a tile, and the weights of its voxels, which they may change.
#![forbid(unsafe_code)]

use super::check::LARGEST;
use super::stage::{load_row, part};
use super::tile::Tile;
use crate::element::{LANES, Lanes, Real};
use crate::error::{Argument, Cause, Error};
use crate::rows::BLOCK;
use crate::simd::{Ahead, Kernel, Level, Simd};
use crate::view::{Label, VoxelWeights};

/// The weights of voxels without any.
#[inline(always)]
fn ones<R: Real>(voxels: usize, to: &mut [Lanes<R>]) {
    let to = to.as_flattened_mut();
    let (counted, padding) = to.split_at_mut(voxels.min(to.len()));
    counted.fill(R::ONE);
    padding.fill(R::ZERO);
}

/// Every voxel counts, so that none of them need be looked at. Weights of 1 may stand there from the
/// tile before.
pub(super) fn count_all<R: Real>(tile: &mut Tile<'_, R>) {
    tile.counted = tile.voxels;
    tile.all_weigh_one = tile.voxels == tile.lanes * LANES;
    if tile.ones != tile.voxels {
        tile.ones = tile.voxels;
        ones(tile.voxels, tile.weight);
    }
}

/// Weights of voxels that have some.
pub(super) fn voxel_weights<R: Real>(
    weights: &VoxelWeights<'_>,
    begin: usize,
    voxels: usize,
    to: &mut [Lanes<R>],
) -> Result<(), Error> {
    match weights {
        VoxelWeights::Ones => {}
        VoxelWeights::U8(values) => load_row(part(values, begin, voxels), to),
        VoxelWeights::F32(values) => {
            let values = part(values, begin, voxels);
            load_row(values, to);
            let bad = values.iter().position(|w| !(0.0..=LARGEST).contains(&f64::from(*w)));
            if let Some(voxel) = bad {
                let error = Error::new(Cause::VoxelWeight, Argument::VoxelWeights);
                let value = values.get(voxel).copied().unwrap_or_default();
                return Err(error.at(begin + voxel).found(f64::from(value)));
            }
        }
    }
    Ok(())
}

/// Turns labels into classes or nodes.
///
/// Voxels with the ignore label get weight 0, and what does not count index 0. Returns whether a
/// label of a voxel that counts is not below `count`.
struct LabelKernel<'k, L, R> {
    values: &'k [L],
    count: u32,
    ignored: Option<L>,
    /// Whether there are no weights: all are 1 then, and stand there already if nothing is ignored.
    unweighted: bool,
    weights: &'k mut [Lanes<R>],
    labels: &'k mut [u32],
    /// The same as numbers.
    numbers: &'k mut [Lanes<R>],
}

impl<L: Label, R: Real> Kernel<R> for LabelKernel<'_, L, R> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, _: S) -> bool {
        let Self { values, count, ignored, unweighted, weights, labels, numbers } = self;
        let numbers = numbers.as_flattened_mut();
        // No branch in the loops: a label that is refused is looked for when one is known to be there.
        let mut bad = false;
        if unweighted && ignored.is_none() {
            bad = !L::all_below(values, count);
            for ((label, number), &value) in labels.iter_mut().zip(numbers.iter_mut()).zip(values) {
                *label = value.known_index();
                *number = R::from_f32(label.cast_signed() as f32);
            }
        } else {
            if unweighted {
                ones(values.len(), weights);
            }
            let (ignores, ignored) = (ignored.is_some(), ignored.unwrap_or_default());
            let weights = weights.as_flattened_mut();
            for (((label, number), &value), weight) in
                labels.iter_mut().zip(numbers.iter_mut()).zip(values).zip(weights)
            {
                let index = value.index();
                let counts = (*weight != R::ZERO) & !(ignores & (value == ignored));
                let known = index < count;
                *weight = if counts { *weight } else { R::ZERO };
                *label = if known & counts { index } else { 0 };
                *number = R::from_f32(label.cast_signed() as f32);
                bad |= counts & !known;
            }
        }
        for (label, number) in labels.iter_mut().zip(numbers).skip(values.len()) {
            (*label, *number) = (0, R::ZERO);
        }
        bad
    }
}

/// Labels of a tile, as classes (with their numbers) or nodes.
pub(super) fn load_labels<L: Label, R: Real>(
    level: Level,
    values: &[L],
    begin: usize,
    (count, classes): (usize, bool),
    (ignore, unweighted): (Option<i64>, bool),
    tile: &mut Tile<'_, R>,
) -> Result<(), Error> {
    // An ignore label beyond the type ignores nothing.
    let ignored = ignore.and_then(|ignore| L::try_from(ignore).ok());
    if unweighted && ignored.is_none() {
        count_all(tile);
    }
    let next = values.as_ptr().wrapping_add(begin + tile.voxels);
    tile.ahead.labels = Ahead::new(next, BLOCK * LANES);
    let values = part(values, begin, tile.voxels);
    // Classes and nodes are fewer than 2^31.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let kernel = LabelKernel {
        values,
        count,
        ignored,
        unweighted,
        weights: tile.weight,
        labels: tile.labels,
        numbers: if classes { &mut *tile.label_lanes } else { &mut *tile.node_lanes },
    };
    if R::dispatch(level, kernel) {
        return Err(first_bad_label(values, begin, count, tile.weight));
    }
    Ok(())
}

/// The first label that counts and is not below `count`.
#[cold]
fn first_bad_label<L: Label, R: Real>(
    values: &[L],
    begin: usize,
    count: u32,
    weight: &[Lanes<R>],
) -> Error {
    let error = Error::new(Cause::Label, Argument::Target).expected(f64::from(count) - 1.0);
    for (voxel, (&value, &weight)) in values.iter().zip(weight.as_flattened()).enumerate() {
        if weight != R::ZERO && value.index() >= count {
            let wide: i64 = value.into();
            return error.at(begin + voxel).found(wide as f64);
        }
    }
    error
}
