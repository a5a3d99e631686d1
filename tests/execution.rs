//! The same bits however the work is cut: levels, threads, shards, buffers.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use reference::{Activation, Term};
use segloss::{
    BinaryCrossEntropy, Cause, CrossEntropy, Dice, Executor, Focal, Gradient, GradientMode, Input,
    LabelTree, Layout, Level, Loss, Part, Pooling, Scores, ScoresMut, Sequential, Shape, Target,
    TermActivation, TopKCrossEntropy, TreeCrossEntropy, TreeWasserstein, VoxelWeights,
    WassersteinDice,
    half::{bf16, f16},
};
use support::executors::{Careless, Shuffled};
use support::random::{Kind, Random, Recipe, case};
use support::random_terms::{NAMES, offered, term};
use support::{DenseType, LabelType, ScoreType, Settings, run_with};

fn recipe(seed: u64, kind: Kind, activation: Activation) -> Recipe {
    Recipe {
        seed,
        batch: 2,
        classes: 6,
        voxels: 9000,
        activation,
        kind,
        scale: 4.0,
        ignored: 0.1,
        weighted: true,
    }
}

fn terms_of(recipe: &Recipe, case: &reference::Case) -> Vec<(f64, Term)> {
    let mut random = Random::new(recipe.seed);
    // Four of five, as a loss takes no more: other seeds leave out others.
    let left_out = recipe.seed as usize % 5;
    NAMES
        .iter()
        .enumerate()
        .filter(|(turn, name)| turn % 5 != left_out && offered(name, recipe))
        .map(|(_, name)| name)
        .take(16)
        .map(|name| (random.uniform(0.5, 1.5), term(name, case, &mut random)))
        .collect()
}

#[test]
fn threads_and_order_cannot_be_seen() {
    for (kind, activation) in [
        (Kind::Labels, Activation::Softmax),
        (Kind::Soft, Activation::Softmax),
        (Kind::Binary, Activation::Sigmoid),
    ] {
        let recipe = recipe(3, kind, activation);
        let case = case(&recipe, |x| x, |x| x);
        let list = terms_of(&recipe, &case);
        let settings = Settings::default();
        let expected = run_with(&case, &list, &settings, &Sequential).unwrap();
        for (threads, seed) in [(2, 1), (4, 2), (7, 3)] {
            let found = run_with(&case, &list, &settings, &Shuffled { threads, seed }).unwrap();
            assert_eq!(found, expected, "{threads} threads, {kind:?}");
        }
    }
}

#[test]
fn simd_levels_give_the_same_bits() {
    for (kind, activation) in [
        (Kind::Labels, Activation::Softmax),
        (Kind::Nodes, Activation::Softmax),
        (Kind::Soft, Activation::Softmax),
        (Kind::Labels, Activation::Sigmoid),
        (Kind::Soft, Activation::None),
    ] {
        for scores in [ScoreType::F32, ScoreType::F64, ScoreType::F16, ScoreType::Bf16] {
            let recipe = Recipe { voxels: 3001, ..recipe(5, kind, activation) };
            let case = case(&recipe, |x| x, |x| x);
            let list = terms_of(&recipe, &case);
            for layout in [Layout::Planar, Layout::Interleaved] {
                let at = |level| {
                    let settings = Settings { level, scores, layout, ..Settings::default() };
                    run_with(&case, &list, &settings, &Sequential).unwrap()
                };
                let plain = at(Level::Plain);
                for level in [Level::Simd128, Level::Avx2, Level::Avx512, Level::Best] {
                    let name = format!("{level:?} {scores:?} {layout:?} {kind:?} {activation:?}");
                    assert!(at(level) == plain, "{name}: other bits");
                }
            }
        }
    }
}

