//! Ground distance between classes: the weights along the path between their leaves.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::element::Real;
use crate::error::{Argument, Error};
use crate::view::check_length;

impl LabelTree<'_> {
    /// Sum of the edge weights between the leaves of two classes, O(depth).
    ///
    /// Classes past the last have distance 0 to everything.
    #[must_use]
    pub fn distance(&self, class_a: usize, class_b: usize) -> f64 {
        let (Some(&a), Some(&b)) =
            (self.leaf_of_class.get(class_a), self.leaf_of_class.get(class_b))
        else {
            return 0.0;
        };
        let (mut a, mut b, mut sum) = (a, b, 0.0);
        while a != b {
            let deeper = if at(self.depth, a) >= at(self.depth, b) { &mut a } else { &mut b };
            sum += at(self.edge, *deeper);
            *deeper = at(self.parent, *deeper);
        }
        sum
    }

    /// All distances, `classes * classes`, row by row. O(classes^2 * depth).
    ///
    /// # Errors
    /// [`Cause::Length`](crate::Cause::Length) for a slice of another length.
    pub fn distances(&self, distances: &mut [f64]) -> Result<(), Error> {
        let classes = self.classes();
        let length = classes.saturating_mul(classes);
        check_length(Argument::DistanceMatrix, distances.len(), length)?;
        for (row, to) in distances.chunks_exact_mut(classes.max(1)).enumerate() {
            for (column, to) in to.iter_mut().enumerate() {
                *to = self.distance(row, column);
            }
        }
        Ok(())
    }

    /// Largest distance of two classes.
    #[must_use]
    pub const fn max_distance(&self) -> f64 {
        self.max_distance
    }

    /// By how much the edge above the leaf of a class is longer than the shortest one above a leaf.
    pub(crate) fn leaf_excess<R: Real>(&self, class: u32) -> R {
        R::from_f64(at(self.edge, at(self.leaf_of_class, class)) - self.leaf_edge)
    }

    /// Root of the tree.
    pub(crate) fn root(&self) -> u32 {
        self.order.first().copied().unwrap_or(NONE)
    }
}
