//! Every term, in every element type and layout, against the f64 reference implementation.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use proptest::prelude::*;
use reference::{Activation, Term, evaluate};
use segloss::{Layout, Level};
use support::random::{Kind, Random, Recipe, case};
use support::random_terms::{NAMES, offered, on_fields, term};
use support::{DenseType, LabelType, ScoreType, Settings, gradient_error, run, value_error};

fn recipes() -> impl Strategy<Value = Recipe> {
    let activations = prop_oneof![
        4 => Just(Activation::Softmax),
        1 => Just(Activation::Sigmoid),
        1 => Just(Activation::None)
    ];
    let kinds = prop_oneof![
        4 => Just(Kind::Labels),
        1 => Just(Kind::Nodes),
        1 => Just(Kind::Binary),
        2 => Just(Kind::Soft)
    ];
    // Some tiles are whole.
    let voxels = prop_oneof![4 => 1usize..70, 1 => Just(64), 1 => Just(128)];
    let sizes = (1usize..4, 1usize..10, voxels);
    let options = (prop_oneof![Just(0.0), Just(0.3), Just(1.0)], any::<bool>());
    (any::<u64>(), sizes, activations, kinds, options).prop_map(
        |(seed, (batch, classes, voxels), activation, kind, (ignored, weighted))| Recipe {
            seed,
            batch,
            classes,
            voxels,
            activation,
            kind,
            scale: [0.5, 4.0, 12.0][(seed % 3) as usize],
            ignored,
            weighted,
        },
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    let scores = prop_oneof![
        3 => Just(ScoreType::F32),
        2 => Just(ScoreType::F64),
        1 => Just(ScoreType::F16),
        1 => Just(ScoreType::Bf16)
    ];
    let labels = prop_oneof![
        Just(LabelType::U8),
        Just(LabelType::U16),
        Just(LabelType::I16),
        Just(LabelType::I32),
        Just(LabelType::I64)
    ];
    let layouts = prop_oneof![Just(Layout::Planar), Just(Layout::Interleaved)];
    let levels =
        prop_oneof![Just(Level::Plain), Just(Level::Simd128), Just(Level::Avx2), Just(Level::Best)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (scores, labels, layouts, levels, flags).prop_map(
        |(scores, labels, layout, level, (double, in_place, fields_in_scratch))| Settings {
            scores,
            labels,
            dense: if double { DenseType::F64 } else { DenseType::F32 },
            layout,
            level,
            upstream: 1.5,
            in_place,
            fields_in_scratch,
        },
    )
}

/// Allowed errors of value and gradient. Half floats store the gradient rounded; distance fields
/// are f32.
fn bounds(scores: ScoreType, terms: &[&str]) -> (f64, f64) {
    match scores {
        ScoreType::F64 if terms.iter().any(|name| on_fields(name)) => (1e-6, 1e-6),
        ScoreType::F32 if terms.iter().any(|name| on_fields(name)) => (1e-5, 1e-5),
        ScoreType::F64 => (1e-11, 1e-10),
        ScoreType::F32 => (2e-6, 6e-6),
        ScoreType::F16 => (2e-6, 1e-3),
        ScoreType::Bf16 => (2e-6, 5e-3),
    }
}

fn score_rounding(scores: ScoreType) -> fn(f64) -> f64 {
    match scores {
        ScoreType::F64 => |x| x,
        ScoreType::F32 => |x| f64::from(x as f32),
        ScoreType::F16 => |x| half::f16::from_f64(x).to_f64(),
        ScoreType::Bf16 => |x| half::bf16::from_f64(x).to_f64(),
    }
}

fn compare(recipe: &Recipe, settings: &Settings, terms: &[&str]) -> Result<(), TestCaseError> {
    let (mut settings, mut recipe) = (*settings, *recipe);
    // Of a voxel that is all but certain the probability is kept, not what is missing to 1: the
    // gradient is a small difference then. `extreme_logits` looks at f32 there.
    if settings.scores != ScoreType::F64 && recipe.scale < 50.0 {
        recipe.scale = recipe.scale.min(4.0);
    }
    // f32 arithmetic sees an f64 target rounded.
    if recipe.kind == Kind::Binary {
        settings.dense = DenseType::U8;
    }
    let case = case(&recipe, score_rounding(settings.scores), |x| f64::from(x as f32));
    let mut random = Random::new(recipe.seed ^ 0xabcd);
    let list: Vec<(f64, Term)> = terms
        .iter()
        .map(|name| (random.uniform(0.2, 2.0), term(name, &case, &mut random)))
        .collect();
    let expected = evaluate(&case, &list);
    let found = run(&case, &list, &settings)
        .map_err(|error| TestCaseError::fail(format!("{terms:?}: {error}")))?;
    prop_assert_eq!(found.counted_voxels, expected.counted_voxels as u64);
    let (value_bound, gradient_bound) = bounds(settings.scores, terms);
    for (name, (found, expected)) in terms.iter().zip(found.terms.iter().zip(&expected.terms)) {
        // Transport costs are differences of distances, which are about 1 and more here.
        // The signed distances of the boundary term cancel.
        let unit = match *name {
            "boundary" => 1.0,
            name if name.contains("wasserstein") => 0.1,
            _ => 1e-2,
        };
        let error = value_error(*found, *expected).min((found - expected).abs() / unit);
        prop_assert!(error <= value_bound, "{name}: {found} for {expected}, {error:e}");
    }
    let gradient: Vec<f64> = expected.gradient.iter().map(|g| g * settings.upstream).collect();
    let error = gradient_error(&found.gradient, &gradient);
    let largest = gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    // A gradient is a difference of probabilities that may be close to 1, each with four roundings: of
    // a sum of exponentials, of the normaliser, its inverse and their product. It shows where gradients
    // are small; beside one of 0.3 it is a quarter of the bound.
    let unit = if settings.scores == ScoreType::F64 { f64::EPSILON } else { f32::EPSILON.into() };
    let unit = 4.0 * unit * list.iter().map(|(weight, _)| weight).sum::<f64>() * settings.upstream
        / (expected.counted_voxels.max(1) as f64);
    // Stored subnormal halves have an absolute error.
    let stored = if settings.scores == ScoreType::F16 { 6e-8 } else { 0.0 };
    let rounding = (unit + stored) / largest.max(f64::MIN_POSITIVE);
    prop_assert!(error <= gradient_bound + rounding, "{terms:?}: gradient {error:e}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// One term at a time, all of them.
    #[test]
    fn each_term(recipe in recipes(), settings in settings()) {
        for name in NAMES.iter().filter(|name| offered(name, &recipe)) {
            compare(&recipe, &settings, &[name])?;
        }
    }

    /// Compounds: the pass structure must not mix terms up.
    #[test]
    fn compounds(recipe in recipes(), settings in settings(), subset in any::<u32>()) {
        let terms: Vec<&str> = NAMES
            .iter()
            .enumerate()
            .filter(|(i, name)| subset >> i & 1 == 1 && offered(name, &recipe))
            .map(|(_, name)| *name)
            .take(16)
            .collect();
        if !terms.is_empty() {
            compare(&recipe, &settings, &terms)?;
        }
    }
}

/// Volumes that span tiles and blocks, with a ragged end.
#[test]
fn many_tiles() {
    let sizes = [(1, 5000), (2, 9001), (3, 2881), (5, 4097), (40, 4500), (300, 4200)];
    let kinds = [(0.2, false), (0.0, false), (0.0, true)];
    let sizes = sizes.into_iter().flat_map(|size| kinds.map(|kind| (size, kind)));
    for ((classes, voxels), (ignored, weighted)) in sizes {
        for kind in [Kind::Labels, Kind::Nodes, Kind::Soft] {
            let recipe = Recipe {
                seed: 7,
                batch: 1,
                classes,
                voxels,
                activation: Activation::Softmax,
                kind,
                scale: 3.0,
                ignored,
                weighted,
            };
            if classes * voxels > 500_000 && kind == Kind::Soft {
                continue;
            }
            let settings =
                Settings { upstream: 1.5, labels: LabelType::I32, ..Settings::default() };
            let mut terms = vec!["dice", "cross-entropy", "tree cross-entropy", "tree wasserstein"];
            terms.retain(|name| offered(name, &recipe));
            if let Err(error) = compare(&recipe, &settings, &terms) {
                panic!("{classes} classes, {voxels} voxels, {kind:?}: {error}");
            }
        }
    }
}

/// Logits up to 1e4: finite, and right.
#[test]
fn extreme_logits() {
    for (scale, weighted) in [90.0, 1e3, 1e4].into_iter().flat_map(|s| [(s, false), (s, true)]) {
        for (seed, kind) in [(1, Kind::Labels), (2, Kind::Nodes), (3, Kind::Soft)] {
            let recipe = Recipe {
                seed,
                batch: 2,
                classes: 7,
                voxels: 40,
                activation: Activation::Softmax,
                kind,
                scale,
                ignored: 0.1,
                weighted,
            };
            for name in NAMES.iter().filter(|name| offered(name, &recipe) && **name != "top-k") {
                let settings = Settings { upstream: 1.5, ..Settings::default() };
                if let Err(error) = compare(&recipe, &settings, &[name]) {
                    panic!("{name} at {scale} on {kind:?}, weighted {weighted}: {error}");
                }
            }
        }
    }
}
