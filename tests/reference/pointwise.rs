//! Terms that are a mean over voxels: cross-entropies and focal losses.

use super::case::{Target, Voxels};
use super::tape::Var;
use super::term::Term;

pub fn value<'t>(voxels: &Voxels<'_, 't>, term: &Term) -> Var<'t> {
    match term {
        Term::CrossEntropy { class_weights, label_smoothing } => {
            cross_entropy(voxels, class_weights, *label_smoothing)
        }
        Term::BinaryCrossEntropy { positive_weight, class_weights } => {
            let loss = |z: Var<'t>, g: f64, c: usize| {
                positive_weight[c] * g * (-z).softplus() + (1.0 - g) * z.softplus()
            };
            channel_sum(voxels, class_weights, |b, i, c, g| loss(voxels.scores(b, i)[c], g, c))
                / (voxels.case.total_weight() * counted_channels(class_weights))
        }
        Term::Focal { gamma, sigmoid, alpha, per_voxel, class_weights } => {
            let sum = channel_sum(voxels, class_weights, |b, i, c, g| {
                let alpha = alpha.as_ref().map(|alpha| alpha[c]);
                if *sigmoid {
                    let balance = alpha.map_or(1.0, |alpha| alpha * g + (1.0 - alpha) * (1.0 - g));
                    balance * focal_sigmoid(voxels.scores(b, i)[c], g, *gamma)
                } else {
                    alpha.unwrap_or(1.0) * focal_softmax(voxels, (b, i, c), g, *gamma)
                }
            });
            let channels = if *per_voxel { 1.0 } else { counted_channels(class_weights) };
            sum / (voxels.case.total_weight() * channels)
        }
        Term::TopKCrossEntropy { fraction, class_weights } => {
            top_k(voxels, *fraction, class_weights)
        }
        _ => unreachable!("not a pointwise term"),
    }
}

/// `-Σ_c k_c g_c log p_c` of one voxel.
fn voxel_cross_entropy<'t>(
    voxels: &Voxels<'_, 't>,
    (b, i): (usize, usize),
    class_weights: &[f64],
    target: &[f64],
) -> Var<'t> {
    assert_eq!(class_weights.len(), voxels.case.classes, "class weights");
    voxels.tape.sum((0..voxels.case.classes).filter(|&c| class_weights[c] * target[c] > 0.0).map(
        |c| {
            let (log_p, _) = voxels.log_softmax(b, i, |other| other == c);
            -(class_weights[c] * target[c]) * log_p
        },
    ))
}

/// As PyTorch defines it: with labels the mean is weighted by the class of each voxel, with dense
/// targets it is not.
fn cross_entropy<'t>(
    voxels: &Voxels<'_, 't>,
    class_weights: &[f64],
    label_smoothing: f64,
) -> Var<'t> {
    let case = voxels.case;
    let mut losses = Vec::new();
    let mut normaliser = 0.0;
    for (b, i, w) in case.counted_in_batch() {
        let smoothed: Vec<f64> = case
            .target(b, i)
            .iter()
            .map(|g| (1.0 - label_smoothing) * g + label_smoothing / case.classes as f64)
            .collect();
        losses.push(w * voxel_cross_entropy(voxels, (b, i), class_weights, &smoothed));
        normaliser += match case.target {
            Target::Dense(_) => w,
            _ => w * class_weights[case.label(b, i)],
        };
    }
    if normaliser == 0.0 {
        return voxels.tape.constant(0.0);
    }
    voxels.tape.sum(losses) / normaliser
}

/// Mean of the largest voxel losses of the batch, at least one.
fn top_k<'t>(voxels: &Voxels<'_, 't>, fraction: f64, class_weights: &[f64]) -> Var<'t> {
    let case = voxels.case;
    let mut losses: Vec<Var> = case
        .counted_in_batch()
        .map(|(b, i, w)| w * voxel_cross_entropy(voxels, (b, i), class_weights, &case.target(b, i)))
        .collect();
    let taken = ((fraction * losses.len() as f64).floor() as usize).max(1);
    // A stable sort: of equal losses, the one with the lowest index comes first.
    losses.sort_by(|a, b| b.value().partial_cmp(&a.value()).expect("no NaN"));
    voxels.tape.sum(losses.into_iter().take(taken)) / taken as f64
}

/// Channels of positive weight; at least 1, so that an empty sum can be divided.
fn counted_channels(class_weights: &[f64]) -> f64 {
    class_weights.iter().filter(|&&k| k > 0.0).count().max(1) as f64
}

/// `Σ w k loss` over the voxels and channels that count; `loss` is told sample, voxel, channel and
/// the target there.
fn channel_sum<'t>(
    voxels: &Voxels<'_, 't>,
    class_weights: &[f64],
    loss: impl Fn(usize, usize, usize, f64) -> Var<'t>,
) -> Var<'t> {
    assert_eq!(class_weights.len(), voxels.case.classes, "class weights");
    let mut losses = Vec::new();
    for (b, i, w) in voxels.case.counted_in_batch() {
        for (c, &g) in voxels.case.target(b, i).iter().enumerate() {
            if class_weights[c] > 0.0 {
                losses.push(w * class_weights[c] * loss(b, i, c, g));
            }
        }
    }
    voxels.tape.sum(losses)
}

/// `-g (1 - p)^γ log p`, with `1 - p` from the other channels so that it keeps its digits at `p → 1`.
fn focal_softmax<'t>(
    voxels: &Voxels<'_, 't>,
    (b, i, c): (usize, usize, usize),
    g: f64,
    gamma: f64,
) -> Var<'t> {
    if g == 0.0 {
        return voxels.tape.constant(0.0);
    }
    let (log_p, log_rest) = voxels.log_softmax(b, i, |other| other == c);
    -g * (power_of_exp(log_rest, gamma) * log_p)
}

/// `(1 - q)^γ` times the binary cross-entropy, with `q` the probability of the target's side. For
/// soft targets `log(1 - q)` is interpolated in the logit, as MONAI does.
fn focal_sigmoid(z: Var<'_>, g: f64, gamma: f64) -> Var<'_> {
    let cross_entropy = g * (-z).softplus() + (1.0 - g) * z.softplus();
    let log_rest = -((2.0 * g - 1.0) * z).softplus();
    power_of_exp(log_rest, gamma) * cross_entropy
}

/// `exp(x)^γ`, which is 1 for `γ = 0` even where `exp(x)` is 0.
fn power_of_exp(x: Var<'_>, gamma: f64) -> Var<'_> {
    if gamma == 0.0 {
        return 0.0 * x.exp() + 1.0;
    }
    (gamma * x).exp()
}
