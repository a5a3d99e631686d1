//! What holds of all surface metrics.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;
#[path = "support/surfaces.rs"]
mod surfaces;

use approx::assert_relative_eq;
use reference::distance::Grid;
use segloss::{
    ClassState, Executor, Level, PercentileConvention, Sequential, SurfaceMetrics, SurfaceModel,
    SurfaceResult, ToleranceShares,
};
use std::f64::consts::PI;
use support::executors::{Careless, Shuffled};
use support::masks::blobs;
use support::random::Random;
use surfaces::{
    Found, Masks, PERCENTILES, TOLERANCES, all_metrics, measure, measure_in, measure_with, surfels,
};

fn grid() -> Grid {
    Grid::new(&[11, 14, 17], &[2.0, 0.8, 1.1])
}

/// Two masks that are alike.
fn pair_of_blobs(grid: &Grid) -> [Vec<bool>; 2] {
    let mut random = Random::new(41);
    let reference = blobs(grid, 5, &mut random);
    let prediction =
        (0..grid.voxels()).map(|v| reference[(v + 1) % grid.voxels()] != random.chance(0.01));
    [prediction.collect(), reference]
}

fn masks_of(grid: &Grid, [prediction, reference]: &[Vec<bool>; 2]) -> Masks {
    Masks::new(&grid.extent, &grid.spacing, prediction, reference)
}

/// Lengths of a result, in the unit of the spacing.
fn lengths(found: &Found) -> Vec<f64> {
    let own = &found.classes[0];
    let ([a, b], [c, d]) = (own.directed_maximum, own.directed_mean);
    let mut lengths = vec![own.hausdorff, a, b, c, d, own.assd, own.masd];
    lengths.extend(&found.percentiles);
    lengths
}

fn shares(found: &Found) -> Vec<f64> {
    let each = |s: &ToleranceShares| [s.surface_dice, s.prediction_overlap, s.reference_overlap];
    found.shares.iter().flat_map(each).collect()
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!(f == e || (f - e).abs() <= 1e-6 * e.abs(), "{found:?} for {expected:?}");
    }
}

#[test]
fn exchanging_the_maps_exchanges_the_directions() {
    let (grid, [a, b]) = (grid(), pair_of_blobs(&grid()));
    for metrics in all_metrics() {
        let there = masks_of(&grid, &[a.clone(), b.clone()]).measure(&metrics);
        let back = masks_of(&grid, &[b.clone(), a.clone()]).measure(&metrics);
        let turned = |[a, b]: [f64; 2]| [b, a];
        let own = &back.classes[0];
        let expected = SurfaceResult {
            prediction_voxels: own.reference_voxels,
            reference_voxels: own.prediction_voxels,
            prediction_surface: own.reference_surface,
            reference_surface: own.prediction_surface,
            directed_maximum: turned(own.directed_maximum),
            directed_mean: turned(own.directed_mean),
            ..*own
        };
        assert_eq!(there.percentiles, back.percentiles);
        assert_near(&lengths(&there), &lengths(&Found { classes: vec![expected], ..back.clone() }));
        for (a, b) in there.shares.iter().zip(&back.shares) {
            assert_relative_eq!(a.surface_dice, b.surface_dice, max_relative = 1e-12);
            assert_relative_eq!(a.prediction_overlap, b.reference_overlap, max_relative = 1e-12);
            assert_relative_eq!(a.reference_overlap, b.prediction_overlap, max_relative = 1e-12);
        }
    }
}

#[test]
fn turning_the_volume_with_its_spacing_changes_nothing() {
    let (grid, masks) = (grid(), pair_of_blobs(&grid()));
    for (turn, order) in
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].iter().enumerate()
    {
        let to = Grid {
            extent: order.iter().map(|&axis| grid.extent[axis]).collect(),
            spacing: order.iter().map(|&axis| grid.spacing[axis]).collect(),
        };
        let flip = |axis: usize| (turn + 1) >> axis & 1 == 1;
        let source = |voxel: usize| {
            let mut place = vec![0; 3];
            for (&axis, index) in order.iter().zip(to.place(voxel)) {
                place[axis] = if flip(axis) { grid.extent[axis] - 1 - index } else { index };
            }
            grid.voxel(&place)
        };
        let turned = [0, 1].map(|map: usize| -> Vec<bool> {
            (0..grid.voxels()).map(|voxel| masks[map][source(voxel)]).collect()
        });
        for metrics in all_metrics() {
            let plain = masks_of(&grid, &masks).measure(&metrics);
            let turned = masks_of(&to, &turned).measure(&metrics);
            assert_near(&lengths(&turned), &lengths(&plain));
            assert_near(&shares(&turned), &shares(&plain));
            let sizes = |found: &Found| {
                [found.classes[0].prediction_surface, found.classes[0].reference_surface]
            };
            assert_near(&sizes(&turned), &sizes(&plain));
        }
    }
}

