//! Terms on distance fields: finite differences, presets, fields that the caller hands in, laws.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use approx::assert_relative_eq;
use reference::golden::load_losses;
use reference::{Activation, Case, Target, Term};
use segloss::{Level, Loss, Spacing};
use support::random::{Kind, Random, Recipe, case};
use support::random_terms::{NAMES, offered, on_fields, term};
use support::{
    DenseType, LabelType, Outcome, ScoreType, Settings, gradient_error, run, value_error,
};

fn double() -> Settings {
    Settings { scores: ScoreType::F64, dense: DenseType::F64, ..Settings::default() }
}

fn evaluate(case: &Case, term: &Term) -> Outcome {
    run(case, &[(1.0, term.clone())], &double()).unwrap()
}

fn recipe(kind: Kind, activation: Activation) -> Recipe {
    Recipe {
        seed: 31,
        batch: 2,
        classes: 3,
        voxels: 60,
        activation,
        kind,
        scale: 3.0,
        ignored: 0.2,
        weighted: true,
    }
}

fn exact(kind: Kind) -> Case {
    case(&recipe(kind, Activation::Softmax), |x| x, |x| x)
}

fn hausdorff(case: &Case, spacing: &[f64]) -> Term {
    Term::HausdorffDT {
        spacing: spacing.to_vec(),
        exponent: 2.0,
        threshold: 0.5,
        target_only: false,
        logarithm: false,
        include_background: false,
        class_weights: vec![1.0; case.classes],
    }
}

fn boundary(case: &Case, spacing: &[f64]) -> Term {
    let class_weights = vec![1.0; case.classes];
    Term::Boundary { spacing: spacing.to_vec(), include_background: false, class_weights }
}

/// Volumes of three axes with holes, so that distances differ: every score of every class.
#[test]
fn finite_differences() {
    let step = 1e-5;
    for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
        for kind in [Kind::Labels, Kind::Binary, Kind::Soft] {
            let recipe = recipe(kind, activation);
            let case = case(&recipe, |x| x, |x| x);
            assert_eq!(case.extent.len(), 3);
            let mut random = Random::new(5);
            for name in NAMES.iter().filter(|name| on_fields(name) && offered(name, &recipe)) {
                let term = term(name, &case, &mut random);
                let found = evaluate(&case, &term).gradient;
                let mut expected = Vec::new();
                for index in 0..case.scores.len() {
                    let value = |change: f64| {
                        let mut case = case.clone();
                        case.scores[index] += change;
                        evaluate(&case, &term).total
                    };
                    expected.push((value(step) - value(-step)) / (2.0 * step));
                }
                let error = gradient_error(&found, &expected);
                assert!(error < 1e-6, "{name}, {activation:?}, {kind:?}: {error:e}");
                assert!(found.iter().any(|g| g.abs() > 1e-4), "{name}: no slope at all");
            }
        }
    }
}

/// The named losses are the stored ones.
#[test]
fn presets() {
    let Some(cases) = load_losses() else {
        return;
    };
    let unit = Spacing::voxels(3).unwrap();
    let other = Spacing::millimetres(&[3.0, 0.7, 1.1]).unwrap();
    for (name, loss) in [
        ("hausdorff_dt", Loss::hausdorff_dt(other)),
        ("hausdorff_dt_unit_spacing", Loss::hausdorff_dt(unit)),
        ("preset_dice_focal_hausdorff_dt", Loss::dice_focal_hausdorff_dt(unit)),
        ("preset_dice_focal_hausdorff_dt_as_monai", Loss::dice_focal_hausdorff_dt_as_monai(unit)),
        ("preset_tversky_hausdorff_dt", Loss::tversky_hausdorff_dt(unit)),
    ] {
        let golden = cases.iter().find(|case| case.name == name).unwrap();
        let case = &golden.case;
        let Target::Labels(labels) = &case.target else { panic!("{name}: no label map") };
        let labels: Vec<u8> = labels.iter().map(|label| label.unwrap() as u8).collect();
        let scores: Vec<f32> = case.scores.iter().map(|&z| z as f32).collect();
        let shape = segloss::Shape::planar(case.batch, case.classes, &case.extent).unwrap();
        let target = segloss::Target::labels(&labels[..]);
        let input = segloss::Input::new(shape, &scores[..], target);
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let mut gradient = vec![0.0f32; scores.len()];
        let request = segloss::Gradient::new(&mut gradient[..]);
        let found =
            loss.evaluate(&input, Some(request), &mut scratch, &segloss::Sequential).unwrap();
        let error = value_error(found.total, golden.value);
        assert!(error <= 1e-6, "{name}: {} for {}", found.total, golden.value);
        let gradient: Vec<f64> = gradient.iter().map(|&g| f64::from(g)).collect();
        let error = gradient_error(&gradient, &golden.gradient);
        assert!(error <= 1e-5, "{name}: gradient {error:e}");
    }
}

