//! Losses with value and gradient, throughput in scores and in bytes.
//!
//! `cargo bench --bench losses` runs all; `cargo bench --bench losses -- dice_cross_entropy` some.
#![allow(missing_docs, clippy::unwrap_used)]

mod inputs;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inputs::{GroupedTree, labels, logits, node_weights};
use segloss::{Gradient, Input, Loss, Pooling, Sequential, Shape, Spacing, Target};

fn losses(criterion: &mut Criterion) {
    for (classes, side) in [(2usize, 128usize), (8, 64), (32, 64), (107, 64)] {
        let voxels = side.pow(3);
        let shape = Shape::planar(1, classes, &[side; 3]).unwrap();
        let (scores, labels) = (logits(classes * voxels), labels(classes, voxels));
        let mut tree = GroupedTree::new(classes);
        let tree = tree.view();
        let weights = node_weights(&tree);
        let input = Input::new(shape, &scores[..], Target::labels(&labels[..]));
        let mut gradient = vec![0.0f32; scores.len()];
        let mut group = criterion.benchmark_group(format!("{classes} classes, {side}^3"));
        // scores and labels are read twice, the gradient is written
        let bytes = 3 * size_of_val(&scores[..]) + 2 * labels.len();
        group.throughput(Throughput::ElementsAndBytes {
            elements: scores.len() as u64,
            bytes: bytes as u64,
        });
        group.sample_size(10);
        for (name, loss) in [
            ("dice_cross_entropy", Loss::dice_cross_entropy(Pooling::PerSample)),
            ("dice_focal", Loss::dice_focal()),
            ("tversky", Loss::tversky(0.3, 0.7)),
            ("wasserstein_cross_entropy", Loss::wasserstein_cross_entropy(tree, 0.5, 0.5)),
            ("tree_cross_entropy", Loss::tree_cross_entropy(tree, &weights)),
            ("tversky_hausdorff_dt", Loss::tversky_hausdorff_dt(Spacing::voxels(3).unwrap())),
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
