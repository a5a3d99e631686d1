//! The options of every term. Each has a `Default` that is what the defining paper or tool uses.
#![forbid(unsafe_code)]

use crate::spacing::Spacing;

/// Over what region sums are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// One value per sample and class.
    #[default]
    PerSample,
    /// One value per class over the whole batch.
    Batch,
}

/// How the overlap `T` of prediction and target is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// The product, unless a dense target holds a value other than 0 and 1.
    #[default]
    Automatic,
    /// `T = sum w p g`.
    Product,
    /// `T = (P + G - sum w |p - g|) / 2` (Wang 2023): smallest loss at `p = g` for soft labels.
    /// With the squared denominator, whose product form has that property, it has no effect.
    Absolute,
}

/// Sums in the denominator of Dice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Denominator {
    /// Of `p` and `g`.
    #[default]
    Linear,
    /// Of their squares (Milletari 2016).
    Squared,
}

/// The ratio behind Dice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ratio {
    /// `(2 T + s_n) / (P + G + s_d)`.
    #[default]
    Dice,
    /// `(T + s_n / 2) / (P + G - T + s_d / 2)`, as MONAI's `jaccard`.
    Jaccard,
}

/// Dice: `1 - (2 T + s_n) / (P + G + s_d)` per sample and class, with
/// `T = sum w p g`, `P = sum w p`, `G = sum w g` (Milletari 2016; MONAI `DiceLoss`).
///
/// Gradient: `dL/dp = w (a + b g + 2 d p)`, three numbers per sample and class. Classes are
/// averaged by their weights, then samples are. Degenerate: a class absent from both gives
/// `1 - s_n / s_d`, 0 by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dice<'a> {
    /// Linear or squared.
    pub denominator: Denominator,
    /// Dice or Jaccard.
    pub ratio: Ratio,
    /// Per sample or over the batch.
    pub pooling: Pooling,
    /// How the overlap is measured.
    pub overlap: Overlap,
    /// `s_n`, 1e-5.
    pub smooth_numerator: f64,
    /// `s_d`, 1e-5.
    pub smooth_denominator: f64,
    /// Weight of every class, `None` stands for 1; 0 leaves a class out.
    pub class_weights: Option<&'a [f64]>,
}

impl Default for Dice<'_> {
    fn default() -> Self {
        Self {
            denominator: Denominator::Linear,
            ratio: Ratio::Dice,
            pooling: Pooling::PerSample,
            overlap: Overlap::Automatic,
            smooth_numerator: 1e-5,
            smooth_denominator: 1e-5,
            class_weights: None,
        }
    }
}

/// Tversky: `(1 - TI)^exponent` with
/// `TI = (T + s_n) / (T + fp (P - T) + fn (G - T) + s_d)` (Salehi 2017; focal form Abraham 2019).
///
/// The two weights are called alpha and beta in the paper, and were swapped in several libraries.
/// With `1/2` and `1/2` it is Dice. Degenerate: where `TI >= 1` the value is 0, and so is the
/// gradient of a form with an exponent other than 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tversky<'a> {
    /// Weight of false positives.
    pub false_positive_weight: f64,
    /// Weight of false negatives.
    pub false_negative_weight: f64,
    /// 1 for plain Tversky; 0.75 in the focal form.
    pub exponent: f64,
    /// Per sample or over the batch.
    pub pooling: Pooling,
    /// How the overlap is measured.
    pub overlap: Overlap,
    /// `s_n`, 1e-5.
    pub smooth_numerator: f64,
    /// `s_d`, 1e-5.
    pub smooth_denominator: f64,
    /// Weight of every class, `None` stands for 1; 0 leaves a class out.
    pub class_weights: Option<&'a [f64]>,
}

impl Default for Tversky<'_> {
    fn default() -> Self {
        Self {
            false_positive_weight: 0.5,
            false_negative_weight: 0.5,
            exponent: 1.0,
            pooling: Pooling::PerSample,
            overlap: Overlap::Automatic,
            smooth_numerator: 1e-5,
            smooth_denominator: 1e-5,
            class_weights: None,
        }
    }
}

/// Weight of a class in generalised Dice, by its volume `G`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VolumeWeighting {
    /// `1 / G^2`.
    #[default]
    InverseSquare,
    /// `1 / G`.
    Inverse,
    /// 1.
    Uniform,
}

