//! One call per case, on inputs as small as show its kernels.

use crate::count_instructions_of;
use crate::inputs::{GroupedTree, labels, logits, lumps, mask, node_weights, pair, slab};
use segloss::{
    Activation, CrossEntropy, DistanceTransform, FieldType, Focal, Gradient, Input, LabelTree,
    Layout, Loss, Mask, OverlapCounts, Pooling, Scores, ScoresMut, Sequential, Shape, Spacing,
    SurfaceMetrics, SurfaceModel, SurfaceOutput, SurfaceResult, Target, Term, ToleranceShares,
    count_overlap, half::f16,
};

/// Name, and what sets up and calls.
pub(crate) type Case = (&'static str, fn());

pub(crate) const CASES: [Case; 23] = [
    ("dice_cross_entropy, 2 classes", || planar(2, 32, |_, _| dice_cross_entropy())),
    ("dice_cross_entropy, 32 classes", || planar(32, 16, |_, _| dice_cross_entropy())),
    ("cross_entropy, 2 classes", || planar(2, 32, |_, _| single(CrossEntropy::default()))),
    ("cross_entropy, 32 classes", || planar(32, 16, |_, _| single(CrossEntropy::default()))),
    ("focal, 2 classes", || planar(2, 32, |_, _| single(Focal::default()))),
    ("focal, 32 classes", || planar(32, 16, |_, _| single(Focal::default()))),
    ("dice_focal of sigmoids, 32 classes", || planar(32, 16, |_, _| Loss::dice_focal_as_monai())),
    ("tree_cross_entropy, 8 classes", || planar(8, 24, tree_cross_entropy)),
    ("tree_cross_entropy, 32 classes", || planar(32, 16, tree_cross_entropy)),
    ("wasserstein_cross_entropy, 8 classes", || planar(8, 24, wasserstein_cross_entropy)),
    ("wasserstein_cross_entropy, 32 classes", || planar(32, 16, wasserstein_cross_entropy)),
    ("dice_cross_entropy, 3 classes, interleaved", || {
        dice_cross_entropy_of(Layout::Interleaved, 3, 32, logits);
    }),
    ("dice_cross_entropy, 14 classes, interleaved", || {
        dice_cross_entropy_of(Layout::Interleaved, 14, 16, logits);
    }),
    ("dice_cross_entropy, 32 classes, interleaved", || {
        dice_cross_entropy_of(Layout::Interleaved, 32, 16, logits);
    }),
    ("dice_cross_entropy, 8 classes, f16", || {
        dice_cross_entropy_of(Layout::Planar, 8, 24, half_precision);
    }),
    ("dice_cross_entropy, 40 classes, f16, interleaved", || {
        dice_cross_entropy_of(Layout::Interleaved, 40, 16, half_precision);
    }),
    ("tversky_hausdorff_dt, 2 classes", || {
        let spacing = Spacing::voxels(3).unwrap();
        planar(2, 32, |_, _| Loss::tversky_hausdorff_dt(spacing));
    }),
    ("distance transform, lumps", || transform(48, &lumps(48, 0.0))),
    ("distance transform, slab", || transform(48, &slab(48))),
    ("distance transform, one ball", || transform(48, &ball(48))),
    ("surface metrics, voxels", || surfaces(SurfaceModel::Voxel)),
    ("surface metrics, surfels", || surfaces(SurfaceModel::Surfel)),
    ("overlap, 32 classes", overlap),
];

fn dice_cross_entropy<'a>() -> Loss<'a> {
    Loss::dice_cross_entropy(Pooling::PerSample)
}

fn tree_cross_entropy<'a>(tree: LabelTree<'a>, node_weights: &'a [f64]) -> Loss<'a> {
    Loss::tree_cross_entropy(tree, node_weights)
}

fn wasserstein_cross_entropy<'a>(tree: LabelTree<'a>, _: &'a [f64]) -> Loss<'a> {
    Loss::wasserstein_cross_entropy(tree, 0.5, 0.5)
}

fn single<'a>(term: impl Into<Term<'a>>) -> Loss<'a> {
    Loss::new(Activation::Softmax).with(1.0, term).unwrap()
}