#[test]
fn gradient_over_scores_gives_the_same_bits() {
    for layout in [Layout::Planar, Layout::Interleaved] {
        for scores in [ScoreType::F32, ScoreType::F64, ScoreType::F16, ScoreType::Bf16] {
            let recipe = recipe(9, Kind::Labels, Activation::Softmax);
            let case = case(&recipe, |x| x, |x| x);
            let list = terms_of(&recipe, &case);
            let settings = Settings { layout, scores, upstream: 2.5, ..Settings::default() };
            let apart = run_with(&case, &list, &settings, &Sequential).unwrap();
            let settings = Settings { in_place: true, ..settings };
            let executor = Shuffled { threads: 3, seed: 1 };
            let over = run_with(&case, &list, &settings, &executor).unwrap();
            assert_eq!(over, apart, "{layout:?} {scores:?}");
        }
    }
}

#[test]
fn layouts_and_label_types_give_the_same_bits() {
    let recipe = recipe(11, Kind::Labels, Activation::Softmax);
    let case = case(&recipe, |x| x, |x| x);
    let list = terms_of(&recipe, &case);
    let expected = run_with(&case, &list, &Settings::default(), &Sequential).unwrap().0;
    for layout in [Layout::Planar, Layout::Interleaved] {
        for labels in
            [LabelType::U8, LabelType::U16, LabelType::I16, LabelType::I32, LabelType::I64]
        {
            let settings = Settings { layout, labels, ..Settings::default() };
            let found = run_with(&case, &list, &settings, &Sequential).unwrap().0;
            assert_eq!(found, expected, "{layout:?} {labels:?}");
        }
    }
}

/// A volume for the calls below.
struct Volume {
    shape: Shape,
    scores: Vec<f32>,
    labels: Vec<u8>,
}

fn volume(batch: usize, classes: usize, voxels: usize) -> Volume {
    let mut random = Random::new(17);
    Volume {
        shape: Shape::planar(batch, classes, &[voxels]).unwrap(),
        scores: (0..batch * classes * voxels).map(|_| random.uniform(-4.0, 4.0) as f32).collect(),
        labels: (0..batch * voxels).map(|_| random.below(classes) as u8).collect(),
    }
}

impl Volume {
    fn input(&self) -> Input<'_> {
        Input::new(self.shape, &self.scores[..], Target::labels(&self.labels[..]))
    }
}

fn compound<'a>() -> Loss<'a> {
    Loss::dice_cross_entropy(Pooling::Batch).with(0.7, segloss::Focal::default()).unwrap()
}

/// Value and gradient of one call on everything.
fn whole(loss: &Loss<'_>, volume: &Volume) -> (f64, Vec<f32>) {
    let input = volume.input();
    let mut gradient = vec![0.0f32; volume.scores.len()];
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    let request = Gradient::new(&mut gradient[..]).times(3.0);
    let value = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap().total;
    (value, gradient)
}

/// Interleaved scores are turned 16 voxels at a time, with few classes together and more by fours or
/// sixteens: every rest of all of them, where a tile ends and where a sample does.
#[test]
fn layouts_of_any_number_of_classes_give_the_same_bits() {
    for classes in (1..=37).chain([48, 64, 107]) {
        for (voxels, level) in [
            (577 + classes % 16, Level::Best),
            (16 + classes % 5, Level::Avx2),
            (64, Level::Simd128),
            (classes % 16 + 1, Level::Plain),
        ] {
            let kind = Kind::Labels;
            let activation = Activation::Softmax;
            let recipe = Recipe { classes, voxels, ..recipe(classes as u64, kind, activation) };
            let case = case(&recipe, |x| x, |x| x);
            let mut random = Random::new(1);
            let list = ["dice", "cross-entropy"].map(|name| (1.0, term(name, &case, &mut random)));
            for scores in [ScoreType::F32, ScoreType::F64, ScoreType::F16, ScoreType::Bf16] {
                let run = |layout, level| {
                    let settings = Settings { layout, scores, level, ..Settings::default() };
                    run_with(&case, &list, &settings, &Sequential).unwrap().0
                };
                let (planar, interleaved) =
                    (run(Layout::Planar, Level::Best), run(Layout::Interleaved, level));
                assert!(interleaved == planar, "{classes} x {voxels}, {scores:?}, {level:?}");
            }
        }
    }
}

