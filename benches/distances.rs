//! Distance transforms per mask and surface metrics per model, throughput in voxels.
//!
//! `cargo bench --bench distances` runs all; `cargo bench --bench distances -- lesion` some.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use segloss::{
    DistanceTransform, FieldType, LabelPair, Labels, Mask, PercentileConvention, Sequential,
    Spacing, SurfaceMetrics, SurfaceModel, SurfaceOutput, SurfaceResult, ToleranceShares,
};

const SIDE: usize = 128;
const EXTENT: [usize; 3] = [SIDE; 3];
const VOXELS: usize = SIDE * SIDE * SIDE;

/// A mask from a condition on z, y and x.
fn mask(is_inside: impl Fn([f64; 3]) -> bool) -> Vec<u8> {
    let place = |i: usize| [i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE].map(|x| x as f64);
    (0..VOXELS).map(|i| u8::from(is_inside(place(i)))).collect()
}

/// A sum of waves of several lengths, which moves with `shift`.
fn waves([z, y, x]: [f64; 3], shift: f64) -> f64 {
    let long = (0.09 * z + shift).sin() + (0.11 * y + 0.5).sin() + (0.10 * x + 0.02 * y).cos();
    let short = (0.23 * z + 0.11 * x).sin() + (0.19 * y + shift).cos() + (0.21 * x).sin();
    long + 0.7 * short
}

fn lumps(shift: f64) -> Vec<u8> {
    mask(|place| waves(place, shift) > 1.4)
}

fn balls() -> Vec<u8> {
    let centres = [[40.0, 30.0, 90.0], [70.0, 95.0, 50.0], [90.0, 40.0, 30.0]];
    mask(|place| {
        centres.iter().any(|centre| {
            let squared = place.iter().zip(centre).map(|(x, c)| (x - c) * (x - c));
            squared.sum::<f64>() <= 20.0
        })
    })
}

fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..VOXELS)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as u8 & 1
        })
        .collect()
}

fn masks() -> [(&'static str, Vec<u8>); 6] {
    [
        ("blob", lumps(0.0)),
        ("lesion", balls()),
        ("seed", mask(|place| place == [25.0, 42.0, 64.0])),
        ("noise", noise()),
        ("checkerboard", mask(|place| place.iter().sum::<f64>() % 2.0 == 1.0)),
        ("slab", mask(|[z, y, x]| (0.53 * z + 0.62 * y + 0.58 * x - 110.0).abs() < 8.0)),
    ]
}

fn transforms(criterion: &mut Criterion) {
    let masks = masks();
    for (spacing, name) in [([1.0; 3], "unit"), ([3.0, 0.8, 0.8], "3:0.8:0.8")] {
        let spacing = Spacing::millimetres(&spacing).unwrap();
        let transform = DistanceTransform::new(&EXTENT, spacing).unwrap().squared();
        let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1).unwrap()];
        let mut field = vec![0.0f32; VOXELS];
        let mut group = criterion.benchmark_group(format!("transform {SIDE}^3, spacing {name}"));
        group.throughput(Throughput::Elements(VOXELS as u64)).sample_size(10);
        for (name, mask) in &masks {
            group.bench_function(*name, |bench| {
                bench.iter(|| {
                    let mask = Mask::Bytes(mask);
                    transform.evaluate(mask, &mut field[..], &mut scratch, &Sequential).unwrap();
                });
            });
        }
        group.finish();
    }
}

fn metrics(criterion: &mut Criterion) {
    let (prediction, reference) = (lumps(0.15), lumps(0.0));
    let pair = LabelPair {
        extent: &EXTENT,
        spacing: Spacing::voxels(3).unwrap(),
        classes: 2,
        prediction: Labels::U8(&prediction),
        reference: Labels::U8(&reference),
        ignore: None,
    };
    let mut group = criterion.benchmark_group(format!("surface metrics {SIDE}^3"));
    group.throughput(Throughput::Elements(VOXELS as u64)).sample_size(10);
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

criterion_group!(benches, transforms, metrics);
criterion_main!(benches);