/// Generalised Dice: one value per sample,
/// `1 - (2 sum_c v T + s_n) / (sum_c v (P + G) + s_d)` (Sudre 2017; MONAI `GeneralizedDiceLoss`).
///
/// A class absent from the target takes the largest finite `v` of the sample. Class weights
/// multiply `v`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneralisedDice<'a> {
    /// What `v` is.
    pub weighting: VolumeWeighting,
    /// Per sample or over the batch.
    pub pooling: Pooling,
    /// How the overlap is measured.
    pub overlap: Overlap,
    /// `s_n`, 1e-5.
    pub smooth_numerator: f64,
    /// `s_d`, 1e-5.
    pub smooth_denominator: f64,
    /// Factor of `v` for every class, `None` stands for 1; 0 leaves a class out.
    pub class_weights: Option<&'a [f64]>,
}

impl Default for GeneralisedDice<'_> {
    fn default() -> Self {
        Self {
            weighting: VolumeWeighting::InverseSquare,
            pooling: Pooling::PerSample,
            overlap: Overlap::Automatic,
            smooth_numerator: 1e-5,
            smooth_denominator: 1e-5,
            class_weights: None,
        }
    }
}

/// Activation of a pointwise term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TermActivation {
    /// That of the loss.
    #[default]
    Inherit,
    /// Softmax of the scores, whatever the loss does with them.
    Softmax,
    /// Sigmoid of the scores, whatever the loss does with them.
    Sigmoid,
}

/// Cross-entropy on logits: `-(1/W) sum w k_y log p_y`, `W = sum w k_y`, PyTorch's weighted mean.
///
/// With a dense target `-(1/W) sum w sum_c k_c g_c log p_c`, `W = sum w`. Label smoothing as
/// PyTorch defines it. Log-probabilities come from log-sum-exp: finite for logits up to 1e4.
/// Gradient with respect to the logits: `w k (p - g) / W`. Needs softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy<'a> {
    /// In `[0, 1]`, 0 by default.
    pub label_smoothing: f64,
    /// Inherit or softmax.
    pub activation: TermActivation,
    /// Weight of every class, `None` stands for 1.
    pub class_weights: Option<&'a [f64]>,
}

/// Binary cross-entropy on logits: the mean over counted channels and voxels of
/// `positive g softplus(-z) + (1 - g) softplus(z)`.
///
/// Gradient: `(1 - g) sigmoid(z) - positive g sigmoid(-z)`, over the number of terms. Needs
/// sigmoid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy<'a> {
    /// Weight of positives: one for all channels, or one for each; `None` stands for 1.
    pub positive_weights: Option<&'a [f64]>,
    /// Inherit or sigmoid.
    pub activation: TermActivation,
    /// Factor of every channel, `None` stands for 1; 0 leaves a channel out of the mean.
    pub class_weights: Option<&'a [f64]>,
}

/// What the focal loss is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mean {
    /// Counted channels times counted voxels, as MONAI.
    #[default]
    ChannelsAndVoxels,
    /// Counted voxels.
    Voxels,
}

/// Focal loss (Lin 2017): `-alpha g (1 - p)^gamma log p`, under softmax per class, under sigmoid
/// in its binary form from logits (MONAI `FocalLoss`).
///
/// Finite for `p -> 1` and every `gamma >= 0`. Softmax is over all channels; a channel of weight 0
/// is only not counted (MONAI drops channel 0 before the softmax instead, so that with two classes
/// nothing is left).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Focal<'a> {
    /// Exponent, 2.
    pub gamma: f64,
    /// One for all classes or one for each. Softmax: factor of the class. Sigmoid: factor of
    /// positives, negatives get `1 - alpha`.
    pub alpha: Option<&'a [f64]>,
    /// What the sum is divided by.
    pub mean: Mean,
    /// Inherit, softmax or sigmoid. MONAI's `DiceFocalLoss` takes sigmoid on the raw logits even
    /// when its Dice part uses softmax.
    pub activation: TermActivation,
    /// Factor of every channel, `None` stands for 1; 0 leaves a channel out of the mean.
    pub class_weights: Option<&'a [f64]>,
}

impl Default for Focal<'_> {
    fn default() -> Self {
        Self {
            gamma: 2.0,
            alpha: None,
            mean: Mean::ChannelsAndVoxels,
            activation: TermActivation::Inherit,
            class_weights: None,
        }
    }
}

