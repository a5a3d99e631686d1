//! Random cases of the reference implementation.

use crate::reference::{Activation, Case, Target, Tree};

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

/// A random tree whose nodes are shuffled: every class below the root, a group if there is one, or a
/// group in it.
pub fn tree(random: &mut Random, classes: usize) -> Tree {
    let groups = random.below(1 + classes.min(6));
    let mut parent: Vec<Option<usize>> = vec![None];
    let mut inner = vec![0];
    for _ in 0..groups {
        let above = random.pick(&inner);
        parent.push(Some(above));
        inner.push(parent.len() - 1);
    }
    // Inner nodes below which no other lies need a leaf of their own, others have some by chance.
    let mut above_leaves = inner.clone();
    above_leaves.retain(|&node| !parent.contains(&Some(node)) || random.chance(0.5));
    let mut leaf_of_class = Vec::new();
    // Each of them gets a leaf, the root last, if there are enough classes; the rest goes anywhere.
    for class in 0..classes {
        let above = match above_leaves.len().checked_sub(1 + class) {
            Some(index) => above_leaves[index],
            None => random.pick(&above_leaves),
        };
        parent.push(Some(above));
        leaf_of_class.push(parent.len() - 1);
    }
    let mut order: Vec<usize> = (0..parent.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i + 1));
    }
    let mut place = vec![0; parent.len()];
    for (index, &v) in order.iter().enumerate() {
        place[v] = index;
    }
    let leaf_of_class: Vec<usize> = leaf_of_class.iter().map(|&v| place[v]).collect();
    let mut edge_weights: Vec<f64> = order.iter().map(|_| random.uniform(0.3, 2.0)).collect();
    if random.below(2) == 0 {
        let shared = random.uniform(0.3, 2.0);
        leaf_of_class.iter().for_each(|&leaf| edge_weights[leaf] = shared);
    }
    let parent = order.iter().map(|&v| parent[v].map(|p| place[p])).collect();
    Tree { parent, leaf_of_class, edge_weights }
}

/// The volume of a number of voxels: of one, two or three axes, as the number can be divided.
pub fn extent(voxels: usize) -> Vec<usize> {
    let divisor =
        |number: usize| (2..).take_while(|d| d * d <= number).find(|d| number.is_multiple_of(*d));
    let Some(first) = divisor(voxels) else { return vec![voxels] };
    let rest = voxels / first;
    match divisor(rest) {
        Some(second) if voxels % 4 != 2 => vec![second, rest / second, first],
        _ => vec![rest, first],
    }
}

/// Thresholds of masks. No probability of a random case lies at one of them, where rounding decides.
pub const THRESHOLDS: [f64; 2] = [0.5, 0.35];

/// Whether a probability of a voxel lies so close to a threshold that f32 might be on the other side.
fn near_threshold(scores: &[f64], activation: Activation) -> bool {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|z| (z - largest).exp()).sum();
    let probability = |z: f64| match activation {
        Activation::Softmax => (z - largest).exp() / sum,
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::None => z,
    };
    let near = |p: f64| THRESHOLDS.iter().any(|threshold| (p - threshold).abs() < 1e-4);
    scores.iter().any(|&z| near(probability(z)))
}

/// Values that survive a round trip through the stored type.
pub type Rounding = fn(f64) -> f64;

/// A case whose numbers are those that the library will see.
pub fn case(recipe: &Recipe, score: Rounding, target: Rounding) -> Case {
    let mut random = Random::new(recipe.seed);
    let (b, c, n) = (recipe.batch, recipe.classes, recipe.voxels);
    let tree = tree(&mut random, c);
    let draw = |random: &mut Random| match recipe.activation {
        Activation::None => score(random.uniform(0.01, 0.99)),
        _ => score(random.uniform(-recipe.scale, recipe.scale)),
    };
    let mut scores: Vec<f64> = (0..b * c * n).map(|_| draw(&mut random)).collect();
    let mut again = Random::new(!recipe.seed);
    for voxel in 0..b * n {
        let places = (0..c).map(|class| (voxel / n * c + class) * n + voxel % n);
        let places: Vec<usize> = places.collect();
        let of_voxel = |scores: &[f64]| -> Vec<f64> { places.iter().map(|&p| scores[p]).collect() };
        while near_threshold(&of_voxel(&scores), recipe.activation) {
            places.iter().for_each(|&place| scores[place] = draw(&mut again));
        }
    }
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
            true if recipe.ignored > 0.0 && random.chance(0.2) => 0.0,
            true => f64::from(random.uniform(0.1, 2.0) as f32),
            false => 1.0,
        })
        .collect();
    Case {
        batch: b,
        classes: c,
        voxels: n,
        extent: extent(n),
        scores,
        activation: recipe.activation,
        target,
        voxel_weights,
        tree: Some(tree),
    }
}
