//! Label maps of real anatomy, with their trees: against the reference, and laws on whole volumes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod reference;
mod support;
#[path = "support/volume.rs"]
mod volume;

use std::path::Path;

use reference::distance::{Grid, Side};
use reference::{
    Activation, Case, Ground, Overlap, Pooling, Target, Term, Tree, evaluate as oracle,
};
use segloss::{Layout, Level, Mask, Sequential};
use support::data::shared;
use support::fields::{FieldSettings, field_with};
use support::{
    Outcome, ScoreType, Settings, gradient_error, label_tree, run, run_with, value_error,
};
use volume::{TreeFile, read_floats, read_grid, read_labels};

/// A number in [0, 1) that depends on its place alone.
fn hash(seed: u64, place: usize) -> f64 {
    // The finaliser of SplitMix64.
    let mut x = (place as u64 ^ (seed << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Logits of a model that is fairly sure of its labels: noise, and a bonus at the predicted class.
fn scores_of(prediction: &[usize], classes: usize) -> Vec<f64> {
    let voxels = prediction.len();
    (0..classes * voxels)
        .map(|place| {
            let (class, voxel) = (place / voxels, place % voxels);
            let bonus = if prediction[voxel] == class { 7.0 } else { 0.0 };
            f64::from((3.0 * hash(1, place) + bonus) as f32)
        })
        .collect()
}

fn reference_tree(file: &TreeFile) -> Tree {
    Tree {
        parent: file.parent.iter().map(|&parent| usize::try_from(parent).ok()).collect(),
        leaf_of_class: file.leaf_of_class.clone(),
        edge_weights: vec![1.0; file.parent.len()],
    }
}

/// The library's default weights of nodes.
fn uniform_node_weights(tree: &Tree) -> Vec<f64> {
    let (nodes, classes) = (tree.parent.len(), tree.leaf_of_class.len());
    let mut storage = vec![0; segloss::LabelTree::storage_bytes(nodes, classes).unwrap()];
    let mut weights = vec![0.0; nodes];
    label_tree(tree, &mut storage).uniform_node_weights(1.0, &mut weights).unwrap();
    weights
}

fn dice(overlap: Overlap, class_weights: Vec<f64>) -> Term {
    Term::Dice {
        squared: false,
        jaccard: false,
        pooling: Pooling::PerSample,
        overlap,
        smooth_numerator: 1e-5,
        smooth_denominator: 1e-5,
        class_weights,
    }
}

fn cross_entropy(classes: usize) -> Term {
    Term::CrossEntropy { class_weights: vec![1.0; classes], label_smoothing: 0.0 }
}

fn tree_wasserstein(normalise: bool) -> Term {
    Term::TreeWasserstein { ground: Ground::Tree, normalise }
}

/// Dice, cross-entropy, tree cross-entropy, tree Wasserstein.
fn all_terms(tree: &Tree) -> Vec<(f64, Term)> {
    let classes = tree.leaf_of_class.len();
    let node_weights = uniform_node_weights(tree);
    vec![
        (1.0, dice(Overlap::Product, vec![1.0; classes])),
        (1.0, cross_entropy(classes)),
        (0.5, Term::TreeCrossEntropy { node_weights }),
        (0.5, tree_wasserstein(true)),
    ]
}

/// One sample of labels; `None` is ignored.
fn case_of(labels: &[Option<usize>], prediction: &[usize], tree: &Tree) -> Case {
    let classes = tree.leaf_of_class.len();
    Case {
        batch: 1,
        classes,
        voxels: labels.len(),
        extent: vec![labels.len()],
        scores: scores_of(prediction, classes),
        activation: Activation::Softmax,
        target: Target::Labels(labels.to_vec()),
        voxel_weights: vec![1.0; labels.len()],
        tree: Some(tree.clone()),
    }
}

/// The voxels of a case that are asked for.
fn picked(case: &Case, voxels: &[usize]) -> Case {
    assert_eq!(case.batch, 1);
    let pick = |values: &[f64]| -> Vec<f64> {
        values.chunks(case.voxels).flat_map(|row| voxels.iter().map(|&voxel| row[voxel])).collect()
    };
    Case {
        voxels: voxels.len(),
        extent: vec![voxels.len()],
        scores: pick(&case.scores),
        target: match &case.target {
            Target::Labels(labels) => {
                Target::Labels(voxels.iter().map(|&voxel| labels[voxel]).collect())
            }
            Target::Nodes(nodes) => {
                Target::Nodes(voxels.iter().map(|&voxel| nodes[voxel]).collect())
            }
            Target::Dense(values) => Target::Dense(pick(values)),
        },
        voxel_weights: pick(&case.voxel_weights),
        tree: case.tree.clone(),
        ..*case
    }
}

fn run_as(case: &Case, terms: &[(f64, Term)], scores: ScoreType, layout: Layout) -> Outcome {
    let settings = Settings { scores, layout, ..Settings::default() };
    run(case, terms, &settings).unwrap_or_else(|error| panic!("{error}"))
}

fn run_single(case: &Case, terms: &[(f64, Term)]) -> Outcome {
    run_as(case, terms, ScoreType::F32, Layout::Planar)
}

/// The library's values and gradient are the reference's, in single precision.
fn assert_is_reference(name: &str, case: &Case, terms: &[(f64, Term)]) {
    let expected = oracle(case, terms);
    let found = run_single(case, terms);
    let error = value_error(found.total, expected.total);
    assert!(error <= 1e-5, "{name}: total {error:e}");
    for (place, (f, e)) in found.terms.iter().zip(&expected.terms).enumerate() {
        let error = value_error(*f, *e);
        assert!(error <= 1e-5, "{name}: term {place}: {f} for {e}");
    }
    let error = gradient_error(&found.gradient, &expected.gradient);
    assert!(error <= 1e-5, "{name}: gradient {error:e}");
    assert_eq!(found.counted_voxels, expected.counted_voxels as u64);
}

/// A reference map, a prediction, and the planes that are looked at.
struct Pair {
    reference: &'static str,
    prediction: &'static str,
    tree: &'static str,
    /// Rows of a plane, and voxels of a row.
    plane: [usize; 2],
    planes: std::ops::Range<usize>,
}

impl Pair {
    fn read(&self, folder: &Path) -> (Case, Tree) {
        let file = TreeFile::read(folder, self.tree);
        let tree = reference_tree(&file);
        let plane: usize = self.plane.iter().product();
        let classes = |name: &str| -> Vec<usize> {
            read_labels(folder, name)[self.planes.start * plane..self.planes.end * plane]
                .iter()
                .map(|&label| file.class_of(label))
                .collect()
        };
        let labels: Vec<Option<usize>> = classes(self.reference).into_iter().map(Some).collect();
        let extent = vec![self.planes.len(), self.plane[0], self.plane[1]];
        let case = Case { extent, ..case_of(&labels, &classes(self.prediction), &tree) };
        (case, tree)
    }

    /// About 2000 voxels, most of them not background.
    fn some_voxels(case: &Case) -> Vec<usize> {
        let mut voxels: Vec<usize> = (0..case.voxels).collect();
        let key = |&voxel: &usize| {
            let background = case.label(0, voxel) == 0;
            hash(2, voxel) * if background { 8.0 } else { 1.0 }
        };
        voxels.sort_by(|a, b| key(a).total_cmp(&key(b)));
        voxels.truncate(2000);
        voxels
    }

    fn check(&self) {
        let Some(folder) = shared("data") else {
            return;
        };
        let (case, tree) = self.read(&folder);
        let terms = all_terms(&tree);
        assert_is_reference(self.tree, &picked(&case, &Self::some_voxels(&case)), &terms);

        let found = run_single(&case, &terms);
        assert_eq!(found.counted_voxels, case.voxels as u64);
        assert_gradient_sums_to_zero(&case, &found, f64::from(f32::EPSILON));
        assert_precision_and_layout_agree(&case, &terms, &found);
        assert_ignoring_is_removing(&case, &terms);
    }
}

/// Softmax does not change when a voxel's scores are moved together. Each of the summands may be
/// off by the `epsilon` of its type.
fn assert_gradient_sums_to_zero(case: &Case, found: &Outcome, epsilon: f64) {
    let bound = case.classes as f64 * epsilon;
    let largest = found.gradient.iter().fold(0.0f64, |m, g| m.max(g.abs()));
    assert!(largest > 0.0);
    for voxel in 0..case.voxels {
        let of_voxel = found.gradient[voxel..].iter().step_by(case.voxels);
        let sum: f64 = of_voxel.sum();
        assert!(sum.abs() <= bound * largest, "{sum:e} of {largest:e} at {voxel}");
    }
}

fn assert_precision_and_layout_agree(case: &Case, terms: &[(f64, Term)], found: &Outcome) {
    let double = run_as(case, terms, ScoreType::F64, Layout::Planar);
    let error = value_error(found.total, double.total);
    assert!(error <= 1e-6, "f64: {error:e}");
    let error = gradient_error(&found.gradient, &double.gradient);
    assert!(error <= 1e-5, "gradient in f64: {error:e}");
    assert_gradient_sums_to_zero(case, &double, f64::EPSILON);

    let interleaved = run_as(case, terms, ScoreType::F32, Layout::Interleaved);
    let error = value_error(interleaved.total, found.total);
    assert!(error <= 1e-7, "interleaved: {error:e}");
    let error = gradient_error(&interleaved.gradient, &found.gradient);
    assert!(error <= 1e-6, "interleaved gradient: {error:e}");
}

/// A background that carries the ignore label might as well not be there.
fn assert_ignoring_is_removing(case: &Case, terms: &[(f64, Term)]) {
    let foreground: Vec<usize> = (0..case.voxels).filter(|&i| case.label(0, i) > 0).collect();
    let removed = picked(case, &foreground);
    let Target::Labels(labels) = &case.target else { unreachable!() };
    let ignored = Case {
        target: Target::Labels(labels.iter().map(|l| l.filter(|&l| l > 0)).collect()),
        ..case.clone()
    };
    let (ignored, removed) = (run_single(&ignored, terms), run_single(&removed, terms));
    assert_eq!(ignored.counted_voxels, foreground.len() as u64);
    assert_eq!(removed.counted_voxels, foreground.len() as u64);
    let error = value_error(ignored.total, removed.total);
    assert!(error <= 1e-6, "ignored: {error:e}");
    let mut left: Vec<f64> = Vec::new();
    for row in ignored.gradient.chunks(case.voxels) {
        left.extend(foreground.iter().map(|&voxel| row[voxel]));
        for (voxel, &g) in row.iter().enumerate() {
            assert!(g == 0.0 || case.label(0, voxel) > 0, "{g} at {voxel}");
        }
    }
    let error = gradient_error(&left, &removed.gradient);
    assert!(error <= 1e-6, "gradient of what is left: {error:e}");
}

const BRAIN: Pair = Pair {
    reference: "brain_dk_9861_2mm_ref",
    prediction: "brain_dk_9861_2mm_perturbed",
    tree: "brain_dk_tree_hemisphere.csv",
    plane: [85, 72],
    planes: 27..32,
};

#[test]
fn brain_by_hemisphere() {
    BRAIN.check();
}

#[test]
fn brain_by_lobe() {
    let pair =
        Pair { prediction: "brain_dk_9861_2mm_mirrored", tree: "brain_dk_tree_lobe.csv", ..BRAIN };
    pair.check();
}

const ABDOMEN: Pair = Pair {
    reference: "abdomen_ct_ref",
    prediction: "abdomen_ct_pred_fast",
    tree: "abdomen_ct_tree.csv",
    plane: [80, 105],
    planes: 13..16,
};

#[test]
fn abdomen() {
    ABDOMEN.check();
}

/// What a function gives at every SIMD level.
fn same_at_all_levels<T: PartialEq>(name: &impl std::fmt::Debug, at: impl Fn(Level) -> T) -> T {
    let plain = at(Level::Plain);
    for level in [Level::Simd128, Level::Avx2, Level::Avx512, Level::Best] {
        assert!(at(level) == plain, "{level:?}: other bits of {name:?}");
    }
    plain
}

#[test]
fn simd_levels_give_losses_of_the_same_bits() {
    let Some(folder) = shared("data") else {
        return;
    };
    let (case, tree) = Pair { planes: 14..15, ..ABDOMEN }.read(&folder);
    let ones = || vec![1.0; case.classes];
    let hausdorff = Term::HausdorffDT {
        spacing: read_grid(&folder, ABDOMEN.reference).1,
        exponent: 2.0,
        threshold: 0.5,
        target_only: false,
        logarithm: false,
        include_background: false,
        class_weights: ones(),
    };
    let region = (1.0, dice(Overlap::Product, ones()));
    let [_, cross_entropy, nodes, transport] = all_terms(&tree).try_into().unwrap();
    let losses = [
        vec![region.clone(), cross_entropy],
        vec![nodes],
        vec![transport],
        vec![region, (0.1, hausdorff)],
    ];
    for loss in losses {
        let (found, ..) = same_at_all_levels(&loss, |level| {
            let settings = Settings { level, ..Settings::default() };
            run_with(&case, &loss, &settings, &Sequential).unwrap()
        });
        assert!(found.terms.iter().all(|&value| value > 0.0));
    }
}

#[test]
fn simd_levels_give_distances_of_the_same_bits() {
    let Some(folder) = shared("data") else {
        return;
    };
    let labels = read_labels(&folder, ABDOMEN.reference);
    let (extent, spacing) = read_grid(&folder, ABDOMEN.reference);
    let mask: Vec<u8> = labels.iter().map(|&label| u8::from(label > 0)).collect();
    for grid in [Grid::unit(&extent), Grid::new(&extent, &spacing)] {
        let field = same_at_all_levels(&grid, |level| {
            let settings = FieldSettings { level, ..FieldSettings::new(Side::Signed) };
            field_with(&grid, Mask::Bytes(&mask), &settings, &Sequential).unwrap()
        });
        assert!(field.iter().any(|&distance| distance < -2.0));
    }
}

/// What the mirrored brain gets wrong is left and right of one region: cheap where they are
/// siblings, dear where the hemispheres part first.
#[test]
fn the_tree_decides_what_a_mistake_costs() {
    let Some(folder) = shared("data") else {
        return;
    };
    // Labels of the left are 1 to 41, those of the right 41 higher; the brainstem has one side.
    let with_sides_exchanged = |tree: &'static str| -> f64 {
        let (case, tree) = Pair { tree, ..BRAIN }.read(&folder);
        let labels: Vec<usize> = (0..case.voxels)
            .map(|voxel| case.label(0, voxel))
            .filter(|label| (1..=82).contains(label))
            .collect();
        let mirrored: Vec<usize> = labels.iter().map(|label| (label + 40) % 82 + 1).collect();
        let labels: Vec<Option<usize>> = labels.into_iter().map(Some).collect();
        let case = case_of(&labels, &mirrored, &tree);
        run_single(&case, &[(1.0, tree_wasserstein(true))]).total
    };
    let lobes = with_sides_exchanged("brain_dk_tree_lobe.csv");
    let hemispheres = with_sides_exchanged("brain_dk_tree_hemisphere.csv");
    assert!(lobes < 0.6 * hemispheres, "{lobes} {hemispheres}");
}

/// The soft atlas of the spinal cord: 37 stored classes, and the background that is left of 1.
fn cord_atlas(folder: &Path) -> (Vec<f64>, Tree) {
    const VOXELS: usize = 4 * 15 * 23;
    const STORED: usize = 37;
    let file = TreeFile::read(folder, "cord_atlas_tree.csv");
    let expected: Vec<u8> = (0..=STORED as u8).collect();
    assert_eq!(file.labels, expected);
    let stored = read_floats(folder, "cord_atlas_soft");
    assert_eq!(stored.len(), STORED * VOXELS);
    let mut atlas: Vec<f64> = stored.into_iter().map(f64::from).collect();
    atlas.resize((STORED + 1) * VOXELS, 0.0);
    for voxel in 0..VOXELS {
        let sum: f64 = (0..STORED).map(|class| atlas[class * VOXELS + voxel]).sum();
        atlas[STORED * VOXELS + voxel] = (1.0 - sum).max(0.0);
        for class in 0..=STORED {
            let value = &mut atlas[class * VOXELS + voxel];
            *value = f64::from((*value / sum.max(1.0)) as f32);
        }
    }
    (atlas, reference_tree(&file))
}

fn soft_case(atlas: &[f64], scores: Vec<f64>, activation: Activation, tree: &Tree) -> Case {
    let classes = tree.leaf_of_class.len();
    let voxels = atlas.len() / classes;
    Case {
        batch: 1,
        classes,
        voxels,
        extent: vec![voxels],
        scores,
        activation,
        target: Target::Dense(atlas.to_vec()),
        voxel_weights: vec![1.0; voxels],
        tree: Some(tree.clone()),
    }
}

/// The library's own default, which the reference does not have: the form follows from the target.
fn automatic_dice(case: &Case) -> (f64, Vec<f32>) {
    use segloss::{Dense, Dice, Gradient, Input, Loss, Sequential, Shape};
    let Target::Dense(target) = &case.target else { unreachable!() };
    let single = |values: &[f64]| -> Vec<f32> { values.iter().map(|&v| v as f32).collect() };
    let (scores, target) = (single(&case.scores), single(target));
    let loss = Loss::new(support::activation(case.activation)).with(1.0, Dice::default()).unwrap();
    let shape = Shape::planar(1, case.classes, &[4, 15, 23]).unwrap();
    let input = Input::new(shape, &scores[..], segloss::Target::dense(Dense::F32(&target)));
    let mut scratch = vec![0; loss.scratch_bytes(&input, 1).unwrap()];
    let mut gradient = vec![1.0f32; scores.len()];
    let request = Gradient::new(&mut gradient[..]);
    let found = loss.evaluate(&input, Some(request), &mut scratch, &Sequential);
    (found.unwrap().total, gradient)
}

#[test]
fn soft_labels_agree_with_themselves() {
    let Some(folder) = shared("data") else {
        return;
    };
    let (atlas, tree) = cord_atlas(&folder);
    let perfect = soft_case(&atlas, atlas.clone(), Activation::None, &tree);
    let (value, gradient) = automatic_dice(&perfect);
    assert!(value.abs() <= 1e-7, "loss(g, g) = {value:e}");
    let largest = gradient.iter().fold(0.0f32, |m, g| m.max(g.abs()));
    assert!(largest <= 1e-6, "gradient at g: {largest:e}");

    let ones = vec![1.0; perfect.classes];
    let of = |case: &Case, overlap| run_single(case, &[(1.0, dice(overlap, ones.clone()))]).total;
    let product = of(&perfect, Overlap::Product);
    assert!(product > 0.01, "the product form is not smallest at g: {product}");

    // Away from the target: the automatic form is the absolute one, to the bit.
    let scores = (0..atlas.len()).map(|i| 4.0 * atlas[i] + hash(3, i)).collect();
    let case = soft_case(&atlas, scores, Activation::Softmax, &tree);
    let (value, _) = automatic_dice(&case);
    assert_eq!(value, of(&case, Overlap::Absolute));
    assert_ne!(value, of(&case, Overlap::Product));
}

#[test]
fn soft_labels_on_their_tree() {
    let Some(folder) = shared("data") else {
        return;
    };
    let (atlas, tree) = cord_atlas(&folder);
    let ones = vec![1.0; tree.leaf_of_class.len()];
    let terms = [
        (1.0, tree_wasserstein(true)),
        (0.5, dice(Overlap::Absolute, ones)),
        (0.5, Term::TreeCrossEntropy { node_weights: uniform_node_weights(&tree) }),
    ];
    let scores =
        (0..atlas.len()).map(|i| f64::from((5.0 * atlas[i] + 2.0 * hash(4, i)) as f32)).collect();
    let case = soft_case(&atlas, scores, Activation::Softmax, &tree);
    let inside: Vec<usize> =
        (0..case.voxels).filter(|&voxel| case.target(0, voxel)[37] < 0.9).collect();
    assert!(inside.len() > 200, "{} voxels in the cord", inside.len());
    assert_is_reference("cord atlas", &picked(&case, &inside), &terms);

    // Nothing to move where the prediction is the target; little where every tract is taken for
    // its twin on the other side, more where it is taken for another tract.
    let cost_of = |class_of: &dyn Fn(usize) -> usize| {
        let (voxels, classes) = (case.voxels, case.classes);
        let scores = (0..classes * voxels)
            .map(|i| atlas[class_of(i / voxels) * voxels + i % voxels].max(1e-30).ln())
            .collect();
        let case = soft_case(&atlas, scores, Activation::Softmax, &tree);
        run_single(&picked(&case, &inside), &[(1.0, tree_wasserstein(false))]).total
    };
    let perfect = cost_of(&|class| class);
    let mirrored = cost_of(&|class| if class < 36 { class ^ 1 } else { class });
    let shifted = cost_of(&|class| if class < 36 { (class + 18) % 36 } else { class });
    assert!(perfect <= 1e-5, "{perfect}");
    assert!(mirrored > 0.1 && mirrored < 0.6 * shifted, "{mirrored} {shifted}");
}

/// Labels of the spine volumes.
const ARCUS: u8 = 41;
const SPINOSUS: u8 = 42;
const CORD: u8 = 60;
const CANAL: u8 = 61;

/// In the published reference cord and canal are exchanged; a second file exchanges them back.
struct Spine {
    file: TreeFile,
    tree: Tree,
    published: Vec<u8>,
    fixed: Vec<u8>,
    prediction: Vec<u8>,
}

impl Spine {
    /// Every eighth voxel of the planes across the middle, and all of cord and canal there.
    fn read() -> Option<Self> {
        let folder = shared("data")?;
        let file = TreeFile::read(&folder, "spine_mr_tree.csv");
        let fixed = read_labels(&folder, "spine_mr_ref_fixed");
        assert_eq!(fixed.len(), 512 * 170 * 17);
        let kept = |voxel: usize| voxel.is_multiple_of(8) || [CORD, CANAL].contains(&fixed[voxel]);
        let voxels: Vec<usize> = (200 * 170 * 17..280 * 170 * 17).filter(|&v| kept(v)).collect();
        let pick = |values: &[u8]| -> Vec<u8> { voxels.iter().map(|&v| values[v]).collect() };
        Some(Self {
            tree: reference_tree(&file),
            file,
            published: pick(&read_labels(&folder, "spine_mr_ref")),
            prediction: pick(&read_labels(&folder, "spine_mr_pred")),
            fixed: pick(&fixed),
        })
    }

    fn case(&self, labels: &[u8]) -> Case {
        let classes = |labels: &[u8]| -> Vec<usize> {
            labels.iter().map(|&l| self.file.class_of(l)).collect()
        };
        let labels: Vec<Option<usize>> = classes(labels).into_iter().map(Some).collect();
        case_of(&labels, &classes(&self.prediction), &self.tree)
    }

    /// Cross-entropy, that of all levels of the tree, tree Wasserstein.
    fn losses(&self, labels: &[u8]) -> [f64; 3] {
        let node_weights = vec![1.0; self.tree.parent.len()];
        let terms = [
            (1.0, cross_entropy(self.tree.leaf_of_class.len())),
            (1.0, Term::TreeCrossEntropy { node_weights }),
            (1.0, tree_wasserstein(true)),
        ];
        run_single(&self.case(labels), &terms).terms[..].try_into().unwrap()
    }
}

/// The fixed labels with two pairs of labels exchanged.
fn exchanged(labels: &[u8], pairs: &[(u8, u8)]) -> Vec<u8> {
    let other = |label: u8| {
        pairs
            .iter()
            .find_map(|&(a, b)| match label {
                _ if label == a => Some(b),
                _ if label == b => Some(a),
                _ => None,
            })
            .unwrap_or(label)
    };
    labels.iter().map(|&label| other(label)).collect()
}

#[test]
fn exchanged_siblings_cost_less_than_strangers() {
    let Some(spine) = Spine::read() else {
        return;
    };
    assert_eq!(exchanged(&spine.fixed, &[(CORD, CANAL)]), spine.published);
    let right = spine.losses(&spine.fixed);
    let siblings = spine.losses(&spine.published);
    let strangers = spine.losses(&exchanged(&spine.fixed, &[(CORD, ARCUS), (CANAL, SPINOSUS)]));
    let cost = |wrong: [f64; 3]| [0, 1, 2].map(|term| wrong[term] - right[term]);
    let (siblings, strangers) = (cost(siblings), cost(strangers));
    println!("{right:?} {siblings:?} {strangers:?}");
    // Strangers drag the few voxels of the arch and its process along: hardly more to the flat
    // loss, which cannot tell them apart.
    let ratio = [0, 1, 2].map(|term| strangers[term] / siblings[term]);
    assert!(siblings.iter().all(|&cost| cost > 0.0), "{siblings:?}");
    assert!(ratio[1] > 1.5 * ratio[0], "tree cross-entropy: {ratio:?}");
    assert!(ratio[2] > 1.5 * ratio[0], "tree Wasserstein: {ratio:?}");
}

#[test]
fn what_lies_below_the_labels_of_a_node_does_not_matter_to_it() {
    let Some(spine) = Spine::read() else {
        return;
    };
    // Weight on the inner nodes alone: siblings are one.
    let node_weights: Vec<f64> = (0..spine.tree.parent.len())
        .map(|node| f64::from(!spine.tree.leaf_of_class.contains(&node)))
        .collect();
    let term = [(1.0, Term::TreeCrossEntropy { node_weights })];
    let published = run_single(&spine.case(&spine.published), &term);
    let fixed = run_single(&spine.case(&spine.fixed), &term);
    assert!(value_error(published.total, fixed.total) <= 1e-12);
    assert!(gradient_error(&published.gradient, &fixed.gradient) <= 1e-12);

    // A coarse annotation says the same: the voxels of cord and canal carry their parent.
    let parent = spine.file.node_named("canal");
    let coarse = |labels: &[u8]| -> Case {
        let node = |&label: &u8| match label {
            CORD | CANAL => parent,
            _ => spine.tree.leaf_of_class[spine.file.class_of(label)],
        };
        Case {
            target: Target::Nodes(labels.iter().map(|label| Some(node(label))).collect()),
            ..spine.case(labels)
        }
    };
    let (published, found) = (coarse(&spine.published), coarse(&spine.fixed));
    let (published, found) = (run_single(&published, &term), run_single(&found, &term));
    assert_eq!(published, found);
    assert!(value_error(found.total, fixed.total) <= 1e-7);
    assert!(gradient_error(&found.gradient, &fixed.gradient) <= 1e-6);
}
