//! Where every class lies in the two maps of a pair, and how many voxels it has.
#![forbid(unsafe_code)]

use super::labels::PairReader;
use super::row_tasks::run_rows;
use crate::disjoint::Workers;
use crate::error::Error;
use crate::executor::Executor;
use crate::scratch::{Carver, Requirement};
use core::ops::Range;

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

/// Checks the labels of some rows and adds their voxels.
fn add_rows(
    reader: &PairReader<'_>,
    sizes: [usize; 3],
    rows: Range<usize>,
    boxes: &mut [ClassBox],
) -> Result<(), Error> {
    reader.each_run(sizes, rows, |place, voxels, [p, r]| {
        let mut add = |class: u32, map| {
            if let Some(class) = boxes.get_mut(class as usize) {
                add_run(class, place, voxels as u64, map);
            }
        };
        if p == r {
            add(p, Map::Both);
        } else {
            add(p, Map::Prediction);
            add(r, Map::Reference);
        }
    })
}

/// Adds what other rows hold of a class.
fn add_box(class: &mut ClassBox, other: &ClassBox) {
    let is_empty = |class: &ClassBox| matches!(counts(class), [0, 0, _]);
    if is_empty(other) {
        return;
    }
    if is_empty(class) {
        *class = *other;
        return;
    }
    for (number, (to, &other)) in class.iter_mut().zip(other).enumerate() {
        *to = match number {
            0..3 => other.min(*to),
            3..6 => other.max(*to),
            _ => *to + other,
        };
    }
}

/// Voxels for every box that a worker may have: boxes are then cleared and put together in far less
/// time than the voxels are read, and take less scratch than surfaces do.
const VOXELS_PER_BOX: usize = 16;

/// Checks all labels and finds the boxes of all classes, which have no voxels yet.
pub(super) fn class_boxes(
    reader: &PairReader<'_>,
    sizes: [usize; 3],
    boxes: &mut [ClassBox],
    scratch: &mut [u8],
    workers: usize,
    executor: &dyn Executor,
) -> Result<(), Error> {
    let [planes, rows, length] = sizes;
    let most = planes * rows * length / VOXELS_PER_BOX / boxes.len().max(1);
    let workers = workers.min(most);
    if workers < 2 {
        return add_rows(reader, sizes, 0..planes * rows, boxes);
    }
    let classes = boxes.len();
    let own = Requirement::of::<ClassBox>(classes);
    let scratch = &mut Carver::resume(scratch);
    let memory = scratch.take_bytes(own.times(workers))?;
    memory.fill(0);
    let mut each = Workers::new(memory, workers, own.size());
    run_rows(sizes, scratch, executor, &|_, rows| {
        each.with(|own| add_rows(reader, sizes, rows, own.take(classes)?))
    })?;
    each.each(workers, |own| {
        let others = own.take::<ClassBox>(classes).unwrap_or_default();
        boxes.iter_mut().zip(others).for_each(|(to, other)| add_box(to, other));
    });
    Ok(())
}
