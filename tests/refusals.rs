//! Bad input is refused: argument, position and value are named, and nothing is written.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use segloss::{
    Activation, Argument, BinaryCrossEntropy, Cause, CrossEntropy, Dense, Dice, Error, Focal,
    Gradient, Ground, Input, LabelTree, Labels, Loss, MAX_TERMS, Scores, ScoresMut, Sequential,
    Shape, Target, Term, TopKCrossEntropy, TreeCrossEntropy, TreeWasserstein, Tversky,
    VoxelWeights, WassersteinDice, WassersteinDiceWeighting,
};

const CLASSES: usize = 3;
const VOXELS: usize = 6000;

fn scores() -> Vec<f32> {
    (0..2 * CLASSES * VOXELS).map(|i| (i % 17) as f32 / 4.0 - 2.0).collect()
}

fn labels() -> Vec<i16> {
    (0..2 * VOXELS).map(|i| (i % CLASSES) as i16).collect()
}

fn shape() -> Shape {
    Shape::planar(2, CLASSES, &[VOXELS]).unwrap()
}

fn loss<'a>() -> Loss<'a> {
    Loss::new(Activation::Softmax)
        .with(1.0, Dice::default())
        .unwrap()
        .with(1.0, CrossEntropy::default())
        .unwrap()
}

/// Its gradient takes one pass, after a look over the input.
fn pointwise<'a>() -> Loss<'a> {
    Loss::new(Activation::Softmax).with(1.0, CrossEntropy::default()).unwrap()
}

/// Evaluates with a sentinel in the gradient; it must be untouched.
fn refused(loss: &Loss<'_>, input: &Input<'_>) -> Error {
    let mut gradient = vec![123.0f32; shape().elements()];
    let mut scratch = vec![0; 8 << 20];
    let request = Gradient::new(&mut gradient[..]);
    let error = loss.evaluate(input, Some(request), &mut scratch, &Sequential).unwrap_err();
    assert!(gradient.iter().all(|&g| g == 123.0), "{error}: the gradient was written");
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn scores_that_are_not_finite() {
    let labels = labels();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for position in [0, 5, VOXELS, 2 * CLASSES * VOXELS - 1] {
            let mut scores = scores();
            scores[position] = bad;
            let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
            for loss in [loss(), pointwise()] {
                let error = refused(&loss, &input);
                assert_eq!(error.cause, Cause::NonFinite);
                assert_eq!(error.argument, Argument::Scores);
                assert_eq!(error.position, position as u64);
                assert_eq!(error.value.to_bits(), f64::from(bad).to_bits());
            }
        }
    }
}