/// As above, of dense targets, whose type is not that of the computation.
#[test]
fn dense_targets_of_both_layouts_give_the_same_bits() {
    for (kind, dense) in [(Kind::Soft, DenseType::F64), (Kind::Binary, DenseType::U8)] {
        for classes in [1, 2, 3, 5, 6, 15, 16, 17, 33, 40, 70] {
            let recipe = Recipe { classes, voxels: 597, ..recipe(7, kind, Activation::Sigmoid) };
            let case = case(&recipe, |x| x, |x| x);
            let mut random = Random::new(1);
            let list =
                ["dice", "binary cross-entropy"].map(|name| (1.0, term(name, &case, &mut random)));
            let run = |layout| {
                let settings = Settings { layout, dense, ..Settings::default() };
                run_with(&case, &list, &settings, &Sequential).unwrap().0
            };
            assert!(run(Layout::Planar) == run(Layout::Interleaved), "{classes}, {kind:?}");
        }
    }
}

/// As above, where the gradient is added to what there is.
#[test]
fn added_gradients_of_both_layouts_are_the_same() {
    added_gradients(|x| x);
    added_gradients(f64::from);
    added_gradients(f16::from_f32);
    added_gradients(bf16::from_f32);
}

fn added_gradients<T>(of: impl Fn(f32) -> T)
where
    T: Copy + PartialEq,
    for<'v> Scores<'v>: From<&'v [T]>,
    for<'v> ScoresMut<'v>: From<&'v mut [T]>,
{
    for (classes, voxels) in [
        (2, 700),
        (3, 700),
        (4, 50),
        (5, 33),
        (6, 597),
        (7, 700),
        (14, 597),
        (16, 597),
        (17, 33),
        (35, 600),
        (70, 40),
    ] {
        let volume = volume(1, classes, voxels);
        let turned = |values: &[T], rows: usize, columns: usize| -> Vec<T> {
            (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
        };
        let scores: Vec<T> = volume.scores.iter().map(|&z| of(z)).collect();
        let before: Vec<T> = (0..scores.len()).map(|i| of((i % 9) as f32 * 0.125)).collect();
        let run = |shape: Shape, scores: &[T], mut gradient: Vec<T>| {
            let input = Input::new(shape, scores, Target::labels(&volume.labels[..]));
            let loss = compound();
            let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
            let request = Gradient::new(&mut gradient[..]).times(300.0).accumulated();
            loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
            gradient
        };
        let planar = run(volume.shape, &scores, before.clone());
        let shape = Shape::interleaved(1, classes, &[voxels]).unwrap();
        let scores = turned(&scores, classes, voxels);
        let interleaved = run(shape, &scores, turned(&before, classes, voxels));
        assert!(planar != before && turned(&interleaved, voxels, classes) == planar, "{classes}");
    }
}

/// Where no label is ignored and no voxel weighed, labels are read by a loop of their own.
#[test]
fn plain_labels_give_the_bits_of_sparse_ones() {
    let volume = volume(1, 5, 9001);
    let weights = [1.0, 0.5, 2.0, 0.1, 1.5];
    let weighed = CrossEntropy { class_weights: Some(&weights), ..CrossEntropy::default() };
    let cross_entropy = Loss::dice_cross_entropy(Pooling::Batch);
    for loss in [compound().with(0.4, weighed).unwrap(), cross_entropy] {
        same_bits_of_plain_labels(&loss, &volume);
    }
}

fn same_bits_of_plain_labels(loss: &Loss<'_>, volume: &Volume) {
    let run = |target: Target<'_>, weights: VoxelWeights<'_>| {
        let input = Input::new(volume.shape, &volume.scores[..], target).with_weights(weights);
        let mut gradient = vec![0.0f32; volume.scores.len()];
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let request = Gradient::new(&mut gradient[..]);
        let result = loss.evaluate(&input, Some(request), &mut scratch, &Sequential);
        result.map(|found| (found.total.to_bits(), found.counted_voxels, gradient))
    };
    let plain = Target::labels(&volume.labels[..]);
    let expected = run(plain, VoxelWeights::Ones).unwrap();
    assert_eq!(expected.1, 9001);
    let wide: Vec<i64> = volume.labels.iter().map(|&label| label.into()).collect();
    let short: Vec<i16> = volume.labels.iter().map(|&label| label.into()).collect();
    for target in [
        Target::sparse_labels(&volume.labels[..], 200),
        Target::labels(&wide[..]),
        Target::sparse_labels(&wide[..], -1),
        Target::labels(&short[..]),
        Target::sparse_labels(&short[..], -1),
    ] {
        assert_eq!(run(target, VoxelWeights::Ones).unwrap(), expected);
    }
    assert_eq!(run(plain, VoxelWeights::U8(&[1; 9001])).unwrap(), expected);
    assert_eq!(run(plain, VoxelWeights::F32(&[1.0; 9001])).unwrap(), expected);
    for (voxel, bad) in [(9000, 5), (8999, -1), (0, 1 << 40)] {
        let mut labels = wide.clone();
        labels[voxel] = bad;
        let error = run(Target::labels(&labels[..]), VoxelWeights::Ones).unwrap_err();
        assert_eq!((error.cause, error.position), (Cause::Label, voxel as u64));
    }
}

#[test]
fn parts_of_samples_add_up_to_the_whole() {
    parts_add_up(5, 20_000);
    // A gradient that is written past the caches.
    parts_add_up(2, 150_001);
}

fn parts_add_up(classes: usize, all_voxels: usize) {
    for loss in [compound(), Loss::dice_cross_entropy(Pooling::Batch)] {
        parts_of_loss_add_up(&loss, &volume(2, classes, all_voxels));
    }
}

/// Terms along a tree over five classes, some of whose nodes are lost: too improbable for f32.
fn on_a_tree(check: impl Fn(&Loss<'_>, &Volume)) {
    on_a_tree_with(None, &check);
    on_a_tree_with(Some(&[0.0, 1.0, 0.5, 2.0, 0.25, 1.5, 0.75, 1.0, 3.0]), &check);
}

fn on_a_tree_with(edges: Option<&[f64]>, check: &impl Fn(&Loss<'_>, &Volume)) {
    // 0 root, 1 and 2 below it, 3 the only child of 2
    let parent = [-1, 0, 0, 2, 1, 1, 3, 3, 0];
    let mut storage = vec![0; LabelTree::storage_bytes(9, 5).unwrap()];
    let tree = LabelTree::new(&parent, edges, &[4, 6, 5, 8, 7], &mut storage).unwrap();
    let node_weights = [0.0, 0.5, 0.5, 0.7, 1.0, 1.0, 0.3, 1.0, 1.0];
    let softmax = || Loss::new(segloss::Activation::Softmax).with_tree(tree);
    let nodes = TreeCrossEntropy { node_weights: &node_weights };
    let smoothed = CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::default() };
    let terms = softmax().with(0.6, nodes).unwrap().with(0.4, TreeWasserstein::default());
    let alike = TreeCrossEntropy { node_weights: &[1.0; 9] };
    let losses = [
        softmax().with(1.0, nodes).unwrap(),
        softmax().with(1.0, alike).unwrap(),
        terms.clone().unwrap().with(0.3, smoothed).unwrap(),
        terms.clone().unwrap().with(0.5, Dice::default()).unwrap(),
        terms.unwrap().with(0.5, WassersteinDice::default()).unwrap(),
    ];
    for scale in [1.0, 40.0] {
        let mut volume = volume(2, 5, 20_000);
        volume.scores.iter_mut().for_each(|z| *z *= scale);
        // Legal, but together as large as what is not: such a tile is computed twice.
        volume.scores[..40].fill(5e37);
        for loss in &losses {
            check(loss, &volume);
        }
    }
}

#[test]
fn parts_of_tree_terms_add_up_to_the_whole() {
    on_a_tree(parts_of_loss_add_up);
}

#[test]
fn levels_threads_and_a_gradient_cannot_be_seen_on_a_tree() {
    on_a_tree(|loss, volume| {
        let (value, expected) = whole(loss, volume);
        let input = volume.input();
        let executor = Shuffled { threads: 3, seed: 7 };
        for level in [Level::Plain, Level::Simd128, Level::Avx2, Level::Avx512] {
            let loss = loss.clone().with_level(level);
            let mut scratch = vec![0; loss.scratch_bytes(&input, 3).unwrap()];
            let alone = loss.evaluate(&input, None, &mut scratch, &executor).unwrap();
            assert_eq!(alone.total.to_bits(), value.to_bits());
            let mut gradient = vec![0.0f32; volume.scores.len()];
            let request = Gradient::new(&mut gradient[..]).times(3.0);
            let both = loss.evaluate(&input, Some(request), &mut scratch, &executor).unwrap();
            assert_eq!((both.total.to_bits(), &gradient), (value.to_bits(), &expected));
        }
    });
}

fn parts_of_loss_add_up(loss: &Loss<'_>, volume: &Volume) {
    let (value, expected) = whole(loss, volume);
    let all_voxels = volume.shape.voxels();
    let input = volume.input();
    let block = Loss::block_voxels(&volume.shape);
    let part = |first: usize, blocks: usize| {
        let first_voxel = first * block;
        let rest = all_voxels - first_voxel;
        let voxels = Some((blocks * block).min(rest));
        Part { batch: 2, first_sample: 0, first_voxel, voxels }
    };
    let parts = [part(3, 99), part(0, 1), part(1, 2)];
    let length = loss.sums_len(&input, &parts[0]).unwrap();
    // Each part on a rank of its own, summed up in another order than they lie.
    let mut sums = vec![0.0; length];
    let bytes = loss.part_scratch_bytes(&input, &parts[0], 2).unwrap();
    for part in &parts {
        let mut own = vec![0.0; length];
        let executor = Shuffled { threads: 3, seed: 4 };
        let mut scratch = vec![0; bytes];
        loss.accumulate(&input, part, &mut own, &mut scratch, &executor).unwrap();
        sums.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own);
    }
    let mut scratch = vec![0; bytes];
    let found = loss.finish(&input, &parts[1], &sums, &mut scratch).unwrap();
    assert_eq!(found.total.to_bits(), value.to_bits());
    assert_eq!(found.counted_voxels, 2 * all_voxels as u64);
    let mut gradient = vec![0.0f32; 5 + volume.scores.len()];
    for part in &parts {
        let request = Gradient::new(&mut gradient[5..]).times(3.0);
        loss.gradient(&input, part, &sums, request, &mut scratch, &Sequential).unwrap();
    }
    assert_eq!(gradient[5..], expected);
}

#[test]
fn samples_on_ranks_add_up_to_the_batch() {
    let all = volume(3, 4, 6000);
    let loss = Loss::dice_cross_entropy(Pooling::PerSample).with_class_sums();
    let (value, expected) = whole(&loss, &all);
    let rank = |sample: usize| Volume {
        shape: Shape::planar(1, 4, &[6000]).unwrap(),
        scores: all.scores[sample * 24_000..(sample + 1) * 24_000].to_vec(),
        labels: all.labels[sample * 6000..(sample + 1) * 6000].to_vec(),
    };
    let part = |sample| Part { batch: 3, first_sample: sample, first_voxel: 0, voxels: None };
    let mut sums = Vec::new();
    for sample in [1, 2, 0] {
        let own = rank(sample);
        let input = own.input();
        sums.resize(loss.sums_len(&input, &part(sample)).unwrap(), 0.0);
        let mut scratch = vec![0; loss.part_scratch_bytes(&input, &part(sample), 1).unwrap()];
        loss.accumulate(&input, &part(sample), &mut sums, &mut scratch, &Sequential).unwrap();
    }
    for sample in 0..3 {
        let own = rank(sample);
        let input = own.input();
        let mut scratch = vec![0; loss.part_scratch_bytes(&input, &part(sample), 1).unwrap()];
        let found = loss.finish(&input, &part(sample), &sums, &mut scratch).unwrap();
        assert_eq!(found.total.to_bits(), value.to_bits());
        assert_eq!(found.class_sums(2, 3).unwrap().reference.fract(), 0.0);
        let mut gradient = vec![0.0f32; 24_000];
        let request = Gradient::new(&mut gradient[..]).times(3.0);
        loss.gradient(&input, &part(sample), &sums, request, &mut scratch, &Sequential).unwrap();
        assert_eq!(gradient, expected[sample * 24_000..(sample + 1) * 24_000]);
    }
}

#[test]
fn accumulating_adds_to_the_buffer() {
    let volume = volume(1, 3, 500);
    let loss = compound();
    let (_, plain) = whole(&loss, &volume);
    let input = volume.input();
    let mut gradient = vec![0.25f32; plain.len()];
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    let request = Gradient::new(&mut gradient[..]).times(3.0).accumulated();
    assert_eq!(request.mode, GradientMode::Accumulate);
    loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
    for (found, plain) in gradient.iter().zip(&plain) {
        assert_eq!(*found, 0.25 + plain);
    }
}

#[test]
fn careless_executors_do_no_harm() {
    let volume = volume(1, 4, 20_000);
    let loss = compound();
    let (value, expected) = whole(&loss, &volume);
    let input = volume.input();
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    let mut gradient = vec![9.0f32; expected.len()];
    // Tasks run twice, or unknown ones, are left out.
    let twice = Careless { skip: None, twice: true };
    let request = Gradient::new(&mut gradient[..]).times(3.0);
    let found = loss.evaluate(&input, Some(request), &mut scratch, &twice).unwrap().total;
    assert_eq!((found, &gradient), (value, &expected));
    // A task that is left out runs on the calling thread.
    for skip in [0, 2] {
        gradient.fill(9.0);
        let skips = Careless { skip: Some(skip), twice: false };
        let request = Gradient::new(&mut gradient[..]).times(3.0);
        let found = loss.evaluate(&input, Some(request), &mut scratch, &skips).unwrap().total;
        assert_eq!((found, &gradient), (value, &expected));
    }
}

#[test]
fn top_k_cannot_be_sharded() {
    let volume = volume(1, 2, 50);
    let input = volume.input();
    let loss =
        Loss::new(segloss::Activation::Softmax).with(1.0, TopKCrossEntropy::default()).unwrap();
    let part = Part::whole(&volume.shape);
    assert_eq!(loss.sums_len(&input, &part).unwrap_err().cause, Cause::NotShardable);
}

#[test]
fn parts_are_checked() {
    let volume = volume(1, 2, 20_000);
    let input = volume.input();
    let loss = Loss::new(segloss::Activation::Softmax)
        .with(1.0, Dice::default())
        .unwrap()
        .with(1.0, CrossEntropy::default())
        .unwrap();
    let block = Loss::block_voxels(&volume.shape);
    for part in [
        Part { batch: 0, first_sample: 0, first_voxel: 0, voxels: None },
        Part { batch: 1, first_sample: 1, first_voxel: 0, voxels: None },
        Part { batch: 1, first_sample: 0, first_voxel: 1, voxels: None },
        Part { batch: 1, first_sample: 0, first_voxel: 8 * block, voxels: None },
        Part { batch: 1, first_sample: 0, first_voxel: 0, voxels: Some(20_001) },
        Part { batch: 1, first_sample: 0, first_voxel: 0, voxels: Some(0) },
        Part { batch: 1, first_sample: 0, first_voxel: 0, voxels: Some(block + 1) },
        Part { batch: usize::MAX, first_sample: 0, first_voxel: 0, voxels: None },
    ] {
        let error = loss.sums_len(&input, &part).unwrap_err();
        assert!(matches!(error.cause, Cause::Part | Cause::ShapeOverflow), "{part:?}: {error}");
    }
}

/// Asking for class sums makes two passes of what is one.
#[test]
fn one_pass_gives_the_bits_of_two() {
    let (classes, voxels) = (5, 30_000);
    let mut random = Random::new(17);
    let labels: Vec<u8> = (0..voxels).map(|_| random.below(classes) as u8).collect();
    let mut scores: Vec<f32> =
        (0..classes * voxels).map(|_| random.uniform(-4.0, 4.0) as f32).collect();
    // Legal, but together as large as what is not.
    for class in 0..classes {
        scores[class * voxels..][..40].fill(5e37);
    }
    let weights = [1.0, 0.5, 2.0, 0.0, 1.5];
    let weighed = CrossEntropy { class_weights: Some(&weights), ..CrossEntropy::default() };
    let cases = [
        (Layout::Planar, weighed, Target::sparse_labels(&labels[..], 3)),
        (Layout::Interleaved, weighed, Target::sparse_labels(&labels[..], 3)),
        // Every voxel counts once.
        (Layout::Planar, CrossEntropy::default(), Target::labels(&labels[..])),
    ];
    for (layout, options, target) in cases {
        let shape = match layout {
            Layout::Planar => Shape::planar(1, classes, &[voxels]),
            Layout::Interleaved => Shape::interleaved(1, classes, &[voxels]),
        };
        let input = Input::new(shape.unwrap(), &scores[..], target);
        let one = Loss::new(segloss::Activation::Softmax)
            .with(0.7, options)
            .unwrap()
            .with(1.3, segloss::Focal::default())
            .unwrap();
        let two = one.clone().with_class_sums();
        let run = |loss: &Loss<'_>, level, executor: &dyn Executor| {
            let loss = loss.clone().with_level(level);
            let mut gradient = vec![f32::NAN; scores.len()];
            let mut scratch = vec![0; loss.scratch_bytes(&input, 3).unwrap()];
            let request = Gradient::new(&mut gradient[..]);
            let found = loss.evaluate(&input, Some(request), &mut scratch, executor).unwrap();
            assert!(gradient.iter().all(|g| g.is_finite()));
            (found.terms.to_vec(), found.weight, found.counted_voxels, gradient)
        };
        let expected = run(&two, Level::Best, &Sequential);
        let value = |loss: &Loss<'_>| {
            let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
            loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap().terms.to_vec()
        };
        assert_eq!(value(&one), expected.0);
        for level in [Level::Plain, Level::Simd128, Level::Avx2, Level::Avx512] {
            assert_eq!(run(&one, level, &Sequential), expected, "{level:?} {layout:?}");
        }
        let executor = Shuffled { threads: 3, seed: 1 };
        assert_eq!(run(&one, Level::Best, &executor), expected, "{layout:?}");
    }
}

