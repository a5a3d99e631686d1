//! Surface metrics against the slow reference, and against the values of other tools.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/label_map.rs"]
mod label_map;
mod reference;
mod support;
#[path = "support/surfaces.rs"]
mod surfaces;

use label_map::LabelMap;
use proptest::prelude::*;
use reference::distance::Grid;
use reference::json;
use reference::surface::{Convention, Surfaces, boundary_voxels, surfels};
use segloss::{
    ClassState, LabelPair, Level, PercentileConvention, Sequential, Spacing, SurfaceMetrics,
    SurfaceModel, SurfaceResult, ToleranceShares, Undefined,
};
use support::executors::Shuffled;
use support::random::Random;
use surfaces::{Found, Masks, measure_with};

const PERCENTILES: [f64; 6] = [0.0, 33.3, 50.0, 95.0, 99.9, 100.0];

/// Distances that are not defined, each with a value of its own.
const UNDEFINED: Undefined = Undefined {
    distance_one_empty: 1000.0,
    share_one_empty: -0.25,
    distance_both_empty: 2000.0,
    share_both_empty: -0.5,
};

/// A pair of label maps, and how it is handed over.
#[derive(Clone, Debug)]
struct Case {
    grid: Grid,
    classes: usize,
    prediction: Vec<i64>,
    reference: Vec<i64>,
    ignore: Option<i64>,
    kinds: (usize, usize),
    model: SurfaceModel,
    convention: Convention,
    level: Level,
    threads: usize,
    include_background: bool,
}

/// Regions around random points, some of them ignored; the prediction is shifted and has holes.
fn maps(grid: &Grid, classes: usize, ignore: Option<i64>, seed: u64) -> (Vec<i64>, Vec<i64>) {
    let mut random = Random::new(seed);
    let label = |random: &mut Random| match ignore {
        Some(ignore) if random.chance(0.2) => ignore,
        _ => random.below(classes) as i64,
    };
    let seeds = 1 + random.below(12);
    let centres: Vec<(Vec<f64>, i64)> = (0..seeds)
        .map(|_| {
            let centre = grid.extent.iter().map(|&size| random.below(size) as f64).collect();
            (centre, label(&mut random))
        })
        .collect();
    let unit = Grid::unit(&grid.extent);
    let reference: Vec<i64> = (0..grid.voxels())
        .map(|voxel| {
            let place: Vec<f64> = grid.place(voxel).iter().map(|&i| i as f64).collect();
            let distance = |c: &&(Vec<f64>, i64)| unit.squared_distance(&place, &c.0);
            centres.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap().1
        })
        .collect();
    let shift = random.below(3);
    let noise = random.pick(&[0.0, 0.05, 1.0]);
    let prediction = (0..grid.voxels())
        .map(|voxel| match reference[(voxel + shift) % grid.voxels()] {
            _ if random.chance(noise) => label(&mut random),
            copied => copied,
        })
        .collect();
    (prediction, reference)
}

fn cases() -> impl Strategy<Value = Case> {
    let models = prop_oneof![Just(SurfaceModel::Voxel), Just(SurfaceModel::Surfel)];
    let conventions = prop_oneof![
        Just(Convention::MaximumOfDirected),
        Just(Convention::Pooled),
        Just(Convention::AreaWeighted)
    ];
    let levels =
        prop_oneof![Just(Level::Plain), Just(Level::Simd128), Just(Level::Avx2), Just(Level::Best)];
    let spacings = prop_oneof![
        Just([1.0, 1.0, 1.0]),
        Just([3.0, 0.8, 0.8]),
        prop::array::uniform3(0.2f64..6.0)
    ];
    let volume = (prop::collection::vec(1usize..12, 1..4), spacings, 1usize..6, any::<u64>());
    let ignores = prop_oneof![Just(None), Just(Some(-1)), Just(Some(0)), Just(Some(2))];
    let options = (models, conventions, levels, 1usize..5, any::<bool>());
    (volume, ignores, (2usize..5, 2usize..5), options).prop_map(
        |(volume, ignore, kinds, options)| {
            let (extent, spacing, classes, seed) = volume;
            let (model, convention, level, threads, include_background) = options;
            let grid = Grid::new(&extent, &spacing[..extent.len()]);
            let (prediction, reference) = maps(&grid, classes, ignore, seed);
            // Surfels have two axes at least, and one convention.
            let model = if extent.len() == 1 { SurfaceModel::Voxel } else { model };
            let convention = match model {
                SurfaceModel::Voxel => convention,
                SurfaceModel::Surfel => Convention::AreaWeighted,
            };
            Case {
                grid,
                classes,
                prediction,
                reference,
                ignore,
                kinds,
                model,
                convention,
                level,
                threads,
                include_background,
            }
        },
    )
}

