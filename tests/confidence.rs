//! Confidence of scores against sums in f64, one voxel at a time, and laws.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/label_map.rs"]
mod label_map;

use label_map::{RandomTree, any_tree};
use proptest::prelude::*;
use segloss::half::{bf16, f16};
use segloss::{
    Confidence, LabelTree, Layout, Scores, Shape, confidence_map, label_confident,
    label_tree_confident,
};

/// Scores in one of the types, and what they are in f64.
#[derive(Clone, Debug)]
enum ScoreBuffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

impl ScoreBuffer {
    fn new(kind: usize, values: &[f64]) -> Self {
        match kind {
            0 => Self::F32(values.iter().map(|&v| v as f32).collect()),
            1 => Self::F64(values.to_vec()),
            2 => Self::F16(values.iter().map(|&v| f16::from_f64(v)).collect()),
            _ => Self::Bf16(values.iter().map(|&v| bf16::from_f64(v)).collect()),
        }
    }

    fn view(&self) -> Scores<'_> {
        match self {
            Self::F32(v) => v[..].into(),
            Self::F64(v) => v[..].into(),
            Self::F16(v) => v[..].into(),
            Self::Bf16(v) => v[..].into(),
        }
    }

    fn wide(&self) -> Vec<f64> {
        match self {
            Self::F32(v) => v.iter().map(|&v| f64::from(v)).collect(),
            Self::F64(v) => v.clone(),
            Self::F16(v) => v.iter().map(|v| v.to_f64()).collect(),
            Self::Bf16(v) => v.iter().map(|v| v.to_f64()).collect(),
        }
    }
}

#[derive(Clone, Debug)]
struct Case {
    shape: Shape,
    scores: ScoreBuffer,
}

impl Case {
    /// Scores of every voxel of the batch.
    fn voxels(&self) -> Vec<Vec<f64>> {
        let (wide, shape) = (self.scores.wide(), &self.shape);
        let (classes, voxels) = (shape.classes(), shape.voxels());
        let index = |place: usize, class: usize| match shape.layout() {
            Layout::Planar => (place / voxels * classes + class) * voxels + place % voxels,
            Layout::Interleaved => place * classes + class,
        };
        let voxel = |place| (0..classes).map(|class| wide[index(place, class)]).collect();
        (0..shape.batch_voxels()).map(voxel).collect()
    }

    fn map(&self, score: Confidence) -> Vec<f32> {
        let mut confidence = vec![f32::NAN; self.shape.batch_voxels()];
        confidence_map(self.shape, self.scores.view(), score, &mut confidence).unwrap();
        confidence
    }

    fn labels(&self, score: Confidence, threshold: f64) -> Vec<i32> {
        let mut labels = vec![-7; self.shape.batch_voxels()];
        let scores = self.scores.view();
        label_confident(self.shape, scores, score, threshold, -1, &mut labels).unwrap();
        labels
    }

    fn nodes(&self, tree: &LabelTree<'_>, threshold: f64) -> Vec<i32> {
        let mut nodes = vec![-7; self.shape.batch_voxels()];
        let scores = self.scores.view();
        label_tree_confident(self.shape, scores, tree, threshold, &mut nodes).unwrap();
        nodes
    }

    fn in_single(&self) -> bool {
        !matches!(self.scores, ScoreBuffer::F64(_))
    }
}

fn any_scores(classes: usize) -> impl Strategy<Value = Case> {
    let sizes = (1..3usize, 1..600usize, prop::bool::ANY, 0..4usize);
    // Plain logits, large ones, and few values so that scores tie.
    let scale = prop_oneof![Just(1.0), Just(5.0), Just(1e4), Just(0.0)];
    (sizes, scale, any::<u64>()).prop_map(move |((batch, voxels, planar, kind), scale, seed)| {
        let layout = if planar { Layout::Planar } else { Layout::Interleaved };
        let shape = Shape::new(batch, classes, &[voxels], layout).unwrap();
        let mut state = seed | 1;
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0
        };
        let score = |draw: f64| if scale == 0.0 { (draw * 2.0).round() } else { scale * draw };
        let values: Vec<f64> = (0..shape.elements()).map(|_| score(draw())).collect();
        Case { shape, scores: ScoreBuffer::new(kind, &values) }
    })
}