#[test]
fn scores_of_any_type_and_layout_that_are_not_finite() {
    let labels = labels();
    let interleaved = Shape::interleaved(2, CLASSES, &[VOXELS]).unwrap();
    for position in [0, 3 * VOXELS - 1, 3 * VOXELS, 2 * CLASSES * VOXELS - 1] {
        let (mut single, mut double) = (scores(), vec![0.5f64; shape().elements()]);
        let mut halves = vec![half::f16::ONE; shape().elements()];
        (single[position], double[position]) = (f32::MAX, f64::NAN);
        halves[position] = half::f16::INFINITY;
        for shape in [shape(), interleaved] {
            let named = |scores: ScoresMut<'_>| {
                let input = Input::without_scores(shape, Target::labels(&labels[..]));
                let mut scratch = vec![0; 8 << 20];
                let loss = pointwise();
                let error = loss.evaluate_in_place(&input, scores, 1.0, &mut scratch, &Sequential);
                assert_eq!(error.unwrap_err().position, position as u64);
            };
            let before = (single.clone(), double.clone(), halves.clone());
            named((&mut single[..]).into());
            named((&mut double[..]).into());
            named((&mut halves[..]).into());
            assert!(before.0 == single && before.2 == halves);
            assert!(before.1.iter().zip(&double).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

#[test]
fn the_first_of_several_bad_scores_is_named() {
    let labels = labels();
    let mut scores = scores();
    // The later block comes first in memory order of neither class nor task.
    scores[5999] = f32::NAN;
    scores[2 * VOXELS + 17] = f32::NAN;
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    for loss in [loss(), pointwise()] {
        assert_eq!(refused(&loss, &input).position, (2 * VOXELS + 17) as u64);
    }
}

#[test]
fn what_does_not_count_may_hold_anything() {
    let (mut scores, mut labels) = (scores(), labels());
    let mut weights = vec![1.0f32; 2 * VOXELS];
    let mut expected_scores = scores.clone();
    for voxel in (0..VOXELS).step_by(7) {
        weights[voxel] = 0.0;
        labels[voxel] = if voxel % 2 == 0 { -77 } else { 31_000 };
        for class in 0..CLASSES {
            scores[class * VOXELS + voxel] = [f32::NAN, f32::INFINITY, 1e30][class];
            expected_scores[class * VOXELS + voxel] = 0.5;
        }
    }
    let run = |loss: &Loss<'_>, scores: &[f32]| {
        let input = Input::new(shape(), scores, Target::labels(&labels[..]))
            .with_weights(VoxelWeights::F32(&weights));
        let mut gradient = vec![f32::NAN; scores.len()];
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let request = Gradient::new(&mut gradient[..]);
        let total = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap().total;
        (total, gradient)
    };
    for loss in [loss(), pointwise()] {
        let (found, expected) = (run(&loss, &scores), run(&loss, &expected_scores));
        assert_eq!(found, expected);
        for voxel in (0..VOXELS).step_by(7) {
            for class in 0..CLASSES {
                assert_eq!(found.1[class * VOXELS + voxel], 0.0);
            }
        }
    }
}

#[test]
fn unknown_labels() {
    let scores = scores();
    for bad in [-1i16, 3, 255, i16::MIN] {
        let mut labels = labels();
        labels[VOXELS + 4321] = bad;
        let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
        for loss in [loss(), pointwise()] {
            let error = refused(&loss, &input);
            assert_eq!((error.cause, error.argument), (Cause::Label, Argument::Target));
            assert_eq!((error.position, error.value), (VOXELS as u64 + 4321, f64::from(bad)));
        }
        // As the ignore label it is welcome, inside the classes or not.
        let input =
            Input::new(shape(), &scores[..], Target::sparse_labels(&labels[..], i64::from(bad)));
        let mut scratch = vec![0; loss().scratch_bytes(&input, 1).unwrap()];
        let loss = loss();
        let found = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap();
        assert_eq!(found.counted_voxels, 2 * VOXELS as u64 - 1);
    }
}

#[test]
fn targets_and_weights_out_of_range() {
    let scores = scores();
    let labels = labels();
    for bad in [-0.1f32, 1.5, f32::NAN] {
        let mut target = vec![0.25f32; scores.len()];
        target[VOXELS + 9] = bad;
        let input = Input::new(shape(), &scores[..], Target::dense(&target[..]));
        for loss in [loss(), pointwise()] {
            let error = refused(&loss, &input);
            assert_eq!((error.cause, error.position), (Cause::TargetRange, VOXELS as u64 + 9));
        }
    }
    let mut binary = vec![1u8; scores.len()];
    binary[11] = 2;
    let input = Input::new(shape(), &scores[..], Target::dense(&binary[..]));
    for loss in [loss(), pointwise()] {
        assert_eq!(refused(&loss, &input).cause, Cause::TargetRange);
    }
    for bad in [-1.0f32, f32::NAN, f32::INFINITY] {
        let mut weights = vec![1.0f32; 2 * VOXELS];
        weights[7000] = bad;
        let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]))
            .with_weights(VoxelWeights::F32(&weights));
        for loss in [loss(), pointwise()] {
            let error = refused(&loss, &input);
            assert_eq!((error.cause, error.position), (Cause::VoxelWeight, 7000));
        }
    }
}

