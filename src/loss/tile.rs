//! A tile: some voxels of one sample, staged so that kernels know neither element types nor
//! layouts.
//!
//! Class rows `[class][voxel]` and voxel rows `[voxel]` are stored in groups of lanes, and padded:
//! padding voxels weigh 0. Voxels of weight 0 have score 0 and label 0 here, whatever the caller's
//! buffers hold, so they stay finite and their weight keeps them out of every sum.
#![forbid(unsafe_code)]

use super::output::Place;
use super::plan::{LABEL_ROWS, Plan, TargetKind, VOXEL_ROWS};
use super::steps::Steps;
use crate::activation::NextTile;
use crate::element::{LANES, Lanes, Real};
use crate::error::Error;
use crate::rows::{BLOCK, fill, look_up};
use crate::scratch::Carver;
use crate::simd::{Ahead, Simd, Vector};
use crate::tree::{LabelTree, at};

/// Views of a worker's scratch; a row that the plan does not need is empty.
pub(crate) struct Tile<'t, R> {
    pub classes: usize,
    /// Groups of lanes in a row.
    pub lanes: usize,
    /// Voxels, without padding.
    pub voxels: usize,
    /// Index of the sample in the input, and of the first voxel in the sample.
    pub sample: usize,
    pub first: usize,
    /// Voxels that weigh more than 0.
    pub counted: usize,
    pub ahead: NextTile,
    /// Where the gradient goes, if it goes there at once.
    pub gradient_ahead: Ahead,

    /// Class rows.
    pub scores: &'t mut [Lanes<R>],
    /// Whether [`Plan::spare_scores`] are needed.
    pub keeps_scores: bool,
    pub softmax: &'t mut [Lanes<R>],
    /// The gradient of the last tile, which takes turns with the rows that hold that of this one.
    pub leaving: &'t mut [Lanes<R>],
    pub sigmoid: &'t mut [Lanes<R>],
    pub target: &'t mut [Lanes<R>],
    /// `H_c = p_c dL/dp_c` under softmax that comes from nothing below; see [`Tile::use_pull`].
    pub pull: &'t mut [Lanes<R>],
    pub uses_pull: bool,
    /// Gradient with respect to the scores of elementwise terms.
    pub direct: &'t mut [Lanes<R>],

    /// Field weights of distance terms, `[term][class][voxel]`.
    pub fields: &'t mut [Lanes<R>],

    /// Rows of inner nodes: probabilities, the target's sums, and what they add to `dL/dp` of all
    /// below, in the end `sum_j H_j` less that of the path.
    pub node_probability: &'t mut [Lanes<R>],
    pub node_target: &'t mut [Lanes<R>],
    pub node_pull: &'t mut [Lanes<R>],

    /// Voxel rows.
    pub weight: &'t mut [Lanes<R>],
    /// Of how many voxels they are known to be 1.
    pub ones: usize,
    /// Whether they are all 1, and there is no padding.
    pub all_weigh_one: bool,
    /// The class as a number, for comparisons.
    pub label_lanes: &'t mut [Lanes<R>],
    /// The node as a number, for a target of nodes.
    pub node_lanes: &'t mut [Lanes<R>],
    /// Row of the innermost inner node around the label, see [`LabelTree::own_row`].
    pub own_row: &'t mut [Lanes<R>],
    /// Largest score.
    pub maximum: &'t mut [Lanes<R>],
    /// 1 / sum of exponentials.
    pub inverse: &'t mut [Lanes<R>],
    /// ln of the sum of exponentials of the scores less the maximum.
    pub log_sum: &'t mut [Lanes<R>],
    /// Score of the own class less the maximum.
    pub own_score: &'t mut [Lanes<R>],
    pub own_probability: &'t mut [Lanes<R>],
    /// `H` of the own class from terms that look at nothing else; see [`own_so_far`].
    pub own_pull: &'t mut [Lanes<R>],
    pub uses_own_pull: bool,
    /// Factor of [`LabelTree::leaf_excess`] in `dL/dp` of a class.
    pub excess_factor: &'t mut [Lanes<R>],
    /// `sum_l x_l p_l` with [`LabelTree::leaf_excess`] for `x`, of the exponentials.
    pub excess_sum: &'t mut [Lanes<R>],
    /// What a term multiplies a voxel's derivative by, and two rows for use within a kernel.
    pub factor: &'t mut [Lanes<R>],
    pub spare: &'t mut [Lanes<R>],
    pub spare_too: &'t mut [Lanes<R>],

    /// Class of each voxel, or node for a target of nodes.
    pub labels: &'t mut [u32],
    /// Class of each voxel of a target of nodes.
    pub classes_of_nodes: &'t mut [u32],
}

