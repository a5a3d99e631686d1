//! Label maps as class indices, a block at a time: the one place in the metrics that knows the
//! types of labels, what is ignored and what is refused.
#![forbid(unsafe_code)]

use super::LabelPair;
use crate::error::{Argument, Cause, Error};
use crate::shape::Shape;
use crate::surface::{WORD, first_bits, pack, places};
use crate::view::{Label, Labels, check_length, match_labels};
use core::ops::Range;

/// Voxels of a block; a multiple of [`GROUP`].
pub(crate) const BLOCK: usize = 1024;

/// Voxels that are looked at together: most of them have one label.
const GROUP: usize = 16;

/// Index of a voxel that belongs to no class.
pub(crate) const NO_CLASS: u32 = u32::MAX;

/// Index of a label that is neither a class nor ignored.
const UNKNOWN: u32 = NO_CLASS - 1;

/// Indices of the classes of some voxels, one map's.
pub(crate) type Classes = [u32; BLOCK];

/// A label map with the meaning of its labels.
pub(crate) struct ClassMap<'a> {
    pub labels: Labels<'a>,
    /// Fewer than [`UNKNOWN`].
    pub classes: u32,
    /// This label becomes [`NO_CLASS`], also if it is below `classes`.
    pub ignore: Option<i64>,
    /// What errors call the map.
    pub argument: Argument,
}

impl ClassMap<'_> {
    /// Classes of the voxels from `begin` on; [`NO_CLASS`] past the last.
    pub(crate) fn read(&self, begin: usize, to: &mut Classes) {
        match_labels!(self.labels, values => {
            read(values.get(begin..).unwrap_or_default(), self.classes, self.ignore, to);
        });
    }

    /// Refuses the first label in a block that has no meaning.
    pub(crate) fn check(&self, begin: usize, classes: &Classes) -> Result<(), Error> {
        // No branch in the loop: the label is looked for when it is known to be there.
        if !classes.iter().fold(false, |found, &class| found | (class == UNKNOWN)) {
            return Ok(());
        }
        let place = classes.iter().position(|&class| class == UNKNOWN).unwrap_or_default();
        Err(self.refusal(begin + place))
    }

    #[cold]
    fn refusal(&self, position: usize) -> Error {
        let label = match_labels!(self.labels, values => wide(values, position));
        let error = Error::new(Cause::Label, self.argument).at(position).found(label as f64);
        error.expected(f64::from(self.classes) - 1.0)
    }
}

impl ClassMap<'_> {
    /// Class of a voxel.
    #[inline(always)]
    fn class(&self, voxel: usize) -> u32 {
        match_labels!(self.labels, values => {
            let value = values.get(voxel).copied().unwrap_or_default();
            class(value, self.classes, ignored(self.ignore))
        })
    }

    /// Which of up to 64 voxels have another label than the next one, the last one always.
    fn ends(&self, voxels: Range<usize>) -> u64 {
        let last = voxels.len().saturating_sub(1);
        let ends = match_labels!(self.labels, values => {
            ends(values.get(voxels.start..).unwrap_or_default())
        });
        (ends | 1 << last) & first_bits(voxels.len())
    }
}

fn ends<L: Label>(values: &[L]) -> u64 {
    let mut ends = [0; WORD];
    let later = values.get(1..).unwrap_or_default();
    match (values.first_chunk::<WORD>(), later.first_chunk::<WORD>()) {
        // As many as the compiler knows of.
        (Some(values), Some(later)) => compare(values, later, &mut ends),
        _ => compare(values, later, &mut ends),
    }
    pack(&ends)
}

#[inline(always)]
fn compare<L: Label>(values: &[L], later: &[L], ends: &mut [u8; WORD]) {
    for ((to, a), b) in ends.iter_mut().zip(values).zip(later) {
        *to = u8::from(a != b);
    }
}

/// The ignore label in the type of a map; one that it cannot hold ignores nothing.
fn ignored<L: Label>(ignore: Option<i64>) -> Option<L> {
    ignore.and_then(|ignore| L::try_from(ignore).ok())
}

#[inline(always)]
fn class<L: Label>(value: L, classes: u32, ignored: Option<L>) -> u32 {
    let index = value.index();
    let known = if index < classes { index } else { UNKNOWN };
    let (ignores, ignored) = (ignored.is_some(), ignored.unwrap_or_default());
    if ignores & (value == ignored) { NO_CLASS } else { known }
}

fn wide<L: Label>(values: &[L], position: usize) -> i64 {
    values.get(position).copied().unwrap_or_default().into()
}

fn read<L: Label>(values: &[L], classes: u32, ignore: Option<i64>, to: &mut Classes) {
    let ignored = ignored(ignore);
    for (to, &value) in to.iter_mut().zip(values) {
        *to = class(value, classes, ignored);
    }
    for to in to.iter_mut().skip(values.len()) {
        *to = NO_CLASS;
    }
}

/// Classes of some voxels in both maps. A voxel that does not count, and padding behind the last,
/// has [`NO_CLASS`] in both; one that counts has a class in the reference.
pub(crate) struct Block {
    pub prediction: Classes,
    pub reference: Classes,
}

/// The maps of a pair, read together.
pub(crate) struct PairReader<'a> {
    prediction: ClassMap<'a>,
    reference: ClassMap<'a>,
    voxel_weights: Option<&'a [u8]>,
    voxels: usize,
}

