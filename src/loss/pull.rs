//! Step 3 on a tile: from staged scores and coefficients to the gradient.
#![forbid(unsafe_code)]

use super::class_slope::ClassSlope;
use super::coefficients::{Coefficients, Slope};
use super::distance_term::DistanceTerm;
use super::plan::{Plan, TargetKind, value_of};
use super::softmax_gradient::softmax_gradient;
use super::steps::Wanted;
use super::sums::{BlockSums, probabilities};
use super::term::Term;
use super::tile::Tile;
use super::{
    Activation, cross_entropy, distance_term, elementwise, focal, top_k, tree_cross_entropy,
    wasserstein,
};
use crate::element::{Lanes, Real};
use crate::rows::{fill, row, row_mut};
use crate::simd::{Simd, Vector};

/// The class rows that hold the gradient after [`tile_gradient`].
pub(crate) fn result<'r, R>(plan: &Plan<'_>, tile: &'r Tile<'_, R>) -> &'r [Lanes<R>] {
    if plan.softmax { tile.softmax } else { tile.scores }
}

/// Turns an activated tile into its gradient, see [`result`]. `values` is where values are added
/// that come with the gradient, see [`tile_values`](super::sums::tile_values).
#[inline(always)]
pub(crate) fn tile_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    slopes: &[Slope<S::Real>],
    tile: &mut Tile<'_, S::Real>,
    values: Option<&mut BlockSums<'_>>,
) {
    for rows in [&mut *tile.direct, &mut *tile.node_pull] {
        fill(rows, S::Real::ZERO);
    }
    if plan.leaf_excess {
        fill(tile.excess_factor, S::Real::ZERO);
    }
    (tile.uses_pull, tile.uses_own_pull) = (false, false);
    if plan.pull {
        tile.use_pull();
    }
    pull_terms(simd, plan, coefficients, tile, values);
    if plan.softmax {
        softmax_gradient(simd, plan, slopes, tile);
    }
    if plan.loss.activation != Activation::Softmax {
        elementwise_gradient(simd, plan, slopes, tile);
    }
}

#[inline(always)]
fn pull_terms<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    coefficients: &Coefficients<'_>,
    tile: &mut Tile<'_, S::Real>,
    mut values: Option<&mut BlockSums<'_>>,
) {
    let with_values = values.is_some();
    let mut add_value = |term: usize, value: f64| {
        if let Some(block) = &mut values {
            block.add(value_of(term), value);
        }
    };
    let (mut transport, mut plane) = (0, 0);
    let hard = plan.target != TargetKind::Soft;
    let scales = coefficients.scale.iter();
    for (index, (weighted, &scale)) in plan.loss.terms.iter().zip(scales).enumerate() {
        match &weighted.term {
            Term::Dice(_) | Term::Tversky(_) | Term::GeneralisedDice(_) => {}
            Term::CrossEntropy(options) => cross_entropy::pull(simd, plan, options, scale, tile),
            Term::TopKCrossEntropy(options) => {
                top_k::pull(simd, plan, options, coefficients, scale, tile);
            }
            Term::BinaryCrossEntropy(options) => {
                let how = (options.class_weights, hard);
                add_value(index, elementwise::sum(simd, options, how, Some(scale), tile));
            }
            Term::Focal(options) if plan.takes_sigmoid(options.activation) => {
                let how = (options.class_weights, hard);
                add_value(index, elementwise::sum(simd, options, how, Some(scale), tile));
            }
            Term::Focal(options) => focal::pull(simd, plan, options, scale, tile),
            Term::TreeCrossEntropy(options) => {
                let wanted = Wanted { value: with_values, scale: Some(scale) };
                add_value(index, tree_cross_entropy::sum(simd, plan, options, wanted, tile));
            }
            Term::TreeWasserstein(options) => {
                let wanted = Wanted { value: with_values, scale: Some(scale) };
                add_value(index, wasserstein::sum(simd, plan, options, index, wanted, tile));
            }
            Term::WassersteinDice(options) => {
                let by_cost = coefficients.transport(plan, transport, tile.sample);
                wasserstein::dice_pull(simd, plan, options, by_cost, tile);
                transport += 1;
            }
            Term::HausdorffDT(_) | Term::Boundary(_) => {
                if let Some(term) = DistanceTerm::of(&weighted.term) {
                    distance_term::pull(simd, plan, &term, plane, scale, tile);
                }
                plane += 1;
            }
        }
    }
}

/// Adds the gradient of region terms under sigmoid or no activation, and, where there is no
/// softmax that has done so, the direct gradient.
#[inline(always)]
fn elementwise_gradient<S: Simd>(
    simd: S,
    plan: &Plan<'_>,
    slopes: &[Slope<S::Real>],
    tile: &mut Tile<'_, S::Real>,
) {
    let one = simd.splat(S::Real::ONE);
    let sigmoid = plan.loss.activation == Activation::Sigmoid;
    for (class, slope) in slopes.iter().enumerate() {
        let c = ClassSlope::new(simd, slope);
        let own_class = simd.splat(S::Real::from_f64(class as f64));
        for group in 0..tile.lanes {
            let at_group = |class_rows: &[Lanes<S::Real>]| {
                row(class_rows, class, tile.lanes).get(group).map(|lanes| simd.load(lanes))
            };
            let mut gradient = simd.zero();
            if plan.region {
                let p = at_group(probabilities(plan, tile)).unwrap_or(one);
                let w = tile.weight.get(group).map_or(one, |w| simd.load(w));
                let g = at_group(tile.target).unwrap_or_else(|| {
                    let label = tile.label_lanes.get(group).map_or(one, |l| simd.load(l));
                    Vector::select(label.equal(own_class), one, simd.zero())
                });
                let chain = if sigmoid { p * (one - p) } else { one };
                gradient = w * (chain * c.at(simd, p, g));
            }
            if plan.softmax {
                gradient = gradient + at_group(tile.softmax).unwrap_or(gradient);
            } else if let Some(direct) = at_group(tile.direct) {
                gradient = gradient + direct;
            }
            let result = if plan.softmax { &mut *tile.softmax } else { &mut *tile.scores };
            if let Some(to) = row_mut(result, class, tile.lanes).get_mut(group) {
                gradient.store(to);
            }
        }
    }
}