/// Values that come with the gradient, those that come before it, and those that come alone.
#[test]
fn values_are_the_same_with_and_without_a_gradient() {
    let volume = volume(2, 5, 9000);
    let focal = Focal { activation: TermActivation::Sigmoid, ..Focal::default() };
    let early = Loss::dice_cross_entropy(Pooling::PerSample);
    let top_k = TopKCrossEntropy { fraction: 0.3, ..TopKCrossEntropy::default() };
    let late = compound().with(0.3, focal).unwrap();
    let sigmoid = Loss::new(segloss::Activation::Sigmoid)
        .with(1.0, Dice::default())
        .unwrap()
        .with(0.2, BinaryCrossEntropy::default())
        .unwrap();
    let chosen = late.clone().with(0.1, top_k).unwrap();
    for loss in [early, late, sigmoid, chosen] {
        let input = volume.input();
        let mut gradient = vec![0.0f32; volume.scores.len()];
        let mut scratch = vec![0; loss.scratch_bytes(&input, 3).unwrap()];
        let executor = Shuffled { threads: 3, seed: 2 };
        let alone = loss.evaluate(&input, None, &mut scratch, &executor).unwrap();
        let alone = (alone.terms.to_vec(), alone.weight, alone.counted_voxels);
        assert!(alone.0.iter().all(|&value| value > 0.0));
        let request = Gradient::new(&mut gradient[..]);
        let both = loss.evaluate(&input, Some(request), &mut scratch, &executor).unwrap();
        assert_eq!((both.terms.to_vec(), both.weight, both.counted_voxels), alone);
    }
}

