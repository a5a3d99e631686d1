//! From the elements of one surface to the nearest ones of another.
#![forbid(unsafe_code)]

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

/// Words that a task looks at before it notes that, for all tasks to see: at every row they would
/// wait for each other.
const NOTED_WORDS: u64 = 4096;

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
            let left = self.left.row_to_write(plane, row);
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
        offsets: &NearOffsets,
        pyramid: &Pyramid<'_>,
        squares: Squares<'_>,
        spent: &AtomicU64,
        budget: u64,
        mut write: impl FnMut(f32, u8),
    ) {
        let mut search = FarSearch::new(pyramid, squares, offsets);
        let mut too_much = spent.load(Relaxed) > budget;
        for row in rows {
            if too_much {
                break;
            }
            self.each_left(row..row + 1, |place, code| write(search.squared(place), code));
            if search.spent >= NOTED_WORDS {
                let own = core::mem::take(&mut search.spent);
                too_much = spent.fetch_add(own, Relaxed) + own > budget;
            }
        }
        spent.fetch_add(search.spent, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    extern crate std;

    use super::*;
    use crate::distance::{Grid, Product, Side, transform_volume};
    use crate::executor::Sequential;
    use crate::scratch::{Carver, uninitialised};
    use crate::simd::Level;
    use crate::spacing::Spacing;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::vec;
    use std::vec::Vec;

    fn words(count: usize) -> Vec<AtomicU64> {
        (0..count).map(|_| AtomicU64::new(u64::MAX)).collect()
    }

    /// A volume with some places set.
    fn fill<'b>(volume: BitVolume<'b>, set: &[[usize; 3]]) -> BitVolume<'b> {
        let [planes, rows, _] = volume.sizes();
        for (plane, row) in (0..planes).flat_map(|z| (0..rows).map(move |y| (z, y))) {
            volume.row_to_write(plane, row).iter().for_each(|word| word.store(0, Relaxed));
        }
        for &[z, y, x] in set {
            volume.words(volume.row(z, y))[x / WORD].fetch_or(1 << (x % WORD), Relaxed);
        }
        volume
    }

    /// How many wanted places have which squared distance, by search.
    fn searched(grid: &Grid, wanted: &[[usize; 3]], seeds: &[[usize; 3]]) -> BTreeMap<u32, usize> {
        let sizes = grid.sizes();
        let memory = [(); 3].map(|()| words(BitVolume::len(sizes)));
        let [first, second, left] = memory.each_ref().map(|words| BitVolume::new(words, sizes));
        let (wanted, seeds) = (fill(first, wanted), fill(second, seeds));
        let mut squares = [(); 3].map(|()| vec![0.0; sizes.iter().max().unwrap() + 33]);
        let [planes, rows, places] = &mut squares;
        grid.fill_squares([planes, rows, places]);
        let scale = grid.plane_scale();
        let squares = Squares { along: squares.each_ref().map(|squares| &squares[..]), scale };
        let levels = words(Pyramid::len(sizes));
        let run = |[planes, rows, _]: [usize; 3], work: &(dyn Fn(Range<usize>) + Sync)| {
            work(0..planes * rows);
            Ok(())
        };
        let pyramid = Pyramid::new(seeds, &levels, run).unwrap();
        let offsets = NearOffsets::new(&squares, sizes);
        let elements = Elements::Voxels { flat: false };
        let weights = &[1.0; 256];
        let direction = Direction { wanted, mask: wanted, seeds, left, elements, weights };
        let mut near = [0.0; OFFSETS];
        let rows = 0..sizes[0] * sizes[1];
        let mut far = direction.near(rows.clone(), &offsets, &pyramid, &mut near);
        let mut found = BTreeMap::new();
        for (squared, weight) in offsets.squared().iter().zip(near).filter(|(_, w)| *w > 0.0) {
            *found.entry(squared.to_bits()).or_default() += weight as usize;
        }
        let spent = AtomicU64::new(0);
        direction.far(rows, &offsets, &pyramid, squares, &spent, u64::MAX, |squared, code| {
            assert_eq!(code, 1);
            *found.entry(squared.to_bits()).or_default() += 1;
            far -= 1;
        });
        assert_eq!(far, 0);
        found
    }

    /// The same by a transform.
    fn transformed(
        grid: &Grid,
        wanted: &[[usize; 3]],
        seeds: &[[usize; 3]],
    ) -> BTreeMap<u32, usize> {
        let [_, rows, length] = grid.sizes();
        let index = |&[z, y, x]: &[usize; 3]| (z * rows + y) * length + x;
        let memory = words(BitVolume::len(grid.sizes()));
        let mask = fill(BitVolume::new(&memory, grid.sizes()), seeds);
        let mut field = vec![0.0; grid.voxels()];
        let mut scratch = vec![0; grid.requirement(1).bytes().unwrap()];
        let scratch = &mut Carver::new(uninitialised(&mut scratch), grid.requirement(1)).unwrap();
        let product =
            Product { side: Side::Outside, squared: true, level: Level::Best, wanted: None };
        let field_ref = &mut field[..];
        transform_volume(grid, product, &mask, field_ref, None, scratch, 1, &Sequential).unwrap();
        let mut found = BTreeMap::new();
        for place in wanted {
            *found.entry(field[index(place)].to_bits()).or_default() += 1;
        }
        found
    }

    fn extents() -> impl Strategy<Value = Vec<usize>> {
        let long = prop::collection::vec(1usize..9, 0..3)
            .prop_flat_map(|others| (Just(others), 1usize..300, 0usize..3));
        let long = long.prop_map(|(mut extent, long, place)| {
            extent.insert(place.min(extent.len()), long);
            extent
        });
        prop_oneof![prop::collection::vec(1usize..40, 1..4), long]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn a_search_finds_what_a_transform_finds(
            extent in extents(),
            spacing in prop_oneof![
                Just([1.0; 3]), Just([3.0, 0.8, 0.8]), prop::array::uniform3(0.05f64..20.0)
            ],
            counts in (1usize..200, prop_oneof![1usize..4, 1usize..2000]),
            cut in 0usize..4,
            seed in any::<u64>(),
        ) {
            let spacing = Spacing::millimetres(&spacing[..extent.len()]).unwrap();
            let grid = Grid::new(&extent, &spacing);
            let mut state = seed | 1;
            let mut random = |below: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as usize % below
            };
            // Sometimes everything lies in one corner.
            let mut place = |cut: usize| grid.sizes().map(|size| random((size >> cut).max(1)));
            let mut places = |count: usize, cut: usize| {
                let mut places: Vec<_> = (0..count).map(|_| place(cut)).collect();
                places.sort_unstable();
                places.dedup();
                places
            };
            let (wanted, seeds) = (places(counts.0, 0), places(counts.1, cut));
            prop_assert_eq!(
                searched(&grid, &wanted, &seeds),
                transformed(&grid, &wanted, &seeds)
            );
        }
    }
}
