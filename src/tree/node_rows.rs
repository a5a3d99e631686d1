//! Sums up the tree and their transpose down the tree, on rows of lanes.
//!
//! Leaves are rows of classes; inner nodes that do not hold every class have rows of their own,
//! parents before children, so that a row and its parent's can be told apart by a split.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::element::{Lanes, Real};
use crate::rows::{BLOCK, Block, blocks_mut, column, fill, row, row_mut, store_block};
use crate::simd::{Simd, Vector};

/// Sums of classes in the rows of the inner nodes right above them, at a block of voxels.
struct NodeSums<'r, R> {
    rows: &'r mut [Lanes<R>],
    lanes: usize,
    index: usize,
    /// Rows that hold something; what lies in others is of another tile.
    begun: usize,
}

impl<R: Real> NodeSums<'_, R> {
    #[inline(always)]
    fn block(&mut self, row: usize) -> Option<&mut Block<R>> {
        blocks_mut(row_mut(self.rows, row, self.lanes)).get_mut(self.index)
    }

    /// Adds to a row, if it is one. Most often rows begin one after the other, so that few are cleared.
    #[inline(always)]
    fn add<S: Simd<Real = R>>(&mut self, simd: S, row: u32, sum: [S::Vector; BLOCK]) {
        if row == NONE {
            return;
        }
        let row = row as usize;
        let first = row >= self.begun;
        if first {
            self.clear_to(row);
            self.begun = row + 1;
        }
        let Some(to) = self.block(row) else { return };
        if first {
            store_block(sum, to);
        } else {
            for (to, sum) in to.iter_mut().zip(sum) {
                (simd.load(to) + sum).store(to);
            }
        }
    }

    /// Sets the rows before another one that hold nothing to 0.
    #[inline(always)]
    fn clear_to(&mut self, end: usize) {
        for row in self.begun..end {
            if let Some(to) = self.block(row) {
                fill(to, R::ZERO);
            }
        }
    }
}

/// `to += from`, lane by lane.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, from: &[Lanes<S::Real>], to: &mut [Lanes<S::Real>]) {
    for (to, from) in to.iter_mut().zip(from) {
        (simd.load(to) + simd.load(from)).store(to);
    }
}

/// The row of a row's parent.
#[inline(always)]
fn row_over(tree: &LabelTree<'_>, row: usize) -> Option<usize> {
    let above = at(tree.row, at(tree.parent, at(tree.node_of_row, row as u32)));
    (above != NONE).then_some(above as usize)
}

/// `nodes[v] = sum of classes[l]` over the leaves `l` below `v`.
#[inline(always)]
pub(crate) fn sum_up<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    lanes: usize,
    classes: &[Lanes<S::Real>],
    nodes: &mut [Lanes<S::Real>],
) {
    for index in 0..lanes / BLOCK {
        let mut sums = NodeSums { rows: nodes, lanes, index, begun: 0 };
        let (mut row, mut sum) = (NONE, [simd.zero(); BLOCK]);
        for (&above, class) in tree.row_above.iter().zip(column(classes, lanes, index)) {
            if above != row {
                sums.add(simd, row, sum);
                (row, sum) = (above, [simd.zero(); BLOCK]);
            }
            for (sum, class) in sum.iter_mut().zip(class) {
                *sum = *sum + simd.load(class);
            }
        }
        sums.add(simd, row, sum);
        sums.clear_to(tree.rows);
    }
    for own in (0..tree.rows).rev() {
        let Some(above) = row_over(tree, own) else { continue };
        if let Some((parents, children)) = nodes.split_at_mut_checked(own * lanes) {
            add_rows(simd, row(children, 0, lanes), row_mut(parents, above, lanes));
        }
    }
}

/// `nodes[v] = top - sum of nodes[u]` over `v` itself and the inner nodes `u` above it, top down.
#[inline(always)]
pub(crate) fn push_down<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    top: &[Lanes<S::Real>],
    nodes: &mut [Lanes<S::Real>],
) {
    let lanes = top.len();
    for own in 0..tree.rows {
        let Some((parents, children)) = nodes.split_at_mut_checked(own * lanes) else { return };
        let above = row_over(tree, own).map_or(top, |above| row(parents, above, lanes));
        for (to, above) in row_mut(children, 0, lanes).iter_mut().zip(above) {
            (simd.load(above) - simd.load(to)).store(to);
        }
    }
}
