//! The stored reference values: made by PyTorch and checked against the tools that define each loss.

use serde_json::Value;

use super::json::{self, index, integer, list, number, numbers, text};
use super::{
    Activation, Case, GeneralisedWeighting, Ground, Overlap, Pooling, Target, Term, Tree,
    WassersteinWeighting,
};

/// One stored case.
pub struct Golden {
    pub name: String,
    pub case: Case,
    pub terms: Vec<(f64, Term)>,
    pub value: f64,
    pub gradient: Vec<f64>,
    /// The list of terms as it is written in the file.
    pub term_json: Value,
}

/// Every option that is understood; any other is an error, so that none is lost unseen.
const OPTIONS: [&str; 25] = [
    "term",
    "weight",
    "squared",
    "jaccard",
    "batch",
    "soft",
    "class_weights",
    "smooth_numerator",
    "smooth_denominator",
    "false_positive_weight",
    "false_negative_weight",
    "exponent",
    "weighting",
    "label_smoothing",
    "positive_weight",
    "gamma",
    "alpha",
    "activation",
    "background",
    "node_weights",
    "level_weights",
    "normalise",
    "spacing",
    "include_background",
    "log",
];

/// All loss cases; `None` when the folder is not there.
pub fn load_losses() -> Option<Vec<Golden>> {
    Some(json::cases()?.iter().filter_map(|(name, case)| loss(name, case)).collect())
}

fn loss(name: &str, json: &Value) -> Option<Golden> {
    if json["kind"] != "loss" {
        return None;
    }
    let terms = list(&json["terms"]);
    let case = case(json);
    Some(Golden {
        name: name.to_string(),
        terms: terms.iter().map(|t| term(t, json, &case)).collect(),
        value: number(&json["value"]),
        gradient: numbers(&json["gradient"]["values"]),
        term_json: json["terms"].clone(),
        case,
    })
}

fn case(json: &Value) -> Case {
    let shape: Vec<usize> = list(&json["scores"]["shape"]).iter().map(index).collect();
    let [batch, classes, spatial @ ..] = shape.as_slice() else {
        panic!("the scores have no batch and channel axis");
    };
    let voxels = spatial.iter().product();
    let extent = spatial.to_vec();
    let ignore = json.get("ignore_label").map(integer);
    let map = |name: &str| {
        let keep = |v: &Value| (Some(integer(v)) != ignore).then(|| index(v));
        list(&json[name]["values"]).iter().map(keep).collect()
    };
    let target = if json.get("labels").is_some() {
        Target::Labels(map("labels"))
    } else if json.get("node_labels").is_some() {
        Target::Nodes(map("node_labels"))
    } else {
        Target::Dense(numbers(&json["target"]["values"]))
    };
    let voxel_weights = match json.get("voxel_weights") {
        Some(weights) => numbers(&weights["values"]),
        None => vec![1.0; batch * voxels],
    };
    // The scores are f32 by definition; the parser may be off by the last bit of an f64.
    let scores = numbers(&json["scores"]["values"]);
    Case {
        batch: *batch,
        classes: *classes,
        voxels,
        extent,
        scores: scores.iter().map(|&z| f64::from(z as f32)).collect(),
        activation: match text(&json["activation"]) {
            "softmax" => Activation::Softmax,
            "sigmoid" => Activation::Sigmoid,
            "none" => Activation::None,
            other => panic!("unknown activation {other}"),
        },
        target,
        voxel_weights,
        tree: json.get("tree").map(tree),
    }
}

fn tree(json: &Value) -> Tree {
    let parent = |v: &Value| usize::try_from(integer(v)).ok();
    Tree {
        parent: list(&json["parent"]).iter().map(parent).collect(),
        leaf_of_class: list(&json["leaf_of_class"]).iter().map(index).collect(),
        edge_weights: numbers(&json["edge_weights"]),
    }
}

