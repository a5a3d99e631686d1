//! Distance fields that the caller hands in, where fields lie, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use segloss::{
    Activation, Argument, Boundary, Cause, DistanceTransform, Error, FieldType, Fields, Gradient,
    HausdorffDT, HausdorffSides, Input, Labels, Loss, Mask, Part, Sequential, Shape, Side, Spacing,
    Target, Term, VoxelWeights, target_fields, target_fields_scratch_bytes,
};
use support::executors::Shuffled;
use support::random::Random;

const CLASSES: usize = 3;
const IGNORE: i64 = -1;

/// Two samples of several blocks; some voxels are ignored, some weigh nothing.
struct Volume {
    shape: Shape,
    spacing: Spacing,
    scores: Vec<f32>,
    labels: Vec<i16>,
    weights: Vec<f32>,
}

impl Volume {
    fn new() -> Self {
        let extent = [21, 22, 50];
        let shape = Shape::planar(2, CLASSES, &extent).unwrap();
        let mut random = Random::new(23);
        let voxels: usize = extent.iter().product();
        let labels = (0..2 * voxels).map(|_| random.below(CLASSES + 1) as i16 - 1).collect();
        Self {
            shape,
            spacing: Spacing::millimetres(&[2.5, 0.8, 0.9]).unwrap(),
            scores: (0..2 * CLASSES * voxels).map(|_| random.uniform(-3.0, 3.0) as f32).collect(),
            labels,
            weights: (0..2 * voxels).map(|i| if i % 9 == 0 { 0.0 } else { 1.5 }).collect(),
        }
    }

    fn target(&self) -> Target<'_> {
        Target::sparse_labels(&self.labels[..], IGNORE)
    }

    fn input(&self) -> Input<'_> {
        Input::new(self.shape, &self.scores[..], self.target())
            .with_weights(VoxelWeights::F32(&self.weights))
    }

    /// Signed squared field of every class, from masks.
    fn fields(&self, mask: impl Fn(usize, usize, usize) -> bool) -> Vec<f32> {
        let voxels = self.shape.voxels();
        let transform = DistanceTransform::new(self.shape.extent(), self.spacing)
            .unwrap()
            .with_side(Side::Signed)
            .squared();
        let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1).unwrap()];
        let mut fields = vec![0.0f32; 2 * CLASSES * voxels];
        for (index, field) in fields.chunks_mut(voxels).enumerate() {
            let (sample, class) = (index / CLASSES, index % CLASSES);
            let bytes: Vec<u8> = (0..voxels).map(|v| u8::from(mask(sample, class, v))).collect();
            transform.evaluate(Mask::Bytes(&bytes), field, &mut scratch, &Sequential).unwrap();
        }
        fields
    }

    fn target_fields(&self) -> Vec<f32> {
        let voxels = self.shape.voxels();
        self.fields(|b, c, v| i64::from(self.labels[b * voxels + v]) == c as i64)
    }

    /// Of the masks above a threshold. No probability lies on it.
    fn prediction_fields(&self, threshold: f64) -> Vec<f32> {
        let voxels = self.shape.voxels();
        self.fields(|b, c, v| {
            let z = |class: usize| f64::from(self.scores[(b * CLASSES + class) * voxels + v]).exp();
            let place = b * voxels + v;
            let counts = self.weights[place] > 0.0 && i64::from(self.labels[place]) != IGNORE;
            let p = z(c) / (0..CLASSES).map(z).sum::<f64>();
            assert!((p - threshold).abs() > 1e-7 || !counts);
            counts && p > threshold
        })
    }
}

fn loss(spacing: Spacing) -> Loss<'static> {
    let logarithm = HausdorffDT { logarithm: true, exponent: 1.5, ..HausdorffDT::new(spacing) };
    Loss::tversky_hausdorff_dt(spacing)
        .with(0.6, Boundary::new(spacing))
        .unwrap()
        .with(0.2, logarithm)
        .unwrap()
}