fn any_score() -> impl Strategy<Value = Confidence> {
    let temperature = prop_oneof![Just(1.0), Just(0.1), Just(2.5), Just(1000.0)];
    (0..4usize, temperature).prop_map(|(kind, temperature)| match kind {
        0 => Confidence::MaximumProbability { temperature },
        1 => Confidence::MaximumLogit,
        2 => Confidence::Energy { temperature },
        _ => Confidence::NegativeEntropy { temperature },
    })
}

fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let e: Vec<f64> = scores.iter().map(|z| ((z - largest) / temperature).exp()).collect();
    let sum: f64 = e.iter().sum();
    e.iter().map(|e| e / sum).collect()
}

fn slow(scores: &[f64], score: Confidence) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match score {
        Confidence::MaximumProbability { temperature } => {
            softmax(scores, temperature).into_iter().fold(0.0, f64::max)
        }
        Confidence::MaximumLogit => largest,
        Confidence::Energy { temperature } => {
            let sum: f64 = scores.iter().map(|z| ((z - largest) / temperature).exp()).sum();
            largest + temperature * sum.ln()
        }
        Confidence::NegativeEntropy { temperature } => {
            let terms = softmax(scores, temperature).into_iter();
            terms.map(|p| if p > 0.0 { p * p.ln() } else { 0.0 }).sum()
        }
        _ => unreachable!(),
    }
}

