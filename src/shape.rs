//! Sizes of a batch of volumes. Products are checked once, here.
#![forbid(unsafe_code)]

use crate::error::{Argument, Cause, Error};

/// Classes are compared as f32 numbers, which are whole up to here.
const MAX_CLASSES: usize = 1 << 24;

/// Order of the elements of scores, gradients and dense targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[batch][class][voxel]`: what PyTorch calls contiguous.
    Planar,
    /// `[batch][voxel][class]`: channels last.
    Interleaved,
}

/// Batch, classes and spatial extent of the scores.
///
/// ```
/// use segloss::Shape;
/// let shape = Shape::planar(2, 5, &[30, 80, 105])?;
/// assert_eq!(shape.voxels(), 30 * 80 * 105);
/// assert_eq!(shape.elements(), 2 * 5 * 30 * 80 * 105);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    batch: usize,
    classes: usize,
    extent: [usize; 3],
    axes: usize,
    layout: Layout,
    voxels: usize,
}

impl Shape {
    /// Shape of planar scores; `extent` has 1 to 3 axes, the slowest first.
    ///
    /// # Errors
    /// [`Cause::Shape`] for a zero size, more than 3 axes or 2^24 classes (the position tells which: 0 batch,
    /// 1 classes, 2 and on the axes), [`Cause::ShapeOverflow`] if the product does not fit.
    pub fn planar(batch: usize, classes: usize, extent: &[usize]) -> Result<Self, Error> {
        Self::new(batch, classes, extent, Layout::Planar)
    }

    /// Shape of interleaved scores, see [`Shape::planar`].
    ///
    /// # Errors
    /// As [`Shape::planar`].
    pub fn interleaved(batch: usize, classes: usize, extent: &[usize]) -> Result<Self, Error> {
        Self::new(batch, classes, extent, Layout::Interleaved)
    }

    /// Shape with the layout as an argument, see [`Shape::planar`].
    ///
    /// # Errors
    /// As [`Shape::planar`].
    pub fn new(
        batch: usize,
        classes: usize,
        extent: &[usize],
        layout: Layout,
    ) -> Result<Self, Error> {
        let refuse = |position| Error::new(Cause::Shape, Argument::Shape).at(position);
        if extent.is_empty() || extent.len() > 3 {
            return Err(refuse(2).found(extent.len() as f64).expected(3.0));
        }
        let mut extents = [1; 3];
        for (stored, &given) in extents.iter_mut().zip(extent) {
            *stored = given;
        }
        let mut product = 1usize;
        for (position, &size) in [batch, classes].iter().chain(&extents).enumerate() {
            if size == 0 {
                return Err(refuse(position).expected(1.0));
            }
            // The largest element has 8 bytes; a slice holds at most isize::MAX of them.
            product = product
                .checked_mul(size)
                .filter(|&n| n <= isize::MAX as usize / 8)
                .ok_or(Error::new(Cause::ShapeOverflow, Argument::Shape).at(position))?;
        }
        if classes > MAX_CLASSES {
            return Err(refuse(1).found(classes as f64).expected(MAX_CLASSES as f64));
        }
        let voxels = extents.iter().product();
        Ok(Self { batch, classes, extent: extents, axes: extent.len(), layout, voxels })
    }

    /// Samples.
    #[must_use]
    pub const fn batch(&self) -> usize {
        self.batch
    }

    /// Classes (channels).
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// Voxels along each axis, the slowest first.
    #[must_use]
    pub fn extent(&self) -> &[usize] {
        self.extent.get(..self.axes).unwrap_or(&self.extent)
    }

    /// Order of the elements.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Voxels of one sample.
    #[must_use]
    pub const fn voxels(&self) -> usize {
        self.voxels
    }

    /// Voxels of all samples: the length of a label map.
    #[must_use]
    pub const fn batch_voxels(&self) -> usize {
        self.batch * self.voxels
    }

    /// Scores in all: the length of scores, gradient and dense target.
    #[must_use]
    pub const fn elements(&self) -> usize {
        self.batch * self.classes * self.voxels
    }

    /// Index of a score in its buffer.
    pub(crate) const fn index(&self, sample: usize, class: usize, voxel: usize) -> usize {
        match self.layout {
            Layout::Planar => (sample * self.classes + class) * self.voxels + voxel,
            Layout::Interleaved => (sample * self.voxels + voxel) * self.classes + class,
        }
    }
}
