//! SIMD levels, which callers of confidence cannot choose.
#![allow(clippy::unwrap_used)]

use super::confidence::{Confidence, compute};
use super::confident_nodes::descend;
use super::score_rows::ScoreRows;
use crate::element::Real;
use crate::shape::{Layout, Shape};
use crate::simd::{Kernel, LEVELS, Level, Simd};
use crate::tree::LabelTree;
use crate::view::Scores;
use half::{bf16, f16};
use std::vec::Vec;

/// Confidences and labels of all kinds.
fn results<R: Real>(scores: &ScoreRows<'_>, tree: &LabelTree<'_>) -> (Vec<(u32, i32)>, Vec<i32>) {
    const TEMPERATURE: f32 = 0.7;
    let temperature = TEMPERATURE.into();
    let mut confidences = Vec::new();
    for score in [
        Confidence::MaximumProbability { temperature },
        Confidence::MaximumLogit,
        Confidence::Energy { temperature },
        Confidence::NegativeEntropy { temperature },
    ] {
        let mut own = std::vec![(0, 0); scores.shape.batch_voxels()];
        let write = |to: &mut _, confidence: f32, class| *to = (confidence.to_bits(), class);
        compute(scores, score, R::from_f32(TEMPERATURE), &mut own, write);
        confidences.extend(own);
    }
    let mut nodes = std::vec![0; scores.shape.batch_voxels()];
    descend::<R>(scores, tree, 0.6, &mut nodes);
    (confidences, nodes)
}

#[test]
fn levels_give_confidence_of_the_same_bits() {
    let (classes, voxels) = (5, 1000);
    let wide: Vec<f64> = (0..2 * classes * voxels).map(|i| 4.0 * ((i * i) as f64).sin()).collect();
    let single: Vec<f32> = wide.iter().map(|&z| z as f32).collect();
    let half: Vec<f16> = wide.iter().map(|&z| f16::from_f64(z)).collect();
    let short: Vec<bf16> = wide.iter().map(|&z| bf16::from_f64(z)).collect();
    let mut storage = std::vec![0; LabelTree::storage_bytes(8, classes).unwrap()];
    let parent = [-1, 0, 0, 1, 1, 2, 2, 2];
    let tree = LabelTree::new(&parent, None, &[3, 4, 5, 6, 7], &mut storage).unwrap();
    for scores in
        [Scores::F64(&wide), Scores::F32(&single), Scores::F16(&half), Scores::Bf16(&short)]
    {
        for layout in [Layout::Planar, Layout::Interleaved] {
            let shape = Shape::new(2, classes, &[voxels], layout).unwrap();
            let rows = ScoreRows::new(shape, scores).unwrap();
            let at = |level| {
                let mut rows = rows;
                rows.level = level;
                let run = if rows.double() { results::<f64> } else { results::<f32> };
                run(&rows, &tree)
            };
            let plain = at(Level::Plain);
            assert!([1, 3].iter().all(|node| plain.1.contains(node)));
            for level in LEVELS.into_iter().chain([Level::Best]) {
                assert!(at(level) == plain, "{level:?} {layout:?}: other bits");
            }
        }
    }
}

/// The instructions that a kernel runs with.
struct Instructions;

impl<R: Real> Kernel<R> for Instructions {
    type Output = &'static str;

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, _: S) -> Self::Output {
        core::any::type_name::<S>()
    }
}

/// Levels that the processor lacks become lower ones; the output says which.
#[test]
fn which_level_runs() {
    let names = |level| (f32::dispatch(level, Instructions), f64::dispatch(level, Instructions));
    for level in LEVELS {
        let (single, double) = names(level);
        std::println!("{level:?}: {single}, {double}");
    }
    assert!(names(Level::Plain).0.contains("plain"));
    assert_eq!(names(Level::Best), names(Level::Avx512));
}
