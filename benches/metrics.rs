//! Metrics of two label maps, throughput in voxels and in bytes.
//!
//! `cargo bench --bench metrics` runs all; `cargo bench --bench metrics -- overlap` some.
#![allow(missing_docs, clippy::unwrap_used)]

mod inputs;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use inputs::{GroupedTree, labels, lumps, pair};
use segloss::{
    OverlapCounts, PercentileConvention, Sequential, SurfaceMetrics, SurfaceModel, SurfaceOutput,
    SurfaceResult, ToleranceShares, count_overlap, count_tree_overlap,
};

const SIDE: usize = 128;
const EXTENT: [usize; 3] = [SIDE; 3];
const VOXELS: usize = SIDE * SIDE * SIDE;
const CLASSES: usize = 32;

/// Both maps are read once.
fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(format!("{name} {SIDE}^3"));
    group.throughput(Throughput::ElementsAndBytes {
        elements: VOXELS as u64,
        bytes: 2 * VOXELS as u64,
    });
    group.sample_size(10);
    group
}

fn surfaces(criterion: &mut Criterion) {
    let (prediction, reference) = (lumps(SIDE, 0.15), lumps(SIDE, 0.0));
    let pair = pair(&EXTENT, 2, &prediction, &reference);
    let mut group = group(criterion, "surface metrics");
    for (name, model, convention) in [
        ("voxels", SurfaceModel::Voxel, PercentileConvention::MaximumOfDirected),
        ("voxels, pooled", SurfaceModel::Voxel, PercentileConvention::Pooled),
        ("surfels", SurfaceModel::Surfel, PercentileConvention::AreaWeighted),
    ] {
        let metrics =
            SurfaceMetrics { model, convention, tolerances: &[2.0], ..SurfaceMetrics::default() };
        let mut scratch = vec![0; metrics.scratch_bytes(&EXTENT, 2, 1).unwrap()];
        let mut classes = [SurfaceResult::default(); 2];
        let (mut percentiles, mut shares) = ([0.0; 2], [ToleranceShares::default(); 2]);
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let output = SurfaceOutput {
                    classes: &mut classes,
                    percentiles: &mut percentiles,
                    shares: &mut shares,
                };
                metrics.evaluate(&pair, output, &mut scratch, &Sequential).unwrap();
            });
        });
    }
    group.finish();
}

fn overlap(criterion: &mut Criterion) {
    let (prediction, reference) = (labels(CLASSES, VOXELS + 200), labels(CLASSES, VOXELS));
    let pair = pair(&EXTENT, CLASSES, &prediction[200..], &reference);
    let mut tree = GroupedTree::new(CLASSES);
    let tree = tree.view();
    let mut group = group(criterion, "overlap");
    let mut counts = vec![OverlapCounts::default(); CLASSES];
    group.bench_function("classes", |bench| {
        bench.iter(|| count_overlap(&pair, None, &mut counts).unwrap());
    });
    let mut nodes = vec![OverlapCounts::default(); tree.nodes()];
    group.bench_function("nodes of a tree", |bench| {
        bench.iter(|| count_tree_overlap(&pair, &tree, &mut nodes).unwrap());
    });
    group.finish();
}

criterion_group!(benches, surfaces, overlap);
criterion_main!(benches);
