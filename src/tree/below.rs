//! What lies below a node: children, and classes in depth-first order.
#![forbid(unsafe_code)]

use super::{LabelTree, at};

impl<'t> LabelTree<'t> {
    /// The classes below a node.
    pub(crate) fn classes_below(&self, node: u32) -> impl Iterator<Item = usize> + Clone + use<'t> {
        let begin = at(self.first_leaf, node) as usize;
        let classes = self.leaves.get(begin..).unwrap_or_default();
        classes.iter().take(at(self.leaf_count, node) as usize).map(|&class| class as usize)
    }

    /// The children of an inner node. Rows and classes are numbered in the same order of siblings, so
    /// that a child begins where the last one ends.
    pub(crate) fn children(&self, node: u32) -> impl Iterator<Item = u32> + use<'t> {
        let tree = *self;
        let (mut next, end_of_rows) = match tree.row.get(node as usize) {
            Some(&row) if node != tree.root() => (row as usize + 1, tree.end_of(row as usize)),
            _ => (0, tree.rows),
        };
        let mut class = at(tree.first_leaf, node);
        let end = class + at(tree.leaf_count, node);
        core::iter::from_fn(move || {
            if class >= end {
                return None;
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
