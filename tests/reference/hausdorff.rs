//! Terms on distance fields: Hausdorff by distance transforms, and boundary.

use super::case::{Case, Target, Voxels};
use super::distance::{Grid, Phases, Side};
use super::tape::Var;
use super::term::Term;

pub fn value<'t>(voxels: &Voxels<'_, 't>, term: &Term) -> Var<'t> {
    match term {
        Term::HausdorffDT {
            spacing,
            exponent,
            threshold,
            target_only,
            logarithm,
            include_background,
            class_weights,
        } => {
            let grid = Grid::new(&voxels.case.extent, spacing);
            let weight = |sample: usize, class: usize| -> Vec<f64> {
                let mut sides = vec![target_mask(voxels.case, sample, class)];
                if !target_only {
                    sides.push(prediction_mask(voxels, sample, class, *threshold));
                }
                let fields =
                    sides.iter().map(|mask| Phases::of_any_size(&grid, mask).field(Side::TwoPhase));
                let powers = fields.map(|field| field.iter().map(|d| d.powf(*exponent)).collect());
                powers
                    .reduce(|a: Vec<f64>, b| a.iter().zip(b).map(|(a, b)| a + b).collect())
                    .unwrap()
            };
            let loss = |p: Var<'t>, g: f64| (p - g) * (p - g);
            let mean = mean(voxels, *include_background, class_weights, weight, loss);
            if *logarithm { (mean + 1.0).ln() } else { mean }
        }
        Term::Boundary { spacing, include_background, class_weights } => {
            let grid = Grid::new(&voxels.case.extent, spacing);
            let weight = |sample: usize, class: usize| -> Vec<f64> {
                let mask = target_mask(voxels.case, sample, class);
                let signed = Phases::of_any_size(&grid, &mask).field(Side::Signed);
                signed.into_iter().map(|d| if d.is_finite() { d } else { 0.0 }).collect()
            };
            mean(voxels, *include_background, class_weights, weight, |p, _| p)
        }
        _ => unreachable!("not a term on distance fields"),
    }
}

/// The class in the target as it is given: what is ignored belongs to no class, and a weight does
/// not matter.
fn target_mask(case: &Case, sample: usize, class: usize) -> Vec<bool> {
    (0..case.voxels)
        .map(|voxel| match &case.target {
            Target::Labels(labels) => labels[sample * case.voxels + voxel] == Some(class),
            Target::Nodes(_) => panic!("nodes are no classes"),
            Target::Dense(dense) => dense[case.position(sample, class, voxel)] > 0.5,
        })
        .collect()
}

/// What the prediction holds for the class, of the voxels that count.
fn prediction_mask(
    voxels: &Voxels<'_, '_>,
    sample: usize,
    class: usize,
    threshold: f64,
) -> Vec<bool> {
    let case = voxels.case;
    let above = |voxel| voxels.probabilities(sample, voxel)[class].value() > threshold;
    (0..case.voxels).map(|voxel| case.weight(sample, voxel) > 0.0 && above(voxel)).collect()
}

/// `Σ w k weight loss(p, g) / (C' W)` with `C'` the classes that count.
fn mean<'t>(
    voxels: &Voxels<'_, 't>,
    include_background: bool,
    class_weights: &[f64],
    weight: impl Fn(usize, usize) -> Vec<f64>,
    loss: impl Fn(Var<'t>, f64) -> Var<'t>,
) -> Var<'t> {
    let case = voxels.case;
    assert_eq!(class_weights.len(), case.classes, "class weights");
    let first = usize::from(!include_background && case.classes > 1);
    let counted: Vec<usize> = (first..case.classes).filter(|&c| class_weights[c] > 0.0).collect();
    let mut losses = Vec::new();
    for b in 0..case.batch {
        for &c in &counted {
            let weights = weight(b, c);
            for (i, w) in case.counted(b) {
                let (p, g) = (voxels.probabilities(b, i)[c], case.target(b, i)[c]);
                losses.push(w * class_weights[c] * weights[i] * loss(p, g));
            }
        }
    }
    let normaliser = case.total_weight() * counted.len().max(1) as f64;
    voxels.tape.sum(losses) / normaliser
}
