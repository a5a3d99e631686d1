//! Step 1 on a tile: from staged scores to the sums of a block.
#![forbid(unsafe_code)]

use super::distance_term::distance_terms;
use super::fields::FieldUse;
use super::outgoing::Outgoing;
use super::plan::{COUNTED, Plan, SOFT, TargetKind, WEIGHT, normaliser_of, value_of};
use super::region_sums::region_sums;
use super::steps::{Steps, Wanted};
use super::term::{CrossEntropy, Term};
use super::tile::{Tile, look_up_nodes};
use super::{
    Activation, cross_entropy, distance_term, elementwise, focal, top_k, tree_cross_entropy,
    wasserstein,
};
use crate::activation::{self, GivenScores, exponentials};
use crate::element::{Lanes, Real};
use crate::math::{LIMBS, cut_into};
use crate::rows::{BLOCK, CopyRow, FEW, VERY_FEW, block_sum, blocks, gather};
use crate::simd::{Simd, Vector};
use crate::tree::{self, LabelTree, NONE, at};

/// The sums of a block.
pub(crate) struct BlockSums<'t> {
    pub scalars: &'t mut [f64],
    /// `[column][class]`.
    pub columns: &'t mut [f64],
    pub classes: usize,
}

impl BlockSums<'_> {
    pub(crate) fn clear(&mut self) {
        self.scalars.fill(0.0);
        self.columns.fill(0.0);
    }

    /// Adds these sums of a sample, as it is counted in the input, to exact ones.
    pub(crate) fn add_to(&self, plan: &Plan<'_>, sample: usize, exact: &mut [[f64; LIMBS]]) {
        let sample = plan.part.first_sample + sample;
        let (scalars, columns) = exact.split_at_mut_checked(plan.scalars()).unwrap_or_default();
        let columns = columns.get_mut(sample * self.columns.len()..).unwrap_or_default();
        for (limbs, &value) in scalars.iter_mut().zip(&*self.scalars) {
            cut_into(limbs, value);
        }
        for (limbs, &value) in columns.iter_mut().zip(&*self.columns) {
            cut_into(limbs, value);
        }
    }

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
    let mut sums = [simd.zero(); BLOCK];
    for block in blocks(row) {
        for (sum, group) in sums.iter_mut().zip(block) {
            *sum = *sum + simd.load(group);
        }
    }
    block_sum(sums)
}

/// Sum of the products of two voxel rows in f64.
#[inline(always)]
pub(crate) fn product_sum<S: Simd>(
    simd: S,
    row: &[Lanes<S::Real>],
    factors: &[Lanes<S::Real>],
) -> f64 {
    let mut sums = [simd.zero(); BLOCK];
    for (block, factors) in blocks(row).iter().zip(blocks(factors)) {
        for (sum, (group, factor)) in sums.iter_mut().zip(block.iter().zip(factors)) {
            *sum = *sum + simd.load(group) * simd.load(factor);
        }
    }
    block_sum(sums)
}

/// Activation of a staged tile and what all terms share, while `outgoing` leaves. Returns whether a
/// score may not be finite or too large, see [`exponentials`].
#[inline(always)]
pub(crate) fn activate<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    steps: Steps,
    (tile, given): (&mut Tile<'_, S::Real>, GivenScores<'_, S::Real>),
    outgoing: Option<&mut Outgoing<'_, S::Real>>,
) -> bool {
    if let (TargetKind::Nodes, Some(label_tree)) = (plan.target, &plan.loss.tree) {
        classes_of_nodes(label_tree, tile);
    }
    let suspicious = if plan.softmax {
        if plan.scores.meet(steps) || tile.keeps_scores {
            tile.scores.copy_from_slice_checked(tile.softmax);
        }
        softmax(simd, plan, steps, (tile, given), outgoing)
    } else {
        activation::suspicious(simd, tile.scores)
    };
    if plan.sigmoid || (plan.region && plan.loss.activation == Activation::Sigmoid) {
        activation::sigmoid(simd, tile.scores, tile.sigmoid, tile.lanes);
    }
    if !plan.node_sums.meet(steps) {
        return suspicious;
    }
    if let (true, Some(label_tree)) = (plan.nodes > 0, &plan.loss.tree) {
        tree::sum_up(simd, label_tree, tile.lanes, tile.softmax, tile.node_probability);
        if plan.target.dense() {
            tree::sum_up(simd, label_tree, tile.lanes, tile.target, tile.node_target);
        } else {
            let own_row = |node| label_tree.own_row(node);
            let labels = (&*tile.labels, [&*tile.label_lanes, &*tile.node_lanes]);
            look_up_nodes(simd, plan.target, label_tree, own_row, labels, tile.own_row);
        }
    }
    if let (true, Some(label_tree)) = (plan.leaf_excess, &plan.loss.tree) {
        wasserstein::excess_sums(simd, label_tree, tile);
    }
    suspicious
}