#[test]
fn lengths_off_by_one() {
    let (scores, labels) = (scores(), labels());
    let target = Target::labels(&labels[..]);
    let weights = vec![1u8; 2 * VOXELS - 1];
    let short = Input::new(shape(), &scores[1..], target);
    assert_eq!(refused(&loss(), &short).argument, Argument::Scores);
    let short = Input::new(shape(), &scores[..], Target::labels(&labels[1..]));
    let error = refused(&loss(), &short);
    assert_eq!((error.argument, error.expected), (Argument::Target, 2.0 * VOXELS as f64));
    let short = Input::new(shape(), &scores[..], target).with_weights(VoxelWeights::U8(&weights));
    assert_eq!(refused(&loss(), &short).argument, Argument::VoxelWeights);
    let input = Input::new(shape(), &scores[..], target);
    let mut scratch = vec![0; 8 << 20];
    let mut gradient = vec![5.0f32; scores.len() - 1];
    let request = Gradient::new(&mut gradient[..]);
    let error = loss().evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap_err();
    assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Gradient));
    let mut gradient = vec![5.0f64; scores.len()];
    let request = Gradient::new(&mut gradient[..]);
    let error = loss().evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap_err();
    assert_eq!(error.argument, Argument::Gradient);
}

#[test]
fn scratch_one_byte_short_and_misaligned() {
    let (scores, labels) = (scores(), labels());
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    let loss = loss();
    let bytes = loss.scratch_bytes(&input, 1).unwrap();
    let mut scratch = vec![0u8; bytes + 64];
    let error = loss.evaluate(&input, None, &mut scratch[..bytes - 1], &Sequential).unwrap_err();
    assert_eq!((error.cause, error.expected), (Cause::ScratchSize, bytes as f64));
    let mut totals = Vec::new();
    for offset in 0..64 {
        let piece = &mut scratch[offset..offset + bytes];
        totals.push(loss.evaluate(&input, None, piece, &Sequential).unwrap().total);
    }
    assert!(totals.iter().all(|total| total.to_bits() == totals[0].to_bits()));
    assert_eq!(
        loss.evaluate(&input, None, &mut [], &Sequential).unwrap_err().cause,
        Cause::ScratchSize
    );
}

#[test]
fn shapes() {
    for (batch, classes, extent) in [
        (0, 2, &[4][..]),
        (1, 0, &[4]),
        (1, 2, &[]),
        (1, 2, &[0]),
        (1, 2, &[4, 0, 4]),
        (1, 2, &[1, 1, 1, 1]),
    ] {
        assert_eq!(Shape::planar(batch, classes, extent).unwrap_err().cause, Cause::Shape);
    }
    for extent in [[usize::MAX, 2, 1], [1 << 31, 1 << 31, 4]] {
        let error = Shape::interleaved(1, 2, &extent).unwrap_err();
        assert_eq!(error.cause, Cause::ShapeOverflow);
    }
    // Above 2^31 elements is fine.
    assert_eq!(Shape::planar(1, 4096, &[1 << 20]).unwrap().elements(), 1 << 32);
}

fn option_error(activation: Activation, term: impl Into<Term<'static>>) -> Cause {
    let (scores, labels) = (scores(), labels());
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    let loss = Loss::new(activation).with(1.0, Dice::default()).unwrap().with(1.0, term).unwrap();
    let error = refused(&loss, &input);
    if error.argument == Argument::Term {
        assert_eq!(error.position, 1);
    }
    error.cause
}

