//! What the terms of a loss require of a tile, and of the sums that are taken.
#![forbid(unsafe_code)]

use super::Activation;
use super::plan::{Plan, TargetKind};
use super::steps::Steps;
use super::term::{Denominator, Ground, Overlap, Term};

impl Plan<'_> {
    /// What a term needs of the tile.
    pub(super) fn require(&mut self, term: &Term<'_>) {
        let dense = self.target.dense();
        match term {
            Term::Dice(options) => {
                self.require_region(options.overlap);
                if options.denominator == Denominator::Squared {
                    self.squared = Some(0);
                    self.normalised = true;
                }
            }
            Term::Tversky(options) => self.require_region(options.overlap),
            Term::GeneralisedDice(options) => self.require_region(options.overlap),
            Term::CrossEntropy(options) => {
                self.softmax = true;
                self.own_score.add(Steps::VALUES);
                self.smoothing |= !dense && options.label_smoothing > 0.0;
                self.normalisers |= !dense && options.class_weights.is_some();
                if dense || options.label_smoothing > 0.0 {
                    self.scores.add(Steps::VALUES);
                    self.logarithms.add(Steps::VALUES);
                }
                self.pull |= dense;
            }
            Term::TopKCrossEntropy(_) => {
                self.softmax = true;
                self.require_logarithms(Steps::SUMS.and(Steps::GRADIENT));
                self.top_k = true;
            }
            Term::BinaryCrossEntropy(_) => self.require_elementwise(),
            Term::Focal(options) => {
                if self.takes_sigmoid(options.activation) {
                    self.require_elementwise();
                } else {
                    self.softmax = true;
                    self.require_logarithms(Steps::LATE);
                    self.own_probability.add(Steps::LATE);
                    if dense {
                        self.scores.add(Steps::LATE);
                    }
                    self.pull |= dense;
                }
            }
            Term::TreeCrossEntropy(_) => {
                self.own_score.add(Steps::VALUES);
                self.require_nodes(Steps::LATE);
                // Where node probabilities underflow, the subtree's own softmax is needed.
                if dense {
                    self.scores.add(Steps::LATE);
                }
                self.spare_scores |= !dense && self.nodes > 0;
                self.spare_pull |= self.nodes > 0;
            }
            Term::TreeWasserstein(options) => self.require_transport(&options.ground, Steps::LATE),
            Term::WassersteinDice(options) => {
                self.require_transport(&options.ground, Steps::SUMS.and(Steps::GRADIENT));
                self.columns = 3;
                self.transport += 1;
            }
            Term::HausdorffDT(_) | Term::Boundary(_) => {
                self.columns = 3;
                self.normalised = true;
                self.fields += 1;
                match self.loss.activation {
                    Activation::Softmax => self.pull = true,
                    Activation::Sigmoid => {
                        self.sigmoid = true;
                        self.direct = true;
                    }
                    Activation::None => self.direct = true,
                }
            }
        }
    }

    fn require_logarithms(&mut self, steps: Steps) {
        self.logarithms.add(steps);
        self.own_score.add(steps);
    }

    /// Where no other term asks for it, cross-entropies can do without the logarithm of every sum of
    /// exponentials. That of two classes is more exact than any of their sum, and fast.
    pub(super) fn settle_logarithms(&mut self) {
        let takes_them =
            |term: &Term<'_>| matches!(term, Term::CrossEntropy(_) | Term::TreeCrossEntropy(_));
        if !self.loss.terms.iter().any(|weighted| takes_them(&weighted.term)) {
            return;
        }
        let asked = self.logarithms != Steps::NONE;
        self.joins_logarithms =
            !asked && !self.normalised && self.shape.classes() > 2 && !self.target.dense();
        if !self.joins_logarithms {
            self.logarithms.add(Steps::VALUES);
        }
    }

    fn require_region(&mut self, overlap: Overlap) {
        self.columns = 3;
        self.region = true;
        // With targets of 0 and 1 the two forms are the same.
        if self.target == TargetKind::Soft && overlap != Overlap::Product {
            self.difference = Some(0);
        }
    }

    fn require_elementwise(&mut self) {
        self.scores.add(Steps::LATE);
        self.direct = true;
    }

    fn require_nodes(&mut self, steps: Steps) {
        self.node_sums.add(steps);
        self.softmax = true;
        self.pull |= self.target.dense();
        self.nodes = self.loss.tree.map_or(0, |tree| tree.rows);
    }

    fn require_transport(&mut self, ground: &Ground<'_>, steps: Steps) {
        self.require_nodes(steps);
        self.own_probability.add(steps);
        match ground {
            Ground::Tree => {
                let differ = self.loss.tree.is_some_and(|tree| tree.leaf_edges_differ);
                self.leaf_excess |= differ && !self.target.dense();
            }
            Ground::Matrix(_) => {
                self.pull = true;
                self.normalised = true;
            }
        }
    }
}
