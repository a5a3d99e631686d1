//! Volumes of one bit per place, which tasks write row by row and then all read.
#![forbid(unsafe_code)]

use crate::distance::MaskRows;
use crate::view::{Label, Labels, match_labels};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Places of a word.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Steps across rows that lead from any row to another of the same plane, or to none, are fewer.
const ROW_REACH: usize = 16;

/// Rows of words, the first place in the least significant bit. Before and after every row is a word
/// of zeros, behind the rows of every plane are some of zeros, and row 0 holds nothing, so that what
/// lies outside the volume can be read like the rest.
#[derive(Clone, Copy)]
pub(crate) struct BitVolume<'b> {
    words: &'b [AtomicU64],
    planes: usize,
    rows: usize,
    /// Places of a row.
    length: usize,
}

impl<'b> BitVolume<'b> {
    /// Words of a volume.
    pub(crate) const fn len([planes, rows, length]: [usize; 3]) -> usize {
        let rows = planes.saturating_mul(Self::plane_rows(rows)).saturating_add(1);
        rows.saturating_mul(length.div_ceil(WORD) + 1).saturating_add(1)
    }

    /// From one plane to the next: empty rows for as many steps as there can be.
    const fn plane_rows(rows: usize) -> usize {
        rows.saturating_add(if rows < ROW_REACH { rows } else { ROW_REACH }).saturating_sub(1)
    }

    /// A volume whose rows hold anything until [`BitVolume::row_to_write`] has been asked for all.
    pub(crate) fn new(words: &'b [AtomicU64], sizes: [usize; 3]) -> Self {
        let [planes, rows, length] = sizes;
        let words = words.get(..Self::len(sizes)).unwrap_or_default();
        let volume = Self { words, planes, rows, length };
        let clear = |word: &AtomicU64| word.store(0, Relaxed);
        let stride = volume.stride();
        words.iter().take(stride).for_each(clear);
        words.last().into_iter().for_each(clear);
        let each = Self::plane_rows(rows) * stride;
        for plane in words.get(stride..).unwrap_or_default().chunks(each.max(1)) {
            plane.iter().skip(rows * stride).for_each(clear);
        }
        volume
    }

    /// From one row to the next.
    const fn stride(&self) -> usize {
        self.row_words() + 1
    }

    /// Words of a row.
    pub(crate) const fn row_words(&self) -> usize {
        self.length.div_ceil(WORD)
    }

    pub(crate) const fn sizes(&self) -> [usize; 3] {
        [self.planes, self.rows, self.length]
    }

    /// A row, by plane and number in it; the empty one outside the volume.
    #[inline(always)]
    pub(crate) const fn row(&self, plane: usize, row: usize) -> usize {
        if plane < self.planes && row < self.rows {
            plane * Self::plane_rows(self.rows) + row + 1
        } else {
            0
        }
    }

    /// How to get to the rows that are some steps across planes and rows away, on either side.
    pub(crate) fn rows_around(&self, [dz, dy]: [usize; 2]) -> RowsAround {
        let mut around = RowsAround::default();
        if dz >= self.planes || dy >= self.rows.min(ROW_REACH) {
            return around;
        }
        let stride = self.stride();
        let (dz, dy) = (dz * Self::plane_rows(self.rows) * stride, dy * stride);
        let sides =
            |step: usize| [step, step.wrapping_neg()].into_iter().take(1 + usize::from(step > 0));
        let shifts = sides(dz).flat_map(|dz| sides(dy).map(move |dy| dz.wrapping_add(dy)));
        for (to, shift) in around.shifts.iter_mut().zip(shifts) {
            *to = shift;
            around.count += 1;
        }
        around
    }

    /// What is set in any of the rows around a row, in the word before a word and in that.
    #[inline(always)]
    pub(crate) fn words_around(&self, row: usize, around: &RowsAround, word: usize) -> [u64; 2] {
        let [mut before, mut own] = [0; 2];
        let begin = row * self.stride() + word;
        for &shift in around.shifts.iter().take(around.count) {
            let begin = begin.wrapping_add(shift);
            if let Some([a, b]) = self.words.get(begin..begin.wrapping_add(2)) {
                before |= a.load(Relaxed);
                own |= b.load(Relaxed);
            }
        }
        [before, own]
    }