impl<'t, R: Real> Tile<'t, R> {
    /// Cuts a worker's scratch, as [`Plan::tile_requirement`] counts it, for at most as many voxels as
    /// the plan's tiles have. Rows are as short as they may be.
    pub(crate) fn carve(
        plan: &Plan<'_>,
        voxels: usize,
        scratch: &'t mut [u8],
    ) -> Result<Self, Error> {
        let scratch = &mut Carver::resume(scratch);
        let (classes, lanes) = (plan.shape.classes(), groups(voxels));
        let mut class_rows =
            |needed: bool| scratch.take::<Lanes<R>>(if needed { classes * lanes } else { 0 });
        let scores = class_rows(plan.scores != Steps::NONE || plan.spare_scores)?;
        let softmax = class_rows(plan.softmax)?;
        let sigmoid = class_rows(plan.sigmoid)?;
        let target = class_rows(plan.target.dense())?;
        let pull = class_rows(plan.pull || plan.spare_pull)?;
        let direct = class_rows(plan.direct)?;
        let leaving = class_rows(plan.streams)?;
        let fields = scratch.take::<Lanes<R>>(plan.fields * classes * lanes)?;
        let mut node_rows =
            |needed: bool| scratch.take::<Lanes<R>>(if needed { plan.nodes * lanes } else { 0 });
        let node_probability = node_rows(true)?;
        let node_pull = node_rows(true)?;
        let node_target = node_rows(plan.node_buffers() > 2)?;
        let mut rows = [const { None }; VOXEL_ROWS];
        for row in &mut rows {
            *row = Some(scratch.take::<Lanes<R>>(lanes)?);
        }
        let mut labels = [const { None }; LABEL_ROWS];
        for row in &mut labels {
            *row = Some(scratch.take::<u32>(lanes * LANES)?);
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = rows.map(Option::unwrap_or_default);
        let [labels, classes_of_nodes] = labels.map(Option::unwrap_or_default);
        Ok(Self {
            classes,
            lanes,
            voxels: 0,
            sample: 0,
            first: 0,
            counted: 0,
            ahead: NextTile::NONE,
            gradient_ahead: Ahead::NOTHING,
            scores,
            softmax,
            leaving,
            sigmoid,
            target,
            pull,
            keeps_scores: false,
            uses_pull: false,
            direct,
            fields,
            node_probability,
            node_target,
            node_pull,
            weight: a,
            ones: 0,
            all_weigh_one: false,
            label_lanes: b,
            node_lanes: c,
            maximum: d,
            inverse: e,
            log_sum: f,
            own_score: g,
            own_probability: h,
            own_pull: i,
            uses_own_pull: false,
            excess_factor: j,
            excess_sum: k,
            spare: l,
            spare_too: m,
            own_row: n,
            factor: o,
            labels,
            classes_of_nodes,
        })
    }
}

impl<R: Real> Tile<'_, R> {
    /// Whether rows are as long as so many voxels need.
    pub(crate) fn fits(&self, voxels: usize) -> bool {
        self.lanes == groups(voxels)
    }

