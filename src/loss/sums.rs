//! Step 1 on a tile: from staged scores to the sums of a block.

use super::distance_term::distance_terms;
use super::fields::FieldUse;
use super::plan::{
    COUNTED, OVERLAP, PREDICTION, Plan, REFERENCE, SOFT, TargetKind, WEIGHT, value_of,
};
use super::term::Term;
use super::tile::Tile;
use super::{
    Activation, cross_entropy, distance_term, elementwise, focal, region, top_k,
    tree_cross_entropy, wasserstein,
};
use crate::activation;
use crate::element::{Lanes, Real};
use crate::rows::{FEW, gather, rows};
use crate::simd::{Simd, Vector};
use crate::tree::{self, LabelTree, NONE, at};

/// The sums of a block, and the place of the voxel losses of top-k.
pub(crate) struct BlockSums<'t> {
    pub scalars: &'t mut [f64],
    /// `[column][class]`.
    pub columns: &'t mut [f64],
    pub classes: usize,
}

impl BlockSums<'_> {
    #[inline(always)]
    pub(crate) fn add(&mut self, scalar: usize, value: f64) {
        if let Some(sum) = self.scalars.get_mut(scalar) {
            *sum += value;
        }
    }

    #[inline(always)]
    pub(crate) fn column(&mut self, column: usize) -> &mut [f64] {
        let begin = column * self.classes;
        self.columns.get_mut(begin..begin + self.classes).unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn add_class(&mut self, column: usize, class: usize, value: f64) {
        if let Some(sum) = self.column(column).get_mut(class) {
            *sum += value;
        }
    }
}

/// Sum of a voxel row in f64.
#[inline(always)]
pub(crate) fn row_sum<S: Simd>(simd: S, row: &[Lanes<S::Real>]) -> f64 {
    let mut sum = 0.0;
    for group in row {
        sum += simd.load(group).sum();
    }
    sum
}

/// Activation of a staged tile and what all terms share.
#[inline(always)]
pub(crate) fn activate<S: Simd>(simd: S, plan: &Plan<'_>, tile: &mut Tile<'_, S::Real>) {
    let labels = plan.target == TargetKind::Labels;
    if let (TargetKind::Nodes, Some(label_tree)) = (plan.target, &plan.loss.tree) {
        classes_of_nodes(label_tree, tile);
    }
    let own = plan.target == TargetKind::Labels || plan.target == TargetKind::Nodes;
    if plan.softmax {
        let classes = if labels { &*tile.labels } else { &*tile.cursor };
        if own {
            gather(simd, tile.softmax, classes, tile.label_lanes, tile.own_score);
            for (own, maximum) in tile.own_score.iter_mut().zip(&*tile.maximum) {
                (simd.load(own) - simd.load(maximum)).store(own);
            }
        }
        activation::exponentials(simd, tile.softmax, tile.maximum, tile.inverse, tile.log_sum);
        activation::normalise(simd, tile.softmax, tile.inverse);
        if own {
            gather(simd, tile.softmax, classes, tile.label_lanes, tile.own_probability);
        }
    }
    if plan.sigmoid || (plan.region && plan.loss.activation == Activation::Sigmoid) {
        activation::sigmoid(simd, tile.scores, tile.sigmoid, tile.lanes);
    }
    if let (true, Some(label_tree)) = (plan.nodes > 0, &plan.loss.tree) {
        tree::sum_up(simd, label_tree, tile.lanes, tile.softmax, tile.node_probability);
        if plan.target.dense() {
            tree::sum_up(simd, label_tree, tile.lanes, tile.target, tile.node_target);
        }
    }
}

/// Classes of labels that are nodes: `cursor` as an index, `label_lanes` as a number. Inner nodes
/// have none: their index is not used, and their number equals no class.
#[inline(always)]
fn classes_of_nodes<R: Real>(label_tree: &LabelTree<'_>, tile: &mut Tile<'_, R>) {
    let lanes = tile.label_lanes.as_flattened_mut().iter_mut().zip(tile.cursor.iter_mut());
    for ((lane, cursor), &node) in lanes.zip(&*tile.labels) {
        let class = at(label_tree.class, node);
        *cursor = if class == NONE { 0 } else { class };
        *lane = if class == NONE { -R::ONE } else { R::from_f32(class as f32) };
    }
}

/// The class rows that region terms call probabilities.
#[inline(always)]
pub(crate) fn probabilities<'r, R>(plan: &Plan<'_>, tile: &'r Tile<'_, R>) -> &'r [Lanes<R>] {
    match plan.loss.activation {
        Activation::Softmax => tile.softmax,
        Activation::Sigmoid => tile.sigmoid,
        Activation::None => tile.scores,
    }
}

