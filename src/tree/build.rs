//! Validation and layout of a label tree, without recursion.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::error::{Argument, Cause, Error};
use crate::scratch::Carver;

/// Edge weights are from the inverse of it to it, so that ratios of two are numbers of every type.
const LARGEST_EDGE: f64 = 1e18;

fn node_error(cause: Cause, node: usize) -> Error {
    Error::new(cause, Argument::TreeNode).at(node)
}

fn class_error(cause: Cause, class: usize) -> Error {
    Error::new(cause, Argument::TreeClass).at(class)
}

/// Writes an element; the caller's indices were checked before.
fn put<T>(values: &mut [T], index: u32, value: T) {
    if let Some(place) = values.get_mut(index as usize) {
        *place = value;
    }
}

impl<'s> LabelTree<'s> {
    pub(crate) fn build(
        given_parent: &[i32],
        edge_weights: Option<&[f64]>,
        given_leaves: &[i32],
        storage: &mut Carver<'s>,
    ) -> Result<Self, Error> {
        let (nodes, classes) = (given_parent.len(), given_leaves.len());
        if nodes == 0 {
            return Err(node_error(Cause::TreeNoRoot, 0).found(0.0));
        }
        let parent = storage.take::<u32>(nodes)?;
        let order = storage.take::<u32>(nodes)?;
        let depth = storage.take::<u32>(nodes)?;
        let class = storage.take::<u32>(nodes)?;
        let row = storage.take::<u32>(nodes)?;
        let node_of_row = storage.take::<u32>(nodes)?;
        let end_of_row = storage.take::<u32>(nodes)?;
        let first_leaf = storage.take::<u32>(nodes)?;
        let leaf_count = storage.take::<u32>(nodes)?;
        let edge = storage.take::<f64>(nodes)?;
        let leaves = storage.take::<u32>(classes)?;
        let leaf_of_class = storage.take::<u32>(classes)?;
        let row_above = storage.take::<u32>(classes)?;
        let reach = storage.take::<f64>(nodes)?;

        let root = copy_parents(given_parent, parent)?;
        sort(parent, order, depth)?;
        copy_classes(given_leaves, leaf_of_class, class, depth)?;
        copy_edges(edge_weights, root, edge)?;

        // `depth` holds the number of children until it is measured.
        if let Some(node) = depth.iter().zip(&*class).position(|(&n, &c)| n == 0 && c == NONE) {
            return Err(node_error(Cause::TreeLeafWithoutClass, node));
        }
        let below = &mut *leaf_count;
        count_inner_nodes(order, parent, class, below);
        let rows = number_rows((order, parent, class), (depth, below), first_leaf, row);
        for (node, &own) in row.iter().enumerate().filter(|(_, row)| **row != NONE) {
            put(node_of_row, own, node as u32);
            put(end_of_row, own, own + at(below, node as u32));
        }
        for (to, &leaf) in row_above.iter_mut().zip(&*leaf_of_class) {
            *to = at(row, at(parent, leaf));
        }
        let max_depth = measure_depth(order, parent, depth);
        place_leaves(order, parent, class, leaf_count, first_leaf, leaves);
        let max_distance = longest_path(order, parent, edge, reach);
        let mut leaf_edges = leaf_of_class.iter().map(|&leaf| at(edge, leaf));
        let leaf_edge = leaf_edges.clone().reduce(libm::fmin).unwrap_or_default();
        let leaf_edges_differ = leaf_edges.any(|edge| edge != leaf_edge);
        Ok(Self {
            parent,
            edge,
            order,
            depth,
            class,
            row,
            node_of_row,
            end_of_row,
            first_leaf,
            leaf_count,
            leaves,
            leaf_of_class,
            row_above,
            leaf_edge,
            leaf_edges_differ,
            rows,
            max_depth,
            max_distance,
        })
    }
}

/// Checks the range of the parents and finds the root.
fn copy_parents(given: &[i32], parent: &mut [u32]) -> Result<u32, Error> {
    let mut root = None;
    for (node, (&from, to)) in given.iter().zip(parent.iter_mut()).enumerate() {
        let inside = from >= 0 && (from as usize) < given.len();
        if !inside && from != -1 {
            let error = node_error(Cause::TreeParent, node).found(f64::from(from));
            return Err(error.expected((given.len() - 1) as f64));
        }
        let is_root = from == -1 || from as usize == node;
        if is_root && root.is_some() {
            return Err(node_error(Cause::TreeTwoRoots, node));
        }
        if is_root {
            root = Some(node as u32);
        }
        *to = if is_root { node as u32 } else { from as u32 };
    }
    root.ok_or(node_error(Cause::TreeNoRoot, 0))
}

/// Sorts parents before children by peeling off leaves; `children` is left with their numbers.
fn sort(parent: &[u32], order: &mut [u32], children: &mut [u32]) -> Result<(), Error> {
    let count = |children: &mut [u32]| {
        children.fill(0);
        for (node, &above) in parent.iter().enumerate() {
            if above as usize != node {
                put(children, above, at(children, above) + 1);
            }
        }
    };
    count(children);
    let mut sorted = 0usize;
    for (node, &n) in children.iter().enumerate() {
        if n == 0 {
            put(order, sorted as u32, node as u32);
            sorted += 1;
        }
    }
    let mut next = 0usize;
    while next < sorted {
        let node = at(order, next as u32);
        let above = at(parent, node);
        next += 1;
        if above == node {
            continue;
        }
        let left = at(children, above).saturating_sub(1);
        put(children, above, left);
        if left == 0 {
            put(order, sorted as u32, above);
            sorted += 1;
        }
    }
    if sorted < order.len() {
        let node = children.iter().position(|&n| n != 0).unwrap_or_default();
        return Err(node_error(Cause::TreeCycle, node));
    }
    order.reverse();
    count(children);
    Ok(())
}