fn evaluate(loss: &Loss<'_>, input: &Input<'_>) -> (f64, Vec<f32>) {
    let mut gradient = vec![f32::NAN; input.shape.elements()];
    let mut scratch = vec![0xab; loss.scratch_bytes(input, 1).unwrap()];
    let request = Gradient::new(&mut gradient[..]).times(2.5);
    let total = loss.evaluate(input, Some(request), &mut scratch, &Sequential).unwrap().total;
    (total, gradient)
}

#[test]
fn fields_of_a_target_are_transforms_of_its_masks() {
    let volume = Volume::new();
    let expected = volume.target_fields();
    let (shape, spacing) = (volume.shape, volume.spacing);
    let threads = Shuffled { threads: 5, seed: 2 };
    let executors: [&dyn segloss::Executor; 2] = [&Sequential, &threads];
    for executor in executors {
        let bytes = target_fields_scratch_bytes(&shape, &spacing, executor.workers()).unwrap();
        let (mut scratch, mut found) = (vec![0xab; bytes], vec![f32::NAN; shape.elements()]);
        target_fields(&shape, &volume.target(), &spacing, &mut found, &mut scratch, executor)
            .unwrap();
        assert!(found == expected);
    }
    // An ignore label that is a class removes the class.
    let target = Target::sparse_labels(&volume.labels[..], 1);
    let mut scratch = vec![0; target_fields_scratch_bytes(&shape, &spacing, 1).unwrap()];
    let mut found = vec![0.0; shape.elements()];
    target_fields(&shape, &target, &spacing, &mut found, &mut scratch, &Sequential).unwrap();
    let voxels = shape.voxels();
    assert!(found[voxels..2 * voxels].iter().all(|&d| d == f32::INFINITY));
    assert!(found[2 * voxels..3 * voxels] == expected[2 * voxels..3 * voxels]);
}

#[test]
fn given_fields_are_as_good_as_made_ones() {
    let volume = Volume::new();
    let input = volume.input();
    let loss = loss(volume.spacing);
    let expected = evaluate(&loss, &input);
    let (target, prediction) = (volume.target_fields(), volume.prediction_fields(0.5));
    for fields in [
        Fields { target: Some(&target), prediction: None },
        Fields { target: None, prediction: Some(&prediction) },
        Fields { target: Some(&target), prediction: Some(&prediction) },
    ] {
        for loss in [loss.clone(), loss.clone().with_fields_in_scratch()] {
            let found = evaluate(&loss, &input.with_fields(fields));
            assert_eq!(found.0.to_bits(), expected.0.to_bits());
            assert!(found.1 == expected.1);
        }
    }
    // All given: no scratch for fields.
    let both = Fields { target: Some(&target), prediction: Some(&prediction) };
    let with = loss.scratch_bytes(&input.with_fields(both), 1).unwrap();
    let without = loss.scratch_bytes(&input, 1).unwrap();
    assert!(with + 4 * volume.shape.voxels() < without, "{with} {without}");
}

/// In place, accumulating, and in half precision, where the gradient has no room for fields.
#[test]
fn fields_in_scratch_or_given_work_everywhere() {
    let volume = Volume::new();
    let input = volume.input();
    let plain = loss(volume.spacing);
    let (total, expected) = evaluate(&plain, &input);
    let (target, prediction) = (volume.target_fields(), volume.prediction_fields(0.5));
    let both = Fields { target: Some(&target), prediction: Some(&prediction) };
    for (loss, fields) in [
        (plain.clone().with_fields_in_scratch(), Fields::default()),
        (plain.clone(), both),
        (plain.clone().with_fields_in_scratch(), both),
    ] {
        let input = input.with_fields(fields);
        let mut gradient = vec![0.25f32; expected.len()];
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
        let request = Gradient::new(&mut gradient[..]).times(2.5).accumulated();
        let found = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
        assert_eq!(found.total.to_bits(), total.to_bits());
        assert!(gradient.iter().zip(&expected).all(|(found, e)| *found == 0.25 + e));

        let mut scores = volume.scores.clone();
        let apart = Input::without_scores(volume.shape, volume.target())
            .with_weights(VoxelWeights::F32(&volume.weights))
            .with_fields(fields);
        let bytes = loss.scratch_bytes_in_place(&apart, &(&mut scores[..]).into(), 1).unwrap();
        let mut scratch = vec![0; bytes];
        let found = loss
            .evaluate_in_place(&apart, (&mut scores[..]).into(), 2.5, &mut scratch, &Sequential)
            .unwrap();
        assert_eq!(found.total.to_bits(), total.to_bits());
        assert!(scores == expected);
    }
}