/// Adds a tile to the sums of its block.
#[inline(always)]
pub(crate) fn tile_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    soft: f64,
    fields: FieldUse,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
    losses: &mut [S::Real],
) {
    activate(simd, plan, tile);
    for (plane, _, term) in distance_terms(plan) {
        let (used, only) = fields.of_plane(plane);
        if used {
            let places = (plane, plan.distance + plane);
            distance_term::sums(simd, plan, &term, places, only, tile, block);
        }
    }
    if !fields.other_terms() {
        return;
    }
    let counted = tile.weight.as_flattened().iter().filter(|&&w| w != S::Real::ZERO).count();
    block.add(COUNTED, counted as f64);
    block.add(WEIGHT, row_sum(simd, tile.weight));
    block.add(SOFT, soft);
    if plan.columns > 0 {
        region_sums(simd, plan, tile, block);
    }
    let mut transport = plan.transport;
    for (index, weighted) in plan.loss.terms.iter().enumerate() {
        match &weighted.term {
            Term::Dice(_)
            | Term::Tversky(_)
            | Term::GeneralisedDice(_)
            | Term::HausdorffDT(_)
            | Term::Boundary(_) => {}
            Term::CrossEntropy(options) => {
                cross_entropy::sums(simd, plan, options, index, tile, block);
            }
            Term::TopKCrossEntropy(options) => {
                top_k::keep_losses(simd, options, tile, losses);
            }
            Term::BinaryCrossEntropy(options) => {
                let value = elementwise::value(simd, options, options.class_weights, tile);
                block.add(value_of(index), value);
            }
            Term::Focal(options) if plan.takes_sigmoid(options.activation) => {
                let value = elementwise::value(simd, options, options.class_weights, tile);
                block.add(value_of(index), value);
            }
            Term::Focal(options) => focal::sums(simd, plan, options, index, tile, block),
            Term::TreeCrossEntropy(options) => {
                tree_cross_entropy::sums(simd, plan, options, index, tile, block);
            }
            Term::TreeWasserstein(options) => {
                wasserstein::sums(simd, plan, options, index, tile, block);
            }
            Term::WassersteinDice(options) => {
                wasserstein::dice_sums(simd, plan, options, (index, transport), tile, block);
                transport += 1;
            }
        }
    }
}

#[inline(always)]
fn region_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let class_rows = probabilities(plan, tile);
    for (class, row) in rows(class_rows, tile.lanes).enumerate() {
        let mut prediction = simd.zero();
        for (p, w) in row.iter().zip(&*tile.weight) {
            prediction = prediction + simd.load(p) * simd.load(w);
        }
        block.add_class(PREDICTION, class, prediction.sum());
        if let Some(squared) = plan.squared {
            let mut sum = simd.zero();
            for (p, w) in row.iter().zip(&*tile.weight) {
                let p = simd.load(p);
                sum = sum + p * p * simd.load(w);
            }
            block.add_class(squared, class, sum.sum());
        }
    }
    if plan.target.dense() {
        region::dense_sums(simd, plan, class_rows, tile, block);
    } else if plan.target == TargetKind::Labels && tile.classes <= FEW {
        few_label_sums(simd, class_rows, tile, block);
    } else if plan.target == TargetKind::Labels {
        label_sums(class_rows, tile, block);
    }
}

/// [`label_sums`] class by class, for few classes.
#[inline(always)]
fn few_label_sums<S: Simd>(
    simd: S,
    class_rows: &[Lanes<S::Real>],
    tile: &Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let zero = simd.zero();
    for (class, row) in rows(class_rows, tile.lanes).enumerate() {
        let own = simd.splat(S::Real::from_f32(class as f32));
        let (mut overlap, mut reference) = (zero, zero);
        let shared = tile.weight.iter().zip(&*tile.label_lanes);
        for (p, (w, label)) in row.iter().zip(shared) {
            let w = Vector::select(simd.load(label).equal(own), simd.load(w), zero);
            overlap = overlap + w * simd.load(p);
            reference = reference + w;
        }
        block.add_class(OVERLAP, class, overlap.sum());
        block.add_class(REFERENCE, class, reference.sum());
    }
}

/// Overlap and reference of a label map: each voxel adds to its own class.
#[inline(always)]
fn label_sums<R: Real>(class_rows: &[Lanes<R>], tile: &Tile<'_, R>, block: &mut BlockSums<'_>) {
    let voxels = tile.lanes * crate::element::LANES;
    let flat = class_rows.as_flattened();
    let weights = tile.weight.as_flattened();
    let (overlap, rest) = block.columns.split_at_mut_checked(block.classes).unwrap_or_default();
    let reference = rest.get_mut(block.classes..).unwrap_or_default();
    const { assert!(OVERLAP == 0 && PREDICTION == 1 && REFERENCE == 2) };
    for (voxel, (&weight, &label)) in weights.iter().zip(&*tile.labels).enumerate() {
        let class = label as usize;
        let p = flat.get(class * voxels + voxel).copied().unwrap_or(R::ZERO);
        let weight = weight.to_f64();
        if let (Some(t), Some(g)) = (overlap.get_mut(class), reference.get_mut(class)) {
            *t += weight * p.to_f64();
            *g += weight;
        }
    }
}