fn planar(
    classes: usize,
    side: usize,
    make: impl for<'a> FnOnce(LabelTree<'a>, &'a [f64]) -> Loss<'a>,
) {
    let mut tree = GroupedTree::new(classes);
    let tree = tree.view();
    let weights = node_weights(&tree);
    let loss = make(tree, &weights);
    let scores = logits(classes * side.pow(3));
    value_and_gradient(&loss, Layout::Planar, classes, side, &scores);
}

fn dice_cross_entropy_of<T: Copy>(
    layout: Layout,
    classes: usize,
    side: usize,
    scores: fn(usize) -> Vec<T>,
) where
    for<'a> &'a [T]: Into<Scores<'a>>,
    for<'a> &'a mut [T]: Into<ScoresMut<'a>>,
{
    let scores = scores(classes * side.pow(3));
    value_and_gradient(&dice_cross_entropy(), layout, classes, side, &scores);
}

fn half_precision(count: usize) -> Vec<f16> {
    logits(count).into_iter().map(f16::from_f32).collect()
}

fn value_and_gradient<T: Copy>(
    loss: &Loss<'_>,
    layout: Layout,
    classes: usize,
    side: usize,
    scores: &[T],
) where
    for<'a> &'a [T]: Into<Scores<'a>>,
    for<'a> &'a mut [T]: Into<ScoresMut<'a>>,
{
    let shape = Shape::new(1, classes, &[side; 3], layout).unwrap();
    let labels = labels(classes, side.pow(3));
    let input = Input::new(shape, scores, Target::labels(&labels[..]));
    let mut gradient = scores.to_vec();
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    count_instructions_of(&mut || {
        let request = Gradient::new(&mut gradient[..]);
        loss.evaluate(&input, Some(request), &mut scratch, &Sequential).unwrap();
    });
}

fn ball(side: usize) -> Vec<u8> {
    mask(side, |place| place.iter().map(|x| (x - 17.0) * (x - 17.0)).sum::<f64>() <= 20.0)
}

fn transform(side: usize, mask: &[u8]) {
    let spacing = Spacing::voxels(3).unwrap();
    let transform = DistanceTransform::new(&[side; 3], spacing).unwrap().squared();
    let mut scratch = vec![0; transform.scratch_bytes(FieldType::F32, 1).unwrap()];
    let mut field = vec![0.0f32; mask.len()];
    count_instructions_of(&mut || {
        let mask = Mask::Bytes(mask);
        transform.evaluate(mask, &mut field[..], &mut scratch, &Sequential).unwrap();
    });
}

fn surfaces(model: SurfaceModel) {
    let extent = [48; 3];
    let (prediction, reference) = (lumps(48, 0.15), lumps(48, 0.0));
    let pair = pair(&extent, 2, &prediction, &reference);
    let metrics = SurfaceMetrics { model, tolerances: &[2.0], ..SurfaceMetrics::default() };
    let mut scratch = vec![0; metrics.scratch_bytes(&extent, 2, 1).unwrap()];
    let mut classes = [SurfaceResult::default(); 2];
    let (mut percentiles, mut shares) = ([0.0; 2], [ToleranceShares::default(); 2]);
    count_instructions_of(&mut || {
        let output = SurfaceOutput {
            classes: &mut classes,
            percentiles: &mut percentiles,
            shares: &mut shares,
        };
        metrics.evaluate(&pair, output, &mut scratch, &Sequential).unwrap();
    });
}

fn overlap() {
    let (extent, voxels) = ([48; 3], 48 * 48 * 48);
    let (prediction, reference) = (labels(32, voxels + 200), labels(32, voxels));
    let pair = pair(&extent, 32, &prediction[200..], &reference);
    let mut counts = [OverlapCounts::default(); 32];
    count_instructions_of(&mut || count_overlap(&pair, None, &mut counts).unwrap());
}