/// The value alone takes another way than the value with its gradient.
#[test]
fn the_value_does_not_depend_on_the_gradient() {
    use segloss::{Gradient, HausdorffDT, Input, Sequential, Shape, Target};
    let mut random = Random::new(3);
    let shape = Shape::planar(2, 3, &[5, 6, 7]).unwrap();
    let scores: Vec<f32> =
        (0..shape.elements()).map(|_| random.uniform(-3.0, 3.0) as f32).collect();
    let labels: Vec<u8> = (0..420).map(|_| random.below(3) as u8).collect();
    let input = Input::new(shape, &scores[..], Target::labels(&labels[..]));
    let spacing = Spacing::millimetres(&[2.0, 1.0, 0.5]).unwrap();
    let second = HausdorffDT { exponent: 1.5, threshold: 0.3, ..HausdorffDT::new(spacing) };
    for loss in [
        Loss::tversky_hausdorff_dt(spacing),
        Loss::tversky_hausdorff_dt(spacing).with_fields_in_scratch(),
        Loss::hausdorff_dt(spacing).with(0.4, second).unwrap(),
        Loss::hausdorff_dt(spacing).with(0.4, segloss::Boundary::new(spacing)).unwrap(),
    ] {
        let mut scratch = vec![0xee; loss.scratch_bytes(&input, 1).unwrap()];
        let alone = loss.evaluate(&input, None, &mut scratch, &Sequential).unwrap();
        let (total, terms) = (alone.total, alone.terms.clone());
        let mut gradient = vec![f32::NAN; scores.len()];
        let request = Gradient::new(&mut gradient[..]);
        let both = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        assert_eq!((both.total.to_bits(), &both.terms), (total.to_bits(), &terms));
        assert!(gradient.iter().all(|g| g.is_finite()));
    }
}

/// Two terms of other spacing, threshold and exponent in one loss do not mix their fields up.
#[test]
fn terms_keep_their_fields_apart() {
    let case = exact(Kind::Labels);
    let first = hausdorff(&case, &[1.0, 1.0, 1.0]);
    let second = match hausdorff(&case, &[0.4, 3.0, 2.0]) {
        Term::HausdorffDT { spacing, class_weights, .. } => Term::HausdorffDT {
            spacing,
            exponent: 1.5,
            threshold: 0.35,
            target_only: false,
            logarithm: true,
            include_background: true,
            class_weights,
        },
        term => term,
    };
    let third = boundary(&case, &[2.0, 0.5, 0.7]);
    let list = [(0.3, first), (0.5, second), (0.9, third)];
    let together = run(&case, &list, &double()).unwrap();
    let mut gradient = vec![0.0; case.scores.len()];
    for ((weight, term), value) in list.iter().zip(&together.terms) {
        let alone = evaluate(&case, term);
        assert_relative_eq!(alone.total, *value, max_relative = 1e-13);
        gradient.iter_mut().zip(&alone.gradient).for_each(|(sum, g)| *sum += weight * g);
    }
    assert!(gradient_error(&together.gradient, &gradient) < 1e-12);
}

/// Of two classes one is as a rule what the other leaves. Here it is so in one sample, and in the last
/// one it is not: labels are ignored, voxels weigh nothing, probabilities lie at the threshold,
/// channels overlap. Where one sample is all, its fields wait elsewhere, as they do where one class
/// counts.
#[test]
fn two_classes() {
    let mut random = Random::new(12);
    for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
        for kind in [Kind::Labels, Kind::Binary, Kind::Soft] {
            for flaw in ["none", "ignored", "weightless", "ties", "gaps"] {
                for batch in [1, 2] {
                    let case = flawed(activation, kind, flaw, batch);
                    for name in NAMES.iter().filter(|name| on_fields(name)) {
                        let both = counting_both(term(name, &case, &mut random));
                        let second = counting_the_second(&both);
                        for term in [both, second] {
                            let what = format!("{name}, {flaw}, {kind:?}, {batch}");
                            is_as_expected(&case, &term, &what);
                        }
                    }
                }
            }
        }
    }
}

