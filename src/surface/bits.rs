//! Volumes of one bit per place, which tasks write row by row and then all read.

use crate::distance::MaskRows;
use crate::view::{Label, Labels, match_labels};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Places of a word.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Rows of words, the first place in the least significant bit. Before and after every row is a word
/// of zeros, and row 0 holds nothing, so that what lies outside the volume can be read like the rest.
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
        let rows = planes.saturating_mul(rows).saturating_add(1);
        rows.saturating_mul(length.div_ceil(WORD) + 1).saturating_add(1)
    }

    /// A volume whose rows hold anything yet.
    pub(crate) fn new(words: &'b [AtomicU64], sizes: [usize; 3]) -> Self {
        let [planes, rows, length] = sizes;
        let words = words.get(..Self::len(sizes)).unwrap_or_default();
        let volume = Self { words, planes, rows, length };
        for word in words
            .iter()
            .step_by(volume.stride())
            .chain(words.get(..volume.stride()).unwrap_or_default())
        {
            word.store(0, Relaxed);
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
        if plane < self.planes && row < self.rows { plane * self.rows + row + 1 } else { 0 }
    }

    /// Finds the rows that are some steps across planes and rows away, on either side.
    pub(crate) fn rows_around(
        &self,
        [z, y]: [usize; 2],
        [dz, dy]: [usize; 2],
        to: &mut RowsAround,
    ) {
        let before =
            |place: usize, steps| if steps == 0 { usize::MAX } else { place.wrapping_sub(steps) };
        let mut begins = to.begins.iter_mut();
        to.count = 0;
        for plane in [z + dz, before(z, dz)] {
            for row in [y + dy, before(y, dy)] {
                let row = self.row(plane, row);
                if row > 0
                    && let Some(begin) = begins.next()
                {
                    *begin = row * self.stride();
                    to.count += 1;
                }
            }
        }
    }

    /// What is set in a word of any of some rows, and in those before and after it.
    #[inline(always)]
    pub(crate) fn window_of(&self, rows: &RowsAround, word: usize) -> [u64; 3] {
        let [mut before, mut own, mut after] = [0; 3];
        for &begin in rows.begins.iter().take(rows.count) {
            let begin = begin + word;
            if let Some([a, b, c]) = self.words.get(begin..begin + 3) {
                before |= a.load(Relaxed);
                own |= b.load(Relaxed);
                after |= c.load(Relaxed);
            }
        }
        [before, own, after]
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
    /// Index of the word before each.
    begins: [usize; 4],
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
        let words = self.words(row + 1);
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
    let each = u64::from(bits) * 0x0101_0101_0101_0101 & 0x8040_2010_0804_0201;
    ((each + 0x7f7f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101).to_le_bytes()
}
