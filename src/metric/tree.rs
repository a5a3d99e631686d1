//! Metrics on a label tree: overlap at every node, and how far wrong a wrong class is.
#![forbid(unsafe_code)]

use super::labels::{BLOCK, ClassMap, NO_CLASS};
use super::{LabelPair, OverlapCounts};
use crate::error::{Argument, Cause, Error};
use crate::tree::{LabelTree, NONE, at};
use crate::view::{Labels, check_length};

/// How far predicted and true class lie apart in a label tree, summed over voxels.
///
/// A prediction of no class stands for the root.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TreeDistances {
    /// Voxels that count.
    pub counted_voxels: u64,
    /// Sum of the tree distances between predicted and true class, see [`LabelTree::distance`].
    pub total_distance: f64,
    /// Sum of the depths of their lowest common ancestors; the root has depth 0.
    pub total_ancestor_depth: u64,
}

impl TreeDistances {
    /// Mean tree distance of predicted and true class: the tree-induced error (Dekel, Keshet and
    /// Singer 2004). `undefined` if no voxel counts.
    #[must_use]
    pub fn mean_distance(&self, undefined: f64) -> f64 {
        self.mean(self.total_distance, undefined)
    }

    /// Mean depth of the lowest common ancestor of predicted and true class: the larger, the less
    /// severe the mistakes (Bertinetto 2020 uses its height). `undefined` if no voxel counts.
    #[must_use]
    pub fn mean_ancestor_depth(&self, undefined: f64) -> f64 {
        self.mean(self.total_ancestor_depth as f64, undefined)
    }

    fn mean(&self, total: f64, undefined: f64) -> f64 {
        if self.counted_voxels == 0 { undefined } else { total / self.counted_voxels as f64 }
    }

    /// The sums of two sets of voxels together.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            counted_voxels: self.counted_voxels.saturating_add(other.counted_voxels),
            total_distance: self.total_distance + other.total_distance,
            total_ancestor_depth: self
                .total_ancestor_depth
                .saturating_add(other.total_ancestor_depth),
        }
    }
}

/// Node of a class, [`NONE`] for no class.
fn leaf(tree: &LabelTree<'_>, class: u32) -> u32 {
    tree.leaf_of_class.get(class as usize).copied().unwrap_or(NONE)
}

/// Lowest node that is at or above the leaves of two classes, [`NONE`] if one is no class.
fn common_ancestor(tree: &LabelTree<'_>, class_a: u32, class_b: u32) -> u32 {
    let (mut a, mut b) = (leaf(tree, class_a), leaf(tree, class_b));
    if a == NONE || b == NONE {
        return NONE;
    }
    while a != b {
        let deeper = if at(tree.depth, a) >= at(tree.depth, b) { &mut a } else { &mut b };
        *deeper = at(tree.parent, *deeper);
    }
    a
}

/// Refuses a tree of another number of classes.
pub(super) fn check_classes(tree: &LabelTree<'_>, classes: usize) -> Result<(), Error> {
    if tree.classes() == classes {
        return Ok(());
    }
    let error = Error::new(Cause::TreeClasses, Argument::TreeClass);
    Err(error.found(tree.classes() as f64).expected(classes as f64))
}

/// Counts what [`OverlapMetric`](crate::OverlapMetric) is made of at every node of a label tree,
/// and measures how far wrong the wrong classes are.
///
/// The mask of a node is the union of the classes below it, so the counts of leaves are those of
/// [`count_overlap`](crate::count_overlap), and mistakes between two classes are none at their
/// common ancestors. `nodes` gets one element per node and is overwritten. A prediction of no
/// class is in no mask, not even the root's.
///
/// Two passes over the maps; O(voxels + depth x voxels with a wrong class + nodes).
///
/// ```
/// use segloss::{LabelPair, LabelTree, OverlapCounts, OverlapMetric, Spacing, count_tree_overlap};
/// // 0 root, 1 lung, 2 background; 3 left lung, 4 right lung
/// let mut storage = vec![0u8; LabelTree::storage_bytes(5, 3)?];
/// let tree = LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], &mut storage)?;
/// let (prediction, reference) = ([0u8, 1, 1, 2], [0u8, 1, 2, 0]);
/// let pair = LabelPair {
///     extent: &[4],
///     spacing: Spacing::voxels(1)?,
///     classes: 3,
///     prediction: prediction[..].into(),
///     reference: reference[..].into(),
///     ignore: None,
/// };
/// let mut nodes = [OverlapCounts::default(); 5];
/// let distances = count_tree_overlap(&pair, &tree, &mut nodes)?;
/// // Left for right is right at "lung".
/// assert_eq!(nodes[4].score(OverlapMetric::Dice, 0.0), 0.0);
/// assert_eq!(nodes[1].score(OverlapMetric::Dice, 0.0), 0.8);
/// // Distances 0, 0, 2 and 3; common ancestors at depths 1, 2, 1 and 0.
/// assert_eq!(distances.mean_distance(0.0), 1.25);
/// assert_eq!(distances.mean_ancestor_depth(0.0), 1.0);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// As [`count_overlap`](crate::count_overlap), and
/// [`Cause::TreeClasses`](crate::Cause::TreeClasses) for a tree of another number of classes.
/// `nodes` is untouched then.
pub fn count_tree_overlap(
    pair: &LabelPair<'_>,
    tree: &LabelTree<'_>,
    nodes: &mut [OverlapCounts],
) -> Result<TreeDistances, Error> {
    let reader = pair.reader(None)?;
    check_classes(tree, pair.classes)?;
    check_length(Argument::Counts, nodes.len(), tree.nodes())?;
    reader.check()?;
    nodes.fill(OverlapCounts::default());
    let mut all = 0;
    let (mut last, mut common) = ((NO_CLASS, NO_CLASS), NONE);
    reader.count(|prediction, reference, voxels| {
        all += voxels;
        // Mistakes are alike along a border.
        if last != (prediction, reference) {
            last = (prediction, reference);
            common = common_ancestor(tree, prediction, reference);
        }
        if let Some(own) = nodes.get_mut(leaf(tree, prediction) as usize) {
            own.false_positive += voxels;
        }
        if let Some(own) = nodes.get_mut(leaf(tree, reference) as usize) {
            own.false_negative += voxels;
        }
        if let Some(own) = nodes.get_mut(common as usize) {
            own.true_positive += voxels;
        }
    });
    Ok(finish(tree, all, nodes))
}

