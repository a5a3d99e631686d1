//! Losses by name: the lists of terms that papers and tools use.
#![forbid(unsafe_code)]

use super::term::{
    CrossEntropy, Dice, Focal, Ground, HausdorffDT, Pooling, Scale, TermActivation,
    TreeCrossEntropy, TreeWasserstein, Tversky,
};
use super::{Activation, Loss, Term, WeightedTerm};
use crate::spacing::Spacing;
use crate::tree::LabelTree;

fn log_hausdorff_dt<'a>(spacing: Spacing) -> HausdorffDT<'a> {
    HausdorffDT { logarithm: true, ..HausdorffDT::new(spacing) }
}

impl<'a> Loss<'a> {
    /// A list that is known to fit.
    fn of<const N: usize>(terms: [(f64, Term<'a>); N]) -> Self {
        let mut loss = Self::new(Activation::Softmax);
        loss.terms = terms.iter().map(|&(weight, term)| WeightedTerm { weight, term }).collect();
        loss
    }

    /// Dice + cross-entropy, the loss of nnU-Net and of MONAI's `DiceCELoss`. nnU-Net pools its
    /// Dice over the batch in most configurations.
    #[must_use]
    pub fn dice_cross_entropy(pooling: Pooling) -> Self {
        let dice = Dice { pooling, ..Dice::default() };
        Self::of([(1.0, dice.into()), (1.0, CrossEntropy::default().into())])
    }

    /// Dice + focal (gamma 2), both under softmax.
    #[must_use]
    pub fn dice_focal() -> Self {
        Self::of([(1.0, Dice::default().into()), (1.0, Focal::default().into())])
    }

    /// Dice under softmax + focal (gamma 2) in its sigmoid form on the raw logits: what MONAI's
    /// `DiceFocalLoss(softmax=True)` computes.
    #[must_use]
    pub fn dice_focal_as_monai() -> Self {
        let focal = Focal { activation: TermActivation::Sigmoid, ..Focal::default() };
        Self::of([(1.0, Dice::default().into()), (1.0, focal.into())])
    }

    /// Tversky; lesions are commonly trained with false positives 0.3, false negatives 0.7.
    #[must_use]
    pub fn tversky(false_positive_weight: f64, false_negative_weight: f64) -> Self {
        let tversky =
            Tversky { false_positive_weight, false_negative_weight, ..Tversky::default() };
        Self::of([(1.0, tversky.into())])
    }

    /// HausdorffDT with exponent 2 on foreground classes, as MONAI. It is 0 for a prediction and a
    /// target that are opposite and uniform: the compounds below are not.
    #[must_use]
    pub fn hausdorff_dt(spacing: Spacing) -> Self {
        Self::of([(1.0, HausdorffDT::new(spacing).into())])
    }

    /// 0.9 (Dice + focal) + 0.1 LogHausdorffDT (arXiv 2502.09148), with focal under softmax.
    #[must_use]
    pub fn dice_focal_hausdorff_dt(spacing: Spacing) -> Self {
        let focal = Focal::default();
        Self::of([
            (0.9, Dice::default().into()),
            (0.9, focal.into()),
            (0.1, log_hausdorff_dt(spacing).into()),
        ])
    }

    /// The same with the focal part of MONAI's `DiceFocalLoss`, see [`Loss::dice_focal_as_monai`]:
    /// what the paper has run.
    #[must_use]
    pub fn dice_focal_hausdorff_dt_as_monai(spacing: Spacing) -> Self {
        let focal = Focal { activation: TermActivation::Sigmoid, ..Focal::default() };
        Self::of([
            (0.9, Dice::default().into()),
            (0.9, focal.into()),
            (0.1, log_hausdorff_dt(spacing).into()),
        ])
    }

    /// 0.9 Tversky (false positives 0.3, false negatives 0.7) + 0.1 LogHausdorffDT
    /// (arXiv 2502.09148).
    #[must_use]
    pub fn tversky_hausdorff_dt(spacing: Spacing) -> Self {
        let tversky = Tversky {
            false_positive_weight: 0.3,
            false_negative_weight: 0.7,
            ..Tversky::default()
        };
        Self::of([(0.9, tversky.into()), (0.1, log_hausdorff_dt(spacing).into())])
    }

    /// Cross-entropy + tree Wasserstein distance with its maximum at 1 (arXiv 2507.15777,
    /// 2506.21150). The papers do not publish the two weights; half each is a beginning.
    #[must_use]
    pub fn wasserstein_cross_entropy(
        tree: LabelTree<'a>,
        cross_entropy_weight: f64,
        wasserstein_weight: f64,
    ) -> Self {
        let wasserstein = TreeWasserstein { ground: Ground::Tree, scale: Scale::UnitMaximum };
        Self::of([
            (cross_entropy_weight, CrossEntropy::default().into()),
            (wasserstein_weight, wasserstein.into()),
        ])
        .with_tree(tree)
    }

    /// Tree cross-entropy (arXiv 2507.15777, 2506.21150), see the node weight constructors of
    /// [`LabelTree`].
    #[must_use]
    pub fn tree_cross_entropy(tree: LabelTree<'a>, node_weights: &'a [f64]) -> Self {
        Self::of([(1.0, TreeCrossEntropy { node_weights }.into())]).with_tree(tree)
    }

    /// Tree cross-entropy + Dice.
    #[must_use]
    pub fn tree_cross_entropy_dice(tree: LabelTree<'a>, node_weights: &'a [f64]) -> Self {
        Self::of([(1.0, TreeCrossEntropy { node_weights }.into()), (1.0, Dice::default().into())])
            .with_tree(tree)
    }
}