    /// A word with those before and after it.
    #[inline(always)]
    pub(crate) fn window(&self, row: usize, word: usize) -> [u64; 3] {
        let begin = row * self.stride() + word;
        match self.words.get(begin..begin + 3) {
            Some([before, own, after]) => [before, own, after].map(|word| word.load(Relaxed)),
            _ => [0; 3],
        }
    }

    /// The words of a row, all of which are to be written; the one before them is cleared.
    #[inline(always)]
    pub(crate) fn row_to_write(&self, plane: usize, row: usize) -> &'b [AtomicU64] {
        let row = self.row(plane, row);
        if let Some(before) = self.words.get(row * self.stride()) {
            before.store(0, Relaxed);
        }
        self.words(row)
    }

    /// The words of a row.
    #[inline(always)]
    pub(crate) fn words(&self, row: usize) -> &'b [AtomicU64] {
        let begin = row * self.stride() + 1;
        self.words.get(begin..begin + self.row_words()).unwrap_or_default()
    }
}

/// The rows on either side of a row.
#[derive(Clone, Copy, Default)]
pub(crate) struct RowsAround {
    /// Words from one to the other, less than 0 in two's complement.
    shifts: [usize; 4],
    count: usize,
}

/// Writes which of `count` labels, `step` apart, are a label.
pub(crate) fn label_bits(
    labels: Labels<'_>,
    label: i64,
    [first, step]: [usize; 2],
    count: usize,
    mut write: impl FnMut(usize, u64),
) {
    match_labels!(labels, values => {
        let values = values.get(first..).unwrap_or_default();
        equal_bits(values, label, step, count, &mut write);
    });
}

fn equal_bits<L: Label>(
    values: &[L],
    label: i64,
    step: usize,
    count: usize,
    write: &mut impl FnMut(usize, u64),
) {
    // A label that the type cannot hold is nowhere.
    let Ok(label) = L::try_from(label) else {
        (0..count.div_ceil(WORD)).for_each(|word| write(word, 0));
        return;
    };
    for word in 0..count.div_ceil(WORD) {
        let begin = word * WORD;
        let end = count.min(begin + WORD);
        let mut equal = [0; WORD];
        if step == 1 {
            let values = values.get(begin..).unwrap_or_default();
            match values.first_chunk::<WORD>() {
                // As many as the compiler knows of.
                Some(values) => compare(values, label, &mut equal),
                None => compare(values, label, &mut equal),
            }
        } else {
            for (place, to) in (begin..end).zip(&mut equal) {
                *to = u8::from(values.get(place * step) == Some(&label));
            }
        }
        write(word, pack(&equal) & first_bits(end - begin));
    }
}

#[inline(always)]
fn compare<L: Label>(values: &[L], label: L, equal: &mut [u8; WORD]) {
    for (to, value) in equal.iter_mut().zip(values) {
        *to = u8::from(*value == label);
    }
}

/// The first 1 to 64 places.
pub(crate) const fn first_bits(count: usize) -> u64 {
    u64::MAX >> (WORD - count)
}

/// Zeros and ones as bits.
pub(crate) fn pack(bytes: &[u8; WORD]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    // Every product moves byte i to bit 56 + i, and nothing else to those bits.
    let pack =
        |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |bits, eight| bits << 8 | pack(eight))
}

/// The places of the bits that are set.
#[inline(always)]
pub(crate) fn places(mut bits: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        let found = bits != 0;
        bits &= bits.wrapping_sub(1);
        found.then_some(place)
    })
}

/// The volume as a mask of as many voxels.
impl MaskRows for BitVolume<'_> {
    fn read(&self, first: usize, phases: &mut [u8]) {
        let row = first / self.length.max(1);
        let words = self.words(self.row(row / self.rows.max(1), row % self.rows.max(1)));
        for (phases, word) in phases.chunks_mut(WORD).zip(words) {
            let bytes = word.load(Relaxed).to_le_bytes();
            let (eights, rest) = phases.as_chunks_mut::<8>();
            let last = bytes.get(eights.len()).copied().unwrap_or_default();
            for (to, byte) in eights.iter_mut().zip(bytes) {
                *to = unpack(byte);
            }
            for (to, phase) in rest.iter_mut().zip(unpack(last)) {
                *to = phase;
            }
        }
    }
}

/// Eight bits as zeros and ones.
fn unpack(bits: u8) -> [u8; 8] {
    // Every byte keeps one bit, which is carried to the top.
    let each = (u64::from(bits) * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    ((each + 0x7f7f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101).to_le_bytes()
}
