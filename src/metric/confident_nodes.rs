//! Backing off up the label tree instead of giving up where no class is sure.
#![forbid(unsafe_code)]

use super::score_rows::{ScoreRows, Statistics, VOXELS};
use super::tree::check_classes;
use crate::element::Real;
use crate::error::{Argument, Cause, Error};
use crate::shape::Shape;
use crate::tree::{LabelTree, NONE, at};
use crate::view::{Scores, check_length};

/// Labels every voxel with the deepest node of the tree that is sure enough.
///
/// From the root on, the way leads to the child of largest probability (of equals the lowest node
/// number) as long as that probability reaches `threshold`; where it does not for any child of the
/// root, the label is the root. A node's probability is the softmax of the scores summed over the
/// classes below it, so a threshold of 0 always ends at a class. The scores are logits in the
/// order of `shape`, `nodes` is `[batch][voxel]`.
///
/// This is the inner-node counterpart of [`label_confident`](crate::label_confident) with
/// [`MaximumProbability`](crate::Confidence::MaximumProbability): a voxel that may be the left or
/// the right lung, but is surely one of them, becomes "lung".
///
/// O(scores x depth) at worst; exponentials are only summed below nodes that some voxel nearby
/// has reached.
///
/// ```
/// use segloss::{LabelTree, Shape, label_tree_confident};
/// // 0 root, 1 lung, 2 background; 3 left lung, 4 right lung
/// let mut storage = vec![0u8; LabelTree::storage_bytes(5, 3)?];
/// let tree = LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], &mut storage)?;
/// let shape = Shape::interleaved(1, 3, &[3])?;
/// let scores = [0.0f32, 9.0, 9.0, 0.0, 9.0, 2.0, 0.0, 0.0, 0.0];
/// let mut nodes = [-1; 3];
/// label_tree_confident(shape, scores[..].into(), &tree, 0.9, &mut nodes)?;
/// assert_eq!(nodes, [1, 3, 0]);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// [`Cause::Length`](crate::Cause::Length), [`Cause::TreeClasses`](crate::Cause::TreeClasses) for
/// a tree of another number of classes, [`Cause::Option`](crate::Cause::Option) for a threshold
/// outside 0..=1, [`Cause::NonFinite`](crate::Cause::NonFinite) with the score. `nodes` is
/// untouched then.
pub fn label_tree_confident(
    shape: Shape,
    scores: Scores<'_>,
    tree: &LabelTree<'_>,
    threshold: f64,
    nodes: &mut [i32],
) -> Result<(), Error> {
    check_length(Argument::Result, nodes.len(), shape.batch_voxels())?;
    check_classes(tree, shape.classes())?;
    if !(0.0..=1.0).contains(&threshold) {
        return Err(Error::new(Cause::Option, Argument::Confidence).found(threshold).expected(1.0));
    }
    let scores = ScoreRows::new(shape, scores)?;
    if scores.double() {
        descend::<f64>(&scores, tree, threshold, nodes);
    } else {
        descend::<f32>(&scores, tree, threshold, nodes);
    }
    Ok(())
}

/// Child of a node, of the largest probability so far.
#[derive(Clone, Copy)]
struct Child<R> {
    node: u32,
    sum: R,
}

pub(super) fn descend<R: Real>(
    scores: &ScoreRows<'_>,
    tree: &LabelTree<'_>,
    threshold: f64,
    nodes: &mut [i32],
) {
    let root = tree.root();
    let mut statistics = Statistics::<R>::new();
    scores.each_place(nodes, |place, nodes| {
        scores.find_highest(place, &mut statistics);
        let one = R::ONE;
        let sum_below = |node: u32, statistics: &mut Statistics<R>| {
            scores.sum_exponentials(place, tree.classes_below(node), one, statistics);
        };
        sum_below(root, &mut statistics);
        let total = statistics.sum;
        nodes.fill(root as i32);
        // Parents come before children, so all who will reach a node have, when it is looked at.
        for &node in tree.order {
            if at(tree.class, node) != NONE || !nodes.contains(&(node as i32)) {
                continue;
            }
            let mut best = [Child { node: NONE, sum: -R::ONE }; VOXELS];
            for child in tree.children(node) {
                sum_below(child, &mut statistics);
                for (best, &sum) in best.iter_mut().zip(statistics.sum.as_flattened()) {
                    if sum > best.sum || (sum == best.sum && child < best.node) {
                        *best = Child { node: child, sum };
                    }
                }
            }
            let candidates = best.iter().zip(total.as_flattened());
            for (to, (best, &total)) in nodes.iter_mut().zip(candidates) {
                // The sum of everything is summed in the same order: its probability is 1.
                if *to == node as i32 && (best.sum / total).to_f64() >= threshold {
                    *to = best.node as i32;
                }
            }
        }
    });
}