#[test]
fn options_of_terms() {
    let softmax = |term| option_error(Activation::Softmax, term);
    let nan = f64::NAN;
    let bad: [Term<'static>; 14] = [
        Dice { smooth_numerator: -1.0, ..Dice::default() }.into(),
        Dice { smooth_denominator: nan, ..Dice::default() }.into(),
        Dice { class_weights: Some(&[1.0, -1.0, 1.0]), ..Dice::default() }.into(),
        Tversky { false_positive_weight: -0.1, ..Tversky::default() }.into(),
        Tversky { exponent: 0.0, ..Tversky::default() }.into(),
        CrossEntropy { label_smoothing: 1.1, ..CrossEntropy::default() }.into(),
        CrossEntropy { label_smoothing: -0.1, ..CrossEntropy::default() }.into(),
        Focal { gamma: -1.0, ..Focal::default() }.into(),
        Focal { gamma: f64::INFINITY, ..Focal::default() }.into(),
        Focal { alpha: Some(&[-0.5]), ..Focal::default() }.into(),
        TopKCrossEntropy { fraction: 0.0, ..TopKCrossEntropy::default() }.into(),
        TopKCrossEntropy { fraction: 1.01, ..TopKCrossEntropy::default() }.into(),
        TopKCrossEntropy { fraction: nan, ..TopKCrossEntropy::default() }.into(),
        WassersteinDice {
            ground: Ground::Matrix(&[0.0; 9]),
            weighting: WassersteinDiceWeighting::Default { background: 3 },
            ..WassersteinDice::default()
        }
        .into(),
    ];
    for term in bad {
        assert_eq!(softmax(term), Cause::Option, "{term:?}");
    }
    let length: Term<'static> = Dice { class_weights: Some(&[1.0; 4]), ..Dice::default() }.into();
    assert_eq!(softmax(length), Cause::Length);
    for matrix in [
        [0.0, 1.0, 1.0, 2.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        [0.1, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, -1.0, 1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, nan, 1.0, nan, 0.0, 1.0, 1.0, 1.0, 0.0],
    ] {
        let ground = Ground::Matrix(Box::leak(Box::new(matrix)));
        let term = TreeWasserstein { ground, ..TreeWasserstein::default() };
        assert_eq!(softmax(term.into()), Cause::DistanceMatrix);
    }
    assert_eq!(softmax(TreeWasserstein::default().into()), Cause::TreeMissing);
    let tree = TreeCrossEntropy { node_weights: &[] };
    assert_eq!(softmax(tree.into()), Cause::TreeMissing);
    assert_eq!(softmax(BinaryCrossEntropy::default().into()), Cause::Activation);
    let sigmoid = |term| option_error(Activation::Sigmoid, term);
    assert_eq!(sigmoid(CrossEntropy::default().into()), Cause::Activation);
    assert_eq!(sigmoid(Term::from(TopKCrossEntropy::default())), Cause::Activation);
    assert_eq!(sigmoid(Term::from(TreeWasserstein::default())), Cause::Activation);
    assert_eq!(option_error(Activation::None, Focal::default()), Cause::Activation);
}

#[test]
fn lists_of_terms() {
    let (scores, labels) = (scores(), labels());
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    assert_eq!(refused(&Loss::new(Activation::Softmax), &input).cause, Cause::TermCount);
    let mut loss = Loss::new(Activation::Softmax);
    for _ in 0..MAX_TERMS {
        loss = loss.with(0.1, Dice::default()).unwrap();
    }
    assert_eq!(loss.clone().with(0.1, Dice::default()).unwrap_err().cause, Cause::TermCount);
    assert_eq!(loss.with(f64::NAN, Dice::default()).unwrap_err().cause, Cause::Option);
    let twice = Loss::new(Activation::Softmax)
        .with(1.0, TopKCrossEntropy::default())
        .unwrap()
        .with(1.0, TopKCrossEntropy::default())
        .unwrap();
    assert_eq!(refused(&twice, &input).cause, Cause::Option);
}

#[test]
fn kinds_of_targets() {
    let scores = scores();
    let dense = vec![0.5f32; scores.len()];
    let nodes = vec![1i32; 2 * VOXELS];
    let dense = Input::new(shape(), &scores[..], Target::dense(Dense::F32(&dense)));
    let nodes = Input::new(shape(), &scores[..], Target::nodes(Labels::I32(&nodes)));
    let parent = [-1, 0, 0, 0];
    let mut storage = vec![0; LabelTree::storage_bytes(4, 3).unwrap()];
    let tree = LabelTree::new(&parent, None, &[1, 2, 3], &mut storage).unwrap();
    let with = |term: Term<'static>| Loss::new(Activation::Softmax).with(1.0, term).unwrap();
    let matrix = Ground::Matrix(&[0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    for term in [
        TopKCrossEntropy::default().into(),
        TreeWasserstein { ground: matrix, ..TreeWasserstein::default() }.into(),
        WassersteinDice { ground: matrix, ..WassersteinDice::default() }.into(),
    ] {
        assert_eq!(refused(&with(term), &dense).cause, Cause::TargetKind, "{term:?}");
    }
    let missing = with(CrossEntropy::default().into());
    assert_eq!(refused(&missing, &nodes).cause, Cause::TreeMissing);
    for term in [CrossEntropy::default().into(), Term::from(Dice::default())] {
        let loss = with(term).with_tree(tree);
        assert_eq!(refused(&loss, &nodes).cause, Cause::TargetKind);
    }
    let mut storage = vec![0; LabelTree::storage_bytes(3, 2).unwrap()];
    let small = LabelTree::new(&[-1, 0, 0], None, &[1, 2], &mut storage).unwrap();
    let loss = with(TreeWasserstein::default().into()).with_tree(small);
    assert_eq!(refused(&loss, &nodes).cause, Cause::TreeClasses);
    let mut bad = vec![1i32; 2 * VOXELS];
    bad[13] = 4;
    let input = Input::new(shape(), Scores::F32(&scores), Target::nodes(Labels::I32(&bad)));
    let loss = with(TreeCrossEntropy { node_weights: &[1.0; 4] }.into()).with_tree(tree);
    let error = refused(&loss, &input);
    assert_eq!((error.cause, error.position, error.value), (Cause::Label, 13, 4.0));
}

#[test]
fn trees() {
    let build = |parent: &[i32], edges: Option<&[f64]>, leaves: &[i32]| {
        let mut storage = vec![0; LabelTree::storage_bytes(parent.len(), leaves.len()).unwrap()];
        LabelTree::new(parent, edges, leaves, &mut storage).map(|_| ()).map_err(|error| {
            assert!(matches!(error.argument, Argument::TreeNode | Argument::TreeClass));
            (error.cause, error.position)
        })
    };
    assert_eq!(build(&[0, 0, 0], None, &[1, 2]), Ok(()));
    assert_eq!(build(&[2, 2, -1], None, &[1, 0]), Ok(()));
    assert_eq!(build(&[-1], None, &[0]), Ok(()));
    assert_eq!(build(&[], None, &[]), Err((Cause::TreeNoRoot, 0)));
    assert_eq!(build(&[1, 0], None, &[]), Err((Cause::TreeNoRoot, 0)));
    assert_eq!(build(&[-1, 0, -1], None, &[1, 2]), Err((Cause::TreeTwoRoots, 2)));
    assert_eq!(build(&[-1, 1, 0], None, &[1, 2]), Err((Cause::TreeTwoRoots, 1)));
    assert_eq!(build(&[-1, 0, 3, 2], None, &[1]), Err((Cause::TreeCycle, 2)));
    assert_eq!(build(&[-1, 0, 7], None, &[1, 2]), Err((Cause::TreeParent, 2)));
    assert_eq!(build(&[-1, -2], None, &[1]), Err((Cause::TreeParent, 1)));
    assert_eq!(build(&[-1, 0, 1], None, &[1, 2]), Err((Cause::TreeClassNotLeaf, 0)));
    assert_eq!(build(&[-1, 0, 0], None, &[1, 9]), Err((Cause::TreeClassNotLeaf, 1)));
    assert_eq!(build(&[-1, 0, 0], None, &[1, -1]), Err((Cause::TreeClassNotLeaf, 1)));
    assert_eq!(build(&[-1, 0, 0], None, &[1]), Err((Cause::TreeLeafWithoutClass, 2)));
    assert_eq!(build(&[-1, 0, 0], None, &[1, 2, 1]), Err((Cause::TreeDuplicateLeaf, 2)));
    for bad in [0.0, -1.0, 0.9e-18, 1.1e18, f64::NAN, f64::INFINITY] {
        let edges = [f64::NAN, 1.0, bad];
        let found = build(&[-1, 0, 0], Some(&edges), &[1, 2]);
        assert_eq!(found, Err((Cause::TreeEdgeWeight, 2)));
    }
    assert_eq!(build(&[-1, 0, 0], Some(&[0.0, 1e18, 1e-18]), &[1, 2]), Ok(()));
    assert_eq!(build(&[-1, 0, 0], Some(&[1.0]), &[1, 2]), Err((Cause::Length, 0)));
    let mut storage = vec![0; LabelTree::storage_bytes(3, 2).unwrap() - 1];
    let error = LabelTree::new(&[-1, 0, 0], None, &[1, 2], &mut storage).unwrap_err();
    assert_eq!((error.cause, error.argument), (Cause::ScratchSize, Argument::TreeStorage));
    let many = vec![0; (1 << 24) + 1];
    let error = LabelTree::new(&many, None, &[1], &mut []).unwrap_err();
    assert_eq!((error.cause, error.argument), (Cause::ShapeOverflow, Argument::TreeNode));
    assert_eq!((error.value, error.expected), ((1 << 24) as f64 + 1.0, (1 << 24) as f64));
    assert_eq!(LabelTree::storage_bytes(many.len(), 1).unwrap_err(), error);
    assert!(LabelTree::storage_bytes(many.len() - 1, 1).is_ok());
}

#[test]
fn upstream_and_lists_of_the_tree_and_the_matrix() {
    let (scores, labels) = (scores(), labels());
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut gradient = vec![123.0f32; scores.len()];
        let mut scratch = vec![0; 8 << 20];
        let request = Gradient::new(&mut gradient[..]).times(bad);
        let error = loss().evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap_err();
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Gradient));
        assert!(gradient.iter().all(|&g| g == 123.0));
    }
    let mut storage = vec![0; LabelTree::storage_bytes(4, 3).unwrap()];
    let tree = LabelTree::new(&[-1, 0, 0, 0], None, &[1, 2, 3], &mut storage).unwrap();
    let with = |term: Term<'static>| Loss::new(Activation::Softmax).with(1.0, term).unwrap();
    for node_weights in [&[1.0; 3][..], &[1.0; 5]] {
        let loss = with(TreeCrossEntropy { node_weights }.into()).with_tree(tree);
        let error = refused(&loss, &input);
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::NodeWeights));
        assert_eq!((error.value, error.expected), (node_weights.len() as f64, 4.0));
    }
    for matrix in [&[0.0; 8][..], &[0.0; 10], &[]] {
        let ground = Ground::Matrix(matrix);
        for term in [
            TreeWasserstein { ground, ..TreeWasserstein::default() }.into(),
            WassersteinDice { ground, ..WassersteinDice::default() }.into(),
        ] {
            let error = refused(&with(term), &input);
            assert_eq!((error.cause, error.argument), (Cause::Length, Argument::DistanceMatrix));
        }
    }
}