/// Large gradients are written past the caches, a tile late; gradients that are added are not.
#[test]
fn large_gradients_have_the_bits_of_small_ones() {
    for (batch, classes, voxels) in
        [(2, 3, 180_001), (1, 2, 600_195), (1, 8, 140_010), (1, 150, 7_101)]
    {
        for layout in [Layout::Planar, Layout::Interleaved] {
            let mut volume = volume(batch, classes, voxels);
            // Legal, but together as large as what is not.
            volume.scores[5000..5200].fill(3e37);
            if layout == Layout::Interleaved {
                volume.shape = Shape::interleaved(batch, classes, &[voxels]).unwrap();
            }
            let doubled: Vec<f64> = volume.scores.iter().map(|&z| z.into()).collect();
            let target = Target::labels(&volume.labels[..]);
            let inputs = (volume.input(), Input::new(volume.shape, &doubled[..], target));
            let softmax = Loss::new(segloss::Activation::Softmax);
            let sigmoid = Loss::new(segloss::Activation::Sigmoid);
            let losses = [
                softmax.clone().with(1.0, Dice::default()),
                sigmoid.with(1.0, Dice::default()),
                softmax.with(1.0, CrossEntropy::default()),
            ];
            for loss in losses.map(Result::unwrap) {
                assert!(large_gradient(&loss, &inputs.0, 0.0f32));
                assert!(large_gradient(&loss, &inputs.1, 0.0f64));
            }
        }
    }
}