#[test]
fn doubling_the_spacing_doubles_the_distances() {
    let (grid, masks) = (grid(), pair_of_blobs(&grid()));
    let spacing = grid.spacing.iter().map(|s| 2.0 * s).collect();
    let doubled = Grid { spacing, ..grid.clone() };
    let tolerances = TOLERANCES.map(|t| 2.0 * t);
    for metrics in all_metrics() {
        let once = masks_of(&grid, &masks).measure(&metrics);
        let twice = SurfaceMetrics { tolerances: &tolerances, ..metrics };
        let twice = masks_of(&doubled, &masks).measure(&twice);
        let expected: Vec<f64> = lengths(&once).iter().map(|d| 2.0 * d).collect();
        assert_near(&lengths(&twice), &expected);
        assert_near(&shares(&twice), &shares(&once));
        let factor = if metrics.model == SurfaceModel::Surfel { 4.0 } else { 1.0 };
        let (a, b) = (once.classes[0].prediction_surface, twice.classes[0].prediction_surface);
        assert_relative_eq!(factor * a, b, max_relative = 1e-12);
    }
}

#[test]
fn identical_masks_are_0_apart() {
    let (grid, [mask, _]) = (grid(), pair_of_blobs(&grid()));
    for metrics in all_metrics() {
        let found = masks_of(&grid, &[mask.clone(), mask.clone()]).measure(&metrics);
        assert!(lengths(&found).iter().all(|&d| d == 0.0), "{found:?}");
        assert!(shares(&found).iter().all(|&s| s == 1.0), "{found:?}");
    }
}

/// Moves a mask; nothing may fall off.
fn shifted(grid: &Grid, mask: &[bool], shift: [usize; 3]) -> Vec<bool> {
    let mut moved = vec![false; grid.voxels()];
    for voxel in (0..grid.voxels()).filter(|&voxel| mask[voxel]) {
        let place: Vec<usize> = grid.place(voxel).iter().zip(shift).map(|(i, s)| i + s).collect();
        moved[grid.voxel(&place)] = true;
    }
    moved
}

fn solid(grid: &Grid, inside: impl Fn(&[usize]) -> bool) -> Vec<bool> {
    (0..grid.voxels()).map(|voxel| inside(&grid.place(voxel))).collect()
}

fn ball(grid: &Grid, centre: f64, radius: f64) -> Vec<bool> {
    let squared = |i: usize| (i as f64 - centre).powi(2);
    solid(grid, |place| place.iter().map(|&i| squared(i)).sum::<f64>() <= radius * radius)
}

#[test]
fn a_translated_solid_is_as_far_as_it_was_moved() {
    let grid = Grid::new(&[24, 24, 24], &[1.5, 0.8, 1.1]);
    let cube = solid(&grid, |place| place.iter().all(|i| (4..13).contains(i)));
    let round = ball(&grid, 9.0, 6.3);
    for shift in [[0, 0, 5], [0, 3, 0], [4, 0, 0]] {
        let along = shift.iter().zip(&grid.spacing).map(|(&i, s)| i as f64 * s);
        let length = along.map(|d| d * d).sum::<f64>().sqrt();
        for mask in [&cube, &round] {
            for metrics in all_metrics() {
                let masks = [shifted(&grid, mask, shift), mask.clone()];
                let found = masks_of(&grid, &masks).measure(&metrics);
                assert_near(&[found.classes[0].hausdorff], &[length]);
                assert_near(&found.classes[0].directed_maximum, &[length, length]);
                let (a, b) =
                    (found.classes[0].prediction_surface, found.classes[0].reference_surface);
                assert_relative_eq!(a, b, max_relative = 1e-12);
            }
        }
    }
    // The corner of a cube has nothing nearer than the corner.
    for metrics in all_metrics() {
        let masks = [shifted(&grid, &cube, [2, 3, 4]), cube.clone()];
        let found = masks_of(&grid, &masks).measure(&metrics);
        let length = (3.0f64.powi(2) + 2.4f64.powi(2) + 4.4f64.powi(2)).sqrt();
        assert_near(&[found.classes[0].hausdorff], &[length]);
    }
}

