//! From the elements of one surface to the nearest ones of another.

use super::bits::{BitVolume, WORD, places};
use super::elements::{ElementRow, Elements};
use super::far::{FarSearch, Pyramid, Squares};
use super::near::{NearOffsets, NearSearch, OFFSETS};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One surface seen from another.
#[derive(Clone, Copy)]
pub(crate) struct Direction<'d> {
    /// The surface from which distances are wanted, and the mask that it is of.
    pub wanted: BitVolume<'d>,
    pub mask: BitVolume<'d>,
    /// The surface to which they lead.
    pub seeds: BitVolume<'d>,
    /// Where elements are noted that are not near.
    pub left: BitVolume<'d>,
    pub elements: Elements,
    /// Weight of every code.
    pub weights: &'d [f64; 256],
}

/// Weights of elements by the offset that leads to the other surface.
pub(crate) type NearWeights = [f64; OFFSETS];

impl<'d> Direction<'d> {
    /// Weight of all elements.
    pub(crate) fn size(&self) -> f64 {
        let [planes, rows, _] = self.wanted.sizes();
        let mut size = 0.0;
        for (plane, row, elements) in self.rows(0..planes * rows) {
            for (number, word) in self.wanted.words(self.wanted.row(plane, row)).iter().enumerate()
            {
                size += elements.codes(number).weight(word.load(Relaxed), self.weights);
            }
        }
        size
    }

    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, usize, ElementRow<'d>)> {
        let Self { elements, mask, wanted, .. } = *self;
        let [_, each, _] = wanted.sizes();
        rows.map(move |row| {
            let (plane, row) = (row / each.max(1), row % each.max(1));
            (plane, row, ElementRow::new(elements, mask, plane, row))
        })
    }

    /// Finds what is near some rows; notes the other elements and returns how many there are.
    pub(crate) fn near(
        &self,
        rows: Range<usize>,
        offsets: &NearOffsets,
        pyramid: &Pyramid<'_>,
        weights: &mut NearWeights,
    ) -> usize {
        let mut search = NearSearch::new(offsets, pyramid);
        let mut count = 0;
        for (plane, row, elements) in self.rows(rows) {
            let wanted = self.wanted.words(self.wanted.row(plane, row));
            let left = self.left.words(self.left.row(plane, row));
            search.start(plane, row);
            for (number, (wanted, left)) in wanted.iter().zip(left).enumerate() {
                let wanted = wanted.load(Relaxed);
                if wanted == 0 {
                    left.store(0, Relaxed);
                    continue;
                }
                let codes = elements.codes(number);
                let rest = search.word(number, wanted, |offset, found| {
                    if let Some(weight) = weights.get_mut(offset) {
                        *weight += codes.weight(found, self.weights);
                    }
                });
                left.store(rest, Relaxed);
                count += rest.count_ones() as usize;
            }
        }
        count
    }

    /// Calls `write` with place and code of all elements in some rows that are not near, in the order of their places.
    pub(crate) fn each_left(&self, rows: Range<usize>, mut write: impl FnMut([usize; 3], u8)) {
        for (plane, row, elements) in self.rows(rows) {
            for (number, word) in self.left.words(self.left.row(plane, row)).iter().enumerate() {
                let word = word.load(Relaxed);
                if word != 0 {
                    let codes = elements.codes(number);
                    for place in places(word) {
                        write([plane, row, number * WORD + place as usize], codes.of(place));
                    }
                }
            }
        }
    }

    /// Calls `write` with squared distance and code of all elements in some rows that are not near, in the order of
    /// their places; gives up when too much has been `spent` in all.
    pub(crate) fn far(
        &self,
        rows: impl Iterator<Item = usize>,
        pyramid: &Pyramid<'_>,
        squares: Squares<'_>,
        spent: &AtomicU64,
        budget: u64,
        mut write: impl FnMut(f32, u8),
    ) {
        let mut search = FarSearch::new(pyramid, squares);
        for row in rows {
            if spent.load(Relaxed) > budget {
                return;
            }
            self.each_left(row..row + 1, |place, code| write(search.squared(place), code));
            spent.fetch_add(core::mem::take(&mut search.spent), Relaxed);
        }
    }
}