/// Top-k cross-entropy (nnU-Net): the mean of the largest `fraction` of the voxel losses
/// `w k_y (-log p_y)` over the batch, at least one; ties go to the lowest index.
///
/// Needs a label map, one number of scratch per voxel, and the whole volume in one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopKCrossEntropy<'a> {
    /// In `(0, 1]`, 0.1.
    pub fraction: f64,
    /// Inherit or softmax.
    pub activation: TermActivation,
    /// Weight of every class, `None` stands for 1.
    pub class_weights: Option<&'a [f64]>,
}

impl Default for TopKCrossEntropy<'_> {
    fn default() -> Self {
        Self { fraction: 0.1, activation: TermActivation::Inherit, class_weights: None }
    }
}

/// Tree cross-entropy (arXiv 2507.15777, 2506.21150): `-(1/W) sum_i w sum_v omega_v log P_v` over
/// the nodes `v` on the path from the root's child to the label, `P_v` the probability of all
/// leaves below `v`.
///
/// A label may be an inner node: the path ends there, and the loss is the marginal likelihood of
/// its subtree (label-set loss, Fidon 2021). With a dense target `-(1/W) sum w sum_v omega_v G_v
/// log P_v`. Gradient: `p_l (sum_path omega_v - sum_{path, l below v} omega_v / P_v)`. Needs
/// softmax and a tree. Finite for logits up to 1e4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeCrossEntropy<'a> {
    /// `omega`, one per node; the root's is not read, and a node that holds every class adds nothing
    /// whatever its weight. See the constructors of [`LabelTree`](crate::LabelTree).
    pub node_weights: &'a [f64],
}

/// Distance between classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ground<'a> {
    /// Along the label tree.
    #[default]
    Tree,
    /// `classes * classes` numbers: symmetric, non-negative, zero diagonal.
    Matrix(&'a [f64]),
}

/// Unit of the ground distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// As given.
    #[default]
    AsGiven,
    /// Divided by the largest distance.
    UnitMaximum,
}

/// Tree Wasserstein distance: the mean over the voxels of the cost of moving the predicted
/// probabilities to the target along the tree.
///
/// For a label `sum_l M[l, y] p_l` (Fidon 2017, eq. 6), for a dense target
/// `sum_v e_v |P_v - G_v|` (exact on trees, Le 2019; tree only). Gradient:
/// `p_l (M[l, y] - cost)`. Needs softmax.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TreeWasserstein<'a> {
    /// Tree or matrix.
    pub ground: Ground<'a>,
    /// As given, or at most 1.
    pub scale: Scale,
}

/// Weighting of the generalised Wasserstein Dice loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WassersteinDiceWeighting {
    /// Foreground classes weigh 1, the background 0. A sample of background alone, predicted
    /// perfectly, gives a loss near 1: that is the paper's formula.
    Default {
        /// The background class.
        background: usize,
    },
    /// Classes weigh `1 / (volume + 1)`.
    GeneralisedDice,
}

/// Generalised Wasserstein Dice (Fidon 2017; MONAI `GeneralizedWassersteinDiceLoss`): Dice whose
/// errors cost the ground distance, divided by its maximum.
///
/// With `d_i = sum_l M[l, y_i] p_l / max M`: default weighting
/// `1 - (2 TP + s_n) / (2 TP + sum w d + s_d)`, `TP = sum w alpha_y (1 - d)`; generalised Dice
/// weighting with the denominator `sum w alpha_y (2 - d)`. Needs softmax and a label map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WassersteinDice<'a> {
    /// Tree or matrix.
    pub ground: Ground<'a>,
    /// Weights of the classes.
    pub weighting: WassersteinDiceWeighting,
    /// `s_n`, 1e-5.
    pub smooth_numerator: f64,
    /// `s_d`, 1e-5.
    pub smooth_denominator: f64,
}

impl Default for WassersteinDice<'_> {
    fn default() -> Self {
        Self {
            ground: Ground::Tree,
            weighting: WassersteinDiceWeighting::Default { background: 0 },
            smooth_numerator: 1e-5,
            smooth_denominator: 1e-5,
        }
    }
}

/// Whose distance fields weigh a Hausdorff term.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HausdorffSides {
    /// Those of prediction and target, as MONAI.
    #[default]
    Both,
    /// That of the target alone: the one-sided form of Karimi 2019, which needs no transform of the
    /// prediction.
    Target,
}