impl<'a> LabelPair<'a> {
    /// Checks everything but the labels.
    pub(crate) fn reader(&self, voxel_weights: Option<&'a [u8]>) -> Result<PairReader<'a>, Error> {
        let voxels = Shape::planar(1, self.classes, self.extent)?.voxels();
        self.spacing.check_axes(self.extent)?;
        check_length(Argument::Prediction, self.prediction.len(), voxels)?;
        check_length(Argument::Reference, self.reference.len(), voxels)?;
        if let Some(weights) = voxel_weights {
            check_length(Argument::VoxelWeights, weights.len(), voxels)?;
        }
        // A shape has far fewer classes than u32 has numbers.
        let classes = u32::try_from(self.classes).unwrap_or(UNKNOWN);
        let (prediction, reference) = (self.prediction, self.reference);
        let no_class = self.ignore.filter(|ignore| !(0..i64::from(classes)).contains(ignore));
        let map = |labels, ignore, argument| ClassMap { labels, classes, ignore, argument };
        Ok(PairReader {
            prediction: map(prediction, no_class, Argument::Prediction),
            reference: map(reference, self.ignore, Argument::Reference),
            voxel_weights,
            voxels,
        })
    }
}

impl PairReader<'_> {
    fn read(&self, begin: usize, block: &mut Block) {
        self.prediction.read(begin, &mut block.prediction);
        self.reference.read(begin, &mut block.reference);
        if let Some(weights) = self.voxel_weights {
            let weights = weights.get(begin..).unwrap_or_default();
            for (class, &weight) in block.reference.iter_mut().zip(weights) {
                *class = if weight == 0 { NO_CLASS } else { *class };
            }
        }
        for (class, &reference) in block.prediction.iter_mut().zip(&block.reference) {
            *class = if reference == NO_CLASS { NO_CLASS } else { *class };
        }
    }

    /// Calls `visit` with the first voxel of every block and its classes.
    pub(crate) fn each_block(
        &self,
        mut visit: impl FnMut(usize, &Block) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut block = Block { prediction: [NO_CLASS; BLOCK], reference: [NO_CLASS; BLOCK] };
        for begin in (0..self.voxels).step_by(BLOCK) {
            self.read(begin, &mut block);
            visit(begin, &block)?;
        }
        Ok(())
    }

    /// Checks the labels of some rows, without voxel weights, and calls `visit` for every run of
    /// voxels in a row: where it begins, how long it is, the classes in both maps. A long run may
    /// come in parts.
    pub(crate) fn each_run(
        &self,
        [_, each, length]: [usize; 3],
        rows: Range<usize>,
        mut visit: impl FnMut([u64; 3], usize, [u32; 2]),
    ) -> Result<(), Error> {
        for index in rows {
            let (plane, row) = (index / each.max(1), index % each.max(1));
            let first = index * length;
            for begin in (0..length).step_by(WORD) {
                let voxels = first + begin..first + length.min(begin + WORD);
                let ends = self.prediction.ends(voxels.clone()) | self.reference.ends(voxels);
                let mut x = begin;
                for end in places(ends).map(|place| begin + place as usize + 1) {
                    let place = [plane, row, x].map(|place| place as u64);
                    visit(place, end - x, self.classes(first + x)?);
                    x = end;
                }
            }
        }
        Ok(())
    }

    /// Checked classes of a voxel, without voxel weights.
    #[inline(always)]
    fn classes(&self, voxel: usize) -> Result<[u32; 2], Error> {
        let reference = self.reference.class(voxel);
        if reference == NO_CLASS {
            return Ok([NO_CLASS; 2]);
        }
        let prediction = self.prediction.class(voxel);
        match (prediction, reference) {
            (UNKNOWN, _) => Err(self.prediction.refusal(voxel)),
            (_, UNKNOWN) => Err(self.reference.refusal(voxel)),
            _ => Ok([prediction, reference]),
        }
    }

    /// Refuses a label in a block that has no meaning.
    pub(crate) fn check_block(&self, begin: usize, block: &Block) -> Result<(), Error> {
        self.prediction.check(begin, &block.prediction)?;
        self.reference.check(begin, &block.reference)
    }

    /// Refuses a label of a voxel that counts if it has no meaning; what is not checked may be
    /// read as a class that does not exist.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.each_block(|begin, block| self.check_block(begin, block))
    }

    /// Calls `add` with predicted and true class and number of all voxels that count, some of
    /// them at a time. The predicted class may be [`NO_CLASS`].
    pub(crate) fn count(&self, mut add: impl FnMut(u32, u32, u64)) {
        let counted = self.each_block(|begin, block| {
            match self.voxel_weights {
                None => count_groups(block, &mut add),
                Some(weights) => {
                    let weights = weights.get(begin..).unwrap_or_default();
                    let classes = block.prediction.iter().zip(&block.reference);
                    for ((&prediction, &reference), &weight) in classes.zip(weights) {
                        if reference != NO_CLASS {
                            add(prediction, reference, u64::from(weight));
                        }
                    }
                }
            }
            Ok(())
        });
        debug_assert!(counted.is_ok());
    }
}

/// Label maps are made of regions: most groups are of one class in either map, and are counted at
/// once instead of waiting for one sum voxel after voxel.
fn count_groups(block: &Block, add: &mut impl FnMut(u32, u32, u64)) {
    let (predictions, _) = block.prediction.as_chunks::<GROUP>();
    let (references, _) = block.reference.as_chunks::<GROUP>();
    for (predictions, references) in predictions.iter().zip(references) {
        let ([prediction, ..], [reference, ..]) = (*predictions, *references);
        let classes = predictions.iter().zip(references);
        let differences = classes
            .clone()
            .fold(0, |differences, (&p, &r)| differences | (p ^ prediction) | (r ^ reference));
        if differences == 0 {
            if reference != NO_CLASS {
                add(prediction, reference, GROUP as u64);
            }
            continue;
        }
        for (&prediction, &reference) in classes {
            if reference != NO_CLASS {
                add(prediction, reference, 1);
            }
        }
    }
}
