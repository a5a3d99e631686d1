//! Random cases and terms of the reference implementation.

use crate::reference::{
    Activation, Case, GeneralisedWeighting, Ground, Overlap, Pooling, Target, Term, Tree,
    WassersteinWeighting,
};

/// xorshift64*, so that a seed is a case.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        ((self.bits() >> 33) as usize) % end.max(1)
    }

    /// Uniform in `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.uniform(0.0, 1.0) < share
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Labels,
    Nodes,
    Binary,
    Soft,
}

#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub seed: u64,
    pub batch: usize,
    pub classes: usize,
    pub voxels: usize,
    pub activation: Activation,
    pub kind: Kind,
    /// Largest absolute logit.
    pub scale: f64,
    /// Share of voxels that are ignored.
    pub ignored: f64,
    /// Voxel weights other than 1.
    pub weighted: bool,
}

/// A random tree whose nodes are shuffled: every class below the root, a group, or a group in it.
pub fn tree(random: &mut Random, classes: usize) -> Tree {
    let groups = 1 + random.below(classes.min(6));
    let mut parent: Vec<Option<usize>> = vec![None];
    let mut inner = vec![0];
    for _ in 0..groups {
        let above = random.pick(&inner);
        parent.push(Some(above));
        inner.push(parent.len() - 1);
    }
    let mut leaf_of_class = Vec::new();
    // Each inner node gets a leaf if there are enough classes; the rest goes anywhere.
    for class in 0..classes {
        let above = match inner.len().checked_sub(1 + class) {
            Some(index) => inner[index],
            None => random.pick(&inner),
        };
        parent.push(Some(above));
        leaf_of_class.push(parent.len() - 1);
    }
    // Inner nodes that still have no leaf below would be leaves without a class: cut them off.
    let needed = |parent: &[Option<usize>], leaves: &[usize]| {
        let mut needed = vec![false; parent.len()];
        for &leaf in leaves {
            let mut node = Some(leaf);
            while let Some(v) = node {
                needed[v] = true;
                node = parent[v];
            }
        }
        needed
    };
    let keep = needed(&parent, &leaf_of_class);
    let mut order: Vec<usize> = (0..parent.len()).filter(|&v| keep[v]).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i + 1));
    }
    let mut place = vec![0; parent.len()];
    for (index, &v) in order.iter().enumerate() {
        place[v] = index;
    }
    Tree {
        parent: order.iter().map(|&v| parent[v].map(|p| place[p])).collect(),
        leaf_of_class: leaf_of_class.iter().map(|&v| place[v]).collect(),
        edge_weights: order.iter().map(|_| random.uniform(0.3, 2.0)).collect(),
    }
}

/// Values that survive a round trip through the stored type.
pub type Rounding = fn(f64) -> f64;

/// A case whose numbers are those that the library will see.
pub fn case(recipe: &Recipe, score: Rounding, target: Rounding) -> Case {
    let mut random = Random::new(recipe.seed);
    let (b, c, n) = (recipe.batch, recipe.classes, recipe.voxels);
    let tree = tree(&mut random, c);
    let scores = (0..b * c * n)
        .map(|_| match recipe.activation {
            Activation::None => score(random.uniform(0.01, 0.99)),
            _ => score(random.uniform(-recipe.scale, recipe.scale)),
        })
        .collect();
    let mut integers = |end: usize| -> Vec<Option<usize>> {
        let share = recipe.ignored;
        (0..b * n).map(|_| (!random.chance(share)).then(|| random.below(end))).collect()
    };
    let target = match recipe.kind {
        Kind::Labels => Target::Labels(integers(c)),
        Kind::Nodes => Target::Nodes(integers(tree.parent.len())),
        Kind::Binary => {
            Target::Dense((0..b * c * n).map(|_| f64::from(u8::from(random.chance(0.3)))).collect())
        }
        Kind::Soft => {
            Target::Dense((0..b * c * n).map(|_| target(random.uniform(0.0, 1.0))).collect())
        }
    };
    let voxel_weights = (0..b * n)
        .map(|_| match recipe.weighted {
            true if random.chance(0.2) => 0.0,
            true => f64::from(random.uniform(0.1, 2.0) as f32),
            false => 1.0,
        })
        .collect();
    Case {
        batch: b,
        classes: c,
        voxels: n,
        scores,
        activation: recipe.activation,
        target,
        voxel_weights,
        tree: Some(tree),
    }
}

