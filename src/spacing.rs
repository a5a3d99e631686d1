//! Distances between neighbouring voxels.
#![forbid(unsafe_code)]

use crate::error::{Argument, Cause, Error};

/// Smallest and largest spacing: squares of distances stay far from the ends of f32.
const RANGE: core::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// Distance between the centres of neighbouring voxels along each axis, the slowest axis first, as
/// in the extent of a [`Shape`](crate::Shape).
///
/// There is no default: a spacing that is silently one has cost users results.
///
/// ```
/// use segloss::Spacing;
/// let spacing = Spacing::millimetres(&[3.0, 0.5, 0.5])?;
/// assert_eq!(spacing.axes(), 3);
/// assert_eq!(Spacing::voxels(2)?, Spacing::millimetres(&[1.0, 1.0])?);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spacing {
    along: [f64; 3],
    axes: usize,
}

impl Spacing {
    /// Spacing of 1 to 3 axes, in millimetres; any other unit does as well, and results are then in
    /// that unit.
    ///
    /// # Errors
    /// [`Cause::Spacing`] unless there are 1 to 3 numbers from 1e-6 to 1e6.
    pub fn millimetres(along: &[f64]) -> Result<Self, Error> {
        let refuse = |axis: usize| Error::new(Cause::Spacing, Argument::Spacing).at(axis);
        let mut spacing = Self { along: [1.0; 3], axes: along.len() };
        let Some(to) = spacing.along.get_mut(..along.len()).filter(|to| !to.is_empty()) else {
            return Err(refuse(0).found(along.len() as f64).expected(3.0));
        };
        for (axis, (to, &from)) in to.iter_mut().zip(along).enumerate() {
            if !RANGE.contains(&from) {
                return Err(refuse(axis).found(from));
            }
            *to = from;
        }
        Ok(spacing)
    }

    /// Spacing of 1 along 1 to 3 axes: distances in voxels.
    ///
    /// # Errors
    /// [`Cause::Spacing`] for another number of axes.
    pub fn voxels(axes: usize) -> Result<Self, Error> {
        let ones = [1.0; 3];
        let found = Error::new(Cause::Spacing, Argument::Spacing).found(axes as f64).expected(3.0);
        Self::millimetres(ones.get(..axes).ok_or(found)?)
    }

    /// Number of axes.
    #[must_use]
    pub const fn axes(&self) -> usize {
        self.axes
    }

    /// Spacing along each axis.
    #[must_use]
    pub fn along(&self) -> &[f64] {
        self.along.get(..self.axes).unwrap_or(&self.along)
    }

    /// Refuses a volume with another number of axes.
    pub(crate) fn check_axes(&self, extent: &[usize]) -> Result<(), Error> {
        if extent.len() == self.axes {
            return Ok(());
        }
        let error = Error::new(Cause::Spacing, Argument::Spacing);
        Err(error.found(self.axes as f64).expected(extent.len() as f64))
    }
}
