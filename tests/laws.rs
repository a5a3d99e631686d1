//! Identities that hold whatever the numbers, and gradients against finite differences.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use approx::assert_relative_eq;
use reference::{Activation, Case, Ground, Overlap, Pooling, Target, Term, Tree};
use support::random::{Kind, Random, Recipe, case};
use support::random_terms::{NAMES, offered, term};
use support::{DenseType, Outcome, ScoreType, Settings, gradient_error, run};

fn double() -> Settings {
    Settings { scores: ScoreType::F64, dense: DenseType::F64, ..Settings::default() }
}

fn evaluate(case: &Case, terms: &[(f64, Term)]) -> Outcome {
    run(case, terms, &double()).unwrap()
}

fn recipe(kind: Kind) -> Recipe {
    Recipe {
        seed: 21,
        batch: 2,
        classes: 5,
        voxels: 60,
        activation: Activation::Softmax,
        kind,
        scale: 3.0,
        ignored: 0.2,
        weighted: true,
    }
}

fn exact(kind: Kind) -> Case {
    case(&recipe(kind), |x| x, |x| x)
}

fn ones(count: usize) -> Vec<f64> {
    vec![1.0; count]
}

fn dice(overlap: Overlap) -> Term {
    Term::Dice {
        squared: false,
        jaccard: false,
        pooling: Pooling::PerSample,
        overlap,
        smooth_numerator: 1e-5,
        smooth_denominator: 1e-5,
        class_weights: ones(5),
    }
}

fn tversky(exponent: f64) -> Term {
    Term::Tversky {
        false_positive_weight: 0.5,
        false_negative_weight: 0.5,
        exponent,
        pooling: Pooling::PerSample,
        overlap: Overlap::Product,
        smooth_numerator: 0.5e-5,
        smooth_denominator: 0.5e-5,
        class_weights: ones(5),
    }
}

fn cross_entropy() -> Term {
    Term::CrossEntropy { class_weights: ones(5), label_smoothing: 0.0 }
}

#[track_caller]
fn same(case: &Case, a: Term, b: Term) {
    let (a, b) = (evaluate(case, &[(1.0, a)]), evaluate(case, &[(1.0, b)]));
    assert_relative_eq!(a.total, b.total, max_relative = 1e-12);
    assert!(gradient_error(&a.gradient, &b.gradient) < 1e-12);
}

/// Central differences of the value in f64, every term, every activation and kind of target.
#[test]
fn finite_differences() {
    let step = 1e-5;
    for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
        for kind in [Kind::Labels, Kind::Nodes, Kind::Binary, Kind::Soft] {
            let recipe = Recipe { classes: 4, voxels: 3, activation, ..recipe(kind) };
            let case = case(&recipe, |x| x, |x| x);
            let mut random = Random::new(5);
            for name in NAMES.iter().filter(|name| offered(name, &recipe)) {
                let list = [(0.8, term(name, &case, &mut random))];
                let found = evaluate(&case, &list).gradient;
                let mut expected = Vec::new();
                for index in 0..case.scores.len() {
                    let value = |change: f64| {
                        let mut case = case.clone();
                        case.scores[index] += change;
                        evaluate(&case, &list).total
                    };
                    expected.push((value(step) - value(-step)) / (2.0 * step));
                }
                let error = gradient_error(&found, &expected);
                assert!(error < 1e-6, "{name}, {activation:?}, {kind:?}: {error:e}");
            }
        }
    }
}

#[test]
fn tversky_with_halves_is_dice() {
    // (2T + s) / (P + G + s) with half the smoothing on either side.
    same(&exact(Kind::Labels), tversky(1.0), dice(Overlap::Product));
}

#[test]
fn focal_with_gamma_0_is_cross_entropy() {
    let focal = Term::Focal {
        gamma: 0.0,
        sigmoid: false,
        alpha: None,
        per_voxel: true,
        class_weights: ones(5),
    };
    same(&exact(Kind::Labels), focal.clone(), cross_entropy());
    same(&exact(Kind::Soft), focal, cross_entropy());
}