/// Softmax of a tile, its logarithms where they are wanted, and what concerns the own class.
#[inline(always)]
fn softmax<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    steps: Steps,
    (tile, given): (&mut Tile<'_, S::Real>, GivenScores<'_, S::Real>),
    outgoing: Option<&mut Outgoing<'_, S::Real>>,
) -> bool {
    let (logarithms, own_probability) =
        (plan.logarithms.meet(steps), plan.own_probability.meet(steps));
    let score_asked = plan.own_score.meet(steps);
    let own = !plan.target.dense();
    let classes =
        if plan.target == TargetKind::Labels { &*tile.labels } else { &*tile.classes_of_nodes };
    // Where the own score is known, another exponential is faster than to look at many rows.
    let few = tile.classes <= if score_asked { VERY_FEW } else { FEW };
    let own_score = own && (score_asked || (own_probability && !few));
    let one_by_one = own_score && tile.classes > FEW;
    if one_by_one {
        gather(simd, tile.softmax, classes, tile.label_lanes, tile.own_score);
    }
    let log_sum = if logarithms { &mut *tile.log_sum } else { &mut [] };
    let searched = if own_score && !one_by_one { &mut *tile.own_score } else { &mut [] };
    let sums = activation::VoxelSums {
        maximum: tile.maximum,
        inverse: tile.inverse,
        log_sum,
        own_score: searched,
        own_class: tile.label_lanes,
    };
    let scores = (given, &mut *tile.softmax);
    let suspicious = match outgoing {
        Some(outgoing) => exponentials(simd, scores, sums, (tile.ahead, outgoing)),
        None => exponentials(simd, scores, sums, (tile.ahead, &mut tile.gradient_ahead)),
    };
    if one_by_one {
        for (own, maximum) in tile.own_score.iter_mut().zip(&*tile.maximum) {
            (simd.load(own) - simd.load(maximum)).store(own);
        }
    }
    if own && own_probability {
        if few {
            gather(simd, tile.softmax, classes, tile.label_lanes, tile.own_probability);
        } else {
            for (p, score) in tile.own_probability.iter_mut().zip(&*tile.own_score) {
                simd.load(score).exp_nonpositive().store(p);
            }
        }
        for (p, inverse) in tile.own_probability.iter_mut().zip(&*tile.inverse) {
            (simd.load(p) * simd.load(inverse)).store(p);
        }
    }
    if plan.normalised {
        activation::normalise(simd, tile.softmax, tile.inverse);
    }
    suspicious
}

/// Classes of labels that are nodes: `classes_of_nodes` as an index, `label_lanes` as a number. Inner nodes
/// have none: their index is not used, and their number equals no class.
#[inline(always)]
fn classes_of_nodes<R: Real>(label_tree: &LabelTree<'_>, tile: &mut Tile<'_, R>) {
    let lanes = tile.label_lanes.as_flattened_mut().iter_mut();
    for ((lane, index), &node) in lanes.zip(tile.classes_of_nodes.iter_mut()).zip(&*tile.labels) {
        let class = at(label_tree.class, node);
        *index = if class == NONE { 0 } else { class };
        *lane = if class == NONE { -R::ONE } else { R::from_f32(class as f32) };
    }
}

