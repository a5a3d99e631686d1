//! Everything that follows from a loss, a shape and a kind of target, before a voxel is touched:
//! what a tile must hold, and which sums are taken.
#![forbid(unsafe_code)]

use super::distance_term::DistanceTerm;
use super::input::{Input, Part};
use super::outgoing::STREAMED_SCORES;
use super::steps::Steps;
use super::term::{Ground, Scale, Term, TermActivation};
use super::tiling::tiling;
use super::{Activation, Loss, MAX_TERMS};
use crate::element::{LANES, Lanes, Real};
use crate::error::{Argument, Cause, Error};
use crate::math::LIMBS;
use crate::rows::FEW;
use crate::scratch::Requirement;
use crate::shape::Shape;
use crate::view::{Dense, Scores, Target};

/// Kinds of target that kernels tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    Labels,
    Nodes,
    /// Dense values that can only be 0 or 1.
    Binary,
    /// Dense values in `[0, 1]`.
    Soft,
}

impl TargetKind {
    pub(crate) fn of(target: &Target<'_>) -> Self {
        match target {
            Target::Labels { .. } => Self::Labels,
            Target::Nodes { .. } => Self::Nodes,
            Target::Dense(Dense::U8(_)) => Self::Binary,
            Target::Dense(_) => Self::Soft,
        }
    }

    pub(crate) const fn dense(self) -> bool {
        matches!(self, Self::Binary | Self::Soft)
    }
}

/// What a plan must know of an input beside its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InputKind {
    pub target: TargetKind,
    /// Whether scores have 16 bits.
    pub half: bool,
    /// Whether the caller has distance fields.
    pub target_field: bool,
    pub prediction_field: bool,
}

impl InputKind {
    pub(crate) fn of(input: &Input<'_>, half: bool) -> Self {
        Self {
            target: TargetKind::of(&input.target),
            half,
            target_field: input.fields.target.is_some(),
            prediction_field: input.fields.prediction.is_some(),
        }
    }
}

/// Scalar sums: voxels that count, their weight, dense values other than 0 and 1; then two per
/// term, its value and its normaliser.
pub(crate) const COUNTED: usize = 0;
pub(crate) const WEIGHT: usize = 1;
pub(crate) const SOFT: usize = 2;
const FIXED_SCALARS: usize = 3;

pub(crate) const fn value_of(term: usize) -> usize {
    FIXED_SCALARS + 2 * term
}

pub(crate) const fn normaliser_of(term: usize) -> usize {
    FIXED_SCALARS + 2 * term + 1
}

/// Columns of per-class sums.
pub(crate) const OVERLAP: usize = 0;
pub(crate) const PREDICTION: usize = 1;
pub(crate) const REFERENCE: usize = 2;

