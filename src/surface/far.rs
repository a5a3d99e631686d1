//! Nearest places that may be far: rows of seeds are put together by four planes and four rows, again
//! and again, and only where that may hold something nearer than what is known are they looked at.
#![forbid(unsafe_code)]

use super::bits::{BitVolume, RowsAround, WORD};
use super::near::{NearOffsets, REACH};
use crate::error::Error;
use core::array::from_fn;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Squared lengths of 0, 1, 2, ... steps across planes, across rows and along a row.
#[derive(Clone, Copy)]
pub(crate) struct Squares<'s> {
    pub(crate) along: [&'s [f32]; 3],
    /// Factor of those across rows and along a row.
    pub(crate) scale: f32,
}

impl Squares<'_> {
    /// That of an offset: what a distance transform finds.
    #[inline(always)]
    pub(crate) fn of(&self, [z, y, x]: [usize; 3]) -> f32 {
        let [planes, rows, places] = self.along;
        let square = |squares: &[f32], steps| squares.get(steps).copied().unwrap_or(f32::INFINITY);
        (square(places, x) + square(rows, y)) * self.scale + square(planes, z)
    }
}

/// Planes and rows of one level in one of the next.
const STEP: usize = 4;
/// An axis has 2^24 places at most.
const LEVELS: usize = 13;

/// Volumes that tell where seeds are, the coarsest last.
pub(crate) struct Pyramid<'p> {
    levels: [BitVolume<'p>; LEVELS],
    top: usize,
}

impl<'p> Pyramid<'p> {
    const fn coarser([planes, rows, length]: [usize; 3]) -> [usize; 3] {
        [planes.div_ceil(STEP), rows.div_ceil(STEP), length]
    }

    /// Words of all levels but the seeds themselves.
    pub(crate) fn len(mut sizes: [usize; 3]) -> usize {
        let mut words = 0usize;
        while sizes[0] > 1 || sizes[1] > 1 {
            sizes = Self::coarser(sizes);
            words = words.saturating_add(BitVolume::len(sizes));
        }
        words
    }

    /// The finest level.
    pub(crate) const fn seeds(&self) -> BitVolume<'p> {
        let [seeds, ..] = self.levels;
        seeds
    }

    /// `run` gets the sizes of one level after the other, and what is to be done for its rows.
    pub(crate) fn new(
        seeds: BitVolume<'p>,
        mut words: &'p [AtomicU64],
        mut run: impl FnMut([usize; 3], &(dyn Fn(Range<usize>) + Sync)) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let mut pyramid = Self { levels: [seeds; LEVELS], top: 0 };
        let mut finer = seeds;
        for (number, level) in pyramid.levels.iter_mut().enumerate().skip(1) {
            if let [1, 1, _] = finer.sizes() {
                break;
            }
            let sizes = Self::coarser(finer.sizes());
            let (own, rest) = words.split_at_checked(BitVolume::len(sizes)).unwrap_or_default();
            words = rest;
            let coarser = BitVolume::new(own, sizes);
            run(sizes, &|rows| put_together(&finer, &coarser, rows))?;
            (*level, finer) = (coarser, coarser);
            pyramid.top = number;
        }
        Ok(pyramid)
    }
}

/// Puts together some rows of a coarser volume.
fn put_together(finer: &BitVolume<'_>, coarser: &BitVolume<'_>, coarser_rows: Range<usize>) {
    let [_, rows, _] = coarser.sizes();
    for row in coarser_rows {
        let (plane, row) = (row / rows.max(1), row % rows.max(1));
        let from: [_; STEP * STEP] = from_fn(|child| {
            finer.words(finer.row(plane * STEP + child / STEP, row * STEP + child % STEP))
        });
        for (number, to) in coarser.row_to_write(plane, row).iter().enumerate() {
            let set = |row: &&[AtomicU64]| row.get(number).map_or(0, |word| word.load(Relaxed));
            to.store(from.iter().map(set).fold(0, |all, word| all | word), Relaxed);
        }
    }
}