fn flat_tree(classes: usize) -> Tree {
    Tree {
        parent: std::iter::once(None).chain((0..classes).map(|_| Some(0))).collect(),
        leaf_of_class: (1..=classes).collect(),
        edge_weights: std::iter::once(0.0).chain((0..classes).map(|_| 0.5)).collect(),
    }
}

#[test]
fn a_flat_tree_is_no_tree() {
    for kind in [Kind::Labels, Kind::Soft] {
        let mut case = exact(kind);
        case.tree = Some(flat_tree(5));
        same(&case, Term::TreeCrossEntropy { node_weights: ones(6) }, cross_entropy());
    }
}

/// Probabilities that are small along a path, each for itself no problem.
#[test]
fn unlikely_paths_keep_their_logarithms() {
    let mut case = exact(Kind::Labels);
    // Groups within groups within groups; classes 3 and 4 lie outside.
    case.tree = Some(Tree {
        parent: [None].into_iter().chain([0, 1, 2, 3, 3, 3, 0, 0].map(Some)).collect(),
        leaf_of_class: vec![4, 5, 6, 7, 8],
        edge_weights: std::iter::once(0.0).chain([1.0; 8]).collect(),
    });
    case.scores = (0..case.scores.len())
        .map(|place| if place / 60 % 5 < 3 { -46.0 } else { 0.0 } + (place % 7) as f64 / 4.0)
        .collect();
    let single = Settings::default();
    for node_weights in [ones(9), (1..=9).map(f64::from).collect()] {
        let term = [(1.0, Term::TreeCrossEntropy { node_weights })];
        let (expected, found) = (evaluate(&case, &term), run(&case, &term, &single).unwrap());
        assert_relative_eq!(found.total, expected.total, max_relative = 1e-6);
        assert!(gradient_error(&found.gradient, &expected.gradient) < 1e-5);
    }
}

#[test]
fn wasserstein_with_a_0_1_distance_is_the_missing_probability() {
    let mut case = exact(Kind::Labels);
    case.tree = Some(flat_tree(5));
    let matrix: Vec<f64> = (0..25).map(|i| if i % 6 == 0 { 0.0 } else { 1.0 }).collect();
    let by_matrix = Term::TreeWasserstein { ground: Ground::Matrix(matrix), normalise: false };
    let by_tree = Term::TreeWasserstein { ground: Ground::Tree, normalise: true };
    same(&case, by_matrix.clone(), by_tree);
    let Target::Labels(labels) = &case.target else { unreachable!() };
    let (mut expected, mut weight) = (0.0, 0.0);
    for (place, label) in labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let (sample, voxel) = (place / 60, place % 60);
        let exp = |class: usize| case.scores[(sample * 5 + class) * 60 + voxel].exp();
        let sum: f64 = (0..5).map(exp).sum();
        expected += case.voxel_weights[place] * (1.0 - exp(*label) / sum);
        weight += case.voxel_weights[place];
    }
    let found = evaluate(&case, &[(1.0, by_matrix)]).total;
    assert_relative_eq!(found, expected / weight, max_relative = 1e-12);
}

#[test]
fn wasserstein_on_a_flat_tree_is_that_of_its_distances() {
    let edges = [0.5, 1.0, 0.25, 2.0, 0.75];
    let mut tree = flat_tree(5);
    tree.edge_weights = std::iter::once(0.0).chain(edges).collect();
    let distance = |a: usize, b: usize| if a == b { 0.0 } else { edges[a] + edges[b] };
    let matrix = (0..25).map(|i| distance(i / 5, i % 5)).collect();
    let by_matrix = Term::TreeWasserstein { ground: Ground::Matrix(matrix), normalise: false };
    let by_tree = Term::TreeWasserstein { ground: Ground::Tree, normalise: false };
    let mut case = exact(Kind::Labels);
    case.tree = Some(tree);
    same(&case, by_matrix, by_tree);
}

