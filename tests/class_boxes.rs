//! Where the classes of a pair lie is found by several threads at once.
#![allow(clippy::unwrap_used)]

mod reference;
mod support;
#[path = "support/surfaces.rs"]
mod surfaces;

use proptest::prelude::*;
use segloss::{Argument, Cause, LabelPair, Sequential, Spacing, SurfaceMetrics};
use support::executors::Shuffled;
use support::random::Random;
use surfaces::{all_metrics, measure_with};

const IGNORE: u8 = 255;
/// Enough rows for several tasks.
const ROWS: usize = 600;

/// Blocks of labels, some of which lie in the rows of one task alone.
fn blocks([planes, rows, length]: [usize; 3], classes: usize, random: &mut Random) -> Vec<u8> {
    let mut labels = vec![0; planes * rows * length];
    for class in 1..classes {
        let first = [planes, rows, length].map(|size| random.below(size));
        let sizes = [planes, rows, length].map(|size| 1 + random.below(1 + size / 4));
        for z in first[0]..planes.min(first[0] + sizes[0]) {
            for y in first[1]..rows.min(first[1] + sizes[1]) {
                let end = length.min(first[2] + sizes[2]);
                let row = (z * rows + y) * length;
                labels[row + first[2]..row + end].fill(class as u8);
            }
        }
    }
    labels
}

fn pair<'a>(
    extent: &'a [usize],
    classes: usize,
    [prediction, reference]: [&'a [u8]; 2],
) -> LabelPair<'a> {
    LabelPair {
        extent,
        spacing: Spacing::voxels(extent.len()).unwrap(),
        classes,
        prediction: prediction.into(),
        reference: reference.into(),
        ignore: Some(IGNORE.into()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn executors_find_the_classes_of_a_search(
        classes in prop_oneof![2usize..5, 2usize..30],
        planes in 1usize..40,
        length in 1usize..80,
        ignored in prop_oneof![Just(0.0), 0.0..0.3],
        seed in any::<u64>(),
    ) {
        let extent = [planes, ROWS.div_ceil(planes), length];
        let random = &mut Random::new(seed);
        let prediction = blocks(extent, classes, random);
        let mut reference = blocks(extent, classes, random);
        reference.iter_mut().filter(|_| random.chance(ignored)).for_each(|label| *label = IGNORE);
        let pair = pair(&extent, classes, [&prediction, &reference]);
        let metrics = all_metrics()[random.below(4)];
        let found = measure_with(&pair, &metrics, &Sequential).unwrap();
        for (class, result) in found.classes.iter().enumerate() {
            let voxels = || prediction.iter().zip(&reference).filter(|(_, r)| **r != IGNORE);
            let count = |is: &dyn Fn(usize, usize) -> bool| {
                voxels().filter(|(p, r)| is(usize::from(**p), usize::from(**r))).count() as u64
            };
            prop_assert_eq!(result.prediction_voxels, count(&|p, _| p == class));
            prop_assert_eq!(result.reference_voxels, count(&|_, r| r == class));
            prop_assert_eq!(result.common_voxels, count(&|p, r| p == class && r == class));
        }
        for threads in [4, 9] {
            let executor = Shuffled { threads, seed };
            let threaded = measure_with(&pair, &metrics, &executor).unwrap();
            prop_assert_eq!(threaded.bits(), found.bits(), "{} threads", threads);
        }
    }
}

/// The first label without a meaning is refused, whichever is found first.
#[test]
fn the_first_wrong_label_is_refused() {
    let extent = [30, 40, 70];
    let good = vec![1u8; extent.iter().product()];
    let wrong = [70_123, 40_001, 9_876];
    for seed in 0..8 {
        let mut reference = good.clone();
        for position in wrong {
            reference[position] = 7;
            let executor = Shuffled { threads: 6, seed };
            let pair = pair(&extent, 3, [&good, &reference]);
            let error = measure_with(&pair, &SurfaceMetrics::default(), &executor).unwrap_err();
            assert_eq!((error.cause, error.argument), (Cause::Label, Argument::Reference));
            assert_eq!((error.position, error.value), (position as u64, 7.0));
        }
    }
}