    /// Goes to other voxels, as many as [fit](Self::fits).
    pub(crate) fn place(&mut self, (sample, first, voxels): Place) {
        (self.sample, self.first, self.voxels) = (sample, first, voxels);
        self.counted = 0;
        self.all_weigh_one = false;
        self.ahead = NextTile::NONE;
        self.gradient_ahead = Ahead::NOTHING;
        self.keeps_scores = false;
    }
}

/// Groups of lanes, whole blocks, in a row of so many voxels.
pub(crate) const fn groups(voxels: usize) -> usize {
    voxels.div_ceil(LANES * BLOCK) * BLOCK
}

impl<R: Real> Tile<'_, R> {
    /// Sets the rows of `pull` to 0 before their first use in a tile.
    #[inline(always)]
    pub(crate) fn use_pull(&mut self) {
        if !self.uses_pull {
            self.uses_pull = true;
            fill(self.pull, R::ZERO);
        }
    }
}

/// What [`Tile::own_pull`] holds of a group, which is nothing before its first use in a tile.
#[inline(always)]
pub(crate) fn own_so_far<S: Simd>(simd: S, used: bool, pull: &Lanes<S::Real>) -> S::Vector {
    if used { simd.load(pull) } else { simd.zero() }
}

/// An option of a class, 1 where there is none.
#[inline(always)]
pub(crate) fn class_weight(weights: Option<&[f64]>, class: usize) -> f64 {
    match weights {
        Some(weights) => weights.get(class).copied().unwrap_or_default(),
        None => 1.0,
    }
}

/// One option for all classes, or one for each.
#[inline(always)]
pub(crate) fn per_class(values: Option<&[f64]>, class: usize) -> f64 {
    match values {
        Some([one]) => *one,
        values => class_weight(values, class),
    }
}

/// `weight[i] * product of the class weights of label i`, in `spare` if there are any.
#[inline(always)]
pub(crate) fn label_factors<'r, S: Simd>(
    simd: S,
    weight: &'r [Lanes<S::Real>],
    (labels, numbers): (&[u32], &[Lanes<S::Real>]),
    class_weights: [Option<&[f64]>; 2],
    spare: &'r mut [Lanes<S::Real>],
) -> &'r [Lanes<S::Real>] {
    if class_weights == [None, None] {
        return weight;
    }
    let classes = class_weights.iter().flatten().map(|weights| weights.len()).max();
    let factor = |class| {
        let [one, other] = class_weights;
        S::Real::from_f64(class_weight(one, class) * class_weight(other, class))
    };
    look_up(simd, classes.unwrap_or_default(), factor, (labels, numbers), spare);
    weigh(simd, weight, spare);
    spare
}

/// `factors[i] *= weight[i]`.
#[inline(always)]
pub(crate) fn weigh<S: Simd>(simd: S, weight: &[Lanes<S::Real>], factors: &mut [Lanes<S::Real>]) {
    for (factor, weight) in factors.iter_mut().zip(weight) {
        (simd.load(factor) * simd.load(weight)).store(factor);
    }
}

/// Rows of labels as classes and as nodes, as numbers.
type Numbers<'r, R> = [&'r [Lanes<R>]; 2];

/// `to[i] = value(node of label i)`, labels being classes or nodes as the target is.
#[inline(always)]
pub(crate) fn look_up_nodes<S: Simd>(
    simd: S,
    target: TargetKind,
    tree: &LabelTree<'_>,
    value: impl Fn(u32) -> S::Real,
    (labels, [classes, nodes]): (&[u32], Numbers<'_, S::Real>),
    to: &mut [Lanes<S::Real>],
) {
    if target == TargetKind::Nodes {
        return look_up(simd, tree.nodes(), |node| value(node as u32), (labels, nodes), to);
    }
    let of_class = |class| value(at(tree.leaf_of_class, class as u32));
    look_up(simd, tree.classes(), of_class, (labels, classes), to);
}
