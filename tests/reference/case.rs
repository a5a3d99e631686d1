//! The inputs of an evaluation, and access to them voxel by voxel.

use super::tape::{Tape, Var};
use super::tree::Tree;

/// How scores become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Softmax,
    Sigmoid,
    /// The scores are probabilities already.
    None,
}

/// What the scores are compared with.
#[derive(Clone, Debug)]
pub enum Target {
    /// `[B][N]`, the class of each voxel; `None` is ignored.
    Labels(Vec<Option<usize>>),
    /// `[B][N]`, a node of the tree for each voxel, possibly an inner one; `None` is ignored.
    Nodes(Vec<Option<usize>>),
    /// `[B][C][N]`, values in [0, 1].
    Dense(Vec<f64>),
}

/// One set of inputs.
#[derive(Clone, Debug)]
pub struct Case {
    pub batch: usize,
    pub classes: usize,
    pub voxels: usize,
    /// Voxels along each axis, the slowest first.
    pub extent: Vec<usize>,
    /// `[B][C][N]`.
    pub scores: Vec<f64>,
    pub activation: Activation,
    pub target: Target,
    /// `[B][N]`; an ignored voxel has weight 0 whatever is written here.
    pub voxel_weights: Vec<f64>,
    pub tree: Option<Tree>,
}

impl Case {
    /// Panics when the lengths do not fit together.
    pub fn check(&self) {
        let places = self.batch * self.voxels;
        assert_eq!(self.extent.iter().product::<usize>(), self.voxels, "extent");
        assert_eq!(self.scores.len(), places * self.classes, "scores");
        assert_eq!(self.voxel_weights.len(), places, "voxel weights");
        match &self.target {
            Target::Labels(labels) | Target::Nodes(labels) => {
                assert_eq!(labels.len(), places, "labels");
            }
            Target::Dense(dense) => assert_eq!(dense.len(), self.scores.len(), "dense target"),
        }
    }

    /// Weight of a voxel; 0 where it is ignored.
    pub fn weight(&self, sample: usize, voxel: usize) -> f64 {
        let place = sample * self.voxels + voxel;
        match &self.target {
            Target::Labels(labels) | Target::Nodes(labels) if labels[place].is_none() => 0.0,
            _ => self.voxel_weights[place],
        }
    }

    /// The voxels of a sample that count, each with its weight. Nothing else is ever looked at, so
    /// that scores under weight 0 may hold anything.
    pub fn counted(&self, sample: usize) -> impl Iterator<Item = (usize, f64)> {
        (0..self.voxels)
            .map(move |voxel| (voxel, self.weight(sample, voxel)))
            .filter(|&(_, weight)| weight > 0.0)
    }

    /// The voxels of the batch that count: sample, voxel, weight.
    pub fn counted_in_batch(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        (0..self.batch).flat_map(move |b| self.counted(b).map(move |(i, w)| (b, i, w)))
    }

    pub fn counted_voxels(&self) -> usize {
        self.counted_in_batch().count()
    }

    /// Sum of the weights of the voxels that count.
    pub fn total_weight(&self) -> f64 {
        self.counted_in_batch().map(|(_, _, weight)| weight).sum()
    }

    /// Class of a voxel that counts.
    pub fn label(&self, sample: usize, voxel: usize) -> usize {
        let Target::Labels(labels) = &self.target else {
            panic!("this term needs a label map of classes");
        };
        labels[sample * self.voxels + voxel].expect("an ignored voxel does not count")
    }

    /// Target of every channel of a voxel that counts; a label is 1 in its channel, 0 in the others.
    pub fn target(&self, sample: usize, voxel: usize) -> Vec<f64> {
        (0..self.classes)
            .map(|class| match &self.target {
                Target::Dense(dense) => dense[self.position(sample, class, voxel)],
                _ if class == self.label(sample, voxel) => 1.0,
                _ => 0.0,
            })
            .collect()
    }

    pub fn tree(&self) -> &Tree {
        self.tree.as_ref().expect("this term needs a tree")
    }

    pub fn position(&self, sample: usize, class: usize, voxel: usize) -> usize {
        (sample * self.classes + class) * self.voxels + voxel
    }
}

/// A case whose scores are variables on a tape.
pub struct Voxels<'a, 't> {
    pub case: &'a Case,
    pub tape: &'t Tape,
    scores: Vec<Var<'t>>,
}

impl<'a, 't> Voxels<'a, 't> {
    /// Must come first on the tape: the gradient is read off its first variables.
    pub fn new(case: &'a Case, tape: &'t Tape) -> Self {
        let scores = case.scores.iter().map(|&z| tape.constant(z)).collect();
        Self { case, tape, scores }
    }

    /// Scores of all channels of a voxel.
    pub fn scores(&self, sample: usize, voxel: usize) -> Vec<Var<'t>> {
        (0..self.case.classes)
            .map(|class| self.scores[self.case.position(sample, class, voxel)])
            .collect()
    }

    /// Probabilities of all channels of a voxel.
    pub fn probabilities(&self, sample: usize, voxel: usize) -> Vec<Var<'t>> {
        let z = self.scores(sample, voxel);
        match self.case.activation {
            Activation::Softmax => {
                let all = self.tape.log_sum_exp(&z);
                z.iter().map(|&z| (z - all).exp()).collect()
            }
            Activation::Sigmoid => z.iter().map(|z| z.sigmoid()).collect(),
            Activation::None => z,
        }
    }

    /// Logarithm of the softmax probability of the chosen channels together, and of the rest.
    pub fn log_softmax(
        &self,
        sample: usize,
        voxel: usize,
        chosen: impl Fn(usize) -> bool,
    ) -> (Var<'t>, Var<'t>) {
        let mut inside = Vec::new();
        let mut outside = Vec::new();
        for (class, z) in self.scores(sample, voxel).into_iter().enumerate() {
            if chosen(class) {
                inside.push(z);
            } else {
                outside.push(z);
            }
        }
        (self.tape.log_share(&inside, &outside), self.tape.log_share(&outside, &inside))
    }
}
