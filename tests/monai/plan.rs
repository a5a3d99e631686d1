//! From the constructor of a MONAI loss to parts.

use segloss::{
    Activation, Denominator, Mean, Overlap, Pooling, Ratio, Spacing, TermActivation,
    VolumeWeighting, WassersteinDiceWeighting,
};

use super::batch::Batch;
use super::part::{Grid, Kind, Part, Region};
use super::record::{Call, Init, Numbers};

/// Every constructor argument that is looked at below.
const KNOWN: [&str; 26] = [
    "include_background",
    "to_onehot_y",
    "sigmoid",
    "softmax",
    "other_act",
    "squared_pred",
    "jaccard",
    "reduction",
    "smooth_nr",
    "smooth_dr",
    "batch",
    "weight",
    "soft_label",
    "ignore_index",
    "lambda_dice",
    "lambda_ce",
    "lambda_focal",
    "lambda_gdl",
    "label_smoothing",
    "gamma",
    "alpha",
    "beta",
    "use_softmax",
    "w_type",
    "dist_matrix",
    "weighting_mode",
];

/// What the library gives for a call, in the order of MONAI's result.
pub fn replay(call: &Call) -> Result<Vec<f64>, String> {
    call.init.check(&KNOWN)?;
    let plan = Plan::new(call)?;
    plan.evaluate(call.init.text("reduction", "mean"))
}

/// A MONAI loss, ready to evaluate.
struct Plan {
    batch: Batch,
    activation: Activation,
    parts: Vec<Part>,
}

impl Plan {
    fn new(call: &Call) -> Result<Self, String> {
        let init = &call.init;
        let channels = Channels::new(call);
        let wasserstein = call.class == "GeneralizedWassersteinDiceLoss";
        // With one channel MONAI ignores `to_onehot_y`.
        let labels = wasserstein || (init.flag("to_onehot_y", false) && channels.all > 1);
        Ok(Self {
            batch: Batch::new(call, labels, init.integer("ignore_index"))?,
            activation: activation(call),
            parts: parts(call, channels)?,
        })
    }

    fn evaluate(&self, reduction: &str) -> Result<Vec<f64>, String> {
        match reduction {
            "mean" => {
                let terms: Vec<_> = self
                    .parts
                    .iter()
                    .map(|part| (part.factor * part.mean_factor(), part.term()))
                    .collect();
                let mean = self.batch.value(self.activation, &terms);
                Ok(vec![mean.map_err(|error| error.to_string())?])
            }
            "sum" => {
                let mut sum = 0.0;
                for part in &self.parts {
                    sum += part.factor * part.sum(&self.batch, self.activation)?;
                }
                Ok(vec![sum])
            }
            "none" => {
                let mut all = Grid::single(0.0);
                for part in &self.parts {
                    all = all.plus(part.factor, &part.values(&self.batch, self.activation)?);
                }
                Ok(all.values)
            }
            other => Err(format!("unknown reduction {other}")),
        }
    }
}

/// Channels of the scores, and the first that counts: with one channel MONAI ignores
/// `include_background`.
#[derive(Clone, Copy)]
struct Channels {
    all: usize,
    first: usize,
}

impl Channels {
    fn new(call: &Call) -> Self {
        let all = call.input.shape[1];
        let hausdorff = call.class.ends_with("HausdorffDTLoss");
        let dropped = all > 1 && !call.init.flag("include_background", !hausdorff);
        Self { all, first: usize::from(dropped) }
    }

    fn counted(self) -> usize {
        self.all - self.first
    }

    /// Numbers for the channels that count, `dropped` for the others.
    fn spread(self, dropped: f64, numbers: &Numbers) -> Result<Vec<f64>, String> {
        let mut values = vec![dropped; self.first];
        match numbers {
            Numbers::One(value) => values.resize(self.all, *value),
            Numbers::Each(each) => values.extend(each),
        }
        if values.len() == self.all {
            return Ok(values);
        }
        Err(format!("{numbers:?} for {} channels", self.counted()))
    }
}

