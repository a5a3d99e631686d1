//! Per-class sums of a tile: overlap, prediction and reference, and their squares.
#![forbid(unsafe_code)]

use super::plan::{OVERLAP, PREDICTION, Plan, REFERENCE, TargetKind};
use super::sums::{BlockSums, probabilities, product_sum};
use super::tile::Tile;
use super::{Activation, region};
use crate::element::{LANES, Lanes, Real};
use crate::rows::{BLOCK, CopyRow, FEW, Indices, block_sum, blocks, gather, rows};
use crate::simd::{Simd, Vector};

/// Adds what region terms need of a tile.
#[inline(always)]
pub(crate) fn region_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let softmax = plan.loss.activation == Activation::Softmax;
    // What an entry of a class row weighs.
    if softmax {
        let voxels = tile.weight.iter().zip(&*tile.inverse);
        for (factor, (weight, inverse)) in tile.spare.iter_mut().zip(voxels) {
            (simd.load(weight) * simd.load(inverse)).store(factor);
        }
    } else {
        tile.spare.copy_from_slice_checked(tile.weight);
    }
    let class_rows = probabilities(plan, tile);
    let few = plan.target == TargetKind::Labels && tile.classes <= FEW;
    for (class, row) in rows(class_rows, tile.lanes).enumerate() {
        if few {
            few_label_sums(simd, row, class, tile, block);
        } else {
            block.add_class(PREDICTION, class, product_sum(simd, row, tile.spare));
        }
        if let Some(squared) = plan.squared {
            let mut sums = [simd.zero(); BLOCK];
            for (p, w) in blocks(row).iter().zip(blocks(tile.weight)) {
                for (sum, (p, w)) in sums.iter_mut().zip(p.iter().zip(w)) {
                    let p = simd.load(p);
                    *sum = *sum + p * p * simd.load(w);
                }
            }
            block.add_class(squared, class, block_sum(sums));
        }
    }
    if plan.target.dense() {
        region::dense_sums(simd, plan, class_rows, tile, block);
    } else if plan.target == TargetKind::Labels && !few {
        if !softmax {
            let rows = match plan.loss.activation {
                Activation::Sigmoid => &*tile.sigmoid,
                _ => &*tile.scores,
            };
            gather(simd, rows, tile.labels, tile.label_lanes, tile.spare_too);
        }
        let own = if softmax { &*tile.own_probability } else { &*tile.spare_too };
        label_sums(simd, own, tile, block);
    }
}

/// All sums of a class of a label map, for few classes.
#[inline(always)]
fn few_label_sums<S: Simd>(
    simd: S,
    row: &[Lanes<S::Real>],
    class: usize,
    tile: &Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let zero = simd.zero();
    let own = simd.splat(S::Real::from_f32(class as f32));
    let mut prediction = [zero; BLOCK];
    let (mut overlap, mut reference) = (prediction, prediction);
    let voxels = blocks(tile.spare).iter().zip(blocks(tile.weight)).zip(blocks(tile.label_lanes));
    for (row, ((factor, weight), label)) in blocks(row).iter().zip(voxels) {
        let sums = prediction.iter_mut().zip(overlap.iter_mut().zip(&mut reference));
        let voxels = row.iter().zip(factor).zip(weight.iter().zip(label));
        for ((prediction, (overlap, reference)), ((value, factor), (weight, label))) in
            sums.zip(voxels)
        {
            let part = simd.load(value) * simd.load(factor);
            let is_own = simd.load(label).equal(own);
            *prediction = *prediction + part;
            *overlap = *overlap + Vector::select(is_own, part, zero);
            *reference = *reference + Vector::select(is_own, simd.load(weight), zero);
        }
    }
    block.add_class(PREDICTION, class, block_sum(prediction));
    block.add_class(OVERLAP, class, block_sum(overlap));
    block.add_class(REFERENCE, class, block_sum(reference));
}

/// Overlap and reference of a label map: each voxel adds to its own class. Most groups are of one
/// class, the one of the group before.
#[inline(always)]
fn label_sums<S: Simd>(
    simd: S,
    own_probability: &[Lanes<S::Real>],
    tile: &Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let zero = simd.zero();
    let (mut overlap, mut reference, mut class) = (zero, zero, 0);
    let groups = own_probability.iter().zip(&*tile.weight).zip(&*tile.label_lanes);
    for (((p, w), numbers), labels) in groups.zip(tile.labels.as_chunks::<LANES>().0) {
        let w = simd.load(w);
        let part = simd.load(p) * w;
        for (label, same) in Indices::new(simd, labels, numbers) {
            if label != class {
                block.add_class(OVERLAP, class, overlap.sum());
                block.add_class(REFERENCE, class, reference.sum());
                (overlap, reference, class) = (zero, zero, label);
            }
            overlap = overlap + Vector::select(same, part, zero);
            reference = reference + Vector::select(same, w, zero);
        }
    }
    block.add_class(OVERLAP, class, overlap.sum());
    block.add_class(REFERENCE, class, reference.sum());
}