/// One-hot of a label map; ignored voxels get weight 0.
fn one_hot(case: &Case) -> Case {
    let Target::Labels(labels) = &case.target else { unreachable!() };
    let mut dense = case.clone();
    let mut target = vec![0.0; case.scores.len()];
    for (place, label) in labels.iter().enumerate() {
        let (sample, voxel) = (place / case.voxels, place % case.voxels);
        match label {
            Some(class) => target[(sample * case.classes + class) * case.voxels + voxel] = 1.0,
            None => dense.voxel_weights[place] = 0.0,
        }
    }
    dense.target = Target::Dense(target);
    dense
}

#[test]
fn a_label_map_is_its_one_hot_target() {
    let labels = exact(Kind::Labels);
    let dense = one_hot(&labels);
    let tree = labels.tree.as_ref().unwrap();
    let terms = [
        dice(Overlap::Product),
        dice(Overlap::Absolute),
        tversky(0.75),
        cross_entropy(),
        Term::CrossEntropy { class_weights: ones(5), label_smoothing: 0.1 },
        Term::TreeCrossEntropy { node_weights: ones(tree.parent.len()) },
        Term::TreeWasserstein { ground: Ground::Tree, normalise: false },
    ];
    for term in terms {
        let list = [(1.0, term)];
        let (a, b) = (evaluate(&labels, &list), evaluate(&dense, &list));
        assert_relative_eq!(a.total, b.total, max_relative = 1e-12);
        assert_eq!(a.counted_voxels, b.counted_voxels);
        assert!(gradient_error(&b.gradient, &a.gradient) < 1e-11, "{list:?}");
    }
}

#[test]
fn the_target_itself_is_the_best_soft_prediction() {
    let mut case = exact(Kind::Soft);
    let Target::Dense(target) = &case.target else { unreachable!() };
    case.scores = target.clone();
    case.activation = Activation::None;
    for term in [dice(Overlap::Absolute), tversky(1.0)] {
        let term = match term {
            Term::Tversky { class_weights, .. } => Term::Tversky {
                false_positive_weight: 0.3,
                false_negative_weight: 0.7,
                exponent: 1.0,
                pooling: Pooling::Batch,
                overlap: Overlap::Absolute,
                smooth_numerator: 1e-5,
                smooth_denominator: 1e-5,
                class_weights,
            },
            term => term,
        };
        assert!(evaluate(&case, &[(1.0, term)]).total.abs() < 1e-12);
    }
    // The product form has no such minimum.
    assert!(evaluate(&case, &[(1.0, dice(Overlap::Product))]).total > 0.1);
}

#[test]
fn permuting_classes_and_voxels_changes_nothing() {
    let original = exact(Kind::Labels);
    let mut moved = original.clone();
    let (c, n) = (original.classes, original.voxels);
    let to = |class: usize| (class * 2 + 1) % c;
    let Target::Labels(labels) = &original.target else { unreachable!() };
    let mut moved_labels = labels.clone();
    for sample in 0..original.batch {
        for voxel in 0..n {
            let mirror = sample * n + n - 1 - voxel;
            moved_labels[mirror] = labels[sample * n + voxel].map(to);
            moved.voxel_weights[mirror] = original.voxel_weights[sample * n + voxel];
            for class in 0..c {
                let place = (sample * c + to(class)) * n + n - 1 - voxel;
                moved.scores[place] = original.scores[(sample * c + class) * n + voxel];
            }
        }
    }
    moved.target = Target::Labels(moved_labels);
    for term in [dice(Overlap::Product), tversky(0.75), cross_entropy()] {
        let list = [(1.0, term)];
        let (a, b) = (evaluate(&original, &list), evaluate(&moved, &list));
        assert_relative_eq!(a.total, b.total, max_relative = 1e-12);
    }
}

