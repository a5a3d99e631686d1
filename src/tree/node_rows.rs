//! Sums up the tree, and down the paths from its root, on rows of lanes.
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

    /// Adds to a row, if it is one. Most often rows begin one after the other: those that are left out
    /// are cleared.
    #[inline(always)]
    fn add<S: Simd<Real = R>>(&mut self, simd: S, row: u32, sum: [S::Vector; BLOCK]) {
        if row == NONE {
            return;
        }
        let row = row as usize;
        for between in self.begun..row {
            if let Some(to) = self.block(between) {
                fill(to, R::ZERO);
            }
        }
        let first = row >= self.begun;
        self.begun = self.begun.max(row + 1);
        let Some(to) = self.block(row) else { return };
        if first {
            store_block(sum, to);
        } else {
            for (to, sum) in to.iter_mut().zip(sum) {
                (simd.load(to) + sum).store(to);
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
        // Below the last row are classes alone, so that all rows have begun then.
        sums.add(simd, row, sum);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LabelTree, at, push_down, sum_up};
    use crate::element::{LANES, Lanes};
    use crate::rows::BLOCK;
    use crate::simd::{Kernel, LEVELS, Simd, dispatch_f32};
    use std::vec;
    use std::vec::Vec;

    /// Blocks of a row.
    const BLOCKS: usize = 3;
    const ROW: usize = BLOCKS * BLOCK;

    struct Both<'t> {
        tree: &'t LabelTree<'t>,
        classes: &'t [Lanes<f32>],
        sums: &'t mut [Lanes<f32>],
        pulls: &'t mut [Lanes<f32>],
    }

    impl Kernel<f32> for Both<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd<Real = f32>>(self, simd: S) {
            let Self { tree, classes, sums, pulls } = self;
            sum_up(simd, tree, ROW, classes, sums);
            push_down(simd, tree, &classes[..ROW], pulls);
        }
    }

    fn check(parent: &[i32], leaf_of_class: &[i32]) {
        let classes = leaf_of_class.len();
        let mut storage = vec![0; LabelTree::storage_bytes(parent.len(), classes).unwrap()];
        let tree = LabelTree::new(parent, None, leaf_of_class, &mut storage).unwrap();
        // Whole numbers, whose sums are exact.
        let number = |index: usize| (index as u64 * 2_654_435_761 % 1009) as f32;
        let rows = |count: usize, seed: usize| -> Vec<Lanes<f32>> {
            let group = |group| core::array::from_fn(|lane| number(seed + group * LANES + lane));
            (0..count * ROW).map(group).collect()
        };
        let class_rows = rows(classes, 0);
        let pulls = rows(tree.rows, 7);
        let below = |inner: u32, node: u32| {
            let above = |&node: &u32| Some(at(tree.parent, node)).filter(|&above| above != node);
            core::iter::successors(Some(node), above).any(|above| above == inner)
        };
        for level in LEVELS {
            // What a tile leaves behind must not be seen.
            let mut sums = vec![[f32::NAN; LANES]; tree.rows * ROW];
            let mut pushed = pulls.clone();
            let both =
                Both { tree: &tree, classes: &class_rows, sums: &mut sums, pulls: &mut pushed };
            dispatch_f32(level, both);
            for (own, &node) in tree.node_of_row.iter().take(tree.rows).enumerate() {
                for voxel in 0..ROW * LANES {
                    let at_voxel = |rows: &[Lanes<f32>], row: usize| {
                        rows.as_flattened()[row * ROW * LANES + voxel]
                    };
                    let mut sum = 0.0;
                    for (class, &leaf) in tree.leaf_of_class.iter().enumerate() {
                        sum += if below(node, leaf) { at_voxel(&class_rows, class) } else { 0.0 };
                    }
                    assert_eq!(at_voxel(&sums, own), sum, "{parent:?} {leaf_of_class:?} {node}");
                    let mut pull = at_voxel(&class_rows, 0);
                    for (row, &above) in tree.node_of_row.iter().take(tree.rows).enumerate() {
                        pull -= if below(above, node) { at_voxel(&pulls, row) } else { 0.0 };
                    }
                    assert_eq!(at_voxel(&pushed, own), pull, "{parent:?} {leaf_of_class:?} {node}");
                }
            }
        }
        for (class, &leaf) in tree.leaf_of_class.iter().enumerate() {
            assert_eq!(tree.row_above[class], tree.row[at(tree.parent, leaf) as usize]);
            assert_eq!(tree.class[leaf as usize], class as u32);
        }
    }

    #[test]
    fn sums_and_what_is_pushed_down_are_those_of_the_paths() {
        // Two nodes below the root, one of them with another one below.
        let parent = [-1, 0, 0, 0, 2, 1, 1, 1, 2, 4, 4];
        // Depth first, nodes taking turns, backwards, and nodes without classes of their own first.
        for leaves in [[5, 6, 7, 8, 9, 10, 3], [5, 8, 6, 9, 7, 10, 3], [3, 10, 9, 8, 7, 6, 5]] {
            check(&parent, &leaves);
        }
        check(&[-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], &[7, 8, 9, 10, 11, 12, 13, 14]);
        check(&[-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], &[14, 7, 13, 8, 12, 9, 11, 10]);
        // A class right below the root between two of one node, a chain above a leaf, and a node that
        // holds every class.
        check(&[-1, 0, 1, 1, 2, 2, 3, 6, 1], &[4, 8, 5, 7]);
        // Two classes, one below a node of its own; no node with a row.
        check(&[-1, 0, 0, 1], &[2, 3]);
        check(&[-1, 0, 0, 0], &[1, 2, 3]);
    }
}
