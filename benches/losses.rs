//! Losses with value and gradient, throughput in scores.
//!
//! `cargo bench` runs all; `cargo bench -- dice_cross_entropy` some.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use segloss::{Gradient, Input, LabelTree, Loss, Pooling, Sequential, Shape, Target, VoxelWeights};

/// Reproducible logits of standard deviation about 2.
fn logits(length: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let parts = [0, 16, 32].map(|shift| ((state >> shift) & 0xffff) as f32);
            (parts.iter().sum::<f32>() - 98_304.0) / 16_384.0
        })
        .collect()
}

/// A tree of the classes in groups of eight.
fn grouped_tree(classes: usize) -> (Vec<i32>, Vec<i32>) {
    let groups = classes.div_ceil(8);
    let mut parent = vec![-1];
    parent.extend(vec![0; groups]);
    parent.extend((0..classes).map(|class| 1 + (class / 8) as i32));
    let leaves = (0..classes).map(|class| (1 + groups + class) as i32).collect();
    (parent, leaves)
}

fn losses(criterion: &mut Criterion) {
    for (classes, side) in [(2, 128), (32, 64), (107, 64)] {
        let voxels = side * side * side;
        let shape = Shape::planar(1, classes, &[side, side, side]).unwrap();
        let scores = logits(classes * voxels);
        let labels: Vec<u8> = (0..voxels).map(|i| ((i >> 9) % classes) as u8).collect();
        let (parent, leaves) = grouped_tree(classes);
        let mut storage = vec![0; LabelTree::storage_bytes(parent.len(), classes).unwrap()];
        let tree = LabelTree::new(&parent, None, &leaves, &mut storage).unwrap();
        let mut weights = vec![0.0; parent.len()];
        tree.uniform_node_weights(1.0, &mut weights).unwrap();
        let input = Input::new(shape, &scores[..], Target::labels(&labels[..]))
            .with_weights(VoxelWeights::Ones);
        let mut gradient = vec![0.0f32; scores.len()];
        let mut group = criterion.benchmark_group(format!("{classes} classes, {side}^3"));
        group.throughput(Throughput::Elements(scores.len() as u64)).sample_size(10);
        for (name, loss) in [
            ("dice_cross_entropy", Loss::dice_cross_entropy(Pooling::PerSample)),
            ("dice_focal", Loss::dice_focal()),
            ("tversky", Loss::tversky(0.3, 0.7)),
            ("wasserstein_cross_entropy", Loss::wasserstein_cross_entropy(tree, 0.5, 0.5)),
            ("tree_cross_entropy", Loss::tree_cross_entropy(tree, &weights)),
        ] {
            let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
            group.bench_function(name, |bench| {
                bench.iter(|| {
                    let request = Gradient::new(&mut gradient[..]);
                    loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap().total
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, losses);
criterion_main!(benches);