fn term(options: &Value, json: &Value, case: &Case) -> (f64, Term) {
    for name in options.as_object().expect("a term is an object").keys() {
        let known = OPTIONS.contains(&name.as_str());
        assert!(known, "unknown option {name}");
    }
    let or = |name: &str, default: f64| options.get(name).map_or(default, number);
    let flag = |name: &str| options.get(name).is_some_and(|v| v == true);
    // One value for all channels, or one for each.
    let channels = |v: &Value| match v {
        Value::Array(_) => numbers(v),
        _ => vec![number(v); case.classes],
    };
    let channels_or_one = |name: &str| channels(options.get(name).unwrap_or(&Value::from(1.0)));
    let class_weights = channels_or_one("class_weights");
    let smooth_numerator = or("smooth_numerator", 1e-5);
    let smooth_denominator = or("smooth_denominator", 1e-5);
    let pooling = match flag("batch") {
        true => Pooling::Batch,
        false => Pooling::PerSample,
    };
    let overlap = match flag("soft") {
        true => Overlap::Absolute,
        false => Overlap::Product,
    };
    let ground = match json.get("distance_matrix") {
        Some(matrix) => Ground::Matrix(numbers(&matrix["values"])),
        None => Ground::Tree,
    };
    let weighting = options.get("weighting").map(text);
    let term = match text(&options["term"]) {
        "dice" => Term::Dice {
            squared: flag("squared"),
            jaccard: flag("jaccard"),
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "tversky" => Term::Tversky {
            false_positive_weight: number(&options["false_positive_weight"]),
            false_negative_weight: number(&options["false_negative_weight"]),
            exponent: or("exponent", 1.0),
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "generalised_dice" => Term::GeneralisedDice {
            weighting: match weighting.unwrap_or("inverse_square") {
                "inverse_square" => GeneralisedWeighting::InverseSquare,
                "inverse" => GeneralisedWeighting::Inverse,
                "uniform" => GeneralisedWeighting::Uniform,
                other => panic!("unknown weighting {other}"),
            },
            pooling,
            overlap,
            smooth_numerator,
            smooth_denominator,
            class_weights,
        },
        "cross_entropy" => {
            Term::CrossEntropy { class_weights, label_smoothing: or("label_smoothing", 0.0) }
        }
        "binary_cross_entropy" => Term::BinaryCrossEntropy {
            positive_weight: channels_or_one("positive_weight"),
            class_weights,
        },
        "focal" => Term::Focal {
            gamma: number(&options["gamma"]),
            sigmoid: match options.get("activation") {
                Some(activation) => text(activation) == "sigmoid",
                None => case.activation == Activation::Sigmoid,
            },
            alpha: options.get("alpha").map(channels),
            per_voxel: false,
            class_weights,
        },
        "tree_cross_entropy" => Term::TreeCrossEntropy {
            node_weights: match options.get("level_weights") {
                Some(levels) => {
                    let (tree, levels) = (case.tree(), numbers(levels));
                    let nodes = 0..tree.parent.len();
                    nodes.map(|v| levels[tree.depth(v)]).collect()
                }
                None => numbers(&options["node_weights"]),
            },
        },
        "tree_wasserstein" => Term::TreeWasserstein { ground, normalise: flag("normalise") },
        "hausdorff_dt" => Term::HausdorffDT {
            spacing: numbers(&options["spacing"]),
            exponent: number(&options["alpha"]),
            threshold: 0.5,
            target_only: false,
            logarithm: flag("log"),
            include_background: flag("include_background"),
            class_weights,
        },
        "boundary" => Term::Boundary {
            spacing: numbers(&options["spacing"]),
            include_background: flag("include_background"),
            class_weights,
        },
        "generalised_wasserstein_dice" => Term::WassersteinDice {
            ground,
            weighting: match weighting.unwrap_or("default") {
                "default" => WassersteinWeighting::Default {
                    background: options.get("background").map_or(0, index),
                },
                "GDL" => WassersteinWeighting::GeneralisedDice,
                other => panic!("unknown weighting {other}"),
            },
            smooth_numerator,
            smooth_denominator,
        },
        other => panic!("unknown term {other}"),
    };
    (or("weight", 1.0), term)
}