/// Marching cubes on a mask have too large facets, by a factor that is known for a ball.
#[test]
fn the_area_of_a_ball_tends_to_its_multiple() {
    let mut errors = Vec::new();
    for radius in [8.0, 14.0, 20.0] {
        let grid = Grid::unit(&[45, 45, 45]);
        let round = ball(&grid, 22.0, radius);
        let found = masks_of(&grid, &[round.clone(), round]).measure(&surfels());
        let share = found.classes[0].prediction_surface / (4.0 * PI * radius * radius);
        errors.push((share / 1.087 - 1.0).abs());
    }
    assert!(errors[2] < 0.01, "{errors:?}");
}

/// Faces less a voxel at every edge, bevels of the edges, triangles at the corners.
#[test]
fn the_area_of_a_box_is_that_of_its_faces_less_the_edges() {
    let spacing = [1.5, 0.8, 1.1];
    for (extent, first) in [([20, 20, 20], [4, 5, 6]), ([9, 11, 7], [0, 0, 0])] {
        let grid = Grid::new(&extent, &spacing);
        let sizes = if first[0] == 0 { extent } else { [9, 7, 5] };
        let mask = solid(&grid, |place| {
            (0..3).all(|axis| (first[axis]..first[axis] + sizes[axis]).contains(&place[axis]))
        });
        let found = masks_of(&grid, &[mask.clone(), mask]).measure(&surfels());
        let edge = |axis: usize| (sizes[axis] - 1) as f64 * spacing[axis];
        let mut area = 0.0;
        for axis in 0..3 {
            let (a, b) = ((axis + 1) % 3, (axis + 2) % 3);
            area += 2.0 * edge(a) * edge(b);
            area += 4.0 * edge(axis) * spacing[a].hypot(spacing[b]) / 2.0;
        }
        let [z, y, x] = spacing;
        let corner = ((y * x).powi(2) + (z * x).powi(2) + (z * y).powi(2)).sqrt() / 8.0;
        let expected = area + 8.0 * corner;
        assert_relative_eq!(found.classes[0].reference_surface, expected, max_relative = 1e-12);
    }
}

/// In the plane: a rectangle has its perimeter less the corners.
#[test]
fn the_contour_of_a_rectangle() {
    let grid = Grid::new(&[9, 12], &[0.7, 1.9]);
    let mask = solid(&grid, |place| (2..7).contains(&place[0]) && (3..12).contains(&place[1]));
    let found = masks_of(&grid, &[mask.clone(), mask]).measure(&surfels());
    let expected = 2.0 * (4.0 * 0.7 + 8.0 * 1.9) + 4.0 * 0.7f64.hypot(1.9) / 2.0;
    assert_relative_eq!(found.classes[0].reference_surface, expected, max_relative = 1e-12);
}

#[test]
fn states_without_both_masks() {
    let grid = grid();
    let [some, _] = pair_of_blobs(&grid);
    let none = vec![false; grid.voxels()];
    for metrics in all_metrics() {
        let measured =
            |p: &[bool], r: &[bool]| masks_of(&grid, &[p.to_vec(), r.to_vec()]).measure(&metrics);
        for (found, state) in [
            (measured(&none, &some), ClassState::PredictionEmpty),
            (measured(&some, &none), ClassState::ReferenceEmpty),
        ] {
            assert_eq!(found.classes[0].state, state);
            assert!(lengths(&found).iter().all(|&d| d == f64::INFINITY), "{found:?}");
            assert!(shares(&found).iter().all(|&s| s == 0.0), "{found:?}");
        }
        let found = measured(&none, &none);
        assert_eq!(found.classes[0].state, ClassState::BothEmpty);
        assert!(lengths(&found).iter().chain(&shares(&found)).all(|d| d.is_nan()), "{found:?}");
    }
}