impl Pyramid<'_> {
    /// Whether there may be a seed that is up to 16 planes and rows away from a word, and less than
    /// a word along its row.
    pub(crate) fn any_near(&self, [plane, row]: [usize; 2], word: usize) -> bool {
        let level = self.top.min(2);
        let Some(volume) = self.levels.get(level) else { return false };
        let part = |place: usize| place >> (level as u32 * STEP.ilog2());
        let (plane, row) = (part(plane), part(row));
        // What comes before 0 is outside the volume.
        let around = |place: usize| [place.wrapping_sub(1), place, place + 1];
        let windows = around(plane)
            .into_iter()
            .flat_map(|plane| around(row).map(|row| volume.window(volume.row(plane, row), word)));
        windows.flatten().fold(0, |all, word| all | word) != 0
    }
}

/// The search for the nearest seed of one place after the other.
pub(crate) struct FarSearch<'f> {
    pyramid: &'f Pyramid<'f>,
    squares: Squares<'f>,
    offsets: &'f NearOffsets,
    /// Rows around at pairs of steps, as far as they are known.
    rows: [RowsAround; REACH * REACH],
    known: usize,
    /// What is less far than this is found among the rows around.
    reach: f32,
    place: [usize; 3],
    /// The nearest seed that is known, and how far it is.
    nearest: Option<[usize; 3]>,
    squared: f32,
    /// Words that were looked at.
    pub(crate) spent: u64,
}

impl<'f> FarSearch<'f> {
    pub(crate) fn new(
        pyramid: &'f Pyramid<'f>,
        squares: Squares<'f>,
        offsets: &'f NearOffsets,
    ) -> Self {
        let [planes, rows, places] = pyramid.seeds().sizes();
        let limit = |size: usize, reach: usize, offset: [usize; 3]| {
            if size > reach { squares.of(offset) } else { f32::INFINITY }
        };
        let reach = limit(planes, REACH, [REACH, 0, 0])
            .min(limit(rows, REACH, [0, REACH, 0]))
            .min(limit(places, WORD / 2, [0, 0, WORD / 2]));
        Self {
            pyramid,
            squares,
            offsets,
            rows: [RowsAround::default(); REACH * REACH],
            known: 0,
            reach,
            place: [0; 3],
            nearest: None,
            squared: f32::INFINITY,
            spent: 0,
        }
    }

    /// Squared distance of a place from the nearest seed, infinite if there is none.
    pub(crate) fn squared(&mut self, place: [usize; 3]) -> f32 {
        self.place = place;
        // The seed nearest to the last place is not far from this one.
        self.squared = match self.nearest {
            Some(nearest) => {
                let [[z, y, x], [z0, y0, x0]] = [place, nearest];
                self.squares.of([z.abs_diff(z0), y.abs_diff(y0), x.abs_diff(x0)])
            }
            None => f32::INFINITY,
        };
        if !self.look_around() {
            self.look(self.pyramid.top, [0, 0]);
        }
        self.squared
    }

    /// Looks at the rows around, the nearest ones first; tells whether there can be nothing nearer
    /// elsewhere.
    fn look_around(&mut self) -> bool {
        let seeds = self.pyramid.seeds();
        let [z, y, x] = self.place;
        let row = seeds.row(z, y);
        if !self.pyramid.any_near([z, y], x / WORD) {
            return false;
        }
        // The place is put in the middle of a word.
        let begin = x + WORD / 2;
        let (word, skip) = (begin / WORD, (begin % WORD) as u32);
        for (pair, (&steps, rows)) in self.offsets.pairs().iter().zip(&mut self.rows).enumerate() {
            let [dz, dy] = steps.map(usize::from);
            if self.squares.of([dz, dy, 0]) >= self.squared.min(self.reach) {
                break;
            }
            if pair >= self.known {
                *rows = seeds.rows_around([dz, dy]);
                self.known = pair + 1;
            }
            self.spent += 1;
            let [low, high] = seeds.words_around(row, rows, word);
            let around = low >> skip | high << 1 << (WORD as u32 - 1 - skip);
            let after = (around >> (WORD / 2)).trailing_zeros();
            let before = (around << (WORD / 2 - 1)).leading_zeros();
            let steps = after.min(before) as usize;
            if steps < WORD / 2 {
                let squared = self.squares.of([dz, dy, steps]);
                self.squared = if squared < self.squared { squared } else { self.squared };
            }
        }
        self.squared <= self.reach
    }

