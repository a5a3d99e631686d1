//! Sums up the tree and their transpose down the tree, on rows of lanes.
//!
//! Leaves are rows of classes; inner nodes except the root have rows of their own, parents before
//! children, so that a row and its parent's can be told apart by a split.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::element::Lanes;
use crate::rows::{row, row_mut, rows};
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
    for group in nodes.iter_mut() {
        simd.zero().store(group);
    }
    for &node in tree.order.iter().rev() {
        let above = at(tree.row, at(tree.parent, node));
        if above == NONE || at(tree.parent, node) == node {
            continue;
        }
        let own = at(tree.row, node);
        if own == NONE {
            let class = at(tree.class, node) as usize;
            add_rows(simd, row(classes, class, lanes), row_mut(nodes, above as usize, lanes));
        } else if let Some((parents, children)) = nodes.split_at_mut_checked(own as usize * lanes) {
            add_rows(simd, row(children, 0, lanes), row_mut(parents, above as usize, lanes));
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

/// `to += sum of a[v] b[v]` over the inner nodes.
#[inline(always)]
pub(crate) fn add_products<S: Simd>(
    simd: S,
    a: &[Lanes<S::Real>],
    b: &[Lanes<S::Real>],
    to: &mut [Lanes<S::Real>],
) {
    for (a, b) in rows(a, to.len()).zip(rows(b, to.len())) {
        for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
            (simd.load(to) + simd.load(a) * simd.load(b)).store(to);
        }
    }
}