#[test]
fn labels_and_ignore_labels_beyond_their_type() {
    let scores = scores();
    // An ignore label that the type cannot hold ignores nothing, label 0 least of all.
    let bytes: Vec<u8> = labels().iter().map(|&label| label as u8).collect();
    for ignore in [-1, -100, 256, 257, i64::MAX, i64::MIN] {
        let input = Input::new(shape(), &scores[..], Target::sparse_labels(&bytes[..], ignore));
        let loss = loss();
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let found = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap();
        assert_eq!(found.counted_voxels, 2 * VOXELS as u64, "{ignore}");
    }
    // Wide labels do not wrap.
    for bad in [1i64 << 32, (1 << 32) + 1, -(1 << 32), i64::MIN, i64::MAX] {
        let mut wide: Vec<i64> = labels().iter().map(|&label| i64::from(label)).collect();
        wide[77] = bad;
        let input = Input::new(shape(), &scores[..], Target::labels(&wide[..]));
        for loss in [loss(), pointwise()] {
            let error = refused(&loss, &input);
            assert_eq!((error.cause, error.position), (Cause::Label, 77));
            assert_eq!(error.value, bad as f64);
        }
    }
    // What does not count comes first and is as bad; it is not the one that is named.
    let mut labels = labels();
    (labels[3], labels[5], labels[9]) = (-7, 99, 98);
    let mut weights = vec![1.0f32; 2 * VOXELS];
    weights[5] = 0.0;
    let input = Input::new(shape(), &scores[..], Target::sparse_labels(&labels[..], -7))
        .with_weights(VoxelWeights::F32(&weights));
    let error = refused(&loss(), &input);
    assert_eq!((error.cause, error.position, error.value), (Cause::Label, 9, 98.0));
}

