//! Nearest places that are near: the seeds of a volume are moved by one offset after the other, in
//! the order of the offsets' lengths, and meet 32 wanted places at once.
#![forbid(unsafe_code)]

use super::bits::{BitVolume, RowsAround, WORD, first_bits};
use super::far::{Pyramid, Squares};

/// Offsets that are tried, of one octant: they reach six voxels far if all axes have one spacing.
pub(crate) const OFFSETS: usize = 256;
/// After so many of them it is asked whether anything is near at all.
const FIRST: usize = 24;
/// Pairs of steps across planes and rows among them, at most.
const PAIRS: usize = 64;
/// Steps along each axis are fewer.
pub(crate) const REACH: usize = 16;
/// Places that are looked at together, with [`REACH`] places on either side in one word.
const PART: usize = WORD - 2 * REACH;

/// The shortest offsets of an octant in a volume with some spacing.
pub(crate) struct NearOffsets {
    /// By length.
    squared: [f32; OFFSETS],
    steps: [Steps; OFFSETS],
    count: usize,
    /// Steps across planes and rows, by length.
    pairs: [[u8; 2]; REACH * REACH],
    pair_count: usize,
}

/// An offset: the number of its pair of steps across planes and rows, and steps along the row.
#[derive(Clone, Copy, Default)]
struct Steps {
    pair: u8,
    along: u8,
}

impl NearOffsets {
    pub(crate) fn new(squares: &Squares<'_>, sizes: [usize; 3]) -> Self {
        let mut offsets = Self {
            squared: [0.0; OFFSETS],
            steps: [Steps::default(); OFFSETS],
            count: 0,
            pairs: [[0; 2]; REACH * REACH],
            pair_count: 0,
        };
        // How far along an axis, if it is there.
        let reach = sizes.map(|size| if size > 1 { REACH } else { 1 });
        offsets.find_pairs(squares, reach);
        offsets.find_offsets(squares, reach);
        offsets
    }

    fn find_pairs(&mut self, squares: &Squares<'_>, [planes, rows, _]: [usize; 3]) {
        // The next pair with so many steps across planes.
        let mut next = [0; REACH];
        for to in self.pairs.iter_mut().take(planes * rows) {
            let lines = next.iter_mut().enumerate().take(planes).filter(|(_, y)| **y < rows);
            let length = |line: &(usize, &mut usize)| squares.of([line.0, *line.1, 0]);
            let nearest = lines.reduce(|a, b| if length(&b) < length(&a) { b } else { a });
            let Some((z, y)) = nearest else { return };
            *to = [z as u8, *y as u8];
            *y += 1;
            self.pair_count += 1;
        }
    }

    fn find_offsets(&mut self, squares: &Squares<'_>, [planes, rows, places]: [usize; 3]) {
        // No offset may be longer than one that is left out.
        let out = |steps: usize, offset: [usize; 3]| {
            if steps == 1 { f32::INFINITY } else { squares.of(offset) }
        };
        let limit = out(planes, [REACH, 0, 0]).min(out(rows, [0, REACH, 0]));
        let mut limit = limit.min(out(places, [0, 0, REACH]));
        let pairs = self.pairs.get(..self.pair_count).unwrap_or_default();
        if let Some(&[z, y]) = pairs.get(PAIRS) {
            limit = limit.min(squares.of([usize::from(z), usize::from(y), 0]));
        }
        // The next steps along the row of every pair.
        let mut next = [0; PAIRS];
        for (to, steps) in self.squared.iter_mut().zip(&mut self.steps) {
            let mut best = (limit, None);
            for (pair, (&[z, y], next)) in pairs.iter().zip(&mut next).enumerate() {
                let x = *next;
                let squared = squares.of([usize::from(z), usize::from(y), x]);
                if x < places && squared < best.0 {
                    best = (squared, Some((pair, next)));
                }
                // The pairs behind one that is not in use have longer offsets.
                if x == 0 {
                    break;
                }
            }
            let (squared, Some((pair, next))) = best else { return };
            (*to, *steps) = (squared, Steps { pair: pair as u8, along: *next as u8 });
            *next += 1;
            self.count += 1;
        }
    }