#[test]
fn fields_without_a_place_are_refused() {
    let volume = Volume::new();
    let input = volume.input();
    let target = volume.target_fields();
    let loss = loss(volume.spacing);
    // The target's field alone is not enough for a term with two sides.
    for fields in [Fields::default(), Fields { target: Some(&target), prediction: None }] {
        let input = input.with_fields(fields);
        let mut gradient = vec![7.0f32; volume.scores.len()];
        let mut scratch = vec![0; 64 << 20];
        let request = Gradient::new(&mut gradient[..]).accumulated();
        let error = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap_err();
        assert_eq!(error.cause, Cause::FieldStorage);
        assert!(gradient.iter().all(|&g| g == 7.0));
        let mut scores = volume.scores.clone();
        let apart = Input::without_scores(volume.shape, volume.target()).with_fields(fields);
        let error = loss.evaluate_in_place(
            &apart,
            (&mut scores[..]).into(),
            1.0,
            &mut scratch,
            &Sequential,
        );
        assert_eq!(error.unwrap_err().cause, Cause::FieldStorage);
        assert!(scores == volume.scores);
        let part = Part::whole(&volume.shape);
        assert_eq!(loss.sums_len(&input, &part).unwrap_err().cause, Cause::NotShardable);
    }
}

#[test]
fn parts_with_given_fields_add_up_to_the_whole() {
    let volume = Volume::new();
    let (target, prediction) = (volume.target_fields(), volume.prediction_fields(0.5));
    let both = Fields { target: Some(&target), prediction: Some(&prediction) };
    let input = volume.input().with_fields(both);
    let loss = loss(volume.spacing);
    let (total, expected) = evaluate(&loss, &input);
    let (block, voxels) = (Loss::block_voxels(&volume.shape), volume.shape.voxels());
    let part = |first: usize, last: usize| Part {
        batch: 2,
        first_sample: 0,
        first_voxel: first * block,
        voxels: Some((last * block).min(voxels) - first * block),
    };
    let parts = [part(3, usize::MAX / block), part(0, 1), part(1, 3)];
    let mut sums = vec![0.0; loss.sums_len(&input, &parts[0]).unwrap()];
    let bytes = loss.part_scratch_bytes(&input, &parts[0], 2).unwrap();
    let mut scratch = vec![0; bytes];
    for part in &parts {
        let executor = Shuffled { threads: 3, seed: 6 };
        let mut own = vec![0.0; sums.len()];
        loss.accumulate(&input, part, &mut own, &mut scratch, &executor).unwrap();
        sums.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own);
    }
    let found = loss.finish(&input, &parts[1], &sums, &mut scratch).unwrap();
    assert_eq!(found.total.to_bits(), total.to_bits());
    let mut gradient = vec![f32::NAN; volume.scores.len()];
    for part in &parts {
        let request = Gradient::new(&mut gradient[..]).times(2.5);
        loss.gradient(&input, part, &sums, request, &mut scratch, &Sequential).unwrap();
    }
    assert!(gradient == expected);
}

/// One-sided terms and the boundary term need no field of the prediction.
#[test]
fn one_sided_terms_need_the_target_alone() {
    let volume = Volume::new();
    let target = volume.target_fields();
    let fields = Fields { target: Some(&target), prediction: None };
    let one_sided =
        HausdorffDT { sides: HausdorffSides::Target, ..HausdorffDT::new(volume.spacing) };
    for term in [Term::from(one_sided), Boundary::new(volume.spacing).into()] {
        let loss = Loss::new(Activation::Softmax).with(1.0, term).unwrap();
        let expected = evaluate(&loss, &volume.input());
        let input = volume.input().with_fields(fields);
        let found = evaluate(&loss, &input);
        assert_eq!(found.0.to_bits(), expected.0.to_bits());
        assert!(found.1 == expected.1);
        assert!(loss.sums_len(&input, &Part::whole(&volume.shape)).is_ok());
    }
}

