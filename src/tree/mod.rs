//! The label tree: classes are leaves, inner nodes are super-classes.
//!
//! Nodes are numbered as the caller likes. Every node but the root has an edge to its parent with
//! a positive weight; the distance of two classes is the sum of the weights on the path between
//! their leaves. The probability of a node is the sum of the probabilities of the leaves below it.

mod below;
mod build;
mod distance;
mod members;
mod node_rows;
mod node_weights;

pub(crate) use members::{Members, PresentNode};
pub(crate) use node_rows::{push_down, sum_up};

use crate::error::{Argument, Cause, Error};
use crate::scratch::{Carver, Requirement, uninitialised};
use core::mem::MaybeUninit;

/// Stands for "no class", "no row".
pub(crate) const NONE: u32 = u32::MAX;

/// A validated label tree in the caller's storage.
///
/// ```
/// use segloss::LabelTree;
/// // 0 root, 1 lung, 2 background; 3 left lung, 4 right lung
/// let parent = [-1, 0, 0, 1, 1];
/// let leaf_of_class = [2, 3, 4];
/// let mut storage = vec![0u8; LabelTree::storage_bytes(5, 3)?];
/// let tree = LabelTree::new(&parent, None, &leaf_of_class, &mut storage)?;
/// assert_eq!(tree.distance(1, 2), 2.0);
/// assert_eq!(tree.distance(0, 2), 3.0);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LabelTree<'s> {
    /// Parent of every node, the root's is itself.
    pub(crate) parent: &'s [u32],
    /// Weight of the edge above every node, the root's is 0.
    pub(crate) edge: &'s [f64],
    /// Nodes, parents before their children.
    pub(crate) order: &'s [u32],
    /// Edges between every node and the root.
    pub(crate) depth: &'s [u32],
    /// Class of a leaf, else [`NONE`].
    pub(crate) class: &'s [u32],
    /// Index among its like, in depth-first order, of an inner node that does not hold every class;
    /// else [`NONE`]. The probability of one that does is 1, as the root's.
    pub(crate) row: &'s [u32],
    /// Node of a row, and the row behind all of those below it.
    pub(crate) node_of_row: &'s [u32],
    pub(crate) end_of_row: &'s [u32],
    /// Where the leaves below every node begin in `leaves`.
    pub(crate) first_leaf: &'s [u32],
    /// How many leaves there are below every node, itself included.
    pub(crate) leaf_count: &'s [u32],
    /// Classes in depth-first order.
    pub(crate) leaves: &'s [u32],
    /// Leaf of every class.
    pub(crate) leaf_of_class: &'s [u32],
    /// Row of the inner node right above every class, [`NONE`] if it has none.
    pub(crate) row_above: &'s [u32],
    /// Smallest weight of an edge above a leaf, and whether there are others.
    pub(crate) leaf_edge: f64,
    pub(crate) leaf_edges_differ: bool,
    pub(crate) rows: usize,
    pub(crate) max_depth: u32,
    pub(crate) max_distance: f64,
}

/// An element, 0 past the end: the views of a tree are checked when it is built.
#[inline(always)]
pub(crate) fn at<T: Copy + Default>(values: &[T], index: u32) -> T {
    values.get(index as usize).copied().unwrap_or_default()
}

/// Nodes are compared as f32 numbers, which are whole up to here.
const MAX_NODES: usize = 1 << 24;

fn check_nodes(nodes: usize) -> Result<(), Error> {
    if nodes <= MAX_NODES {
        return Ok(());
    }
    let error = Error::new(Cause::ShapeOverflow, Argument::TreeNode);
    Err(error.found(nodes as f64).expected(MAX_NODES as f64))
}

impl<'s> LabelTree<'s> {
    /// Bytes of storage for a tree of this size, any alignment.
    ///
    /// # Errors
    /// [`Cause::ShapeOverflow`] if that does not fit, or if there are more than 2^24 nodes.
    pub fn storage_bytes(nodes: usize, classes: usize) -> Result<usize, Error> {
        check_nodes(nodes)?;
        Self::requirement(nodes, classes).bytes()
    }

    pub(crate) const fn requirement(nodes: usize, classes: usize) -> Requirement {
        Requirement::of::<u32>(nodes)
            .times(9)
            .and(Requirement::of::<f64>(nodes).times(2))
            .and(Requirement::of::<u32>(classes).times(3))
    }

    /// Validates a tree and lays it out in `storage`.
    ///
    /// `parent[v]` is the parent of node `v`, the root's is itself or -1. `edge_weights[v]` is the
    /// weight of the edge above `v` (the root's is not read), from 1e-18 to 1e18; `None` stands for 1.
    /// `leaf_of_class[c]` is the node of class `c`. O(nodes).
    ///
    /// # Errors
    /// One [`Cause`] for each defect, with the node or class as the position.
    pub fn new(
        parent: &[i32],
        edge_weights: Option<&[f64]>,
        leaf_of_class: &[i32],
        storage: &'s mut [u8],
    ) -> Result<Self, Error> {
        Self::new_in(parent, edge_weights, leaf_of_class, uninitialised(storage))
    }

    /// [`LabelTree::new`] in memory that need not be initialised.
    pub(crate) fn new_in(
        parent: &[i32],
        edge_weights: Option<&[f64]>,
        leaf_of_class: &[i32],
        storage: &'s mut [MaybeUninit<u8>],
    ) -> Result<Self, Error> {
        check_nodes(parent.len())?;
        let requirement = Self::requirement(parent.len(), leaf_of_class.len());
        let mut carver = Carver::new(storage, requirement)
            .map_err(|error| Error { argument: Argument::TreeStorage, ..error })?;
        Self::build(parent, edge_weights, leaf_of_class, &mut carver)
    }

    /// A tree of which only the sizes are known, to ask how much scratch it needs. No valid tree of
    /// these sizes has more rows.
    #[cfg(feature = "capi")]
    pub(crate) const fn of_sizes(nodes: &'s [u32], leaf_of_class: &'s [u32]) -> Self {
        Self {
            parent: nodes,
            edge: &[],
            order: &[],
            depth: &[],
            class: &[],
            row: &[],
            node_of_row: &[],
            end_of_row: &[],
            first_leaf: &[],
            leaf_count: &[],
            leaves: &[],
            leaf_of_class,
            row_above: &[],
            leaf_edge: 0.0,
            leaf_edges_differ: false,
            rows: nodes.len().saturating_sub(leaf_of_class.len()).saturating_sub(1),
            max_depth: 0,
            max_distance: 0.0,
        }
    }

    /// Number of nodes, the root included.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.parent.len()
    }

    /// Number of classes, which is the number of leaves.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.leaf_of_class.len()
    }

    /// Node of a class, `None` past the last.
    #[must_use]
    pub fn leaf(&self, class: usize) -> Option<usize> {
        self.leaf_of_class.get(class).map(|&leaf| leaf as usize)
    }

    /// Depth of the deepest leaf; the root has depth 0.
    #[must_use]
    pub const fn max_depth(&self) -> usize {
        self.max_depth as usize
    }

    /// Depth of a node, `None` past the last.
    #[must_use]
    pub fn depth(&self, node: usize) -> Option<usize> {
        self.depth.get(node).map(|&depth| depth as usize)
    }
}