fn flawed(activation: Activation, kind: Kind, flaw: &str, batch: usize) -> Case {
    let recipe =
        Recipe { batch, classes: 2, ignored: 0.0, weighted: false, ..recipe(kind, activation) };
    let mut case = case(&recipe, |x| x, |x| x);
    let last = (batch - 1) * case.voxels;
    match (flaw, &mut case.target) {
        ("ignored", Target::Labels(labels)) => labels[last + 7] = None,
        ("weightless", _) => case.voxel_weights[last + 7] = 0.0,
        ("ties", _) if activation == Activation::None => {
            case.scores[2 * last + 7] = 0.5;
            case.scores[2 * last + case.voxels + 7] = 0.5;
        }
        ("gaps", Target::Dense(dense)) => {
            // The first sample is a partition, another is not.
            for voxel in 0..case.voxels {
                dense[case.voxels + voxel] = 1.0 - dense[voxel];
            }
        }
        _ => {}
    }
    case
}

fn is_as_expected(case: &Case, term: &Term, what: &str) {
    let expected = reference::evaluate(case, &[(1.0, term.clone())]);
    let found = evaluate(case, term);
    let error = (found.total - expected.total).abs();
    assert!(
        error < 1e-6 * expected.total.abs().max(1.0),
        "{what}: {} for {}",
        found.total,
        expected.total
    );
    let error = gradient_error(&found.gradient, &expected.gradient);
    assert!(error < 1e-6, "{what}: gradient {error:e}");
}

/// The same term without the first class.
fn counting_the_second(term: &Term) -> Term {
    let mut term = term.clone();
    match &mut term {
        Term::HausdorffDT { class_weights, .. } | Term::Boundary { class_weights, .. } => {
            class_weights[0] = 0.0;
        }
        _ => {}
    }
    term
}

/// The term with both classes, cut in the middle.
fn counting_both(term: Term) -> Term {
    let (include_background, class_weights) = (true, vec![0.7, 1.3]);
    match term {
        Term::HausdorffDT { spacing, exponent, target_only, logarithm, .. } => Term::HausdorffDT {
            spacing,
            exponent,
            threshold: 0.5,
            target_only,
            logarithm,
            include_background,
            class_weights,
        },
        Term::Boundary { spacing, .. } => {
            Term::Boundary { spacing, include_background, class_weights }
        }
        term => term,
    }
}

#[test]
fn opposite_uniform_masks_give_0() {
    let mut case = exact(Kind::Labels);
    case.voxel_weights.fill(1.0);
    case.target = Target::Labels(vec![Some(1); case.batch * case.voxels]);
    for (place, score) in case.scores.iter_mut().enumerate() {
        *score = if (place / case.voxels).is_multiple_of(case.classes) { 9.0 } else { -9.0 };
    }
    let found = evaluate(&case, &hausdorff(&case, &[1.0; 3]));
    assert_eq!(found.total, 0.0);
    assert!(found.gradient.iter().all(|&g| g == 0.0));
}

#[test]
fn the_logarithm_is_that_of_the_plain_term() {
    let case = exact(Kind::Soft);
    let plain = hausdorff(&case, &[3.0, 0.7, 1.1]);
    let logarithm = match plain.clone() {
        Term::HausdorffDT { spacing, class_weights, .. } => Term::HausdorffDT {
            spacing,
            exponent: 2.0,
            threshold: 0.5,
            target_only: false,
            logarithm: true,
            include_background: false,
            class_weights,
        },
        term => term,
    };
    let (plain, logarithm) = (evaluate(&case, &plain), evaluate(&case, &logarithm));
    assert_relative_eq!(logarithm.total, plain.total.ln_1p(), max_relative = 1e-14);
    let scaled: Vec<f64> = plain.gradient.iter().map(|g| g / (1.0 + plain.total)).collect();
    assert!(gradient_error(&logarithm.gradient, &scaled) < 1e-12);
}

