//! Sums up the tree and their transpose down the tree, on rows of lanes.
//!
//! Leaves are rows of classes; inner nodes that do not hold every class have rows of their own,
//! parents before children, so that a row and its parent's can be told apart by a split.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::element::Lanes;
use crate::rows::{CopyRow, row, row_mut};
use crate::simd::{Simd, Vector};

/// `to += from`, lane by lane.
#[inline(always)]
fn add_rows<S: Simd>(simd: S, from: &[Lanes<S::Real>], to: &mut [Lanes<S::Real>]) {
    for (to, from) in to.iter_mut().zip(from) {
        (simd.load(to) + simd.load(from)).store(to);
    }
}

/// `nodes[v] = sum of classes[l]` over the leaves `l` below `v`, bottom up.
#[inline(always)]
pub(crate) fn sum_up<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    lanes: usize,
    classes: &[Lanes<S::Real>],
    nodes: &mut [Lanes<S::Real>],
) {
    for own in (0..tree.rows).rev() {
        let Some((parents, below)) = nodes.split_at_mut_checked((own + 1) * lanes) else { return };
        let to = row_mut(parents, own, lanes);
        let mut children = tree.children(at(tree.node_of_row, own as u32)).map(|child| {
            let (class, inner) = (at(tree.class, child), at(tree.row, child) as usize);
            if class == NONE {
                row(below, inner.saturating_sub(own + 1), lanes)
            } else {
                row(classes, class as usize, lanes)
            }
        });
        let mut first = true;
        while let Some(a) = children.next() {
            // Four at a time: what has been added up so far is read and written less often.
            match [children.next(), children.next(), children.next()] {
                [Some(b), Some(c), Some(d)] => {
                    let rest = a.iter().zip(b).zip(c.iter().zip(d));
                    for (to, ((a, b), (c, d))) in to.iter_mut().zip(rest) {
                        let (ab, cd) = (simd.load(a) + simd.load(b), simd.load(c) + simd.load(d));
                        let before = if first { simd.zero() } else { simd.load(to) };
                        (before + (ab + cd)).store(to);
                    }
                }
                [b, c, _] => {
                    if first {
                        to.copy_from_slice_checked(a);
                    } else {
                        add_rows(simd, a, to);
                    }
                    for from in [b, c].into_iter().flatten() {
                        add_rows(simd, from, to);
                    }
                }
            }
            first = false;
        }
    }
}

/// `nodes[v] += nodes[u]` over the inner nodes `u` above `v`, top down.
#[inline(always)]
pub(crate) fn push_down<S: Simd>(
    simd: S,
    tree: &LabelTree<'_>,
    lanes: usize,
    nodes: &mut [Lanes<S::Real>],
) {
    for &node in tree.order {
        let (own, above) = (at(tree.row, node), at(tree.row, at(tree.parent, node)));
        if own == NONE || above == NONE {
            continue;
        }
        if let Some((parents, children)) = nodes.split_at_mut_checked(own as usize * lanes) {
            add_rows(simd, row(parents, above as usize, lanes), row_mut(children, 0, lanes));
        }
    }
}
