use segloss::*;
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let n: usize = a[1].parse().unwrap();
    let level = match a.get(3).map(String::as_str) {
        Some("avx2") => Level::Avx2,
        Some("plain") => Level::Plain,
        _ => Level::Best,
    };
    for c in a[2].split(',') {
        let m = std::fs::read(format!("/tmp/edtbench/masks/{c}_{n}.u8")).unwrap();
        let t = DistanceTransform::new(&[n, n, n], Spacing::voxels(3).unwrap())
            .unwrap()
            .squared()
            .with_level(level);
        let mut scratch = vec![0u8; t.scratch_bytes(FieldType::F32, 1).unwrap()];
        let mut f = vec![0f32; n * n * n];
        let mut best = f64::MAX;
        for _ in 0..7 {
            let s = Instant::now();
            t.evaluate(Mask::Bytes(&m), &mut f[..], &mut scratch, &Sequential).unwrap();
            best = best.min(s.elapsed().as_secs_f64());
        }
        let (mut p, mut q) = (0f64, 0f64);
        for v in &f {
            if *v > 0. { p += *v as f64 } else { q -= *v as f64 }
        }
        println!("{n} {c:8} {:8.1} ms  fg {p} bg {q}", best * 1e3);
    }
}
