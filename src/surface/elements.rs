//! From a mask to the elements of its surface, 64 places at a time. Outside a mask is background.
#![forbid(unsafe_code)]

use super::bits::{BitVolume, places};
use core::sync::atomic::Ordering::Relaxed;

/// What a surface is made of, with what is needed to weigh it.
#[derive(Clone, Copy)]
pub(crate) enum Elements {
    /// Foreground voxels with a face neighbour in the background, along axes of more than one voxel
    /// (planes, rows); all of them, if there is an axis of one voxel.
    Voxels {
        /// Whether every voxel is at an end of an axis.
        flat: bool,
    },
    /// Neighbourhoods of 2x2x2 or 2x2 voxels that hold both phases. There is one more along each
    /// axis than there are voxels; the last plane, row and place of a mask hold nothing.
    Surfels,
}

/// The rows of a mask that meet in the neighbourhoods of a row, in the order of the
/// [code](super::area): four, or in the plane the last two.
#[derive(Clone, Copy)]
struct Corner {
    rows: [usize; 4],
    in_plane: bool,
}

impl Corner {
    fn new(mask: &BitVolume<'_>, plane: usize, row: usize) -> Self {
        let in_plane = mask.sizes()[1] == 1;
        // What comes before 0 is outside the volume.
        let (above, before) = (plane.wrapping_sub(1), row.wrapping_sub(1));
        let rows = if in_plane {
            [0, 0, mask.row(above, row), mask.row(plane, row)]
        } else {
            [
                mask.row(above, before),
                mask.row(above, row),
                mask.row(plane, before),
                mask.row(plane, row),
            ]
        };
        Self { rows, in_plane }
    }

    fn word(&self, mask: &BitVolume<'_>, word: usize) -> CornerWord {
        let pairs = self.rows.map(|row| {
            let [before, own, _] = mask.window(row, word);
            [own << 1 | before >> 63, own]
        });
        CornerWord { pairs }
    }
}

/// The voxels around 64 neighbourhoods, by corner.
struct CornerWord {
    pairs: [[u64; 2]; 4],
}

impl CornerWord {
    /// The neighbourhoods that hold both phases.
    fn mixed(&self, in_plane: bool) -> u64 {
        let skip = if in_plane { 2 } else { 0 };
        let (any, all) = self
            .pairs
            .iter()
            .skip(skip)
            .fold((0, u64::MAX), |(any, all), [a, b]| (any | a | b, all & a & b));
        any & !all
    }

    fn code(&self, place: u32) -> u8 {
        let bit = |bits: u64| (bits >> place & 1) as u8;
        self.pairs.iter().fold(0, |code, &[a, b]| code << 2 | bit(a) << 1 | bit(b))
    }
}

/// The codes of 64 places of a mask.
pub(crate) struct Codes(Option<CornerWord>);

impl Codes {
    pub(crate) fn of(&self, place: u32) -> u8 {
        self.0.as_ref().map_or(1, |corners| corners.code(place))
    }

    /// Weight of some of the places.
    pub(crate) fn weight(&self, bits: u64, weights: &[f64; 256]) -> f64 {
        match &self.0 {
            None => f64::from(bits.count_ones()),
            Some(corners) => places(bits).fold(0.0, |sum, place| {
                sum + weights.get(usize::from(corners.code(place))).copied().unwrap_or_default()
            }),
        }
    }
}

/// A row of the elements of a mask.
#[derive(Clone, Copy)]
pub(crate) struct ElementRow<'m> {
    mask: BitVolume<'m>,
    corner: Option<Corner>,
}

impl<'m> ElementRow<'m> {
    pub(crate) fn new(elements: Elements, mask: BitVolume<'m>, plane: usize, row: usize) -> Self {
        let corner = match elements {
            Elements::Voxels { .. } => None,
            Elements::Surfels => Some(Corner::new(&mask, plane, row)),
        };
        Self { mask, corner }
    }

    pub(crate) fn codes(&self, word: usize) -> Codes {
        Codes(self.corner.map(|corner| corner.word(&self.mask, word)))
    }
}

impl Elements {
    /// Writes the elements of a mask in a row.
    pub(crate) fn find(self, mask: &BitVolume<'_>, plane: usize, row: usize, to: &BitVolume<'_>) {
        let words = to.row_to_write(plane, row);
        match self {
            Self::Voxels { flat } => {
                let own = mask.row(plane, row);
                let [planes, rows, length] = mask.sizes();
                // An axis that is not there has no background at its ends.
                let neighbours = [
                    mask.row(plane.wrapping_sub(1), row),
                    mask.row(plane + 1, row),
                    mask.row(plane, row.wrapping_sub(1)),
                    mask.row(plane, row + 1),
                ];
                let there = [planes > 1, planes > 1, rows > 1, rows > 1];
                for (word, to) in words.iter().enumerate() {
                    let [before, here, after] = mask.window(own, word);
                    if here == 0 {
                        to.store(0, Relaxed);
                        continue;
                    }
                    let mut inner = if flat { 0 } else { here };
                    if length > 1 {
                        inner &= (here << 1 | before >> 63) & (here >> 1 | after << 63);
                    }
                    for (&row, there) in neighbours.iter().zip(there) {
                        let [_, neighbour, _] = mask.window(row, word);
                        inner &= if there { neighbour } else { here };
                    }
                    to.store(here & !inner, Relaxed);
                }
            }
            Self::Surfels => {
                let corner = Corner::new(mask, plane, row);
                for (word, to) in words.iter().enumerate() {
                    to.store(corner.word(mask, word).mixed(corner.in_plane), Relaxed);
                }
            }
        }
    }
}
