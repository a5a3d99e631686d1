//! Where every class lies in the two maps of a pair, and how many voxels it has.

use super::labels::{BLOCK, Classes, NO_CLASS, PairReader};
use crate::error::Error;

/// The smallest box that holds a class in both maps, and its voxels.
///
/// An array, so that it can lie in scratch: the three first coordinates, the three last ones, then
/// voxels of the prediction, of the reference, and of both. All zero before the first voxel.
pub(super) type ClassBox = [u64; 9];

/// The counts of a class.
pub(super) const fn counts(class: &ClassBox) -> [u64; 3] {
    let [_, _, _, _, _, _, prediction, reference, common] = *class;
    [prediction, reference, common]
}

/// First coordinates and sizes.
pub(super) fn place(class: &ClassBox) -> ([usize; 3], [usize; 3]) {
    let [z0, y0, x0, z1, y1, x1, ..] = class.map(|value| value as usize);
    ([z0, y0, x0], [z1 + 1 - z0, y1 + 1 - y0, x1 + 1 - x0])
}

/// Adds a run of voxels of one class in one row of one map.
fn add_run(class: &mut ClassBox, [z, y, x]: [u64; 3], voxels: u64, map: Map) {
    let [z0, y0, x0, z1, y1, x1, prediction, reference, common] = class;
    let first = *prediction + *reference == 0;
    let end = x + voxels - 1;
    if first {
        (*z0, *y0, *x0, *z1, *y1, *x1) = (z, y, x, z, y, end);
    } else {
        *z0 = z.min(*z0);
        *y0 = y.min(*y0);
        *x0 = x.min(*x0);
        *z1 = z.max(*z1);
        *y1 = y.max(*y1);
        *x1 = end.max(*x1);
    }
    match map {
        Map::Prediction => *prediction += voxels,
        Map::Reference => *reference += voxels,
        Map::Both => {
            *prediction += voxels;
            *reference += voxels;
            *common += voxels;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Map {
    Prediction,
    Reference,
    Both,
}

/// Voxels from `begin` on whose classes in both maps are those of the first one.
fn run_length(prediction: &Classes, reference: &Classes, begin: usize, end: usize) -> usize {
    let prediction = prediction.get(begin..end).unwrap_or_default();
    let reference = reference.get(begin..end).unwrap_or_default();
    let (Some(&p), Some(&r)) = (prediction.first(), reference.first()) else {
        return 1;
    };
    let (groups, _) = prediction.as_chunks::<16>();
    let (reference_groups, _) = reference.as_chunks::<16>();
    let alike = |(own, other): (&[u32; 16], &[u32; 16])| {
        own.iter().zip(other).fold(0, |d, (a, b)| d | (a ^ p) | (b ^ r)) == 0
    };
    let whole = groups.iter().zip(reference_groups).take_while(|&pair| alike(pair)).count() * 16;
    let rest = prediction.iter().zip(reference).skip(whole);
    whole + rest.take_while(|&(&a, &b)| a == p && b == r).count()
}

/// Checks all labels and finds the boxes of all classes.
pub(super) fn class_boxes(
    reader: &PairReader<'_>,
    [rows, length]: [usize; 2],
    boxes: &mut [ClassBox],
) -> Result<(), Error> {
    reader.each_block(|begin, block| {
        reader.check_block(begin, block)?;
        let end = reader.voxels().saturating_sub(begin).min(BLOCK);
        let mut at = 0;
        while at < end {
            let voxel = begin + at;
            let x = voxel % length.max(1);
            let row = voxel / length.max(1);
            let place = [row / rows.max(1), row % rows.max(1), x].map(|c| c as u64);
            let row_end = end.min(at + length - x);
            let run = run_length(&block.prediction, &block.reference, at, row_end);
            let class = |classes: &Classes| classes.get(at).copied().unwrap_or(NO_CLASS);
            let (p, r) = (class(&block.prediction), class(&block.reference));
            let mut add = |class: u32, map| {
                if let Some(class) = boxes.get_mut(class as usize) {
                    add_run(class, place, run as u64, map);
                }
            };
            if p == r {
                add(p, Map::Both);
            } else {
                add(p, Map::Prediction);
                add(r, Map::Reference);
            }
            at += run;
        }
        Ok(())
    })
}