/// Whether the gradient is the same wherever its buffer begins, and nothing around it is written.
fn large_gradient<T>(loss: &Loss<'_>, input: &Input<'_>, zero: T) -> bool
where
    T: Copy + PartialEq + From<u8>,
    for<'v> ScoresMut<'v>: From<&'v mut [T]>,
{
    let mark = T::from(77);
    let length = input.scores.len();
    let mut added = vec![zero; length];
    let mut scratch = vec![0; loss.scratch_bytes(input, 3).unwrap()];
    let request = Gradient::new(&mut added[..]).accumulated();
    loss.evaluate(input, Some(request), &mut scratch, &Sequential).unwrap();
    [0, 1, 5, 15].into_iter().zip([Level::Plain, Level::Simd128, Level::Avx2, Level::Best]).all(
        |(begin, level)| {
            let mut buffer = vec![mark; begin + length + 20];
            let request = Gradient::new(&mut buffer[begin..begin + length]);
            let executor = Shuffled { threads: 3, seed: 5 };
            let loss = loss.clone().with_level(level);
            loss.evaluate(input, Some(request), &mut scratch, &executor).unwrap();
            let (before, rest) = buffer.split_at(begin);
            let (gradient, after) = rest.split_at(length);
            gradient == added && before.iter().chain(after).all(|value| *value == mark)
        },
    )
}
