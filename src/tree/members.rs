//! Which voxels of a tile lie below an inner node.
//!
//! Rows are numbered depth first, so all below a node are an interval of rows: a voxel lies below it
//! if the row of the innermost inner node around its label lies in there.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::element::{Lanes, Real};
use crate::simd::{Simd, Vector};

/// The rows of a node and of all below it.
#[derive(Clone, Copy)]
pub(crate) struct Members<V> {
    before: V,
    end: V,
}

impl<V: Vector> Members<V> {
    #[inline(always)]
    fn new<S: Simd<Vector = V, Real = V::Real>>(simd: S, first: usize, end: usize) -> Self {
        let number = |row: f64| simd.splat(Real::from_f64(row));
        Self { before: number(first as f64 - 1.0), end: number(end as f64) }
    }

    /// The voxels that lie below the node, by their [`own_row`](LabelTree::own_row).
    #[inline(always)]
    pub(crate) fn among(&self, own_row: V) -> V::Mask {
        Vector::select(self.before.less(own_row), own_row, self.end).less(self.end)
    }
}

/// An inner node that voxels lie below, its row, and which voxels they are.
pub(crate) struct PresentNode<V> {
    pub node: u32,
    pub row: usize,
    pub members: Members<V>,
}

/// Iterator over the inner nodes but the root that voxels lie below, parents before children.
pub(crate) struct PresentNodes<'t, S: Simd> {
    simd: S,
    tree: &'t LabelTree<'t>,
    own_rows: &'t [Lanes<S::Real>],
    next: usize,
}

impl<S: Simd> Iterator for PresentNodes<'_, S> {
    type Item = PresentNode<S::Vector>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let simd = self.simd;
        while self.next < self.tree.rows {
            let row = self.next;
            let end = (at(self.tree.end_of_row, row as u32) as usize).max(row + 1);
            let members = Members::new(simd, row, end);
            for own_row in self.own_rows {
                if S::Vector::any(members.among(simd.load(own_row))) {
                    self.next = row + 1;
                    return Some(PresentNode {
                        node: at(self.tree.node_of_row, row as u32),
                        row,
                        members,
                    });
                }
            }
            self.next = end;
        }
        None
    }
}

impl LabelTree<'_> {
    /// The row of the innermost inner node that a node is or lies below, as a number; -1 if there is
    /// only the root.
    pub(crate) fn own_row<R: Real>(&self, node: u32) -> R {
        let inner = if at(self.class, node) == NONE { node } else { at(self.parent, node) };
        let row = at(self.row, inner);
        if row == NONE { -R::ONE } else { R::from_f64(f64::from(row)) }
    }

    /// The inner nodes that some of the voxels lie below.
    #[inline(always)]
    pub(crate) fn present_nodes<'t, S: Simd>(
        &'t self,
        simd: S,
        own_rows: &'t [Lanes<S::Real>],
    ) -> PresentNodes<'t, S> {
        PresentNodes { simd, tree: self, own_rows, next: 0 }
    }
}