/// Adds children to their parents, so that a node holds what is below it, and measures the
/// distances on the way: the path between two classes has an edge above every node that is an
/// ancestor of one of them alone.
fn finish(tree: &LabelTree<'_>, all: u64, nodes: &mut [OverlapCounts]) -> TreeDistances {
    let mut distances = TreeDistances { counted_voxels: all, ..TreeDistances::default() };
    for &node in tree.order.iter().rev() {
        let Some(own) = nodes.get_mut(node as usize) else { continue };
        let sums = *own;
        own.finish(all);
        let above = at(tree.parent, node);
        if above == node {
            continue;
        }
        let apart = own.false_positive + own.false_negative;
        distances.total_distance += at(tree.edge, node) * apart as f64;
        distances.total_ancestor_depth += sums.true_positive;
        if let Some(parent) = nodes.get_mut(above as usize) {
            *parent = parent.merged(sums);
        }
    }
    distances
}

/// Replaces every class by its ancestor at a depth, or by itself where it is not that deep.
///
/// `labels` are classes `0..tree.classes()`, and `nodes`, of the same length, gets node numbers;
/// `depth` 0 is the root. A voxel labelled `ignore` stays `ignore`. Two collapsed maps may be
/// compared by [`count_overlap`](crate::count_overlap) with [`LabelTree::nodes`] classes: overlap
/// at one level of the tree.
///
/// ```
/// use segloss::{LabelTree, collapse_labels};
/// // 0 root, 1 lung, 2 background; 3 left lung, 4 right lung
/// let mut storage = vec![0u8; LabelTree::storage_bytes(5, 3)?];
/// let tree = LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], &mut storage)?;
/// let labels = [0u8, 1, 2, 255];
/// let mut nodes = [0; 4];
/// collapse_labels(&tree, 1, labels[..].into(), Some(255), &mut nodes)?;
/// assert_eq!(nodes, [2, 1, 1, 255]);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// [`Cause::Length`](crate::Cause::Length), [`Cause::Label`](crate::Cause::Label) with the voxel,
/// and [`Cause::Option`](crate::Cause::Option) for an `ignore` that is no i32, or is also the
/// number of a node that another class becomes. `nodes` is untouched then.
pub fn collapse_labels(
    tree: &LabelTree<'_>,
    depth: usize,
    labels: Labels<'_>,
    ignore: Option<i64>,
    nodes: &mut [i32],
) -> Result<(), Error> {
    check_length(Argument::Result, nodes.len(), labels.len())?;
    let ignored = check_ignore(tree, depth, ignore)?;
    // Trees have fewer than 2^31 nodes.
    let classes = u32::try_from(tree.classes()).unwrap_or_default();
    let map = ClassMap { labels, classes, ignore, argument: Argument::Target };
    let mut block = [NO_CLASS; BLOCK];
    for begin in (0..labels.len()).step_by(BLOCK) {
        map.read(begin, &mut block);
        map.check(begin, &block)?;
    }
    let (mut last, mut node) = (NO_CLASS, ignored);
    for (index, nodes) in nodes.chunks_mut(BLOCK).enumerate() {
        map.read(index * BLOCK, &mut block);
        for (to, &class) in nodes.iter_mut().zip(&block) {
            if class != last {
                last = class;
                node = if class == NO_CLASS { ignored } else { ancestor(tree, class, depth) };
            }
            *to = node;
        }
    }
    Ok(())
}

/// Ancestor of a class at a depth, or its leaf.
fn ancestor(tree: &LabelTree<'_>, class: u32, depth: usize) -> i32 {
    let mut node = leaf(tree, class);
    while at(tree.depth, node) as usize > depth {
        node = at(tree.parent, node);
    }
    node as i32
}

/// The ignore label among node numbers, which must not be taken for one of them.
fn check_ignore(tree: &LabelTree<'_>, depth: usize, ignore: Option<i64>) -> Result<i32, Error> {
    let Some(label) = ignore else { return Ok(0) };
    let refusal = Error::new(Cause::Option, Argument::Target).found(label as f64);
    let ignored = i32::try_from(label).map_err(|_| refusal)?;
    let others = (0..tree.classes()).filter(|&class| class as i64 != label);
    for class in others {
        if ancestor(tree, class as u32, depth) == ignored {
            return Err(refusal);
        }
    }
    Ok(ignored)
}
