//! What lies below a node: children, and classes in depth-first order.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};

impl<'t> LabelTree<'t> {
    /// The classes below a node.
    pub(crate) fn classes_below(&self, node: u32) -> impl Iterator<Item = usize> + Clone + use<'t> {
        let begin = at(self.first_leaf, node) as usize;
        let classes = self.leaves.get(begin..).unwrap_or_default();
        classes.iter().take(at(self.leaf_count, node) as usize).map(|&class| class as usize)
    }

    /// Whether a node is an inner one that holds every class. Such nodes are a path from the root and
    /// come first in [`LabelTree::order`].
    fn is_whole(&self, node: u32) -> bool {
        at(self.class, node) == NONE && at(self.row, node) == NONE
    }

    /// Sum of the edges above inner nodes that hold every class.
    pub(crate) fn edges_of_whole(&self) -> f64 {
        let nodes = self.order.iter().copied().take_while(|&node| self.is_whole(node));
        nodes.map(|node| at(self.edge, node)).sum()
    }

    /// The children of an inner node. Rows and classes are numbered in the same order of siblings,
    /// so that a child begins where the last one ends.
    pub(crate) fn children(&self, node: u32) -> impl Iterator<Item = u32> + use<'t> {
        let tree = *self;
        let (mut next, end_of_rows) = match at(tree.row, node) {
            NONE => (0, tree.rows),
            row => (row as usize + 1, tree.end_of(row as usize)),
        };
        let whole_child = tree.order.get(at(tree.depth, node) as usize + 1).copied();
        let mut whole_child =
            whole_child.filter(|&child| tree.is_whole(node) && tree.is_whole(child));
        let mut class = at(tree.first_leaf, node);
        let end = class + at(tree.leaf_count, node);
        core::iter::from_fn(move || {
            if class >= end {
                return None;
            }
            if let Some(child) = whole_child.take() {
                class = end;
                return Some(child);
            }
            let inner = at(tree.node_of_row, next as u32);
            if next < end_of_rows && at(tree.first_leaf, inner) == class {
                class += at(tree.leaf_count, inner).max(1);
                next = tree.end_of(next);
                return Some(inner);
            }
            let leaf = at(tree.leaf_of_class, at(tree.leaves, class));
            class += 1;
            Some(leaf)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LabelTree, NONE};
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn children_are_those_of_the_parents_and_rows_are_not_for_nodes_that_hold_every_class() {
        // No path at the top; a root above one node; a path of three above all; one above a leaf; a
        // single leaf.
        let trees: [(&[i32], &[i32], &[u32]); 5] = [
            (&[-1, 0, 0, 2, 2], &[1, 3, 4], &[2]),
            (&[1, -1, 0, 0, 3, 3], &[2, 4, 5], &[3]),
            (&[1, 5, 4, 0, 0, -1, 4, 2, 2], &[3, 6, 7, 8], &[4, 2]),
            (&[1, 2, -1, 1, 3, 3, 0], &[4, 5, 6], &[0, 3]),
            (&[-1, 0, 1], &[2], &[]),
        ];
        for (case, (parent, leaves, with_row)) in trees.into_iter().enumerate() {
            let bytes = LabelTree::storage_bytes(parent.len(), leaves.len()).unwrap();
            let mut storage = vec![0; bytes];
            let tree = LabelTree::new(parent, None, leaves, &mut storage).unwrap();
            for node in 0..parent.len() as u32 {
                let has_row = tree.row[node as usize] != NONE;
                assert_eq!(has_row, with_row.contains(&node), "tree {case}, node {node}");
                if tree.class[node as usize] != NONE {
                    continue;
                }
                let mut children: Vec<u32> = tree.children(node).collect();
                children.sort_unstable();
                let below = (0..).zip(parent).filter(|&(_, &above)| above == node as i32);
                let expected: Vec<u32> = below.map(|(child, _)| child).collect();
                assert_eq!(children, expected, "tree {case}, node {node}");
            }
            assert_eq!(tree.rows, with_row.len(), "tree {case}");
        }
    }
}