/// Scratch is sized by the volume, and every box in it must find room in it.
#[test]
fn boxes_of_any_shape_fit_into_the_scratch() {
    let mut random = Random::new(47);
    for extent in [
        &[3000][..],
        &[2, 2500],
        &[2500, 2],
        &[70, 70],
        &[3, 4, 600],
        &[600, 3, 4],
        &[4, 600, 3],
        &[20, 19, 21],
        &[1, 1, 300],
    ] {
        let grid = Grid::unit(extent);
        let mut maps = [(); 2].map(|()| vec![0u8; grid.voxels()]);
        for class in 1..12 {
            let first: Vec<usize> = extent.iter().map(|&size| random.below(size)).collect();
            let sizes: Vec<usize> =
                extent.iter().map(|&size| 1 + random.pick(&[1, 4, size, size / 2])).collect();
            for voxel in 0..grid.voxels() {
                let place = grid.place(voxel);
                let within = |axis: usize| {
                    (0..sizes[axis]).contains(&(place[axis].wrapping_sub(first[axis])))
                };
                if (0..extent.len()).all(within) {
                    maps[0][voxel] = class;
                    maps[1][(voxel + 1) % grid.voxels()] = class;
                }
            }
        }
        let pair = segloss::LabelPair {
            extent,
            spacing: segloss::Spacing::voxels(extent.len()).unwrap(),
            classes: 12,
            prediction: maps[0][..].into(),
            reference: maps[1][..].into(),
            ignore: None,
        };
        for metrics in all_metrics() {
            if extent.len() == 1 && metrics.model == SurfaceModel::Surfel {
                continue;
            }
            let expected = measure(&pair, &metrics).bits();
            let threads = Shuffled { threads: 5, seed: 4 };
            assert_eq!(measure_with(&pair, &metrics, &threads).unwrap().bits(), expected);
        }
    }
}

/// Multiples of the spacing mean what they say as tolerances, and halves of a surface as
/// percentiles, though neither is a whole number.
#[test]
fn rounding_does_not_decide() {
    for spacing in [0.1, 0.3, 0.7, 1.1, 3.3] {
        let grid = Grid::new(&[30, 6], &[spacing, spacing]);
        for shift in 1..9 {
            let line = solid(&grid, |place| place[0] == 10);
            let moved = solid(&grid, |place| place[0] == 10 + shift);
            let tolerances = [shift as f64 * spacing, shift as f64 * spacing * (1.0 - 1e-5)];
            for metrics in all_metrics() {
                let metrics = SurfaceMetrics { tolerances: &tolerances, ..metrics };
                let found = masks_of(&grid, &[moved.clone(), line.clone()]).measure(&metrics);
                assert_eq!(found.shares[0].surface_dice, 1.0, "{spacing} {shift}");
                assert!(found.shares[1].surface_dice < 1.0, "{spacing} {shift}");
            }
        }
    }
    // The prediction's seven voxels are 1, 1, 2, 1, 2, 1 and 3 away.
    let grid = Grid::new(&[1, 40], &[0.1, 1.0]);
    let at = |places: &[usize]| solid(&grid, |place| places.contains(&place[1]));
    let (prediction, reference) = (at(&[1, 9, 12, 19, 22, 29, 33]), at(&[0, 10, 20, 30]));
    let masks = masks_of(&grid, &[prediction, reference]);
    let percentiles: Vec<f64> = (1..=7).map(|part| 100.0 * f64::from(part) / 7.0).collect();
    let metrics = SurfaceMetrics {
        convention: PercentileConvention::AreaWeighted,
        percentiles: &percentiles,
        ..SurfaceMetrics::default()
    };
    assert_eq!(masks.measure(&metrics).percentiles, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 3.0]);
}

/// A class that is the ignore label has no reference. What is predicted of it elsewhere is there.
#[test]
fn a_class_that_is_ignored_may_still_be_predicted() {
    let (prediction, reference) = ([2u8, 0, 2], [2u8, 1, 0]);
    let pair = segloss::LabelPair {
        extent: &[3],
        spacing: segloss::Spacing::voxels(1).unwrap(),
        classes: 3,
        prediction: prediction[..].into(),
        reference: reference[..].into(),
        ignore: Some(2),
    };
    let own = measure(&pair, &SurfaceMetrics::default()).classes[2];
    assert_eq!((own.state, own.prediction_voxels), (ClassState::ReferenceEmpty, 1));
    assert_eq!((own.prediction_surface, own.reference_surface), (1.0, 0.0));
}