/// `other_act` was applied to the scores.
fn activation(call: &Call) -> Activation {
    let wasserstein = call.class == "GeneralizedWassersteinDiceLoss";
    if call.init.flag("sigmoid", false) {
        Activation::Sigmoid
    } else if wasserstein || (call.init.flag("softmax", false) && call.input.shape[1] > 1) {
        // With one channel MONAI ignores `softmax`.
        Activation::Softmax
    } else {
        Activation::None
    }
}

fn parts(call: &Call, channels: Channels) -> Result<Vec<Part>, String> {
    let init = &call.init;
    let weight = init.numbers("weight");
    match call.class.as_str() {
        "DiceLoss" | "MaskedDiceLoss" => Ok(vec![dice(init, channels, weight)?]),
        "TverskyLoss" => {
            let kind = Kind::Tversky {
                false_positive_weight: init.number("alpha", 0.5),
                false_negative_weight: init.number("beta", 0.5),
            };
            Ok(vec![part(init, channels, kind, None)?])
        }
        "GeneralizedDiceLoss" => Ok(vec![generalised_dice(init, channels)?]),
        "GeneralizedWassersteinDiceLoss" => Ok(vec![wasserstein_dice(init, channels)?]),
        "FocalLoss" => focal(init, channels),
        "DiceFocalLoss" => {
            let mut parts = focal(init, channels)?;
            scale(&mut parts, init.number("lambda_focal", 1.0));
            let mut dice = dice(init, channels, weight)?;
            dice.factor = init.number("lambda_dice", 1.0);
            parts.push(dice);
            Ok(parts)
        }
        "GeneralizedDiceFocalLoss" => {
            let mut parts = focal(init, channels)?;
            scale(&mut parts, init.number("lambda_focal", 1.0));
            let mut dice = generalised_dice(init, channels)?;
            dice.factor = init.number("lambda_gdl", 1.0);
            parts.push(dice);
            Ok(parts)
        }
        "DiceCELoss" => dice_cross_entropy(init, channels, weight),
        // MONAI measures in voxels.
        "HausdorffDTLoss" | "LogHausdorffDTLoss" => {
            let axes = call.input.shape.len() - 2;
            let kind = Kind::HausdorffDT {
                spacing: Spacing::voxels(axes).map_err(|error| error.to_string())?,
                exponent: init.number("alpha", 2.0),
                logarithm: call.class == "LogHausdorffDTLoss",
            };
            Ok(vec![part(init, channels, kind, None)?])
        }
        other => Err(format!("no counterpart of {other}")),
    }
}

fn scale(parts: &mut [Part], factor: f64) {
    for part in parts {
        part.factor *= factor;
    }
}

fn part(
    init: &Init,
    channels: Channels,
    kind: Kind,
    weight: Option<Numbers>,
) -> Result<Part, String> {
    Ok(Part {
        factor: 1.0,
        kind,
        region: Region {
            pooling: if init.flag("batch", false) { Pooling::Batch } else { Pooling::PerSample },
            overlap: if init.flag("soft_label", false) {
                Overlap::Absolute
            } else {
                Overlap::Product
            },
            smooth_numerator: init.number("smooth_nr", 1e-5),
            smooth_denominator: init.number("smooth_dr", 1e-5),
        },
        class_weights: channels.spread(0.0, &weight.unwrap_or(Numbers::One(1.0)))?,
        first_class: channels.first,
    })
}

/// Where one class is left MONAI's Dice ignores its weight.
fn dice(init: &Init, channels: Channels, weight: Option<Numbers>) -> Result<Part, String> {
    let kind = Kind::Dice {
        denominator: if init.flag("squared_pred", false) {
            Denominator::Squared
        } else {
            Denominator::Linear
        },
        ratio: if init.flag("jaccard", false) { Ratio::Jaccard } else { Ratio::Dice },
    };
    let weight = weight.filter(|_| channels.counted() > 1);
    part(init, channels, kind, weight)
}

fn generalised_dice(init: &Init, channels: Channels) -> Result<Part, String> {
    let weighting = match init.text("w_type", "square") {
        "square" => VolumeWeighting::InverseSquare,
        "simple" => VolumeWeighting::Inverse,
        "uniform" => VolumeWeighting::Uniform,
        other => return Err(format!("unknown w_type {other}")),
    };
    part(init, channels, Kind::GeneralisedDice { weighting }, None)
}

