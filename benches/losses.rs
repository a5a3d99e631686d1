//! Losses with value and gradient, throughput in voxels and in bytes.
//!
//! `cargo bench --bench losses` runs all; `cargo bench --bench losses -- dice_cross_entropy` some.
#![allow(missing_docs, clippy::unwrap_used)]

mod inputs;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use inputs::{GroupedTree, labels, logits, node_weights};
use segloss::half::{bf16, f16};
use segloss::{
    Activation, BinaryCrossEntropy, Boundary, CrossEntropy, GeneralisedDice, Gradient, Input,
    Labels, Loss, Pooling, Scores, ScoresMut, Sequential, Shape, Spacing, Target, Term,
    TopKCrossEntropy, WassersteinDice,
};

/// Of a distance field: it is written, for which memory is read, then read and written again.
const FIELD_BYTES: usize = 4 * size_of::<f32>();

/// Adds one loss to a group. `fields` are made of every class but the background.
fn bench<S: Copy, L>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    (loss, fields): (&Loss<'_>, usize),
    shape: Shape,
    (scores, labels): (&[S], &[L]),
) where
    for<'a> &'a [S]: Into<Scores<'a>>,
    for<'a> &'a mut [S]: Into<ScoresMut<'a>>,
    for<'a> &'a [L]: Into<Labels<'a>>,
{
    let input = Input::new(shape, scores, Target::labels(labels));
    let mut gradient = scores.to_vec();
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    // Scores and labels are read twice, the gradient is written.
    let moved = 3 * size_of_val(scores) + 2 * size_of_val(labels);
    let fields = fields * (shape.classes() - 1) * shape.voxels() * FIELD_BYTES;
    group.throughput(Throughput::ElementsAndBytes {
        elements: shape.voxels() as u64,
        bytes: (moved + fields) as u64,
    });
    group.bench_function(name, |bench| {
        bench.iter(|| {
            let request = Gradient::new(&mut gradient[..]);
            loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap().total
        });
    });
}

fn single<'a>(activation: Activation, term: impl Into<Term<'a>>) -> Loss<'a> {
    Loss::new(activation).with(1.0, term).unwrap()
}

fn losses(criterion: &mut Criterion) {
    for (classes, side) in [(2usize, 128usize), (8, 64), (32, 64), (107, 64)] {
        let voxels = side.pow(3);
        let (scores, labels) = (logits(classes * voxels), labels(classes, voxels));
        let mut tree = GroupedTree::new(classes);
        let tree = tree.view();
        let weights = node_weights(&tree);
        let spacing = Spacing::voxels(3).unwrap();
        let (softmax, sigmoid) = (Activation::Softmax, Activation::Sigmoid);
        let common = Loss::dice_cross_entropy(Pooling::PerSample);
        let mut group = criterion.benchmark_group(format!("{classes} classes, {side}^3"));
        group.sample_size(10);

        let shape = Shape::planar(1, classes, &[side; 3]).unwrap();
        for (name, loss, fields) in [
            ("dice_cross_entropy", common.clone(), 0),
            ("dice_focal", Loss::dice_focal(), 0),
            ("tversky", Loss::tversky(0.3, 0.7), 0),
            ("generalised_dice", single(softmax, GeneralisedDice::default()), 0),
            ("cross_entropy", single(softmax, CrossEntropy::default()), 0),
            ("top_k_cross_entropy", single(softmax, TopKCrossEntropy::default()), 0),
            ("binary_cross_entropy", single(sigmoid, BinaryCrossEntropy::default()), 0),
            ("wasserstein_dice", single(softmax, WassersteinDice::default()).with_tree(tree), 0),
            ("wasserstein_cross_entropy", Loss::wasserstein_cross_entropy(tree, 0.5, 0.5), 0),
            ("tree_cross_entropy", Loss::tree_cross_entropy(tree, &weights), 0),
            ("boundary", single(softmax, Boundary::new(spacing)), 1),
            ("hausdorff_dt", Loss::hausdorff_dt(spacing), 2),
            ("tversky_hausdorff_dt", Loss::tversky_hausdorff_dt(spacing), 2),
        ] {
            bench(&mut group, name, (&loss, fields), shape, (&scores, &labels));
        }

        let loss = (&common, 0);
        let interleaved = Shape::interleaved(1, classes, &[side; 3]).unwrap();
        let name = "dice_cross_entropy, interleaved";
        bench(&mut group, name, loss, interleaved, (&scores, &labels));
        let wide: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
        bench(&mut group, "dice_cross_entropy, i64", loss, shape, (&scores, &wide));
        let half: Vec<f16> = scores.iter().copied().map(f16::from_f32).collect();
        bench(&mut group, "dice_cross_entropy, f16", loss, shape, (&half, &labels));
        let half: Vec<bf16> = scores.iter().copied().map(bf16::from_f32).collect();
        bench(&mut group, "dice_cross_entropy, bf16", loss, shape, (&half, &labels));
        group.finish();
    }
}

criterion_group!(benches, losses);
criterion_main!(benches);