#[test]
fn gradients_under_softmax_sum_to_zero_over_the_classes() {
    for kind in [Kind::Labels, Kind::Nodes, Kind::Soft] {
        let recipe = recipe(kind);
        let case = case(&recipe, |x| x, |x| x);
        let mut random = Random::new(8);
        for name in NAMES.iter().filter(|name| offered(name, &recipe)) {
            if name.contains("sigmoid") || name.contains("binary") {
                continue;
            }
            let gradient = evaluate(&case, &[(1.0, term(name, &case, &mut random))]).gradient;
            let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
            for voxel in 0..case.voxels {
                let sum: f64 = (0..5).map(|class| gradient[class * case.voxels + voxel]).sum();
                assert!(sum.abs() <= 1e-12 * largest.max(1e-12), "{name}: {sum:e}");
            }
        }
    }
}

#[test]
fn nothing_counted_is_zero_with_zero_gradient() {
    let recipe = Recipe { ignored: 1.0, ..recipe(Kind::Labels) };
    let case = case(&recipe, |x| x, |x| x);
    let mut random = Random::new(2);
    for name in NAMES.iter().filter(|name| offered(name, &recipe)) {
        let found = evaluate(&case, &[(1.0, term(name, &case, &mut random))]);
        assert_eq!((found.total, found.counted_voxels), (0.0, 0), "{name}");
        assert!(found.gradient.iter().all(|&g| g == 0.0), "{name}");
    }
}

#[test]
fn one_voxel_one_class() {
    let small = Recipe { batch: 1, classes: 1, voxels: 1, ignored: 0.0, ..recipe(Kind::Labels) };
    let case = case(&small, |x| x, |x| x);
    let mut random = Random::new(2);
    for name in NAMES.iter().filter(|name| offered(name, &small)) {
        let found = evaluate(&case, &[(1.0, term(name, &case, &mut random))]);
        assert!(found.total.is_finite(), "{name}");
        assert!(found.gradient[0].is_finite(), "{name}");
    }
}

#[test]
fn the_upstream_factor_scales_the_gradient_alone() {
    let case = exact(Kind::Labels);
    let list = [(1.0, dice(Overlap::Product)), (2.0, cross_entropy())];
    let plain = evaluate(&case, &list);
    let scaled = run(&case, &list, &Settings { upstream: 65_536.0, ..double() }).unwrap();
    assert_eq!(scaled.total, plain.total);
    let expected: Vec<f64> = plain.gradient.iter().map(|g| g * 65_536.0).collect();
    assert_eq!(scaled.gradient, expected);
}

/// Among equal losses the lowest index wins, over samples and tiles; the value cannot tell, the
/// gradient can.
#[test]
fn top_k_ties_go_to_the_lowest_index() {
    use segloss::{Activation, Gradient, Input, Loss, Sequential, Shape, Target, TopKCrossEntropy};
    for (batch, voxels) in [(2, 6), (3, 5000)] {
        let all = batch * voxels;
        let shape = Shape::planar(batch, 2, &[voxels]).unwrap();
        let (scores, labels) = (vec![0.0f32; 2 * all], vec![0u8; all]);
        let input = Input::new(shape, &scores[..], Target::labels(&labels[..]));
        // Inside the first sample, exactly the first sample, inside the second.
        for count in [voxels / 2, voxels, voxels + 2] {
            let fraction = (count as f64 + 0.5) / all as f64;
            let term = TopKCrossEntropy { fraction, ..TopKCrossEntropy::default() };
            let loss = Loss::new(Activation::Softmax).with(1.0, term).unwrap();
            let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
            let mut gradient = vec![9.0f32; 2 * all];
            let request = Gradient::new(&mut gradient[..]);
            loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
            for index in 0..all {
                let place = index / voxels * 2 * voxels + index % voxels;
                let expected = if index < count { -0.5 / count as f32 } else { 0.0 };
                let found = gradient[place];
                assert!(
                    (found - expected).abs() <= 1e-6 / count as f32,
                    "{count}: {index}: {found}"
                );
            }
        }
    }
}

