//! Terms over a tree or a distance between classes: tree cross-entropy, tree Wasserstein,
//! generalised Wasserstein Dice.

use super::case::{Case, Target, Voxels};
use super::tape::Var;
use super::term::{Ground, Term, WassersteinWeighting};

pub fn value<'t>(voxels: &Voxels<'_, 't>, term: &Term) -> Var<'t> {
    match term {
        Term::TreeCrossEntropy { node_weights } => {
            let losses = voxel_sum(voxels, |b, i| tree_cross_entropy(voxels, (b, i), node_weights));
            losses / voxels.case.total_weight()
        }
        Term::TreeWasserstein { ground, normalise } => {
            let (matrix, max) = distances(voxels.case, ground);
            let losses = voxel_sum(voxels, |b, i| match (&voxels.case.target, ground) {
                (Target::Dense(_), Ground::Tree) => soft_wasserstein(voxels, b, i),
                (Target::Dense(_), Ground::Matrix(_)) => {
                    panic!("a dense target has a closed form on a tree only")
                }
                _ => wasserstein(voxels, b, i, &matrix),
            });
            losses / voxels.case.total_weight() / if *normalise { max } else { 1.0 }
        }
        Term::WassersteinDice { ground, weighting, smooth_numerator, smooth_denominator } => {
            let case = voxels.case;
            let ground = distances(case, ground);
            let losses = (0..case.batch).map(|b| {
                let (overlap, both) = wasserstein_dice_sums(voxels, b, &ground, *weighting);
                1.0 - (2.0 * overlap + *smooth_numerator) / (both + *smooth_denominator)
            });
            voxels.tape.sum(losses) / case.batch as f64
        }
        _ => unreachable!("not a tree term"),
    }
}

/// Sum over the voxels that count of weight times loss.
fn voxel_sum<'t>(voxels: &Voxels<'_, 't>, loss: impl Fn(usize, usize) -> Var<'t>) -> Var<'t> {
    let counted = voxels.case.counted_in_batch();
    voxels.tape.sum(counted.map(|(b, i, w)| w * loss(b, i)))
}

/// `-Σ_v ω_v G_v log P_v` over the nodes but the root. A label has `G = 1` on its path.
fn tree_cross_entropy<'t>(
    voxels: &Voxels<'_, 't>,
    (b, i): (usize, usize),
    node_weights: &[f64],
) -> Var<'t> {
    let case = voxels.case;
    let tree = case.tree();
    assert_eq!(node_weights.len(), tree.parent.len(), "node weights");
    let path_of = |v: usize| tree.path(v).into_iter().map(|v| (v, 1.0)).collect();
    let targets: Vec<(usize, f64)> = match &case.target {
        Target::Labels(_) => path_of(tree.leaf_of_class[case.label(b, i)]),
        Target::Nodes(nodes) => path_of(nodes[b * case.voxels + i].expect("it counts")),
        Target::Dense(_) => tree
            .below_root()
            .map(|v| (v, below(case, v, &case.target(b, i)).iter().sum()))
            .collect(),
    };
    let terms = targets.into_iter().map(|(v, g)| {
        let (log_p, _) = voxels.log_softmax(b, i, |class| tree.contains(v, class));
        -node_weights[v] * g * log_p
    });
    voxels.tape.sum(terms)
}

/// The entries of the classes below a node.
fn below<T: Copy>(case: &Case, v: usize, values: &[T]) -> Vec<T> {
    (0..case.classes)
        .filter(|&class| case.tree().contains(v, class))
        .map(|class| values[class])
        .collect()
}

/// Transport of the prediction to the label: `Σ_l M[l, y] p_l`.
fn wasserstein<'t>(voxels: &Voxels<'_, 't>, b: usize, i: usize, matrix: &[f64]) -> Var<'t> {
    let case = voxels.case;
    let label = case.label(b, i);
    let p = voxels.probabilities(b, i);
    let terms = (0..case.classes).map(|l| matrix[l * case.classes + label] * p[l]);
    voxels.tape.sum(terms)
}

/// Transport between two distributions on a tree: `Σ_v e_v |P_v - G_v|`.
fn soft_wasserstein<'t>(voxels: &Voxels<'_, 't>, b: usize, i: usize) -> Var<'t> {
    let case = voxels.case;
    let tree = case.tree();
    let p = voxels.probabilities(b, i);
    let g = case.target(b, i);
    let terms = tree.below_root().map(|v| {
        let predicted = voxels.tape.sum(below(case, v, &p));
        let wanted: f64 = below(case, v, &g).iter().sum();
        tree.edge_weights[v] * (predicted - wanted).abs()
    });
    voxels.tape.sum(terms)
}

/// The distances between classes and the largest of them; 1 for the latter when all are 0, so that
/// it can be divided by.
fn distances(case: &Case, ground: &Ground) -> (Vec<f64>, f64) {
    let matrix = match ground {
        Ground::Tree => case.tree().matrix(),
        Ground::Matrix(matrix) => matrix.clone(),
    };
    assert_eq!(matrix.len(), case.classes * case.classes, "distances");
    let max = matrix.iter().copied().fold(0.0, f64::max);
    (matrix, if max > 0.0 { max } else { 1.0 })
}

/// Overlap and denominator of one sample.
fn wasserstein_dice_sums<'t>(
    voxels: &Voxels<'_, 't>,
    b: usize,
    (matrix, max): &(Vec<f64>, f64),
    weighting: WassersteinWeighting,
) -> (Var<'t>, Var<'t>) {
    let (case, tape) = (voxels.case, voxels.tape);
    let mut volume = vec![0.0; case.classes];
    for (i, w) in case.counted(b) {
        volume[case.label(b, i)] += w;
    }
    let class_weight = |y: usize| match weighting {
        WassersteinWeighting::Default { background } if y == background => 0.0,
        WassersteinWeighting::Default { .. } => 1.0,
        WassersteinWeighting::GeneralisedDice => 1.0 / (volume[y] + 1.0),
    };
    // Of each voxel: weight, weight of its class, relative distance of the prediction.
    let rows: Vec<(f64, f64, Var)> = case
        .counted(b)
        .map(|(i, w)| {
            let class_weight = class_weight(case.label(b, i));
            (w, class_weight, wasserstein(voxels, b, i, matrix) / *max)
        })
        .collect();
    let overlap = tape.sum(rows.iter().map(|&(w, a, d)| w * a * (1.0 - d)));
    let both = match weighting {
        WassersteinWeighting::Default { .. } => {
            2.0 * overlap + tape.sum(rows.iter().map(|&(w, _, d)| w * d))
        }
        WassersteinWeighting::GeneralisedDice => {
            tape.sum(rows.iter().map(|&(w, a, d)| w * a * (2.0 - d)))
        }
    };
    (overlap, both)
}