#[test]
fn doubling_the_spacing_multiplies_by_a_power_of_two() {
    let case = exact(Kind::Labels);
    let (once, twice) = ([3.0, 0.7, 1.1], [6.0, 1.4, 2.2]);
    let near = |a: Outcome, b: Outcome, factor: f64| {
        assert_relative_eq!(factor * a.total, b.total, max_relative = 1e-6);
        let scaled: Vec<f64> = a.gradient.iter().map(|g| factor * g).collect();
        assert!(gradient_error(&b.gradient, &scaled) < 1e-6);
    };
    let of = |term: &Term| evaluate(&case, term);
    near(of(&hausdorff(&case, &once)), of(&hausdorff(&case, &twice)), 4.0);
    near(of(&boundary(&case, &once)), of(&boundary(&case, &twice)), 2.0);
}

/// A volume read with its axes in another order, and the last one backwards.
fn turned(case: &Case, order: [usize; 3]) -> Case {
    let grid = |extent: &[usize]| reference::distance::Grid::unit(extent);
    let extent: Vec<usize> = order.iter().map(|&axis| case.extent[axis]).collect();
    let (from, to) = (grid(&case.extent), grid(&extent));
    let source: Vec<usize> = (0..case.voxels)
        .map(|voxel| {
            let mut place = vec![0; 3];
            for (turn, (&axis, index)) in order.iter().zip(to.place(voxel)).enumerate() {
                place[axis] = if turn == 2 { case.extent[axis] - 1 - index } else { index };
            }
            from.voxel(&place)
        })
        .collect();
    let pick = |values: &[f64]| -> Vec<f64> {
        values.chunks(case.voxels).flat_map(|row| source.iter().map(|&v| row[v])).collect()
    };
    let Target::Labels(labels) = &case.target else { panic!("a label map is asked for") };
    let labels = labels.chunks(case.voxels).flat_map(|row| source.iter().map(|&v| row[v]));
    Case {
        extent,
        scores: pick(&case.scores),
        target: Target::Labels(labels.collect()),
        voxel_weights: pick(&case.voxel_weights),
        ..case.clone()
    }
}

#[test]
fn turning_the_volume_with_its_spacing_changes_nothing() {
    let case = exact(Kind::Labels);
    let spacing = [3.0, 0.7, 1.1];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let turned = turned(&case, order);
        let along = order.map(|axis| spacing[axis]);
        for (a, b) in [
            (hausdorff(&case, &spacing), hausdorff(&case, &along)),
            (boundary(&case, &spacing), boundary(&case, &along)),
        ] {
            let (a, b) = (evaluate(&case, &a).total, evaluate(&turned, &b).total);
            assert_relative_eq!(a, b, max_relative = 1e-6);
        }
    }
}

#[test]
fn a_label_map_is_its_one_hot_target() {
    let mut labels = exact(Kind::Labels);
    // An ignored voxel is in no mask of either, as its channels are all 0.
    let Target::Labels(map) = &labels.target else { panic!("a label map is asked for") };
    let mut dense = labels.clone();
    let mut target = vec![0.0; labels.scores.len()];
    for (place, label) in map.iter().enumerate() {
        match label {
            Some(class) => {
                target[labels.position(place / labels.voxels, *class, place % labels.voxels)] = 1.0;
            }
            None => dense.voxel_weights[place] = 0.0,
        }
    }
    dense.target = Target::Dense(target);
    labels.tree = None;
    dense.tree = None;
    for term in [hausdorff(&labels, &[3.0, 0.7, 1.1]), boundary(&labels, &[3.0, 0.7, 1.1])] {
        let (a, b) = (evaluate(&labels, &term), evaluate(&dense, &term));
        assert_relative_eq!(a.total, b.total, max_relative = 1e-12);
        assert!(gradient_error(&b.gradient, &a.gradient) < 1e-11);
    }
}