fn convention(convention: Convention) -> PercentileConvention {
    match convention {
        Convention::MaximumOfDirected => PercentileConvention::MaximumOfDirected,
        Convention::Pooled => PercentileConvention::Pooled,
        Convention::AreaWeighted => PercentileConvention::AreaWeighted,
    }
}

fn near(found: f64, expected: f64) -> bool {
    found == expected || (found - expected).abs() <= 1e-6 * expected.abs()
}

/// Compares one class; gives what is wrong.
fn compare_class(
    case: &Case,
    class: usize,
    tolerances: &[f64],
    found: &Found,
) -> Result<(), String> {
    let label = class as i64;
    let mask = |map: &[i64]| -> Vec<bool> {
        let pairs = map.iter().zip(&case.reference);
        pairs.map(|(&l, &r)| l == label && Some(r) != case.ignore).collect()
    };
    let (prediction, reference) = (mask(&case.prediction), mask(&case.reference));
    let count = |mask: &[bool]| mask.iter().filter(|&&m| m).count() as u64;
    let common: Vec<bool> = prediction.iter().zip(&reference).map(|(p, r)| *p && *r).collect();
    let own = &found.classes[class];
    let percentiles = &found.percentiles[class * PERCENTILES.len()..][..PERCENTILES.len()];
    let shares = &found.shares[class * tolerances.len()..][..tolerances.len()];
    let voxels = [own.prediction_voxels, own.reference_voxels, own.common_voxels];
    let counts = [count(&prediction), count(&reference), count(&common)];
    if voxels != counts {
        return Err(format!("voxels {voxels:?} for {counts:?}"));
    }
    if class == 0 && !case.include_background {
        let left_out = own.state == ClassState::NotEvaluated;
        return if left_out { Ok(()) } else { Err(format!("{:?}", own.state)) };
    }
    let elements = |mask: &[bool]| match case.model {
        SurfaceModel::Voxel => boundary_voxels(&case.grid, mask),
        SurfaceModel::Surfel => surfels(&case.grid, mask),
    };
    let (prediction, reference) = (elements(&prediction), elements(&reference));
    let size =
        |surface: &[reference::surface::Element]| surface.iter().map(|e| e.size).sum::<f64>();
    let mut expected = SurfaceResult {
        state: ClassState::BothPresent,
        prediction_voxels: counts[0],
        reference_voxels: counts[1],
        common_voxels: counts[2],
        prediction_surface: size(&prediction),
        reference_surface: size(&reference),
        ..SurfaceResult::default()
    };
    let mut expected_percentiles = Vec::new();
    let mut expected_shares = Vec::new();
    let mut fill = |state: ClassState, distance: f64, share: f64| {
        expected.state = state;
        expected.hausdorff = distance;
        (expected.directed_maximum, expected.directed_mean) = ([distance; 2], [distance; 2]);
        (expected.assd, expected.masd) = (distance, distance);
        expected_percentiles = vec![distance; PERCENTILES.len()];
        expected_shares = vec![[share; 3]; tolerances.len()];
    };
    let one = (UNDEFINED.distance_one_empty, UNDEFINED.share_one_empty);
    match (counts[0], counts[1]) {
        (0, 0) => {
            fill(ClassState::BothEmpty, UNDEFINED.distance_both_empty, UNDEFINED.share_both_empty)
        }
        (0, _) => fill(ClassState::PredictionEmpty, one.0, one.1),
        (_, 0) => fill(ClassState::ReferenceEmpty, one.0, one.1),
        _ => {
            let surfaces = Surfaces::new(&case.grid, &prediction, &reference);
            expected.hausdorff = surfaces.hausdorff();
            expected.directed_maximum = [surfaces.there.maximum(), surfaces.back.maximum()];
            expected.directed_mean = [surfaces.there.mean(), surfaces.back.mean()];
            (expected.assd, expected.masd) = (surfaces.assd(), surfaces.masd());
            let percentile = |&p: &f64| surfaces.percentile(case.convention, p);
            expected_percentiles = PERCENTILES.iter().map(percentile).collect();
            expected_shares = tolerances.iter().map(|&t| surfaces.shares(t)).collect();
        }
    }
    let pairs = |r: &SurfaceResult| {
        let ([a, b], [c, d]) = (r.directed_maximum, r.directed_mean);
        let sizes = [r.prediction_surface, r.reference_surface];
        [sizes[0], sizes[1], r.hausdorff, a, b, c, d, r.assd, r.masd]
    };
    let right = own.state == expected.state
        && pairs(own).iter().zip(pairs(&expected)).all(|(f, e)| near(*f, e));
    if !right {
        return Err(format!("{own:?} for {expected:?}"));
    }
    for (place, (f, e)) in percentiles.iter().zip(&expected_percentiles).enumerate() {
        if !near(*f, *e) {
            return Err(format!("percentile {}: {f} for {e}", PERCENTILES[place]));
        }
    }
    for (place, (f, e)) in shares.iter().zip(&expected_shares).enumerate() {
        let f: [f64; 3] = [f.surface_dice, f.prediction_overlap, f.reference_overlap];
        if !f.iter().zip(e).all(|(f, e)| near(*f, *e)) {
            return Err(format!("tolerance {}: {f:?} for {e:?}", tolerances[place]));
        }
    }
    Ok(())
}