/// Asking for one thing or for all gives the same numbers.
#[test]
fn what_else_is_asked_for_does_not_matter() {
    let (grid, masks) = (grid(), pair_of_blobs(&grid()));
    let masks = masks_of(&grid, &masks);
    for metrics in all_metrics() {
        let all = masks.measure(&metrics);
        let none = SurfaceMetrics { percentiles: &[], tolerances: &[], ..metrics };
        assert_eq!(masks.measure(&none).classes, all.classes);
        for (place, percentile) in PERCENTILES.iter().enumerate() {
            let one = SurfaceMetrics { percentiles: &[*percentile], tolerances: &[], ..metrics };
            assert_eq!(masks.measure(&one).percentiles, [all.percentiles[place]]);
        }
        for (place, tolerance) in TOLERANCES.iter().enumerate() {
            let one = SurfaceMetrics { percentiles: &[], tolerances: &[*tolerance], ..metrics };
            assert_eq!(masks.measure(&one).shares, [all.shares[place]]);
        }
    }
}

#[test]
fn executors_and_levels_give_the_same_bits() {
    let (grid, masks) = (Grid::new(&[30, 33, 40], &[2.0, 0.8, 1.1]), 5);
    let mut random = Random::new(43);
    let [prediction, reference] = [0, 1].map(|_| blobs(&grid, masks, &mut random));
    let masks = masks_of(&grid, &[prediction, reference]);
    let twice = Careless { skip: None, twice: true };
    let skips = Careless { skip: Some(1), twice: false };
    let threads = Shuffled { threads: 6, seed: 3 };
    let executors: [&dyn Executor; 3] = [&twice, &skips, &threads];
    for metrics in all_metrics() {
        let expected = measure(&masks.pair(), &metrics).bits();
        for executor in executors {
            for level in [Level::Plain, Level::Simd128, Level::Avx2, Level::Avx512, Level::Best] {
                let metrics = SurfaceMetrics { level, ..metrics };
                let found = measure_with(&masks.pair(), &metrics, executor).unwrap();
                assert_eq!(found.bits(), expected, "{level:?}");
            }
        }
    }
}

/// The coarser levels of the seeds are put together by several tasks.
#[test]
fn far_surfaces_in_a_large_volume() {
    let grid = Grid::new(&[140, 141, 70], &[1.5, 0.8, 1.1]);
    let few = |place: &[usize]| (place[0] * 7919 + place[1] * 613 + place[2] * 31) % 4099 == 1;
    for corner in [[0, 0, 0], [139, 0, 4], [0, 140, 66], [139, 140, 68]] {
        let reference = solid(&grid, |place| place == corner);
        let prediction = solid(&grid, |place| few(place) && place != corner);
        let length = |place: &[usize]| {
            let steps = place.iter().zip(&corner).map(|(&to, &from)| to.abs_diff(from) as f64);
            steps.zip(&grid.spacing).map(|(i, s)| (i * s).powi(2)).sum::<f64>().sqrt()
        };
        let places = (0..grid.voxels()).filter(|&voxel| prediction[voxel]);
        let distances: Vec<f64> = places.map(|voxel| length(&grid.place(voxel))).collect();
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let masks = masks_of(&grid, &[prediction, reference]);
        let threads = Shuffled { threads: 4, seed: 11 };
        for executor in [&Sequential as &dyn Executor, &threads] {
            // Zeroes: no garbage stands for a seed that was left out.
            let found = measure_in(0, &masks.pair(), &all_metrics()[0], executor).unwrap();
            assert_near(&found.classes[1].directed_mean, &[mean, nearest]);
        }
    }
}

/// Surfaces so far apart that whole columns cost less than the rows that are wanted.
#[test]
fn far_surfaces() {
    for extent in [&[120, 3, 21][..], &[21, 3, 120], &[3, 120, 21], &[120, 19], &[70]] {
        let grid = Grid::new(extent, &[1.5, 0.8, 1.1][..extent.len()]);
        let prediction = solid(&grid, |place| place.iter().sum::<usize>() % 2 == 1);
        let reference = solid(&grid, |place| place.iter().all(|&i| i == 0));
        let length = |place: &[usize]| {
            let along = place.iter().zip(&grid.spacing).map(|(&i, s)| (i as f64 * s).powi(2));
            along.sum::<f64>().sqrt()
        };
        let places = (0..grid.voxels()).filter(|&voxel| prediction[voxel]);
        let distances: Vec<f64> = places.map(|voxel| length(&grid.place(voxel))).collect();
        let found = masks_of(&grid, &[prediction, reference]).measure(&all_metrics()[0]);
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        assert_near(&[found.classes[0].directed_mean[0]], &[mean]);
        let largest = distances.iter().fold(0.0f64, |a, &b| a.max(b));
        assert_near(&[found.classes[0].hausdorff], &[largest]);
    }
}