    /// Steps across planes and rows, fewer than [`REACH`], by length.
    pub(crate) fn pairs(&self) -> &[[u8; 2]] {
        self.pairs.get(..self.pair_count).unwrap_or_default()
    }

    /// Squared lengths, in increasing order.
    pub(crate) fn squared(&self) -> &[f32] {
        self.squared.get(..self.count).unwrap_or_default()
    }
}

/// The search for seeds near the places of a row.
pub(crate) struct NearSearch<'n> {
    offsets: &'n NearOffsets,
    seeds: BitVolume<'n>,
    pyramid: &'n Pyramid<'n>,
    plane: usize,
    row: usize,
    number: usize,
    /// Rows at each pair of steps.
    rows: [RowsAround; PAIRS],
    /// What is set in any of them around some places.
    windows: [u64; PAIRS],
}

impl<'n> NearSearch<'n> {
    pub(crate) fn new(offsets: &'n NearOffsets, pyramid: &'n Pyramid<'n>) -> Self {
        let seeds = pyramid.seeds();
        let mut rows = [RowsAround::default(); PAIRS];
        for (to, steps) in rows.iter_mut().zip(&offsets.pairs) {
            *to = seeds.rows_around(steps.map(usize::from));
        }
        Self { offsets, seeds, pyramid, plane: 0, row: 0, number: 0, rows, windows: [0; PAIRS] }
    }

    /// Goes on to another row.
    pub(crate) fn start(&mut self, plane: usize, row: usize) {
        (self.plane, self.row, self.number) = (plane, row, self.seeds.row(plane, row));
    }

    /// Tells `hit` the number of the offset of wanted places of a word; returns what is left.
    #[inline(always)]
    pub(crate) fn word(
        &mut self,
        word: usize,
        wanted: u64,
        mut hit: impl FnMut(usize, u64),
    ) -> u64 {
        let mut left = 0;
        for part in 0..WORD / PART {
            let wanted = wanted >> (part * PART) & first_bits(PART);
            if wanted != 0 {
                let back = |places: u64| places >> REACH << (part * PART);
                let hit = |number, places| hit(number, back(places));
                left |= back(self.part(word, part, wanted << REACH, hit));
            }
        }
        left
    }

    /// The same for a part of a word, at whose places seeds are looked at.
    #[inline(always)]
    fn part(
        &mut self,
        word: usize,
        part: usize,
        mut left: u64,
        mut hit: impl FnMut(usize, u64),
    ) -> u64 {
        let steps = self.offsets.steps.get(..self.offsets.count).unwrap_or_default();
        for (number, &Steps { pair, along }) in steps.iter().enumerate() {
            if number == FIRST && !self.pyramid.any_near([self.plane, self.row], word) {
                break;
            }
            if along == 0 {
                self.look(usize::from(pair), word, part);
            }
            let window = self.windows.get(usize::from(pair)).copied().unwrap_or_default();
            let found = left & (window << along | window >> along);
            if found != 0 {
                hit(number, found);
                left &= !found;
                if left == 0 {
                    break;
                }
            }
        }
        left
    }

    /// Reads what is around a part of a word in the rows at a pair of steps.
    #[inline(always)]
    fn look(&mut self, pair: usize, word: usize, part: usize) {
        let (Some(rows), Some(window)) = (self.rows.get(pair), self.windows.get_mut(pair)) else {
            return;
        };
        // The first part begins in the word before.
        let [low, high] = self.seeds.words_around(self.number, rows, word + part);
        let skip = if part == 0 { WORD - REACH } else { PART - REACH };
        *window = low >> skip | high << (WORD - skip);
    }
}
