//! Random terms of the reference implementation.

use super::random::{Kind, Random, Recipe, THRESHOLDS};
use crate::reference::{
    Activation, Case, GeneralisedWeighting, Ground, Overlap, Pooling, Term, WassersteinWeighting,
};

/// Which terms can be computed from a case.
pub const NAMES: [&str; 21] = [
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
    "hausdorff",
    "log hausdorff",
    "target hausdorff",
    "boundary",
];

/// Whether the term is one on distance fields.
pub fn on_fields(name: &str) -> bool {
    name.contains("hausdorff") || name == "boundary"
}

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

/// Spacing of a case, the same for all its terms: that of voxels, or another.
fn spacing(case: &Case) -> Vec<f64> {
    let along = if case.voxels.is_multiple_of(3) { [1.0; 3] } else { [3.0, 0.7, 1.1] };
    along[..case.extent.len()].to_vec()
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
    let alike = random.pick(&[true, false, false]);
    let mut weights = |zeros: bool| -> Vec<f64> {
        let mut weights: Vec<f64> = (0..classes).map(|_| random.uniform(0.2, 2.0)).collect();
        if zeros && classes > 1 {
            weights[0] = 0.0;
        }
        weights
    };
    let mut class_weights = weights(name.len().is_multiple_of(2));
    if alike {
        class_weights.fill(1.0);
    }
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
        "tree cross-entropy" => {
            // Nodes often share a weight, all or some of them.
            let (all, some) = (random.chance(0.4), random.chance(0.5));
            let shared = random.pick(&[0.5, 1.0]);
            let weight = |_| match (all, some) {
                (true, _) => shared,
                (false, true) => random.pick(&[0.0, 0.5, 1.0]),
                (false, false) if random.chance(0.2) => 0.0,
                (false, false) => random.uniform(0.1, 1.5),
            };
            let nodes = case.tree.as_ref().map_or(0, |tree| tree.parent.len());
            Term::TreeCrossEntropy { node_weights: (0..nodes).map(weight).collect() }
        }
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
        "hausdorff" | "log hausdorff" | "target hausdorff" => Term::HausdorffDT {
            spacing: spacing(case),
            exponent: random.pick(&[2.0, 2.0, 1.0, 1.5, 3.0]),
            threshold: random.pick(&THRESHOLDS),
            target_only: name == "target hausdorff",
            logarithm: name == "log hausdorff",
            include_background: random.chance(0.5),
            class_weights,
        },
        "boundary" => Term::Boundary {
            spacing: spacing(case),
            include_background: random.chance(0.5),
            class_weights,
        },
        other => panic!("no term is called {other}"),
    }
}