fn compare(case: &Case) -> Result<(), String> {
    let step = case.grid.spacing[0];
    let tolerances = [0.0, 0.5, step, 2.0 * step, 3.7, 1e6];
    let prediction = LabelMap::new(case.kinds.0, &case.prediction);
    let reference = LabelMap::new(case.kinds.1, &case.reference);
    let pair = LabelPair {
        extent: &case.grid.extent,
        spacing: Spacing::millimetres(&case.grid.spacing).unwrap(),
        classes: case.classes,
        prediction: prediction.view(),
        reference: reference.view(),
        ignore: case.ignore,
    };
    let metrics = SurfaceMetrics {
        model: case.model,
        convention: convention(case.convention),
        percentiles: &PERCENTILES,
        tolerances: &tolerances,
        include_background: case.include_background,
        undefined: UNDEFINED,
        level: case.level,
    };
    let executor = Shuffled { threads: case.threads, seed: 8 };
    let found = measure_with(&pair, &metrics, &executor).map_err(|error| error.to_string())?;
    for class in 0..case.classes {
        compare_class(case, class, &tolerances, &found)
            .map_err(|error| format!("class {class}: {error}"))?;
    }
    let plain = SurfaceMetrics { level: Level::Plain, ..metrics };
    let alone = measure_with(&pair, &plain, &Sequential).map_err(|error| error.to_string())?;
    if alone.bits() != found.bits() {
        return Err("other bits with other threads and level".to_string());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, ..ProptestConfig::default() })]

    #[test]
    fn metrics_are_those_of_the_reference(case in cases()) {
        compare(&case).map_err(TestCaseError::fail)?;
    }
}

/// A stored pair of masks.
fn stored(case: &serde_json::Value) -> Masks {
    let masks = [json::mask(&case["prediction"]), json::mask(&case["reference"])];
    let spacing = json::numbers(&case["spacing"]);
    Masks::new(&json::shape(&case["prediction"]), &spacing, &masks[0], &masks[1])
}

/// The tolerances of a stored block, with what is stored for each.
fn by_tolerance(json: &serde_json::Value) -> (Vec<f64>, Vec<&serde_json::Value>) {
    json.as_object().unwrap().iter().map(|(t, v)| (t.parse::<f64>().unwrap(), v)).unzip()
}

