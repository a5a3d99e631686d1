//! The terms a loss is made of. Class weights have one entry per channel.

/// Which voxels share one set of sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    PerSample,
    Batch,
}

/// How the overlap `T` of prediction and target is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// `Σ w p g`.
    Product,
    /// `(P + G - Σ w |p - g|) / 2`: for soft targets, smallest loss at `p = g`.
    Absolute,
}

/// Distance between classes.
#[derive(Clone, Debug)]
pub enum Ground {
    /// Path length on the tree of the case.
    Tree,
    /// `C × C`, row by row.
    Matrix(Vec<f64>),
}

/// Weight of a class in generalised Dice, from its target volume `G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneralisedWeighting {
    InverseSquare,
    Inverse,
    Uniform,
}

/// Weight of a class in generalised Wasserstein Dice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WassersteinWeighting {
    /// 0 for the background, 1 for the others.
    Default { background: usize },
    /// `1 / (volume + 1)`.
    GeneralisedDice,
}

/// One term of a loss.
#[derive(Clone, Debug)]
pub enum Term {
    Dice {
        /// `P = Σ w p²`, `G = Σ w g²`, and the overlap is the product whatever is asked for.
        squared: bool,
        jaccard: bool,
        pooling: Pooling,
        overlap: Overlap,
        smooth_numerator: f64,
        smooth_denominator: f64,
        class_weights: Vec<f64>,
    },
    Tversky {
        false_positive_weight: f64,
        false_negative_weight: f64,
        /// Other than 1: focal Tversky.
        exponent: f64,
        pooling: Pooling,
        overlap: Overlap,
        smooth_numerator: f64,
        smooth_denominator: f64,
        class_weights: Vec<f64>,
    },
    GeneralisedDice {
        weighting: GeneralisedWeighting,
        pooling: Pooling,
        overlap: Overlap,
        smooth_numerator: f64,
        smooth_denominator: f64,
        /// Multiplies the volume weight; 0 removes the class.
        class_weights: Vec<f64>,
    },
    /// Of the softmax, whatever the activation.
    CrossEntropy { class_weights: Vec<f64>, label_smoothing: f64 },
    /// Of the sigmoid, whatever the activation.
    BinaryCrossEntropy { positive_weight: Vec<f64>, class_weights: Vec<f64> },
    Focal {
        gamma: f64,
        /// Sigmoid of the scores or softmax of all channels, whatever the activation.
        sigmoid: bool,
        alpha: Option<Vec<f64>>,
        /// Divide by the voxels that count, not by channels times voxels.
        per_voxel: bool,
        class_weights: Vec<f64>,
    },
    /// Mean of the largest voxel losses over the batch.
    TopKCrossEntropy { fraction: f64, class_weights: Vec<f64> },
    TreeCrossEntropy {
        /// One per node of the tree; that of the root is not used.
        node_weights: Vec<f64>,
    },
    TreeWasserstein {
        ground: Ground,
        /// Divide the distances by the largest.
        normalise: bool,
    },
    /// Hausdorff distance by distance transforms.
    HausdorffDT {
        /// Of every axis, the slowest first.
        spacing: Vec<f64>,
        exponent: f64,
        /// Above which the prediction holds a voxel.
        threshold: f64,
        /// The field of the target alone, without that of the prediction.
        target_only: bool,
        /// `ln(1 + mean)`.
        logarithm: bool,
        include_background: bool,
        class_weights: Vec<f64>,
    },
    /// Mean of the probability times the signed distance to the target.
    Boundary { spacing: Vec<f64>, include_background: bool, class_weights: Vec<f64> },
    /// Generalised Wasserstein Dice: always per sample.
    WassersteinDice {
        ground: Ground,
        weighting: WassersteinWeighting,
        smooth_numerator: f64,
        smooth_denominator: f64,
    },
}