/// The class rows that region terms call probabilities. Those of a softmax are exponentials, to be
/// multiplied by [`Tile::inverse`], which is 1 where the plan is for normalised ones.
#[inline(always)]
pub(crate) fn probabilities<'r, R>(plan: &Plan<'_>, tile: &'r Tile<'_, R>) -> &'r [Lanes<R>] {
    match plan.loss.activation {
        Activation::Softmax => tile.softmax,
        Activation::Sigmoid => tile.sigmoid,
        Activation::None => tile.scores,
    }
}

/// Adds what a tile weighs to the sums of its block: all that pointwise terms are divided by.
#[inline(always)]
pub(crate) fn weight_sums<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    soft: f64,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    block.add(COUNTED, tile.counted as f64);
    block.add(WEIGHT, row_sum(simd, tile.weight));
    block.add(SOFT, soft);
    if !plan.normalisers {
        return;
    }
    for (index, weighted) in plan.loss.terms.iter().enumerate() {
        if let Term::CrossEntropy(CrossEntropy { class_weights: Some(weights), .. }) = weighted.term
        {
            block.add(normaliser_of(index), cross_entropy::normaliser(simd, weights, tile));
        }
    }
}

/// Adds an activated tile to the sums of its block that the gradient waits for.
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
    weight_sums(simd, plan, soft, tile, block);
    if plan.columns > 0 {
        region_sums(simd, plan, tile, block);
    }
    let mut transport = plan.transport;
    for (index, weighted) in plan.loss.terms.iter().enumerate() {
        match &weighted.term {
            Term::TopKCrossEntropy(options) => {
                top_k::keep_losses(simd, options, tile, losses);
            }
            Term::WassersteinDice(options) => {
                wasserstein::dice_sums(simd, plan, options, (index, transport), tile, block);
                transport += 1;
            }
            _ => {}
        }
    }
}

/// Adds the values of the terms that add up over voxels; with `gradient`, but for those that come
/// with it.
#[inline(always)]
pub(crate) fn tile_values<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    gradient: bool,
    tile: &mut Tile<'_, S::Real>,
    block: &mut BlockSums<'_>,
) {
    let hard = plan.target != TargetKind::Soft;
    for (index, weighted) in plan.loss.terms.iter().enumerate() {
        match &weighted.term {
            Term::Dice(_)
            | Term::Tversky(_)
            | Term::GeneralisedDice(_)
            | Term::HausdorffDT(_)
            | Term::Boundary(_)
            | Term::TopKCrossEntropy(_)
            | Term::WassersteinDice(_) => {}
            Term::CrossEntropy(options) => {
                cross_entropy::sums(simd, plan, options, index, tile, block);
            }
            Term::BinaryCrossEntropy(_) if gradient => {}
            Term::Focal(options) if gradient && plan.takes_sigmoid(options.activation) => {}
            Term::BinaryCrossEntropy(options) => {
                let how = (options.class_weights, hard);
                block.add(value_of(index), elementwise::sum(simd, options, how, None, tile));
            }
            Term::Focal(options) if plan.takes_sigmoid(options.activation) => {
                let how = (options.class_weights, hard);
                block.add(value_of(index), elementwise::sum(simd, options, how, None, tile));
            }
            Term::Focal(options) => focal::sums(simd, plan, options, index, tile, block),
            Term::TreeCrossEntropy(_) | Term::TreeWasserstein(_) if gradient => {}
            Term::TreeCrossEntropy(options) => {
                let value = tree_cross_entropy::sum(simd, plan, options, Wanted::VALUE, tile);
                block.add(value_of(index), value);
            }
            Term::TreeWasserstein(options) => {
                let value = wasserstein::sum(simd, plan, options, index, Wanted::VALUE, tile);
                block.add(value_of(index), value);
            }
        }
    }
}