/// 4096 leaves in groups of 64: the tree cross-entropy of the leaves is the flat one, and the cost
/// along the tree that of its matrix.
#[test]
fn thousands_of_leaves() {
    use segloss::{
        Activation, CrossEntropy, Gradient, Ground, Input, LabelTree, Loss, Scale, Sequential,
        Shape, Target, Term, TreeCrossEntropy, TreeWasserstein,
    };
    const CLASSES: usize = 4096;
    const VOXELS: usize = 50;
    let mut parent = vec![-1i32];
    parent.extend([0; 64]);
    parent.extend((0..CLASSES).map(|class| 1 + (class / 64) as i32));
    let leaves: Vec<i32> = (0..CLASSES).map(|class| (65 + class) as i32).collect();
    let mut storage = vec![0; LabelTree::storage_bytes(parent.len(), CLASSES).unwrap()];
    let tree = LabelTree::new(&parent, None, &leaves, &mut storage).unwrap();
    let mut leaf_weights = vec![0.0; parent.len()];
    tree.leaf_node_weights(&mut leaf_weights).unwrap();
    let mut matrix = vec![0.0; CLASSES * CLASSES];
    tree.distances(&mut matrix).unwrap();
    let mut random = Random::new(3);
    let scores: Vec<f64> = (0..CLASSES * VOXELS).map(|_| random.uniform(-4.0, 9.0)).collect();
    let labels: Vec<i32> = (0..VOXELS).map(|_| random.below(CLASSES) as i32).collect();
    let shape = Shape::planar(1, CLASSES, &[VOXELS]).unwrap();
    let input = Input::new(shape, &scores[..], Target::labels(&labels[..]));
    let run = |term: Term<'_>| {
        let loss = Loss::new(Activation::Softmax).with(1.0, term).unwrap().with_tree(tree);
        let mut gradient = vec![0.0f64; scores.len()];
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let request = Gradient::new(&mut gradient[..]);
        let found = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        (found.total, gradient)
    };
    let scale = Scale::UnitMaximum;
    for (a, b) in [
        (TreeCrossEntropy { node_weights: &leaf_weights }.into(), CrossEntropy::default().into()),
        (
            TreeWasserstein { ground: Ground::Tree, scale }.into(),
            TreeWasserstein { ground: Ground::Matrix(&matrix), scale }.into(),
        ),
    ] {
        let (a, b) = (run(a), run(b));
        assert_relative_eq!(a.0, b.0, max_relative = 1e-12);
        assert!(gradient_error(&a.1, &b.1) < 1e-11);
    }
}

#[test]
fn a_certain_prediction_is_moved_nowhere() {
    use segloss::{
        Activation, Gradient, Input, LabelTree, Loss, Sequential, Shape, Target, TreeWasserstein,
    };
    let parent = [-1, 0, 0, 2, 1, 1, 3, 3, 0];
    let leaves = [4, 6, 5, 8, 7];
    let unequal = [0.0, 0.1, 0.7, 0.3, 0.2, 1.7, 0.9, 1.1, 3.3];
    let labels: Vec<u8> = (0..40).map(|voxel| (voxel * 7 % 5) as u8).collect();
    let own = |i: usize| usize::from(labels[i % 40]) == i / 40;
    let certain: Vec<f32> = (0..200).map(|i| if own(i) { 1e4 } else { -1e4 }).collect();
    for edges in [None, Some(&unequal[..])] {
        let mut storage = vec![0; LabelTree::storage_bytes(9, 5).unwrap()];
        let tree = LabelTree::new(&parent, edges, &leaves, &mut storage).unwrap();
        let loss = Loss::new(Activation::Softmax).with_tree(tree);
        let loss = loss.with(1.0, TreeWasserstein::default()).unwrap();
        let shape = Shape::planar(1, 5, &[40]).unwrap();
        let input = Input::new(shape, &certain[..], Target::labels(&labels[..]));
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let mut gradient = vec![1.0f32; 200];
        let request = Gradient::new(&mut gradient[..]);
        let result = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        assert_eq!(result.total, 0.0, "{edges:?}");
        let bound = 2e-7 * tree.max_distance() / 40.0;
        assert!(gradient.iter().all(|&g| f64::from(g).abs() <= bound), "{edges:?} {gradient:?}");
    }
}

