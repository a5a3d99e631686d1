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
    pub(crate) fn new<S: Simd<Vector = V, Real = V::Real>>(
        simd: S,
        tree: &LabelTree<'_>,
        first: usize,
    ) -> Self {
        let end = tree.end_of(first);
        let number = |row: f64| simd.splat(Real::from_f64(row));
        Self { before: number(first as f64 - 1.0), end: number(end as f64) }
    }

    /// The voxels that lie below the node, by their [`own_row`](LabelTree::own_row).
    #[inline(always)]
    pub(crate) fn among(&self, own_row: V) -> V::Mask {
        Vector::select(self.before.less(own_row), own_row, self.end).less(self.end)
    }
}

/// A node with a row that voxels lie below, its row, and which voxels they are.
pub(crate) struct PresentNode<V> {
    pub node: u32,
    pub row: usize,
    pub members: Members<V>,
}

/// Iterator over the nodes with a row that voxels lie below, parents before children.
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
            let members = Members::new(simd, self.tree, row);
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
            self.next = self.tree.end_of(row);
        }
        None
    }
}

impl LabelTree<'_> {
    /// The row of the innermost inner node that a node is or lies below, as a number; -1 if that has
    /// none.
    pub(crate) fn own_row<R: Real>(&self, node: u32) -> R {
        let inner = if at(self.class, node) == NONE { node } else { at(self.parent, node) };
        let row = at(self.row, inner);
        if row == NONE { -R::ONE } else { R::from_f64(f64::from(row)) }
    }

    /// The row behind all of those below a row.
    #[inline(always)]
    pub(super) fn end_of(&self, row: usize) -> usize {
        (at(self.end_of_row, row as u32) as usize).max(row + 1)
    }

    /// The nodes with a row that some of the voxels lie below.
    #[inline(always)]
    pub(crate) fn present_nodes<'t, S: Simd>(
        &'t self,
        simd: S,
        own_rows: &'t [Lanes<S::Real>],
    ) -> PresentNodes<'t, S> {
        PresentNodes { simd, tree: self, own_rows, next: 0 }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LabelTree, NONE, PresentNode, at};
    use crate::element::{LANES, Lanes};
    use crate::simd::{Kernel, Level, Simd, Vector, dispatch_f32};
    use std::vec;
    use std::vec::Vec;

    /// Every inner node that a path from one of the voxels' nodes goes through, and which voxels do.
    struct Expected<'t> {
        tree: &'t LabelTree<'t>,
        nodes: Vec<u32>,
    }

    impl Kernel<f32> for Expected<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd<Real = f32>>(self, simd: S) {
            let Self { tree, nodes } = self;
            let mut own_rows = vec![[-1.0; LANES]; nodes.len().div_ceil(LANES)];
            for (own, &node) in own_rows.as_flattened_mut().iter_mut().zip(&nodes) {
                *own = tree.own_row(node);
            }
            let own_rows: &[Lanes<f32>] = &own_rows;
            let below = |inner, node| {
                let above =
                    |&node: &u32| Some(at(tree.parent, node)).filter(|&above| above != node);
                core::iter::successors(Some(node), above).any(|above| above == inner)
            };
            let mut found = vec![false; tree.rows];
            for PresentNode { node, row, members } in tree.present_nodes(simd, own_rows) {
                found[row] = true;
                assert_eq!(at(tree.row, node), row as u32);
                for (group, nodes) in own_rows.iter().zip(nodes.chunks(LANES)) {
                    let bits = S::Vector::bits(members.among(simd.load(group)));
                    for lane in 0..LANES {
                        let expected = nodes.get(lane).is_some_and(|&voxel| below(node, voxel));
                        assert_eq!(bits >> lane & 1 != 0, expected, "{node} {nodes:?}");
                    }
                }
            }
            for inner in (0..tree.nodes() as u32).filter(|&node| at(tree.row, node) != NONE) {
                let expected = nodes.iter().any(|&voxel| below(inner, voxel));
                assert_eq!(found[at(tree.row, inner) as usize], expected, "{inner} {nodes:?}");
            }
        }
    }

    #[test]
    fn members_are_those_whose_path_goes_through_a_node() {
        // A root with a leaf, a chain of two, and a node with a leaf and another inner node; the same
        // below two more.
        let parent = [5, 3, 3, 4, 5, 12, 8, 9, 5, 8, 9, 8, 13, -1];
        let leaf_of_class = [0, 1, 2, 6, 7, 10, 11];
        for nodes in [12, 14] {
            let mut parent = parent[..nodes].to_vec();
            if nodes == 12 {
                parent[5] = -1;
            }
            let mut storage = vec![0; LabelTree::storage_bytes(nodes, 7).unwrap()];
            let tree = LabelTree::new(&parent, None, &leaf_of_class, &mut storage).unwrap();
            let count = nodes as u32;
            for first in 0..count {
                for step in 0..count {
                    let nodes = (0..20).map(|i| (first + i * step) % count).collect();
                    dispatch_f32(Level::Best, Expected { tree: &tree, nodes });
                }
            }
        }
    }
}