#[track_caller]
fn assert_near(name: &str, found: f64, expected: f64) {
    assert!(near(found, expected), "{name}: {found} for {expected}");
}

/// MONAI's and medpy's values.
#[test]
fn stored_metrics_of_boundary_voxels() {
    let Some(cases) = json::cases() else {
        return;
    };
    let mut count = 0;
    for (name, case) in cases.iter().filter(|(_, case)| case["kind"] == "metrics") {
        let masks = stored(case);
        let block = &case["voxel_boundary"];
        let number = |key: &str| json::number(&block[key]);
        let (tolerances, shares) = by_tolerance(&block["nsd"]);
        let metrics = SurfaceMetrics {
            percentiles: &[95.0, 50.0, 0.0, 100.0],
            tolerances: &tolerances,
            ..SurfaceMetrics::default()
        };
        let found = masks.measure(&metrics);
        let own = &found.classes[0];
        let sizes = json::numbers(&block["boundary_voxels"]);
        assert_eq!([own.prediction_surface, own.reference_surface][..], sizes, "{name}");
        assert_near(name, own.hausdorff, number("hd"));
        assert_near(name, found.percentiles[3], number("hd"));
        assert_near(name, found.percentiles[0], number("hd95_max_of_directed"));
        assert_near(name, found.percentiles[1], number("hd50_max_of_directed"));
        assert_near(name, found.percentiles[2], number("hd0_max_of_directed"));
        assert_near(name, own.directed_mean[0], number("mean_prediction_to_reference"));
        assert_near(name, own.directed_mean[1], number("mean_reference_to_prediction"));
        assert_near(name, own.assd, number("assd_pooled"));
        assert_near(name, own.masd, number("masd"));
        for (share, expected) in found.shares.iter().zip(shares) {
            assert_near(name, share.surface_dice, json::number(expected));
        }
        let pooled = SurfaceMetrics {
            convention: PercentileConvention::Pooled,
            ..SurfaceMetrics::default()
        };
        assert_near(name, masks.measure(&pooled).percentiles[0], number("hd95_pooled"));
        count += 1;
    }
    assert!(count >= 5, "{count} stored pairs");
}

/// DeepMind's values.
#[test]
fn stored_metrics_of_surfels() {
    let Some(cases) = json::cases() else {
        return;
    };
    for (name, case) in cases.iter().filter(|(_, case)| case["kind"] == "metrics") {
        let block = &case["surfel"];
        let number = |key: &str| json::number(&block[key]);
        let (tolerances, shares) = by_tolerance(&block["nsd"]);
        let metrics = SurfaceMetrics {
            model: SurfaceModel::Surfel,
            convention: PercentileConvention::AreaWeighted,
            percentiles: &[95.0, 100.0],
            tolerances: &tolerances,
            ..SurfaceMetrics::default()
        };
        let found = stored(case).measure(&metrics);
        let own = &found.classes[0];
        let areas = json::numbers(&block["areas"]);
        assert_near(name, own.reference_surface, areas[0]);
        assert_near(name, own.prediction_surface, areas[1]);
        assert_near(name, own.hausdorff, number("hd"));
        assert_near(name, found.percentiles[1], number("hd"));
        assert_near(name, found.percentiles[0], number("hd95"));
        assert_near(name, own.directed_mean[0], number("mean_prediction_to_reference"));
        assert_near(name, own.directed_mean[1], number("mean_reference_to_prediction"));
        for (share, expected) in found.shares.iter().zip(shares) {
            assert_near(name, share.surface_dice, json::number(expected));
        }
        let (again, overlaps) = by_tolerance(&block["overlap_at_tolerance"]);
        assert_eq!(again, tolerances);
        for (ToleranceShares { prediction_overlap, reference_overlap, .. }, expected) in
            found.shares.iter().zip(overlaps)
        {
            let expected = json::numbers(expected);
            assert_near(name, *reference_overlap, expected[0]);
            assert_near(name, *prediction_overlap, expected[1]);
        }
    }
}
