//! Distance transforms per mask, throughput in voxels and in bytes.
//!
//! `cargo bench --bench distances` runs all; `cargo bench --bench distances -- lumps` some.
#![allow(missing_docs, clippy::unwrap_used)]

mod inputs;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inputs::{balls, checkerboard, lumps, noise, seed, slab};
use segloss::{DistanceTransform, FieldType, Mask, Sequential, Spacing};

/// The mask is read, the field written, for which memory is read, then read and written again.
const VOXEL_BYTES: usize = 1 + 4 * size_of::<f32>();

fn transforms(criterion: &mut Criterion) {
    for side in [64usize, 128] {
        let voxels = side.pow(3);
        let masks = [
            ("lumps", lumps(side, 0.0)),
            ("balls", balls(side)),
            ("seed", seed(side)),
            ("noise", noise(side)),
            ("checkerboard", checkerboard(side)),
            ("slab", slab(side)),
        ];
        for (spacing, name) in [([1.0; 3], "unit"), ([3.0, 0.8, 0.8], "3:0.8:0.8")] {
            let spacing = Spacing::millimetres(&spacing).unwrap();
            let transform = DistanceTransform::new(&[side; 3], spacing).unwrap().squared();
            let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1).unwrap()];
            let mut field = vec![0.0f32; voxels];
            let name = format!("transform {side}^3, spacing {name}");
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::ElementsAndBytes {
                elements: voxels as u64,
                bytes: (voxels * VOXEL_BYTES) as u64,
            });
            group.sample_size(10);
            for (name, mask) in &masks {
                group.bench_function(*name, |bench| {
                    bench.iter(|| {
                        let (mask, field) = (Mask::Bytes(mask), &mut field[..]);
                        transform.evaluate(mask, field, &mut scratch, &Sequential).unwrap();
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, transforms);
criterion_main!(benches);
