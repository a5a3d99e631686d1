//! Reference values checked against the peers that define them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use reference::golden::load_losses;
use segloss::{Layout, Level};
use support::{DenseType, LabelType, ScoreType, Settings, gradient_error, run, value_error};

/// Allowed errors of value and gradient. Large logits: differences of numbers near 200 have an
/// absolute error of 1e-5 in f32.
fn bounds(name: &str, scores: ScoreType) -> (f64, f64) {
    let on_fields = name.contains("hausdorff") || name == "boundary";
    match (scores, name) {
        // Distance fields are f32.
        (ScoreType::F64, _) if on_fields => (1e-6, 1e-6),
        (_, _) if on_fields => (1e-5, 1e-5),
        // Voxel weights are f32.
        (ScoreType::F64, "voxel_weights_dice_cross_entropy") => (1e-8, 1e-7),
        (ScoreType::F64, _) => (1e-12, 1e-11),
        (_, name) if name.contains("large_logits") => (1e-5, 1e-5),
        _ => (1e-6, 2e-6),
    }
}

#[test]
fn golden_losses() {
    let Some(cases) = load_losses() else {
        return;
    };
    assert!(cases.len() >= 49, "{} golden cases", cases.len());
    let mut worst = (0.0f64, 0.0f64);
    for golden in &cases {
        for scores in [ScoreType::F32, ScoreType::F64] {
            for layout in [Layout::Planar, Layout::Interleaved] {
                for level in [Level::Plain, Level::Simd128, Level::Avx2, Level::Best] {
                    let settings = Settings {
                        scores,
                        layout,
                        level,
                        labels: LabelType::I64,
                        dense: if scores == ScoreType::F64 {
                            DenseType::F64
                        } else {
                            DenseType::F32
                        },
                        ..Settings::default()
                    };
                    let found = run(&golden.case, &golden.terms, &settings)
                        .unwrap_or_else(|error| panic!("{}: {error}", golden.name));
                    let value = value_error(found.total, golden.value);
                    let gradient = gradient_error(&found.gradient, &golden.gradient);
                    let (value_bound, gradient_bound) = bounds(&golden.name, scores);
                    assert!(
                        value <= value_bound && gradient <= gradient_bound,
                        "{} {settings:?}: value {} for {} ({value:e}), gradient {gradient:e}",
                        golden.name,
                        found.total,
                        golden.value
                    );
                    if scores == ScoreType::F32 && !golden.name.contains("large") {
                        worst = (worst.0.max(value), worst.1.max(gradient));
                    }
                }
            }
        }
    }
    println!(
        "{} cases, worst errors in f32: value {:e}, gradient {:e}",
        cases.len(),
        worst.0,
        worst.1
    );
}