/// Hausdorff distance by distance transforms (Karimi 2019; MONAI `HausdorffDTLoss`):
/// the mean over counted channels and voxels of `(p - g)^2 (D(m)^exponent + D(t)^exponent)`.
///
/// `m = [p > threshold]`, `t = [g > 0.5]`, and `D` is the distance to the nearest voxel of the
/// other phase, 0 everywhere if there is only one: where prediction and target are opposite and
/// uniform the term is 0, so add a region term. Distances are constants for the gradient
/// `2 (p - g) (D(m)^exponent + D(t)^exponent)`. The target's geometry is that of the label map as
/// given, in which voxels with the ignore label belong to no class; voxels of weight 0 are in no
/// mask of the prediction. MONAI measures in voxels: [`Spacing::voxels`].
///
/// Every class takes two transforms, O(voxels x log(axis)), unless their fields are handed in with
/// [`Fields`](crate::Fields): these must have been made with the spacing and the threshold that
/// stand here. See [`Loss::scratch_bytes`](crate::Loss::scratch_bytes) for where fields lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HausdorffDT<'a> {
    /// Spacing of the voxels, with as many axes as the volume.
    pub spacing: Spacing,
    /// Exponent of the distances, above 0 and up to 8; 2. No square root is taken for 2. The diagonal
    /// of the volume to this power may be 1e18 at most.
    pub exponent: f64,
    /// Probability above which a voxel is foreground of the prediction, 0.5.
    pub threshold: f64,
    /// Whose fields.
    pub sides: HausdorffSides,
    /// `ln(1 + mean)` instead of the mean (MONAI `LogHausdorffDTLoss`).
    pub logarithm: bool,
    /// Whether class 0 counts, if there are more; not so by default, as in MONAI.
    pub include_background: bool,
    /// Factor of every class, `None` stands for 1; 0 leaves a class out of the mean.
    pub class_weights: Option<&'a [f64]>,
}

impl HausdorffDT<'_> {
    /// MONAI's defaults.
    #[must_use]
    pub const fn new(spacing: Spacing) -> Self {
        Self {
            spacing,
            exponent: 2.0,
            threshold: 0.5,
            sides: HausdorffSides::Both,
            logarithm: false,
            include_background: false,
            class_weights: None,
        }
    }
}

/// Boundary loss (Kervadec 2019): the mean over counted channels and voxels of `p phi`, with the
/// signed distance `phi` to the target, negative inside, 0 everywhere if it has one phase only.
///
/// May be negative. The gradient with respect to `p` is `phi`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boundary<'a> {
    /// Spacing of the voxels, with as many axes as the volume.
    pub spacing: Spacing,
    /// Whether class 0 counts, if there are more; not so by default.
    pub include_background: bool,
    /// Factor of every class, `None` stands for 1; 0 leaves a class out of the mean.
    pub class_weights: Option<&'a [f64]>,
}

impl Boundary<'_> {
    /// Foreground classes, all alike.
    #[must_use]
    pub const fn new(spacing: Spacing) -> Self {
        Self { spacing, include_background: false, class_weights: None }
    }
}

/// One part of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Term<'a> {
    /// Dice and Jaccard.
    Dice(Dice<'a>),
    /// Tversky and focal Tversky.
    Tversky(Tversky<'a>),
    /// Generalised Dice.
    GeneralisedDice(GeneralisedDice<'a>),
    /// Cross-entropy.
    CrossEntropy(CrossEntropy<'a>),
    /// Binary cross-entropy.
    BinaryCrossEntropy(BinaryCrossEntropy<'a>),
    /// Focal loss.
    Focal(Focal<'a>),
    /// Top-k cross-entropy.
    TopKCrossEntropy(TopKCrossEntropy<'a>),
    /// Tree cross-entropy.
    TreeCrossEntropy(TreeCrossEntropy<'a>),
    /// Tree Wasserstein distance.
    TreeWasserstein(TreeWasserstein<'a>),
    /// Generalised Wasserstein Dice.
    WassersteinDice(WassersteinDice<'a>),
    /// Hausdorff distance by distance transforms.
    HausdorffDT(HausdorffDT<'a>),
    /// Boundary loss.
    Boundary(Boundary<'a>),
}

macro_rules! into_term {
    ($($name:ident),+) => {
        $(impl<'a> From<$name<'a>> for Term<'a> {
            fn from(options: $name<'a>) -> Self {
                Self::$name(options)
            }
        })+
    };
}

into_term!(
    Dice,
    Tversky,
    GeneralisedDice,
    CrossEntropy,
    BinaryCrossEntropy,
    Focal,
    TopKCrossEntropy,
    TreeCrossEntropy,
    TreeWasserstein,
    WassersteinDice,
    HausdorffDT,
    Boundary
);
