//! Surface metrics of real label maps, against values that SciPy gave.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/data.rs"]
mod data;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/surfaces.rs"]
mod surfaces;
#[path = "support/volume.rs"]
mod volume;

use data::shared;
use maps::{Maps, TableRow};
use segloss::{
    ClassState, Level, PercentileConvention, SurfaceMetrics, SurfaceModel, SurfaceResult,
};
use surfaces::{Found, all_metrics, measure};
use volume::read_table;

fn is_of(row: &TableRow, names: &TableRow) -> bool {
    ["prediction", "reference"].iter().all(|&side| row[side] == names[side])
}

/// Six decimals are stored.
#[track_caller]
fn assert_near(row: &TableRow, column: &str, found: f64) {
    let expected: f64 = row[column].parse().unwrap();
    let error = (found - expected).abs();
    assert!(error <= 5.01e-7 + 1e-6 * expected, "{column}: {found} for {row:?}");
}

fn check_row(own: &SurfaceResult, hd95: f64, row: &TableRow) {
    let count = |column: &str| row[column].parse::<u64>().unwrap();
    assert_eq!(own.reference_voxels, count("n_ref"), "{row:?}");
    assert_eq!(own.prediction_voxels, count("n_pred"), "{row:?}");
    assert_eq!(own.common_voxels, count("n_intersection"), "{row:?}");
    let state = match (own.prediction_voxels, own.reference_voxels) {
        (0, 0) => ClassState::BothEmpty,
        (0, _) => ClassState::PredictionEmpty,
        (_, 0) => ClassState::ReferenceEmpty,
        _ => ClassState::BothPresent,
    };
    assert_eq!(own.state, state, "{row:?}");
    assert_eq!(row["hd_mm"].is_empty(), state != ClassState::BothPresent, "{row:?}");
    if state == ClassState::BothPresent {
        assert_eq!(own.reference_surface, count("n_border_ref") as f64, "{row:?}");
        assert_eq!(own.prediction_surface, count("n_border_pred") as f64, "{row:?}");
        assert_near(row, "hd_mm", own.hausdorff);
        assert_near(row, "hd95_mm", hd95);
        assert_near(row, "assd_mm", own.assd);
    }
}

/// What holds whatever the maps are.
fn check_laws(found: &Found) {
    for (class, own) in found.classes.iter().enumerate() {
        if own.state != ClassState::BothPresent {
            continue;
        }
        let ([there, back], [mean_there, mean_back]) = (own.directed_maximum, own.directed_mean);
        assert_eq!(own.hausdorff, there.max(back));
        assert!(mean_there <= there && mean_back <= back, "{class}");
        let between = |value: f64| {
            let (low, high) = (mean_there.min(mean_back), mean_there.max(mean_back));
            (low * (1.0 - 1e-12)..=high * (1.0 + 1e-12)).contains(&value)
        };
        assert!(between(own.assd) && between(own.masd), "{class}: {own:?}");
        assert!(found.percentiles[class] <= own.hausdorff * (1.0 + 1e-6), "{class}");
        let [none, all] = [0, 1].map(|tolerance| found.shares[2 * class + tolerance]);
        assert!((0.0..=1.0).contains(&none.surface_dice), "{class}: {none:?}");
        assert!((all.surface_dice - 1.0).abs() < 1e-12, "{class}: {all:?}");
    }
}

#[test]
fn real_label_maps() {
    let Some(folder) = shared("data") else { return };
    let table = read_table(&folder, "expected_metrics.csv");
    let mut rows = 0;
    for names in &read_table(&folder, "pairs.csv") {
        let maps = Maps::read(&folder, names);
        // Within 0, and within more than any volume's diagonal.
        let tolerances = &[0.0, 1e4];
        let metrics = SurfaceMetrics { tolerances, ..SurfaceMetrics::default() };
        let found = measure(&maps.whole(), &metrics);
        for row in table.iter().filter(|row| is_of(row, names)) {
            let label: usize = row["label"].parse().unwrap();
            check_row(&found.classes[label], found.percentiles[label], row);
            rows += 1;
        }
        check_laws(&found);
        let metrics = SurfaceMetrics {
            model: SurfaceModel::Surfel,
            convention: PercentileConvention::AreaWeighted,
            ..metrics
        };
        check_laws(&measure(&maps.whole(), &metrics));
    }
    assert_eq!(rows, table.len());
    assert!(rows > 400, "{rows} rows");
    println!("{rows} rows");
}

#[test]
fn simd_levels_give_the_same_bits() {
    let Some(folder) = shared("data") else { return };
    let pairs = read_table(&folder, "pairs.csv");
    let names = pairs.iter().find(|names| names["reference"] == "abdomen_ct_ref").unwrap();
    let maps = Maps::read(&folder, names);
    for metrics in all_metrics() {
        let plain = measure(&maps.whole(), &SurfaceMetrics { level: Level::Plain, ..metrics });
        for level in [Level::Simd128, Level::Avx2, Level::Avx512, Level::Best] {
            let found = measure(&maps.whole(), &SurfaceMetrics { level, ..metrics });
            assert!(found.bits() == plain.bits(), "{level:?}: other bits of {metrics:?}");
        }
    }
}