/// Which terms can be computed from a case.
pub const NAMES: [&str; 17] = [
    "dice",
    "dice squared",
    "jaccard",
    "dice absolute",
    "tversky",
    "focal tversky",
    "generalised dice",
    "cross-entropy",
    "smoothed cross-entropy",
    "binary cross-entropy",
    "focal softmax",
    "focal sigmoid",
    "top-k",
    "tree cross-entropy",
    "tree wasserstein",
    "matrix wasserstein",
    "wasserstein dice",
];

/// Whether the library offers the term for this kind of case.
pub fn offered(name: &str, recipe: &Recipe) -> bool {
    let dense = matches!(recipe.kind, Kind::Binary | Kind::Soft);
    let softmax = recipe.activation == Activation::Softmax;
    match name {
        "tree cross-entropy" => softmax,
        _ if recipe.kind == Kind::Nodes => false,
        "tree wasserstein" => softmax,
        "matrix wasserstein" | "wasserstein dice" => softmax && !dense,
        "top-k" => !dense,
        _ => true,
    }
}

fn matrix(random: &mut Random, classes: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; classes * classes];
    for i in 0..classes {
        for j in 0..i {
            let distance = random.uniform(0.1, 3.0);
            matrix[i * classes + j] = distance;
            matrix[j * classes + i] = distance;
        }
    }
    matrix
}

/// A term with random options.
pub fn term(name: &str, case: &Case, random: &mut Random) -> Term {
    let classes = case.classes;
    let mut weights = |zeros: bool| -> Vec<f64> {
        let mut weights: Vec<f64> = (0..classes).map(|_| random.uniform(0.2, 2.0)).collect();
        if zeros && classes > 1 {
            weights[0] = 0.0;
        }
        weights
    };
    let class_weights = weights(name.len().is_multiple_of(2));
    let other_weights = weights(false);
    let pooling = random.pick(&[Pooling::PerSample, Pooling::Batch]);
    let (smooth_numerator, smooth_denominator) = random.pick(&[(1e-5, 1e-5), (0.5, 1.0)]);
    let overlap = if name == "dice absolute" { Overlap::Absolute } else { Overlap::Product };
    match name {
        "dice" | "dice squared" | "jaccard" | "dice absolute" => Term::Dice {
            squared: name == "dice squared",
            jaccard: name == "jaccard",
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "tversky" | "focal tversky" => Term::Tversky {
            false_positive_weight: random.uniform(0.1, 0.9),
            false_negative_weight: random.uniform(0.1, 0.9),
            exponent: if name == "tversky" { 1.0 } else { random.pick(&[0.75, 1.5]) },
            pooling,
            overlap: random.pick(&[Overlap::Product, Overlap::Absolute]),
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "generalised dice" => Term::GeneralisedDice {
            weighting: random.pick(&[
                GeneralisedWeighting::InverseSquare,
                GeneralisedWeighting::Inverse,
                GeneralisedWeighting::Uniform,
            ]),
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "cross-entropy" => Term::CrossEntropy { class_weights, label_smoothing: 0.0 },
        "smoothed cross-entropy" => {
            Term::CrossEntropy { class_weights, label_smoothing: random.uniform(0.01, 0.5) }
        }
        "binary cross-entropy" => {
            Term::BinaryCrossEntropy { positive_weight: other_weights, class_weights }
        }
        "focal softmax" | "focal sigmoid" => Term::Focal {
            gamma: random.pick(&[0.0, 0.5, 1.0, 2.0, 3.5]),
            sigmoid: name == "focal sigmoid",
            alpha: random.chance(0.5).then(|| other_weights.iter().map(|w| w / 4.0).collect()),
            per_voxel: random.chance(0.5),
            class_weights,
        },
        "top-k" => Term::TopKCrossEntropy { fraction: random.uniform(0.05, 1.0), class_weights },
        "tree cross-entropy" => Term::TreeCrossEntropy {
            node_weights: (0..case.tree.as_ref().map_or(0, |t| t.parent.len()))
                .map(|_| if random.chance(0.2) { 0.0 } else { random.uniform(0.1, 1.5) })
                .collect(),
        },
        "tree wasserstein" => {
            Term::TreeWasserstein { ground: Ground::Tree, normalise: random.chance(0.5) }
        }
        "matrix wasserstein" => Term::TreeWasserstein {
            ground: Ground::Matrix(matrix(random, classes)),
            normalise: random.chance(0.5),
        },
        "wasserstein dice" => Term::WassersteinDice {
            ground: if random.chance(0.5) {
                Ground::Tree
            } else {
                Ground::Matrix(matrix(random, classes))
            },
            weighting: if random.chance(0.5) {
                WassersteinWeighting::GeneralisedDice
            } else {
                WassersteinWeighting::Default { background: random.below(classes) }
            },
            smooth_numerator,
            smooth_denominator,
        },
        other => panic!("no term is called {other}"),
    }
}