/// Puts every class on its own leaf.
fn copy_classes(
    given: &[i32],
    leaf_of_class: &mut [u32],
    class: &mut [u32],
    children: &[u32],
) -> Result<(), Error> {
    class.fill(NONE);
    for (index, (&leaf, to)) in given.iter().zip(leaf_of_class.iter_mut()).enumerate() {
        let node = u32::try_from(leaf).unwrap_or(NONE);
        if children.get(node as usize) != Some(&0) {
            let error = class_error(Cause::TreeClassNotLeaf, index);
            return Err(error.found(f64::from(leaf)));
        }
        if at(class, node) != NONE {
            let error = class_error(Cause::TreeDuplicateLeaf, index);
            return Err(error.found(f64::from(leaf)));
        }
        put(class, node, index as u32);
        *to = node;
    }
    Ok(())
}

fn copy_edges(given: Option<&[f64]>, root: u32, edge: &mut [f64]) -> Result<(), Error> {
    edge.fill(1.0);
    if let Some(given) = given {
        crate::view::check_length(Argument::TreeNode, given.len(), edge.len())?;
        for (node, (&weight, to)) in given.iter().zip(edge.iter_mut()).enumerate() {
            let allowed = 1.0 / LARGEST_EDGE..=LARGEST_EDGE;
            if node != root as usize && !allowed.contains(&weight) {
                return Err(node_error(Cause::TreeEdgeWeight, node).found(weight));
            }
            *to = weight;
        }
    }
    put(edge, root, 0.0);
    Ok(())
}

/// How many inner nodes there are below every node, itself included.
fn count_inner_nodes(order: &[u32], parent: &[u32], class: &[u32], below: &mut [u32]) {
    below.fill(0);
    for &node in order.iter().rev() {
        let own = at(below, node) + u32::from(at(class, node) == NONE);
        put(below, node, own);
        let above = at(parent, node);
        if above != node {
            put(below, above, at(below, above) + own);
        }
    }
}

/// Numbers the inner nodes that do not hold every class, so that those below a node follow it,
/// siblings in the order of [`place_leaves`]. `children` and `below` count children, and inner nodes
/// with the node itself; `next` is the next row below every node. Returns how many rows there are.
fn number_rows(
    (order, parent, class): (&[u32], &[u32], &[u32]),
    (children, below): (&[u32], &[u32]),
    next: &mut [u32],
    row: &mut [u32],
) -> usize {
    next.fill(0);
    row.fill(NONE);
    let mut rows = 0;
    for &node in order {
        let above = at(parent, node);
        if above == node || at(class, node) != NONE {
            continue;
        }
        let only_child = at(children, above) == 1;
        if only_child && at(row, above) == NONE {
            continue;
        }
        let own = at(next, above);
        put(next, above, own + at(below, node));
        put(next, node, own + 1);
        put(row, node, own);
        rows += 1;
    }
    rows
}

/// Longest path between two leaves; `reach` of a node is the distance to the farthest leaf below.
fn longest_path(order: &[u32], parent: &[u32], edge: &[f64], reach: &mut [f64]) -> f64 {
    let mut longest = 0.0;
    for &node in order.iter().rev() {
        let above = at(parent, node);
        if above == node {
            continue;
        }
        let through = at(reach, node) + at(edge, node);
        let before = at(reach, above);
        // A single leaf below a node makes no path: it has nothing to meet yet.
        longest = libm::fmax(longest, if before > 0.0 { before + through } else { 0.0 });
        put(reach, above, libm::fmax(before, through));
    }
    longest
}

fn measure_depth(order: &[u32], parent: &[u32], depth: &mut [u32]) -> u32 {
    let mut deepest = 0;
    for &node in order {
        let above = at(parent, node);
        let own = if above == node { 0 } else { at(depth, above) + 1 };
        put(depth, node, own);
        deepest = deepest.max(own);
    }
    deepest
}

/// Puts the leaves below every node side by side.
fn place_leaves(
    order: &[u32],
    parent: &[u32],
    class: &[u32],
    leaf_count: &mut [u32],
    first_leaf: &mut [u32],
    leaves: &mut [u32],
) {
    leaf_count.fill(0);
    for &node in order.iter().rev() {
        let own = at(leaf_count, node) + u32::from(at(class, node) != NONE);
        put(leaf_count, node, own);
        let above = at(parent, node);
        if above != node {
            put(leaf_count, above, at(leaf_count, above) + own);
        }
    }
    // While a parent waits for its children, its own beginning moves behind those already placed.
    first_leaf.fill(0);
    for &node in order {
        let above = at(parent, node);
        if above != node {
            let begin = at(first_leaf, above);
            put(first_leaf, above, begin + at(leaf_count, node));
            put(first_leaf, node, begin);
        }
        if at(class, node) != NONE {
            put(leaves, at(first_leaf, node), at(class, node));
        }
    }
    // All children of an inner node are placed now: move its beginning back.
    for &node in order {
        if at(class, node) == NONE {
            let begin = at(first_leaf, node).wrapping_sub(at(leaf_count, node));
            put(first_leaf, node, begin);
        }
    }
}
