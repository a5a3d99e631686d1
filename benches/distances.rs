//! Distance transforms per mask, throughput in voxels and in bytes.
//!
//! `cargo bench --bench distances` runs all; `cargo bench --bench distances -- lumps` some.
#![allow(missing_docs, clippy::unwrap_used)]

mod inputs;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inputs::{balls, checkerboard, lumps, noise, seed, slab};
use segloss::{DistanceTransform, FieldType, Mask, Sequential, Spacing};

const SIDE: usize = 128;
const VOXELS: usize = SIDE * SIDE * SIDE;
/// The mask is read, the field written, read and written.
const BYTES: usize = VOXELS * (1 + 3 * size_of::<f32>());

fn transforms(criterion: &mut Criterion) {
    let masks = [
        ("lumps", lumps(SIDE, 0.0)),
        ("balls", balls(SIDE)),
        ("seed", seed(SIDE)),
        ("noise", noise(SIDE)),
        ("checkerboard", checkerboard(SIDE)),
        ("slab", slab(SIDE)),
    ];
    for (spacing, name) in [([1.0; 3], "unit"), ([3.0, 0.8, 0.8], "3:0.8:0.8")] {
        let spacing = Spacing::millimetres(&spacing).unwrap();
        let transform = DistanceTransform::new(&[SIDE; 3], spacing).unwrap().squared();
        let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1).unwrap()];
        let mut field = vec![0.0f32; VOXELS];
        let mut group = criterion.benchmark_group(format!("transform {SIDE}^3, spacing {name}"));
        group.throughput(Throughput::ElementsAndBytes {
            elements: VOXELS as u64,
            bytes: BYTES as u64,
        });
        group.sample_size(10);
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

criterion_group!(benches, transforms);
criterion_main!(benches);