    /// Looks at rows of a level that one of the next level holds, if they may hold something nearer.
    fn look(&mut self, level: usize, [plane, row]: [usize; 2]) {
        let [z, y, x] = self.place;
        let Some(&volume) = self.pyramid.levels.get(level) else { return };
        let size = level as u32 * STEP.ilog2();
        // From a place to the nearest one in a part of an axis.
        let steps = |place: usize, part: usize| {
            let (begin, end) = (part << size, (part + 1) << size);
            begin.saturating_sub(place) + (place + 1).saturating_sub(end)
        };
        // The nearer half first.
        let flip = |place: usize, parts: usize| {
            if place >> size >= parts * STEP + STEP / 2 { STEP - 1 } else { 0 }
        };
        let (flip_z, flip_y) = (flip(z, plane), flip(y, row));
        for plane in (0..STEP).map(|part| plane * STEP + (part ^ flip_z)) {
            let dz = steps(z, plane);
            if self.squares.of([dz, 0, 0]) >= self.squared {
                continue;
            }
            for row in (0..STEP).map(|part| row * STEP + (part ^ flip_y)) {
                let (number, dy) = (volume.row(plane, row), steps(y, row));
                if number == 0 || self.squares.of([dz, dy, 0]) >= self.squared {
                    continue;
                }
                let Some(nearest) = self.nearest_in(volume.words(number), [dz, dy]) else {
                    continue;
                };
                let squared = self.squares.of([dz, dy, x.abs_diff(nearest)]);
                if squared >= self.squared {
                    continue;
                }
                match level.checked_sub(1) {
                    Some(finer) => self.look(finer, [plane, row]),
                    None => (self.squared, self.nearest) = (squared, Some([plane, row, nearest])),
                }
            }
        }
    }

    /// The place of a row that is nearest, unless it is too far.
    #[inline(always)]
    fn nearest_in(&mut self, words: &[AtomicU64], [dz, dy]: [usize; 2]) -> Option<usize> {
        let [_, _, x] = self.place;
        let (own, shift) = (x / WORD, (x % WORD) as u32);
        self.spent += 1;
        let word = words.get(own)?.load(Relaxed);
        let after = (word >> shift).trailing_zeros();
        let before = (word << (63 - shift)).leading_zeros();
        let none = WORD as u32;
        let mut found = match (after < none, before < none) {
            (true, _) if after <= before => Some(x + after as usize),
            (_, true) => Some(x - before as usize),
            (true, false) => Some(x + after as usize),
            (false, false) => None,
        };
        for step in 1..words.len() {
            // The words at that step begin that far away.
            let reach = (step * WORD).saturating_sub(WORD - 1);
            let known = found.map_or(usize::MAX, |place| x.abs_diff(place));
            if reach > known || self.squares.of([dz, dy, reach]) >= self.squared {
                break;
            }
            self.spent += 1;
            let after = words.get(own + step).map_or(0, |word| word.load(Relaxed));
            if after != 0 {
                let place = (own + step) * WORD + after.trailing_zeros() as usize;
                if place - x < known {
                    found = Some(place);
                }
            }
            let known = found.map_or(usize::MAX, |place| x.abs_diff(place));
            let before = own.checked_sub(step).and_then(|word| words.get(word));
            let before = before.map_or(0, |word| word.load(Relaxed));
            if before != 0 {
                let place = (own - step) * WORD + (WORD - 1 - before.leading_zeros() as usize);
                if x - place < known {
                    found = Some(place);
                }
            }
        }
        found
    }
}