#[test]
fn the_unit_of_the_edges_does_not_matter() {
    use segloss::{
        Activation, Gradient, Ground, Input, LabelTree, Loss, Scale, Sequential, Shape, Target,
        TreeWasserstein,
    };
    let parent = [-1, 0, 0, 2, 1, 1, 3, 3, 0];
    let leaves = [4, 6, 5, 8, 7];
    let edges = [0.0, 0.1, 0.7, 0.3, 0.2, 1.7, 0.9, 1.1, 3.3];
    let mut random = Random::new(5);
    let scores: Vec<f32> = (0..200).map(|_| random.uniform(-4.0, 4.0) as f32).collect();
    let labels: Vec<u8> = (0..40).map(|voxel| (voxel * 7 % 5) as u8).collect();
    let run = |unit: f64| {
        let edges = edges.map(|edge| edge * unit);
        let mut storage = vec![0; LabelTree::storage_bytes(9, 5).unwrap()];
        let tree = LabelTree::new(&parent, Some(&edges), &leaves, &mut storage).unwrap();
        let term = TreeWasserstein { ground: Ground::Tree, scale: Scale::UnitMaximum };
        let loss = Loss::new(Activation::Softmax).with_tree(tree).with(1.0, term).unwrap();
        let input = Input::new(
            Shape::planar(1, 5, &[40]).unwrap(),
            &scores[..],
            Target::labels(&labels[..]),
        );
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let mut gradient = vec![0.0f32; 200];
        let request = Gradient::new(&mut gradient[..]);
        let result = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        (result.total.to_bits(), gradient)
    };
    // Powers of two, so that nothing is rounded.
    for exponent in [-56, 56] {
        assert_eq!(run(f64::powi(2.0, exponent)), run(1.0));
    }
}

/// Its probability is 1: scores are moved as without it, to the last bit.
#[test]
fn a_node_that_holds_every_class_changes_nothing() {
    for kind in [Kind::Labels, Kind::Nodes, Kind::Soft] {
        let case = exact(kind);
        let tree = case.tree.as_ref().unwrap();
        let added = tree.parent.len();
        let mut longer = tree.clone();
        for above in longer.parent.iter_mut().flatten() {
            if tree.parent[*above].is_none() {
                *above = added;
            }
        }
        longer.parent.push(tree.parent.iter().position(Option::is_none));
        longer.edge_weights.push(1.7);
        let with = Case { tree: Some(longer), ..case.clone() };
        for node_weights in [ones(added + 1), (1..=added + 1).map(|v| v as f64).collect()] {
            let own = node_weights[..added].to_vec();
            let terms = |node_weights| {
                let wasserstein = Term::TreeWasserstein { ground: Ground::Tree, normalise: true };
                let mut terms = vec![(0.5, Term::TreeCrossEntropy { node_weights })];
                terms.extend((kind != Kind::Nodes).then_some((1.0, wasserstein)));
                terms
            };
            let settings = Settings::default();
            let expected = run(&case, &terms(own), &settings).unwrap();
            let found = run(&with, &terms(node_weights), &settings).unwrap();
            assert!(found.gradient == expected.gradient, "{kind:?}");
            // A soft target that does not add up to 1 pays the new edge for the difference.
            assert!(kind == Kind::Soft || found == expected, "{kind:?}");
        }
    }
}