/// Evaluates with a sentinel in the gradient; it must be untouched.
fn refused(volume: &Volume, term: impl Into<Term<'static>>, input: &Input<'_>) -> Error {
    let loss = Loss::new(Activation::Softmax)
        .with(1.0, segloss::Dice::default())
        .unwrap()
        .with(1.0, term)
        .unwrap();
    let mut gradient = vec![123.0f32; volume.scores.len()];
    let mut scratch = vec![0; 64 << 20];
    let request = Gradient::new(&mut gradient[..]);
    let error = loss.evaluate(input, Some(request), &mut scratch, &Sequential).unwrap_err();
    assert!(gradient.iter().all(|&g| g == 123.0), "{error}: the gradient was written");
    error
}

#[test]
fn options_and_lengths() {
    let volume = Volume::new();
    let input = volume.input();
    let plain = HausdorffDT::new(volume.spacing);
    for exponent in [0.0, -1.0, 8.5, f64::NAN, f64::INFINITY] {
        let error = refused(&volume, HausdorffDT { exponent, ..plain }, &input);
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Term));
        assert_eq!(error.position, 1);
    }
    for threshold in [-0.5, 1.5, f64::NAN, f64::INFINITY] {
        let error = refused(&volume, HausdorffDT { threshold, ..plain }, &input);
        assert_eq!((error.cause, error.argument), (Cause::Option, Argument::Term));
    }
    let weights: [(&'static [f64], Cause); 4] = [
        (&[1.0; 2], Cause::Length),
        (&[1.0, -1.0, 1.0], Cause::Option),
        (&[1.0, f64::NAN, 1.0], Cause::Option),
        (&[1.0, 1.0, f64::INFINITY], Cause::Option),
    ];
    for (class_weights, cause) in weights {
        let class_weights = Some(class_weights);
        let error = refused(&volume, HausdorffDT { class_weights, ..plain }, &input);
        assert_eq!((error.cause, error.argument), (cause, Argument::ClassWeights));
        let term = Boundary { class_weights, ..Boundary::new(volume.spacing) };
        let error = refused(&volume, term, &input);
        assert_eq!((error.cause, error.argument), (cause, Argument::ClassWeights));
    }
    for axes in [1, 2] {
        let spacing = Spacing::voxels(axes).unwrap();
        let error = refused(&volume, HausdorffDT::new(spacing), &input);
        assert_eq!((error.cause, error.argument), (Cause::Spacing, Argument::Spacing));
        assert_eq!(refused(&volume, Boundary::new(spacing), &input).cause, Cause::Spacing);
    }
    let short = vec![1.0f32; volume.scores.len() - 1];
    for fields in [
        Fields { target: Some(&short), prediction: None },
        Fields { target: None, prediction: Some(&short) },
        Fields { target: Some(&[]), prediction: None },
    ] {
        let error = refused(&volume, plain, &input.with_fields(fields));
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Field));
    }
}

/// Bad input is found before the gradient buffer serves as a place for fields.
#[test]
fn bad_input_is_found_before_fields_are_written() {
    let volume = Volume::new();
    let plain = HausdorffDT::new(volume.spacing);
    let last = volume.shape.batch_voxels() - 2;
    let mut labels = volume.labels.clone();
    labels[last] = 9;
    let input =
        Input::new(volume.shape, &volume.scores[..], Target::sparse_labels(&labels[..], IGNORE));
    let error = refused(&volume, plain, &input);
    assert_eq!((error.cause, error.position, error.value), (Cause::Label, last as u64, 9.0));
    let mut scores = volume.scores.clone();
    let end = scores.len() - 1;
    scores[end] = f32::NAN;
    let all = vec![1i16; labels.len()];
    let input = Input::new(volume.shape, &scores[..], Target::labels(&all[..]));
    let error = refused(&volume, plain, &input);
    assert_eq!((error.cause, error.position), (Cause::NonFinite, end as u64));
    // Scratch of one byte less.
    let loss = Loss::hausdorff_dt(volume.spacing);
    for loss in [loss.clone(), loss.with_fields_in_scratch()] {
        let input = volume.input();
        let bytes = loss.scratch_bytes(&input, 1).unwrap();
        let mut gradient = vec![5.0f32; volume.scores.len()];
        let request = Gradient::new(&mut gradient[..]);
        let mut scratch = vec![0; bytes - 1];
        let error = loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap_err();
        assert_eq!((error.cause, error.expected), (Cause::ScratchSize, bytes as f64));
        assert!(gradient.iter().all(|&g| g == 5.0));
    }
}

