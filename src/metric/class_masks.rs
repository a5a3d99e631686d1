//! The masks of a class, read from both maps of a pair.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::surface_scratch::three_axes;
use crate::distance::by_axis;
use crate::surface::{BitVolume, label_bits};
use crate::view::Labels;
use core::sync::atomic::Ordering::Relaxed;

/// Where the masks of a class come from.
pub(super) struct ClassMasks<'s> {
    maps: [Labels<'s>; 2],
    label: i64,
    ignore: Option<i64>,
    first: usize,
    /// From one plane, row and place to the next, and how many of each the box has.
    steps: [usize; 3],
    sizes: [usize; 3],
}

impl<'s> ClassMasks<'s> {
    pub(super) fn new(
        pair: &LabelPair<'s>,
        class: usize,
        [z, y, x]: [usize; 3],
        voxels: [usize; 3],
        extent: &[usize],
    ) -> Self {
        let [_, rows, length] = three_axes(pair.extent);
        let skip = 3 - pair.extent.len().min(3);
        let steps = [rows * length, length, 1];
        Self {
            maps: [pair.prediction, pair.reference],
            label: class as i64,
            ignore: pair.ignore,
            first: (z * rows + y) * length + x,
            steps: by_axis(extent, steps.into_iter().skip(skip), 0),
            sizes: by_axis(extent, voxels.into_iter().skip(skip), 1),
        }
    }

    /// Reads a row of both masks.
    pub(super) fn read(&self, plane: usize, row: usize, masks: &[BitVolume<'_>; 2]) {
        let ([planes, rows, length], [plane_step, row_step, step]) = (self.sizes, self.steps);
        let place = [self.first + plane * plane_step + row * row_step, step.max(1)];
        for (mask, labels) in masks.iter().zip(self.maps) {
            let words = mask.row_to_write(plane, row);
            if plane >= planes || row >= rows {
                words.iter().for_each(|word| word.store(0, Relaxed));
                continue;
            }
            // A place more than there are voxels may have a word of its own.
            if let Some(last) = words.last() {
                last.store(0, Relaxed);
            }
            label_bits(labels, self.label, place, length, |word, bits| {
                if let Some(to) = words.get(word) {
                    to.store(bits, Relaxed);
                }
            });
            if let Some(ignore) = self.ignore {
                let [_, reference] = self.maps;
                label_bits(reference, ignore, place, length, |word, bits| {
                    if let Some(to) = words.get(word) {
                        to.store(to.load(Relaxed) & !bits, Relaxed);
                    }
                });
            }
        }
    }
}