/// Scores, layouts, places of the fields and levels on a volume of several tiles and blocks: the
/// same bits wherever the fields lie, and the reference's values.
#[test]
fn larger_volumes_in_every_way() {
    let recipe = Recipe {
        voxels: 12 * 13 * 40,
        weighted: false,
        ..recipe(Kind::Labels, Activation::Softmax)
    };
    let case = case(&recipe, |x| f64::from(x as f32), |x| x);
    let case = Case { extent: vec![12, 13, 40], ..case };
    let list =
        [(1.0, hausdorff(&case, &[3.0, 0.7, 1.1])), (0.3, boundary(&case, &[1.0, 1.0, 1.0]))];
    let expected = reference::evaluate(&case, &list);
    for layout in [segloss::Layout::Planar, segloss::Layout::Interleaved] {
        let settings = Settings { layout, labels: LabelType::I16, ..Settings::default() };
        let found = run(&case, &list, &settings).unwrap();
        let error = value_error(found.total, expected.total);
        assert!(error <= 1e-5, "{layout:?}: {} for {}", found.total, expected.total);
        let error = gradient_error(&found.gradient, &expected.gradient);
        assert!(error <= 1e-5, "{layout:?}: gradient {error:e}");
        for other in [
            Settings { fields_in_scratch: true, ..settings },
            Settings { in_place: true, ..settings },
            Settings { level: Level::Plain, ..settings },
            Settings { level: Level::Avx2, fields_in_scratch: true, ..settings },
        ] {
            assert_eq!(run(&case, &list, &other).unwrap(), found, "{other:?}");
        }
    }
}

/// The largest score tells which class has more than half of the probability, but where others are
/// so near that it may have less, or that it is rounded to a half. Another threshold in the same loss
/// takes the way by probabilities.
#[test]
fn scores_are_compared_as_probabilities_are() {
    for classes in [2, 3, 9] {
        compare_scores(classes);
    }
}

fn compare_scores(classes: usize) {
    use segloss::{Gradient, HausdorffDT, Input, Sequential, Shape, Target, VoxelWeights};
    let mut random = Random::new(8);
    let shape = Shape::planar(1, classes, &[5, 20, 21]).unwrap();
    let voxels = shape.elements() / classes;
    let spacing = Spacing::voxels(3).unwrap();
    let labels: Vec<i16> = (0..voxels).map(|_| random.below(classes + 1) as i16 - 1).collect();
    let target = Target::sparse_labels(&labels[..], -1);
    let weights: Vec<f32> = (0..voxels).map(|_| random.below(2) as f32).collect();
    // With all voxels the two classes share their fields.
    let whole: Vec<i16> = (0..voxels).map(|_| random.below(classes) as i16).collect();
    let ways =
        [(target, VoxelWeights::F32(&weights)), (Target::labels(&whole[..]), VoxelWeights::Ones)];
    for gap in [0.0, 1e-17, 3e-17, 1e-13, 2e-12, 2e-8, 5e-8, 7e-8, 2e-7, 1e-6, 9e-6, 2e-5, 0.1, 4.0]
    {
        // One class has about a half, all others together have the rest.
        let mut first = vec![0.0; classes * voxels];
        for voxel in 0..voxels {
            let half = ((classes - 1) as f64).ln();
            first[random.below(classes) * voxels + voxel] =
                half + gap * random.uniform(-1.0, 1.0).signum();
        }
        let single: Vec<f32> = first.iter().map(|&z| z as f32).collect();
        for (include_background, (target, weights)) in
            [false, true].into_iter().flat_map(|background| ways.map(|way| (background, way)))
        {
            let half = HausdorffDT { include_background, ..HausdorffDT::new(spacing) };
            let alone = Loss::new(segloss::Activation::Softmax).with(1.0, half).unwrap();
            let other = HausdorffDT { threshold: 0.4, ..half };
            let beside = alone.clone().with(1.0, other).unwrap();
            let value = |loss: &Loss<'_>, double: bool, gradient: bool| {
                let input = if double {
                    Input::new(shape, &first[..], target)
                } else {
                    Input::new(shape, &single[..], target)
                };
                let input = input.with_weights(weights);
                let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
                let (mut f64s, mut f32s) =
                    (vec![0.0f64; classes * voxels], vec![0.0f32; classes * voxels]);
                let request = if double {
                    Gradient::new(&mut f64s[..])
                } else {
                    Gradient::new(&mut f32s[..])
                };
                let request = gradient.then_some(request);
                loss.evaluate(&input, request, &mut scratch, &Sequential).unwrap().terms[0]
            };
            for double in [false, true] {
                let expected = value(&beside, double, true);
                assert!(expected > 0.0);
                for gradient in [false, true] {
                    let found = value(&alone, double, gradient);
                    assert_eq!(
                        found, expected,
                        "{classes}, {gap:e}, {double}, {include_background}"
                    );
                }
            }
        }
    }
}