#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub loss: &'a Loss<'a>,
    pub shape: Shape,
    pub part: Part,
    pub target: TargetKind,
    /// Rows of softmax probabilities.
    pub softmax: bool,
    /// Whether those rows must hold probabilities: exponentials do for terms that look at each class
    /// by itself, or at the own class.
    pub normalised: bool,
    /// The logarithm of the sum of exponentials, the score and the probability of the own class.
    pub logarithms: Steps,
    pub own_score: Steps,
    pub own_probability: Steps,
    /// Whether cross-entropies take the logarithms of all sums of exponentials together.
    pub joins_logarithms: bool,
    /// Rows of sigmoid probabilities, for region terms.
    pub sigmoid: bool,
    /// Rows of the scores as they are, and whether a tile may need them in other steps.
    pub scores: Steps,
    pub spare_scores: bool,
    /// Rows of `H` of what has no other place, and whether a tile may need them that has none.
    pub pull: bool,
    pub spare_pull: bool,
    /// Whether [`LabelTree::leaf_excess`](crate::tree::LabelTree::leaf_excess) enters cost and gradient.
    pub leaf_excess: bool,
    /// Rows of gradients with respect to the scores.
    pub direct: bool,
    /// Rows of tree nodes.
    pub nodes: usize,
    pub node_sums: Steps,
    /// Whether label smoothing adds a constant to `H` of every class of a label map.
    pub smoothing: bool,
    /// Whether a term is divided by sums of its own, of class weights over a label map.
    pub normalisers: bool,
    /// Whether region coefficients enter the gradient.
    pub region: bool,
    /// Per-class sums, number of columns.
    pub columns: usize,
    pub squared: Option<usize>,
    pub difference: Option<usize>,
    /// First column of transport costs, one per Wasserstein Dice term.
    pub transport: usize,
    /// First column of the distance terms, and how many there are.
    pub distance: usize,
    pub fields: usize,
    /// Whether fields must be made, and whether all of them wait in scratch.
    pub makes_fields: bool,
    pub fields_in_scratch: bool,
    pub target_given: bool,
    pub prediction_given: bool,
    /// Groups of lanes in a row of a tile.
    pub lanes: usize,
    pub tiles_per_block: usize,
    /// What the ground distances of each term are divided by.
    distance_units: [f64; MAX_TERMS],
    /// Whether top-k losses are kept.
    pub top_k: bool,
    /// Whether a tile's gradient may be on its way while the next tile is computed.
    pub streams: bool,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(loss: &'a Loss<'a>, input: &Input<'_>, part: Part) -> Result<Self, Error> {
        let half = matches!(input.scores, Scores::F16(_) | Scores::Bf16(_));
        Self::of_buffer(loss, input, part, input.scores.len(), half)
    }

    /// The plan for scores in a buffer of that length, apart from the input.
    pub(crate) fn of_buffer(
        loss: &'a Loss<'a>,
        input: &Input<'_>,
        part: Part,
        scores_len: usize,
        half: bool,
    ) -> Result<Self, Error> {
        let plan = Self::of_shape(loss, input.shape, InputKind::of(input, half), part)?;
        plan.check_lengths(input, scores_len)?;
        Ok(plan)
    }

    /// The plan for buffers that are not there yet.
    pub(crate) fn of_shape(
        loss: &'a Loss<'a>,
        shape: Shape,
        kind: InputKind,
        part: Part,
    ) -> Result<Self, Error> {
        let target = kind.target;
        let (lanes, tiles_per_block) = tiling(shape.classes());
        let mut plan = Self {
            loss,
            shape,
            part,
            target,
            softmax: loss.activation == Activation::Softmax,
            normalised: target.dense(),
            logarithms: Steps::default(),
            own_score: Steps::default(),
            own_probability: Steps::default(),
            joins_logarithms: false,
            sigmoid: false,
            scores: if loss.activation == Activation::Softmax { Steps::NONE } else { Steps::ALL },
            spare_scores: false,
            pull: false,
            spare_pull: false,
            leaf_excess: false,
            direct: false,
            nodes: 0,
            node_sums: Steps::NONE,
            smoothing: false,
            normalisers: false,
            region: false,
            // Coarse labels belong to no class.
            columns: if loss.class_sums && target != TargetKind::Nodes { 3 } else { 0 },
            squared: None,
            difference: None,
            transport: 0,
            distance: 0,
            fields: 0,
            makes_fields: false,
            fields_in_scratch: loss.fields_in_scratch || kind.half,
            target_given: kind.target_field,
            prediction_given: kind.prediction_field,
            lanes,
            tiles_per_block,
            distance_units: [1.0; MAX_TERMS],
            top_k: false,
            streams: !kind.half && shape.elements() >= STREAMED_SCORES,
        };
        for weighted in &loss.terms {
            plan.require(&weighted.term);
            if let Some(term) = DistanceTerm::of(&weighted.term) {
                plan.makes_fields |=
                    !kind.target_field || (term.two_sided() && !kind.prediction_field);
            }
        }
        if plan.columns > 0 && plan.softmax && shape.classes() > FEW {
            plan.own_probability.add(Steps::SUMS);
        }
        plan.settle_logarithms();
        plan.sigmoid |= plan.columns > 0 && loss.activation == Activation::Sigmoid;
        for (unit, weighted) in plan.distance_units.iter_mut().zip(&loss.terms) {
            *unit = distance_unit(loss, &weighted.term);
        }
        plan.place_columns();
        plan.check()?;
        Ok(plan)
    }

    fn place_columns(&mut self) {
        let wasserstein_terms = self.transport;
        if let Some(column) = &mut self.squared {
            *column = self.columns;
            self.columns += 2;
        }
        if let Some(column) = &mut self.difference {
            *column = self.columns;
            self.columns += 1;
        }
        self.transport = self.columns;
        self.columns += wasserstein_terms;
        self.distance = self.columns;
        self.columns += self.fields;
    }

    /// What the ground distances of a term are divided by.
    pub(crate) fn distance_unit(&self, term: usize) -> f64 {
        self.distance_units.get(term).copied().unwrap_or(1.0)
    }

    /// Whether a term of this activation works on sigmoids.
    pub(crate) fn takes_sigmoid(&self, activation: TermActivation) -> bool {
        match activation {
            TermActivation::Inherit => self.loss.activation == Activation::Sigmoid,
            TermActivation::Softmax => false,
            TermActivation::Sigmoid => true,
        }
    }

    /// Whether the gradient follows from the target, the weights and the voxel itself, so that one
    /// pass over the scores makes it and the value.
    pub(crate) const fn pointwise(&self) -> bool {
        self.columns == 0 && !self.top_k
    }

    /// What the pass before that of a gradient makes. Values come with the gradient where both need
    /// the same of a tile.
    pub(crate) fn steps_before_gradient(&self) -> Steps {
        let needs = [self.own_score, self.own_probability, self.scores, self.node_sums];
        let shared = needs.into_iter().any(|steps| steps.contain(Steps::LATE));
        if shared || self.pointwise() { Steps::SUMS } else { Steps::ALL_SUMS }
    }

    pub(crate) fn scalars(&self) -> usize {
        FIXED_SCALARS + 2 * self.loss.terms.len()
    }

    /// Sums of one sample's block: scalars, then columns.
    pub(crate) fn block_sums(&self) -> usize {
        self.scalars() + self.columns * self.shape.classes()
    }

    /// Sums in all: scalars, then columns of every sample of the whole batch.
    pub(crate) fn sums(&self) -> usize {
        self.scalars() + self.part.batch * self.columns * self.shape.classes()
    }

    /// Entries of the class sums that are handed out.
    pub(crate) const fn class_sums(&self) -> usize {
        if self.columns < 3 { 0 } else { self.part.batch * self.shape.classes() }
    }

    /// The plan, if parts of the volume may be taken one by one.
    pub(crate) fn shardable(self) -> Result<Self, Error> {
        if self.top_k || self.makes_fields {
            return Err(Error::new(Cause::NotShardable, Argument::Term));
        }
        Ok(self)
    }

    /// Length of the exported array.
    pub(crate) fn exported_sums(&self) -> usize {
        self.sums() * LIMBS
    }

    /// Scratch of one worker: exact sums, the sums of its block, its tile.
    pub(crate) fn worker_requirement<R: Real>(&self) -> Requirement {
        Requirement::of::<[f64; LIMBS]>(self.sums())
            .and(Requirement::of::<f64>(self.block_sums()))
            .and(self.tile_requirement::<R>())
    }

    /// Scratch of a tile.
    pub(crate) fn tile_requirement<R: Real>(&self) -> Requirement {
        let class_rows = Requirement::of::<Lanes<R>>(self.shape.classes() * self.lanes);
        let node_rows = Requirement::of::<Lanes<R>>(self.nodes * self.lanes);
        let voxel_row = Requirement::of::<Lanes<R>>(self.lanes);
        class_rows
            .times(self.class_buffers())
            .and(node_rows.times(self.node_buffers()))
            .and(Requirement::of_rows::<Lanes<R>>(self.fields, self.shape.classes() * self.lanes))
            .and(voxel_row.times(VOXEL_ROWS))
            .and(Requirement::of::<u32>(self.lanes * LANES).times(LABEL_ROWS))
    }

    fn class_buffers(&self) -> usize {
        let scores = self.scores != Steps::NONE || self.spare_scores;
        let pull = self.pull || self.spare_pull;
        [self.softmax, self.sigmoid, scores, pull, self.direct, self.target.dense(), self.streams]
            .iter()
            .filter(|&&needed| needed)
            .count()
    }

    /// Probabilities and pulls of nodes, and the target's sums if it is dense.
    pub(crate) fn node_buffers(&self) -> usize {
        if self.target.dense() { 3 } else { 2 }
    }
}

/// The largest ground distance of a term that divides by it; 1 if all are 0.
fn distance_unit(loss: &Loss<'_>, term: &Term<'_>) -> f64 {
    let ground = match term {
        Term::WassersteinDice(options) => &options.ground,
        Term::TreeWasserstein(options) if options.scale == Scale::UnitMaximum => &options.ground,
        _ => return 1.0,
    };
    let largest = match ground {
        Ground::Tree => loss.tree.map_or(0.0, |tree| tree.max_distance()),
        Ground::Matrix(matrix) => matrix.iter().copied().fold(0.0, libm::fmax),
    };
    if largest > 0.0 { largest } else { 1.0 }
}

/// Rows of one value per voxel in a tile, see [`Tile`](super::tile::Tile).
pub(crate) const VOXEL_ROWS: usize = 15;
/// Rows of one integer per voxel.
pub(crate) const LABEL_ROWS: usize = 2;