fn wasserstein_dice(init: &Init, channels: Channels) -> Result<Part, String> {
    let Some(Numbers::Each(matrix)) = init.numbers("dist_matrix") else {
        return Err("no distances".to_string());
    };
    let weighting = match init.text("weighting_mode", "default") {
        "default" => WassersteinDiceWeighting::Default { background: 0 },
        "GDL" => WassersteinDiceWeighting::GeneralisedDice,
        other => return Err(format!("unknown weighting {other}")),
    };
    part(init, channels, Kind::WassersteinDice { matrix, weighting }, None)
}

/// With `ignore_index` MONAI divides by the voxels that count, not by channels times voxels.
fn focal(init: &Init, channels: Channels) -> Result<Vec<Part>, String> {
    let softmax = init.flag("use_softmax", false);
    let weight = init.numbers("weight");
    let with_alpha = |alpha: Option<Vec<f64>>, weight: Option<Numbers>| {
        let kind = Kind::Focal {
            gamma: init.number("gamma", 2.0),
            activation: if softmax { TermActivation::Softmax } else { TermActivation::Sigmoid },
            alpha,
            mean: if init.integer("ignore_index").is_some() {
                Mean::Voxels
            } else {
                Mean::ChannelsAndVoxels
            },
        };
        part(init, channels, kind, weight)
    };
    match init.numbers("alpha") {
        None => Ok(vec![with_alpha(None, weight)?]),
        // Without a background there is no class for `1 - alpha`: MONAI ignores alpha.
        Some(Numbers::One(_)) if softmax && channels.first > 0 => {
            Ok(vec![with_alpha(None, weight)?])
        }
        Some(Numbers::One(alpha)) if softmax => {
            let mut each = vec![alpha; channels.all];
            each[0] = 1.0 - alpha;
            Ok(vec![with_alpha(Some(each), weight)?])
        }
        Some(alpha @ Numbers::Each(_)) if softmax => {
            Ok(vec![with_alpha(Some(channels.spread(0.0, &alpha)?), weight)?])
        }
        Some(Numbers::One(alpha)) => Ok(vec![with_alpha(Some(vec![alpha]), weight)?]),
        // A list weighs positives only and leaves negatives at 1.
        Some(Numbers::Each(alpha)) => {
            let all = channels.spread(0.0, &weight.unwrap_or(Numbers::One(1.0)))?;
            let weight: Vec<f64> = all[channels.first..].to_vec();
            let positive = alpha.iter().zip(&weight).map(|(a, k)| a * k).collect();
            Ok(vec![
                with_alpha(Some(vec![1.0]), Some(Numbers::Each(positive)))?,
                with_alpha(Some(vec![0.0]), Some(Numbers::Each(weight)))?,
            ])
        }
    }
}

/// The weights are for all channels; Dice drops the first when it drops the background, and
/// cross-entropy does not know of that option. One channel: binary cross-entropy.
fn dice_cross_entropy(
    init: &Init,
    channels: Channels,
    weight: Option<Numbers>,
) -> Result<Vec<Part>, String> {
    let all = Channels { all: channels.all, first: 0 };
    let of_dice = weight.as_ref().map(|weight| match weight {
        Numbers::One(value) => Numbers::One(*value),
        Numbers::Each(each) => Numbers::Each(each[channels.first..].to_vec()),
    });
    let mut dice = dice(init, channels, of_dice)?;
    dice.factor = init.number("lambda_dice", 1.0);
    let mut cross_entropy = if channels.all > 1 {
        let label_smoothing = init.number("label_smoothing", 0.0);
        part(init, all, Kind::CrossEntropy { label_smoothing }, weight)?
    } else {
        let positive_weights = match weight {
            Some(weight) => Some(all.spread(1.0, &weight)?),
            None => None,
        };
        part(init, all, Kind::BinaryCrossEntropy { positive_weights }, None)?
    };
    cross_entropy.factor = init.number("lambda_ce", 1.0);
    Ok(vec![dice, cross_entropy])
}
