//! More than 2^31 scores in one call. Needs 7 GB and a minute, so it is asked for by name:
//! `cargo test --release --test large -- --ignored`.
#![allow(clippy::unwrap_used)]

use segloss::half::f16;
use segloss::{Activation, CrossEntropy, Gradient, Input, Loss, Sequential, Shape, Target};

#[test]
#[ignore = "needs 7 GB"]
fn more_than_2_to_the_31_scores() {
    let voxels = (1usize << 30) + 12_345;
    let shape = Shape::planar(1, 2, &[voxels]).unwrap();
    let mut scores = vec![f16::ZERO; 2 * voxels];
    let mut labels = vec![255u8; voxels];
    // The last voxel of all is the only one that counts, beside the first.
    labels[0] = 0;
    labels[voxels - 1] = 1;
    scores[2 * voxels - 1] = f16::from_f32(2.0);
    let loss = Loss::new(Activation::Softmax).with(1.0, CrossEntropy::default()).unwrap();
    let target = Target::sparse_labels(&labels[..], 255);
    let input = Input::new(shape, &scores[..], target);
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    let found = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap();
    assert_eq!(found.counted_voxels, 2);
    let expected = (2.0f64.ln() + (1.0 + (-2.0f64).exp()).ln()) / 2.0;
    assert!((found.total - expected).abs() < 1e-7, "{} for {expected}", found.total);
    // In place: no second buffer of that size.
    let input = Input::without_scores(shape, target);
    let buffer = (&mut scores[..]).into();
    loss.evaluate_in_place(&input, buffer, 1.0, &mut scratch, &Sequential).unwrap();
    let p = 1.0 / (1.0 + (-2.0f64).exp());
    assert!((scores[2 * voxels - 1].to_f64() - (p - 1.0) / 2.0).abs() < 1e-3);
    assert!((scores[voxels].to_f64() - 0.25).abs() < 1e-3);
    assert_eq!(scores[voxels / 2].to_f64(), 0.0);
    // A bad score behind 2^31 is found where it is.
    scores[2 * voxels - 1] = f16::NAN;
    let input = Input::new(shape, &scores[..], target);
    let mut gradient = [0.0f32; 1];
    let request = Gradient::new(&mut gradient[..]);
    assert!(loss.evaluate(&input, Some(request), &mut scratch, &Sequential).is_err());
    let error = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap_err();
    assert_eq!(error.position, 2 * voxels as u64 - 1);
}
