//! What the benches run on: reproducible, so that instruction counts are.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use segloss::{LabelPair, LabelTree, Labels, Spacing};

/// Pseudo-random numbers (xorshift).
fn numbers() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

/// Logits of standard deviation about 2.
pub fn logits(length: usize) -> Vec<f32> {
    let logit = |number: u64| {
        let parts = [0, 16, 32].map(|shift| ((number >> shift) & 0xffff) as f32);
        (parts.iter().sum::<f32>() - 98_304.0) / 16_384.0
    };
    numbers().take(length).map(logit).collect()
}

/// Runs of 512 voxels of one class.
pub fn labels(classes: usize, voxels: usize) -> Vec<u8> {
    (0..voxels).map(|i| ((i >> 9) % classes) as u8).collect()
}

/// A tree of the classes in groups of four; up to four classes lie below the root.
pub struct GroupedTree {
    parent: Vec<i32>,
    leaves: Vec<i32>,
    storage: Vec<u8>,
}

impl GroupedTree {
    pub fn new(classes: usize) -> Self {
        let groups = if classes > 4 { classes.div_ceil(4) } else { 0 };
        let above = |class| if groups > 0 { 1 + class / 4 } else { 0 };
        let mut parent = vec![-1];
        parent.extend(vec![0; groups]);
        parent.extend((0..classes).map(|class| above(class) as i32));
        let leaves = (0..classes).map(|class| (1 + groups + class) as i32).collect();
        let storage = vec![0; LabelTree::storage_bytes(parent.len(), classes).unwrap()];
        Self { parent, leaves, storage }
    }

    pub fn view(&mut self) -> LabelTree<'_> {
        LabelTree::new(&self.parent, None, &self.leaves, &mut self.storage).unwrap()
    }
}

/// The same weight at every level.
pub fn node_weights(tree: &LabelTree<'_>) -> Vec<f64> {
    let mut weights = vec![0.0; tree.nodes()];
    tree.uniform_node_weights(1.0, &mut weights).unwrap();
    weights
}

/// A cube from a condition on z, y and x.
pub fn mask(side: usize, is_inside: impl Fn([f64; 3]) -> bool) -> Vec<u8> {
    let place = |i: usize| [i / (side * side), i / side % side, i % side].map(|x| x as f64);
    (0..side * side * side).map(|i| u8::from(is_inside(place(i)))).collect()
}

/// Round lumps, whose borders move with `shift`.
pub fn lumps(side: usize, shift: f64) -> Vec<u8> {
    mask(side, |[z, y, x]| {
        let long = (0.09 * z + shift).sin() + (0.11 * y + 0.5).sin() + (0.10 * x + 0.02 * y).cos();
        let short = (0.23 * z + 0.11 * x).sin() + (0.19 * y + shift).cos() + (0.21 * x).sin();
        long + 0.7 * short > 1.4
    })
}

/// Balls of a sixth of the width.
pub fn balls(side: usize) -> Vec<u8> {
    let centres = [[40.0, 30.0, 90.0], [70.0, 95.0, 50.0], [90.0, 40.0, 30.0]];
    let scale = 128.0 / side as f64;
    mask(side, |place| {
        centres.iter().any(|centre| {
            let squared = place.iter().zip(centre).map(|(x, c)| (x * scale - c) * (x * scale - c));
            squared.sum::<f64>() <= 20.0
        })
    })
}

pub fn noise(side: usize) -> Vec<u8> {
    numbers().take(side * side * side).map(|number| (number >> 40) as u8 & 1).collect()
}

pub fn checkerboard(side: usize) -> Vec<u8> {
    mask(side, |place| place.iter().sum::<f64>() % 2.0 == 1.0)
}

/// One voxel.
pub fn seed(side: usize) -> Vec<u8> {
    let centre = [side / 5, side / 3, side / 2].map(|x| x as f64);
    mask(side, |place| place == centre)
}

/// A slab along none of the axes.
pub fn slab(side: usize) -> Vec<u8> {
    let (middle, half) = (0.86 * side as f64, side as f64 / 16.0);
    mask(side, |[z, y, x]| (0.53 * z + 0.62 * y + 0.58 * x - middle).abs() < half)
}

/// Two maps of a cube, voxels as units.
pub fn pair<'a>(
    extent: &'a [usize; 3],
    classes: usize,
    prediction: &'a [u8],
    reference: &'a [u8],
) -> LabelPair<'a> {
    LabelPair {
        extent,
        spacing: Spacing::voxels(3).unwrap(),
        classes,
        prediction: Labels::U8(prediction),
        reference: Labels::U8(reference),
        ignore: None,
    }
}
