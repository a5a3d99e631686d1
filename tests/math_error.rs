//! exp and ln of the lanes over the whole range, through what the library computes with them.
//!
//! The two are internal; a sigmoid and a binary cross-entropy at chosen logits lay them bare.
#![allow(clippy::unwrap_used)]

use segloss::{
    Activation, BinaryCrossEntropy, Dice, Gradient, Input, Level, Loss, Sequential, Shape, Target,
};

/// Distance of two f32 in units of the last place of the exact value.
fn ulp(found: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    let step = f64::from(f32::from_bits(nearest.to_bits() + 1)) - f64::from(nearest);
    (f64::from(found) - exact).abs() / step.abs()
}

/// Gradient of the sum of softplus at every logit: the sigmoid.
fn sigmoids(logits: &[f32], level: Level) -> Vec<f32> {
    let voxels = logits.len();
    let loss = Loss::new(Activation::Sigmoid)
        .with(1.0, BinaryCrossEntropy::default())
        .unwrap()
        .with_level(level);
    let target = vec![0u8; voxels];
    let shape = Shape::planar(1, 1, &[voxels]).unwrap();
    let input = Input::new(shape, logits, Target::dense(&target[..]));
    let mut gradient = vec![0.0f32; voxels];
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    // The mean over a power of two times that power is exact.
    let request = Gradient::new(&mut gradient[..]).times(voxels as f64);
    loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
    gradient
}

/// Every 2^7th float from the smallest normal exponential to 0, and a fine grid near 0.
fn negative_logits() -> Vec<f32> {
    let mut logits: Vec<f32> = (0..1 << 23)
        .map(|i| f32::from_bits(0x8000_0000 | (i << 7)))
        .filter(|z| *z >= -87.3)
        .collect();
    let length = 1usize << logits.len().ilog2();
    logits.truncate(length);
    logits
}

#[test]
fn sigmoid_of_negative_logits() {
    let logits = negative_logits();
    let mut worst = (0.0f64, 0.0f32);
    let found = sigmoids(&logits, Level::Best);
    for (&z, &found) in logits.iter().zip(&found) {
        let e = f64::from(z).exp();
        let exact = e / (1.0 + e);
        if exact < f64::from(f32::MIN_POSITIVE) {
            continue;
        }
        let error = ulp(found, exact);
        if error > worst.0 {
            worst = (error, z);
        }
    }
    println!("sigmoid, {} logits: worst {:.3} ULP at {}", logits.len(), worst.0, worst.1);
    // One for the exponential, a half each for the sum, the quotient and the product, and as much
    // again where the result lies at the lower end of a power of two: 3 leaves little room.
    assert!(worst.0 <= 3.0, "{worst:?}");
}

#[test]
fn levels_agree_on_every_logit() {
    let logits = negative_logits();
    let plain = sigmoids(&logits, Level::Plain);
    for level in [Level::Simd128, Level::Avx2, Level::Avx512] {
        let found = sigmoids(&logits, level);
        assert!(plain.iter().zip(&found).all(|(a, b)| a.to_bits() == b.to_bits()), "{level:?}");
    }
}

/// Value of the binary cross-entropy at one logit: softplus, which holds the logarithm.
#[test]
fn softplus_has_no_cancellation() {
    let loss = Loss::new(Activation::Sigmoid).with(1.0, BinaryCrossEntropy::default()).unwrap();
    let shape = Shape::planar(1, 1, &[1]).unwrap();
    let mut worst = (0.0f64, 0.0f32);
    for step in -8000..8000 {
        let z = step as f32 / 91.7;
        for target in [0u8, 1] {
            let (scores, targets) = ([z], [target]);
            let input = Input::new(shape, &scores[..], Target::dense(&targets[..]));
            let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
            let found = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap().total;
            let signed = if target == 1 { -f64::from(z) } else { f64::from(z) };
            let exact = signed.max(0.0) + (-signed.abs()).exp().ln_1p();
            let error = (found - exact).abs() / exact;
            // Sums end at 2^-70.
            if error > worst.0 && exact > 1e-14 {
                worst = (error, z);
            }
        }
    }
    println!("softplus: worst relative error {:e} at {}", worst.0, worst.1);
    assert!(worst.0 < 3e-7, "{worst:?}");
}

#[test]
fn edges() {
    let logits = [0.0f32, -0.0, 1e-45, -1e-45, 1e4, -1e4, 8e37, -8e37];
    let found = sigmoids(&logits, Level::Best);
    assert_eq!(found, [0.5, 0.5, 0.5, 0.5, 1.0, 0.0, 1.0, 0.0]);
    // Softmax of one class and of equal scores.
    let loss = Loss::new(Activation::Softmax).with(1.0, Dice::default()).unwrap();
    let shape = Shape::planar(1, 2, &[1]).unwrap();
    let scores = [8e37, -8e37];
    let input = Input::new(shape, &scores[..], Target::labels(&[0u8][..]));
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    assert_eq!(loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap().total, 0.0);
}