#[test]
fn numbers_that_f32_cannot_hold() {
    let (scores, labels) = (scores(), labels());
    let input = Input::new(shape(), &scores[..], Target::labels(&labels[..]));
    let weights: &'static [f64] = &[1e39, 1.0, 1.0];
    let term = CrossEntropy { class_weights: Some(weights), ..CrossEntropy::default() };
    let loss = Loss::new(Activation::Softmax).with(1.0, term).unwrap();
    let error = refused(&loss, &input);
    assert_eq!((error.cause, error.argument), (Cause::Option, Argument::ClassWeights));
    let too_much = Loss::new(Activation::Softmax).with(1e19, Dice::default());
    assert_eq!(too_much.unwrap_err().cause, Cause::Option);
    let mut large = scores.clone();
    large[8] = 3e38;
    let input = Input::new(shape(), &large[..], Target::labels(&labels[..]));
    let loss = Loss::new(Activation::Softmax).with(1.0, Dice::default()).unwrap();
    assert_eq!(refused(&loss, &input).cause, Cause::NonFinite);
}

#[test]
fn denominators_of_zero() {
    // No smoothing, one sample without any voxel that counts, and a class that is nowhere.
    let scores: Vec<f32> = scores();
    let mut labels = labels();
    for label in &mut labels {
        *label = (*label).min(1);
    }
    labels[VOXELS..].fill(-1);
    let input = Input::new(shape(), &scores[..], Target::sparse_labels(&labels[..], -1));
    let none = (0.0, 0.0);
    let dice = Dice { smooth_numerator: none.0, smooth_denominator: none.1, ..Dice::default() };
    let tversky =
        Tversky { smooth_numerator: none.0, smooth_denominator: none.1, ..Tversky::default() };
    for term in [Term::from(dice), tversky.into()] {
        let loss = Loss::new(Activation::Softmax).with(1.0, term).unwrap();
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let mut gradient = vec![f32::NAN; scores.len()];
        let request = Gradient::new(&mut gradient[..]);
        let found = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        assert!(found.total.is_finite(), "{term:?}");
        assert!(gradient[..CLASSES * VOXELS].iter().all(|g| g.is_finite()));
        assert!(gradient[CLASSES * VOXELS..].iter().all(|&g| g == 0.0));
    }
}
