//! Random masks, and masks as buffers of the library.

use super::random::Random;
use crate::reference::distance::Grid;
use segloss::{Labels, Mask};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    Noise,
    Sparse,
    Empty,
    Full,
    SingleVoxel,
    SingleHole,
    /// A slab that begins at a border.
    Slab,
    /// A few balls.
    Blobs,
    Checkerboard,
}

pub const PATTERNS: [Pattern; 9] = [
    Pattern::Noise,
    Pattern::Sparse,
    Pattern::Empty,
    Pattern::Full,
    Pattern::SingleVoxel,
    Pattern::SingleHole,
    Pattern::Slab,
    Pattern::Blobs,
    Pattern::Checkerboard,
];

pub fn mask(pattern: Pattern, grid: &Grid, random: &mut Random) -> Vec<bool> {
    let voxels = grid.voxels();
    let single = random.below(voxels);
    match pattern {
        Pattern::Noise => {
            let share = random.pick(&[0.1, 0.5, 0.9]);
            (0..voxels).map(|_| random.chance(share)).collect()
        }
        Pattern::Sparse => (0..voxels).map(|_| random.chance(0.004)).collect(),
        Pattern::Empty => vec![false; voxels],
        Pattern::Full => vec![true; voxels],
        Pattern::SingleVoxel => (0..voxels).map(|voxel| voxel == single).collect(),
        Pattern::SingleHole => (0..voxels).map(|voxel| voxel != single).collect(),
        Pattern::Slab => {
            let axis = random.below(grid.extent.len());
            let end = 1 + random.below(grid.extent[axis]);
            (0..voxels).map(|voxel| grid.place(voxel)[axis] < end).collect()
        }
        Pattern::Blobs => blobs(grid, 3, random),
        Pattern::Checkerboard => {
            (0..voxels).map(|voxel| grid.place(voxel).iter().sum::<usize>() % 2 == 0).collect()
        }
    }
}

/// Balls of up to a third of the shortest edge that is longer than 2, or single voxels.
pub fn blobs(grid: &Grid, count: usize, random: &mut Random) -> Vec<bool> {
    let shortest = grid.extent.iter().copied().filter(|&size| size > 2).min().unwrap_or(1);
    let balls: Vec<(Vec<f64>, f64)> = (0..count)
        .map(|_| {
            let centre = grid.extent.iter().map(|&size| random.below(size) as f64).collect();
            (centre, random.uniform(0.0, shortest as f64 / 3.0))
        })
        .collect();
    let unit = Grid::unit(&grid.extent);
    (0..grid.voxels())
        .map(|voxel| {
            let place: Vec<f64> = grid.place(voxel).iter().map(|&i| i as f64).collect();
            balls.iter().any(|(centre, r)| unit.squared_distance(&place, centre) <= r * r)
        })
        .collect()
}

/// How a mask is handed to the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Bytes,
    Bits,
    U8,
    U16,
    I16,
    I32,
    I64,
}

pub const FORMS: [Form; 7] =
    [Form::Bytes, Form::Bits, Form::U8, Form::U16, Form::I16, Form::I32, Form::I64];

/// A mask as a buffer of the library. What is not the mask is random: nonzero bytes, other labels,
/// bits past the end.
pub enum MaskBuffer {
    Bytes(Vec<u8>),
    Bits(Vec<u8>),
    U8(Vec<u8>, i64),
    U16(Vec<u16>, i64),
    I16(Vec<i16>, i64),
    I32(Vec<i32>, i64),
    I64(Vec<i64>, i64),
}

impl MaskBuffer {
    pub fn new(form: Form, mask: &[bool], random: &mut Random) -> Self {
        let mut labels = |low: i64, high: i64| -> (Vec<i64>, i64) {
            let label = random.pick(&[low, low + 1, 7, high]);
            let others = [low, low + 1, 0, 7, 8, high - 1, high];
            let other = |random: &mut Random| loop {
                let other = random.pick(&others);
                if other != label {
                    return other;
                }
            };
            (mask.iter().map(|&m| if m { label } else { other(random) }).collect(), label)
        };
        match form {
            Form::Bytes => Self::Bytes(
                mask.iter().map(|&m| if m { random.pick(&[1, 2, 128, 255]) } else { 0 }).collect(),
            ),
            Form::Bits => {
                let mut bytes: Vec<u8> = vec![0; mask.len().div_ceil(8)];
                for (voxel, _) in mask.iter().enumerate().filter(|(_, m)| **m) {
                    bytes[voxel / 8] |= 1 << (voxel % 8);
                }
                if let (Some(last), used @ 1..) = (bytes.last_mut(), mask.len() % 8) {
                    *last |= (random.bits() as u8) << used;
                }
                Self::Bits(bytes)
            }
            Form::U8 => {
                let (labels, label) = labels(0, 255);
                Self::U8(labels.iter().map(|&l| l as u8).collect(), label)
            }
            Form::U16 => {
                let (labels, label) = labels(0, 65_535);
                Self::U16(labels.iter().map(|&l| l as u16).collect(), label)
            }
            Form::I16 => {
                let (labels, label) = labels(-32_768, 32_767);
                Self::I16(labels.iter().map(|&l| l as i16).collect(), label)
            }
            Form::I32 => {
                let (labels, label) = labels(i64::from(i32::MIN), i64::from(i32::MAX));
                Self::I32(labels.iter().map(|&l| l as i32).collect(), label)
            }
            Form::I64 => {
                let (labels, label) = labels(i64::MIN, i64::MAX);
                Self::I64(labels, label)
            }
        }
    }

    pub fn view(&self) -> Mask<'_> {
        match self {
            Self::Bytes(bytes) => Mask::Bytes(bytes),
            Self::Bits(bytes) => Mask::Bits(bytes),
            Self::U8(labels, label) => Mask::Label(Labels::U8(labels), *label),
            Self::U16(labels, label) => Mask::Label(Labels::U16(labels), *label),
            Self::I16(labels, label) => Mask::Label(Labels::I16(labels), *label),
            Self::I32(labels, label) => Mask::Label(Labels::I32(labels), *label),
            Self::I64(labels, label) => Mask::Label(Labels::I64(labels), *label),
        }
    }
}