/// What the result may be off by: some roundings of the numbers that it is made of.
fn bound(scores: &[f64], score: Confidence, single: bool) -> f64 {
    let largest = scores.iter().copied().fold(0.0f64, |m, z| m.max(z.abs()));
    let count = scores.len() as f64;
    let size = match score {
        Confidence::MaximumProbability { temperature } => 1.0 + (largest / temperature).min(90.0),
        Confidence::MaximumLogit => 0.0,
        Confidence::Energy { temperature } => largest + temperature * (1.0 + count.ln()),
        Confidence::NegativeEntropy { temperature } => {
            (1.0 + count.ln()) * (1.0 + (largest / temperature).min(90.0))
        }
        _ => unreachable!(),
    };
    // The result is f32 in any case.
    let own = slow(scores, score).abs() * f64::from(f32::EPSILON);
    own + size * if single { 4e-7 } else { 1e-14 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn maps_are_those_of_one_voxel_at_a_time(
        case in (1..40usize).prop_flat_map(any_scores), score in any_score(),
    ) {
        for (voxel, (found, scores)) in case.map(score).iter().zip(case.voxels()).enumerate() {
            let expected = slow(&scores, score);
            let error = (f64::from(*found) - expected).abs();
            let bound = bound(&scores, score, case.in_single());
            prop_assert!(error <= bound, "{voxel}: {found} for {expected}, {error:e} > {bound:e}");
        }
    }

    #[test]
    fn labels_are_the_map_cut_off(
        case in (1..20usize).prop_flat_map(any_scores), score in any_score(),
        at in any::<prop::sample::Index>(),
    ) {
        let map = case.map(score);
        // One of the values, so that some voxel is just sure enough.
        let threshold = f64::from(*at.get(&map));
        let labels = case.labels(score, threshold);
        for ((label, confidence), scores) in labels.iter().zip(&map).zip(case.voxels()) {
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let best = scores.iter().position(|&z| z == largest).unwrap();
            let sure = f64::from(*confidence) >= threshold;
            prop_assert_eq!(*label, if sure { best as i32 } else { -1 });
        }
        prop_assert!(labels[at.index(labels.len())] >= 0);
        prop_assert!(case.labels(score, f64::INFINITY).iter().all(|&label| label == -1));
        prop_assert!(case.labels(score, f64::NEG_INFINITY).iter().all(|&label| label >= 0));
    }

    #[test]
    fn ranges(case in (1..20usize).prop_flat_map(any_scores), exponent in -30..18i32) {
        let temperature = 10f64.powi(exponent);
        let classes = case.shape.classes() as f32;
        for sure in case.map(Confidence::MaximumProbability { temperature }) {
            prop_assert!((0.999_999 / classes..=1.0).contains(&sure), "{sure}");
        }
        for sure in case.map(Confidence::NegativeEntropy { temperature }) {
            prop_assert!((-1.000_001 * classes.ln()..=0.0).contains(&sure), "{sure}");
        }
        let energy = case.map(Confidence::Energy { temperature });
        for (energy, largest) in energy.into_iter().zip(case.map(Confidence::MaximumLogit)) {
            prop_assert!(energy >= largest && energy.is_finite(), "{energy} {largest}");
        }
    }

    #[test]
    fn nodes_are_the_end_of_a_way_of_sure_steps(
        (tree, case) in any_tree(24).prop_flat_map(|tree| {
            let scores = any_scores(tree.classes());
            (Just(tree), scores)
        }),
        threshold in prop_oneof![Just(0.0), Just(1.0), Just(0.5), 0.0..1.0f64],
    ) {
        let mut storage = tree.storage();
        let nodes = case.nodes(&tree.build(&mut storage), threshold);
        let tolerance = if case.in_single() { 3e-6 } else { 1e-13 };
        for (&node, scores) in nodes.iter().zip(case.voxels()) {
            check_way(&tree, &scores, threshold, node as usize, tolerance)?;
        }
    }

    #[test]
    fn samples_and_order_change_nothing(case in (1..9usize).prop_flat_map(any_scores)) {
        let score = Confidence::NegativeEntropy { temperature: 1.5 };
        let shape = case.shape;
        let wide = case.scores.wide();
        // The same scores in the other layout.
        let (classes, voxels) = (shape.classes(), shape.voxels());
        let planar = shape.layout() == Layout::Planar;
        let (rows, columns) = if planar { (classes, voxels) } else { (voxels, classes) };
        let mut other = Vec::new();
        for sample in wide.chunks(classes * voxels) {
            other.extend((0..sample.len()).map(|i| sample[i % rows * columns + i / rows]));
        }
        let kind = match case.scores {
            ScoreBuffer::F32(_) => 0,
            ScoreBuffer::F64(_) => 1,
            ScoreBuffer::F16(_) => 2,
            ScoreBuffer::Bf16(_) => 3,
        };
        let layout = if planar { Layout::Interleaved } else { Layout::Planar };
        let shape = Shape::new(shape.batch(), classes, &[voxels], layout).unwrap();
        let other = Case { shape, scores: ScoreBuffer::new(kind, &other) };
        prop_assert_eq!(other.map(score), case.map(score));
    }
}

/// Follows the probabilities, computed anew, as far as the library went, and no further.
fn check_way(
    tree: &RandomTree,
    scores: &[f64],
    threshold: f64,
    found: usize,
    tolerance: f64,
) -> Result<(), TestCaseError> {
    let p = softmax(scores, 1.0);
    let probability = |node: usize| -> f64 {
        let below = |class: &usize| tree.class_path(*class).contains(&node);
        (0..p.len()).filter(below).map(|class| p[class]).sum()
    };
    let children = |node: usize| -> Vec<usize> {
        (0..tree.nodes()).filter(|&child| tree.parent[child] == node as i32).collect()
    };
    let largest = |node: usize| children(node).into_iter().map(probability).fold(-1.0, f64::max);
    let mut way = tree.path(found);
    way.reverse();
    for step in way.windows(2) {
        let own = probability(step[1]);
        prop_assert!(own >= largest(step[0]) - tolerance, "{found}: {} is not largest", step[1]);
        prop_assert!(own >= threshold - tolerance, "{found}: {} is not sure", step[1]);
    }
    let rest = largest(found);
    prop_assert!(rest < threshold + tolerance || rest == -1.0, "{found}: may go on, {rest}");
    Ok(())
}

#[test]
fn ties_go_to_the_lowest() {
    let scores = [1.0f32, 2.0, 2.0, 2.0];
    let shape = Shape::interleaved(1, 4, &[1]).unwrap();
    let case = Case { shape, scores: ScoreBuffer::F32(scores.to_vec()) };
    assert_eq!(case.labels(Confidence::MaximumLogit, 0.0), [1]);
    // Classes 1, 2 and 3 are nodes 4, 1 and 3.
    let mut storage = vec![0; LabelTree::storage_bytes(5, 4).unwrap()];
    let tree = LabelTree::new(&[-1, 0, 0, 0, 0], None, &[2, 4, 1, 3], &mut storage).unwrap();
    assert_eq!(case.nodes(&tree, 0.0), [1]);
    // Two pairs of equal mass below nodes 6 and 1.
    let even = Case { shape, scores: ScoreBuffer::F32(vec![0.0, 1.0, 1.0, 0.0]) };
    let parent = [-1, 0, 6, 6, 1, 1, 0];
    let mut storage = vec![0; LabelTree::storage_bytes(7, 4).unwrap()];
    let tree = LabelTree::new(&parent, None, &[2, 3, 4, 5], &mut storage).unwrap();
    assert_eq!(even.nodes(&tree, 0.5), [1]);
    assert_eq!(even.nodes(&tree, 0.0), [4]);
    assert_eq!(even.nodes(&tree, 0.5 + 1e-6), [0]);
}

#[test]
fn all_of_the_mass_is_one() {
    // A chain: everything is below nodes 1 and 2, whose probability is 1, not nearly 1.
    let parent = [-1, 0, 1, 2, 2, 2, 2, 2, 2, 2];
    let mut storage = vec![0; LabelTree::storage_bytes(10, 7).unwrap()];
    let leaves = [3, 4, 5, 6, 7, 8, 9];
    let tree = LabelTree::new(&parent, None, &leaves, &mut storage).unwrap();
    let shape = Shape::interleaved(1, 7, &[100]).unwrap();
    let scores: Vec<f64> = (0..700).map(|i| f64::from(i * 37 % 101) / 10.0).collect();
    for kind in 0..4 {
        let case = Case { shape, scores: ScoreBuffer::new(kind, &scores) };
        assert_eq!(case.nodes(&tree, 1.0), [2; 100]);
    }
    let sure = (0..700).map(|i| if i % 7 == 6 { 1e4 } else { scores[i] }).collect::<Vec<_>>();
    let sure = Case { shape, scores: ScoreBuffer::new(0, &sure) };
    assert_eq!(sure.nodes(&tree, 1.0), [9; 100]);
    assert_eq!(sure.map(Confidence::NegativeEntropy { temperature: 1.0 }), [0.0; 100]);
    assert_eq!(sure.map(Confidence::MaximumProbability { temperature: 1.0 }), [1.0; 100]);
    assert_eq!(sure.map(Confidence::Energy { temperature: 1.0 }), [1e4; 100]);
}

#[test]
fn temperatures_at_the_ends() {
    let shape = Shape::interleaved(1, 3, &[2]).unwrap();
    for kind in 0..4 {
        let scores = ScoreBuffer::new(kind, &[1.0, 1.0, 0.5, -2.0, 3.0, -1.0]);
        let case = Case { shape, scores };
        // Cold: only the largest are left. 1e-300 is no f32.
        for temperature in [1e-300, 1e-38, 1e-20] {
            let sure = case.map(Confidence::MaximumProbability { temperature });
            assert_eq!(sure, [0.5, 1.0]);
            let entropy = case.map(Confidence::NegativeEntropy { temperature });
            assert_eq!(entropy, [-core::f32::consts::LN_2, 0.0]);
            assert_eq!(case.map(Confidence::Energy { temperature }), [1.0, 3.0]);
        }
        // Differences over the temperature are infinite.
        let far = ScoreBuffer::new(kind, &[1e4, 0.0, 1e4, 0.0, -1e4, -1e4]);
        let far = Case { shape, scores: far };
        for temperature in [5e-324, 1e-300, 1e-37] {
            let entropy = far.map(Confidence::NegativeEntropy { temperature });
            assert_eq!(entropy, [-core::f32::consts::LN_2, 0.0]);
        }
        // Hot: all classes alike.
        let temperature = 1e18;
        for sure in case.map(Confidence::MaximumProbability { temperature }) {
            assert!((sure - 1.0 / 3.0).abs() < 1e-7);
        }
        for energy in case.map(Confidence::Energy { temperature }) {
            assert!((energy / (1e18 * 3f32.ln()) - 1.0).abs() < 1e-6);
        }
    }
}