#[test]
fn fields_of_targets_are_checked() {
    let volume = Volume::new();
    let (shape, spacing) = (volume.shape, volume.spacing);
    let elements = shape.elements();
    let bytes = target_fields_scratch_bytes(&shape, &spacing, 1).unwrap();
    let call = |target: Target<'_>, spacing: &Spacing, length: usize, bytes: usize| {
        let (mut fields, mut scratch) = (vec![3.0f32; length], vec![0; bytes]);
        let error = target_fields(&shape, &target, spacing, &mut fields, &mut scratch, &Sequential);
        assert!(fields.iter().all(|&d| d == 3.0), "the fields were written");
        let error = error.unwrap_err();
        (error.cause, error.argument)
    };
    let target = volume.target();
    assert_eq!(call(target, &spacing, elements - 1, bytes), (Cause::Length, Argument::Field));
    assert_eq!(
        call(target, &spacing, elements, bytes - 1),
        (Cause::ScratchSize, Argument::Scratch)
    );
    let flat = Spacing::voxels(2).unwrap();
    assert_eq!(call(target, &flat, elements, bytes).0, Cause::Spacing);
    let short = Target::labels(&volume.labels[1..]);
    assert_eq!(call(short, &spacing, elements, bytes), (Cause::Length, Argument::Target));
    let nodes = Target::nodes(Labels::I16(&volume.labels));
    assert_eq!(call(nodes, &spacing, elements, bytes).0, Cause::TargetKind);
    assert_eq!(target_fields_scratch_bytes(&shape, &flat, 1).unwrap_err().cause, Cause::Spacing);
}

/// Terms with one and with two sides in one loss, all fields given.
#[test]
fn given_fields_of_terms_with_one_and_two_sides() {
    let volume = Volume::new();
    let one_sided =
        HausdorffDT { sides: HausdorffSides::Target, ..HausdorffDT::new(volume.spacing) };
    let loss = loss(volume.spacing).with(0.7, one_sided).unwrap();
    let expected = evaluate(&loss, &volume.input());
    let (target, prediction) = (volume.target_fields(), volume.prediction_fields(0.5));
    let both = Fields { target: Some(&target), prediction: Some(&prediction) };
    let found = evaluate(&loss, &volume.input().with_fields(both));
    assert_eq!(found.0.to_bits(), expected.0.to_bits());
    assert!(found.1 == expected.1);
}

/// A dense target is cut above a half: the half itself is outside.
#[test]
fn halves_of_dense_targets_are_outside() {
    let shape = Shape::planar(1, 2, &[4]).unwrap();
    let spacing = Spacing::millimetres(&[1.0]).unwrap();
    let single = [0.4f32, 0.5, 0.51, 1.0, 0.6, 0.5, 0.49, 0.0];
    let double = single.map(f64::from);
    for target in
        [Target::Dense(segloss::Dense::F32(&single)), Target::Dense(segloss::Dense::F64(&double))]
    {
        let mut scratch = vec![0; target_fields_scratch_bytes(&shape, &spacing, 1).unwrap()];
        let mut found = [0.0f32; 8];
        target_fields(&shape, &target, &spacing, &mut found, &mut scratch, &Sequential).unwrap();
        assert_eq!(found, [4.0, 1.0, -1.0, -4.0, -1.0, 1.0, 4.0, 9.0]);
    }
}
