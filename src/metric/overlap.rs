//! Overlap: confusion counts of every class in one pass, and the metrics made of them.
#![forbid(unsafe_code)]

use super::LabelPair;
use crate::error::{Argument, Error};
use crate::view::check_length;

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

/// How often a class was right and wrong: voxels, or their multiplicities.
///
/// The counts of parts of a volume, of samples or of ranks add up to those of the whole:
/// [`OverlapCounts::merged`]. Metrics are exact in f64 as long as no count exceeds 2^53.
///
/// ```
/// use segloss::{OverlapCounts, OverlapMetric};
/// let counts = OverlapCounts {
///     true_positive: 6,
///     false_positive: 2,
///     false_negative: 4,
///     true_negative: 88,
/// };
/// assert_eq!(counts.score(OverlapMetric::Dice, f64::NAN), 12.0 / 18.0);
/// assert_eq!(counts.score(OverlapMetric::RelativeVolumeDifference, f64::NAN), -0.2);
/// // Absent from both maps: the metric has no value, and the caller says what stands for it.
/// assert_eq!(OverlapCounts::default().score(OverlapMetric::Dice, 1.0), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// As the struct of the C interface.
#[repr(C)]
pub struct OverlapCounts {
    /// Of the class in both maps.
    pub true_positive: u64,
    /// Of the class in the prediction alone.
    pub false_positive: u64,
    /// Of the class in the reference alone.
    pub false_negative: u64,
    /// Of the class in neither map.
    pub true_negative: u64,
}

/// A metric of [`OverlapCounts`]: `TP`, `FP`, `FN` and `TN`.
///
/// With `P = TP + FP` voxels predicted and `R = TP + FN` true ones. Names and formulas follow Taha
/// and Hanbury 2015 and Metrics Reloaded (Maier-Hein 2024). A formula that is 0/0 has no value:
/// [`OverlapCounts::score`] is told what to return instead.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum OverlapMetric {
    /// `2 TP / (2 TP + FP + FN)`, in 0..=1 (Dice 1945); the F1 score.
    Dice,
    /// `TP / (TP + FP + FN)`, in 0..=1 (Jaccard 1912); intersection over union.
    Jaccard,
    /// `TP / P`, in 0..=1; positive predictive value.
    Precision,
    /// `TP / R`, in 0..=1; recall, true positive rate.
    Sensitivity,
    /// `TN / (TN + FP)`, in 0..=1; true negative rate.
    Specificity,
    /// `(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)`, in 0..=1, where sensitivity counts `b` times
    /// as much as precision (van Rijsbergen 1979). 0 is precision, infinity sensitivity.
    FBeta(f64),
    /// `(TP + TN) / (TP + FP + FN + TN)`, in 0..=1.
    Accuracy,
    /// `1 - |FP - FN| / (2 TP + FP + FN)`, in 0..=1: of the volumes alone, wherever they lie (Taha
    /// and Hanbury 2015).
    VolumeSimilarity,
    /// `(P - R) / R`, from -1 up: 0 for equal volumes, positive if too much is predicted, infinite
    /// if there is nothing to find but something is found (Heimann 2009, without its absolute
    /// value).
    RelativeVolumeDifference,
    /// `(a - e) / (1 - e)`, in -1..=1: agreement `a` beyond that expected by chance `e` (Cohen 1960);
    /// here as `2 (TP TN - FP FN) / (P (FP + TN) + R (FN + TN))`.
    CohenKappa,
    /// `(TP TN - FP FN) / sqrt(P R (TN + FP) (TN + FN))`, in -1..=1: the correlation of the two
    /// masks (Matthews 1975).
    Matthews,
}

impl OverlapCounts {
    /// The counts of two sets of voxels together.
    #[must_use]
    pub const fn merged(self, other: Self) -> Self {
        Self {
            true_positive: self.true_positive.saturating_add(other.true_positive),
            false_positive: self.false_positive.saturating_add(other.false_positive),
            false_negative: self.false_negative.saturating_add(other.false_negative),
            true_negative: self.true_negative.saturating_add(other.true_negative),
        }
    }

    /// A metric of these counts, `undefined` where its formula is 0/0.
    ///
    /// ```
    /// use segloss::{OverlapCounts, OverlapMetric};
    /// let perfect = OverlapCounts { true_positive: 3, true_negative: 9, ..Default::default() };
    /// assert_eq!(perfect.score(OverlapMetric::Matthews, 0.0), 1.0);
    /// ```
    #[must_use]
    pub fn score(self, metric: OverlapMetric, undefined: f64) -> f64 {
        let [tp, fp, fn_, tn] =
            [self.true_positive, self.false_positive, self.false_negative, self.true_negative]
                .map(|count| count as f64);
        let (predicted, existing, errors) = (tp + fp, tp + fn_, fp + fn_);
        let (numerator, denominator) = match metric {
            OverlapMetric::Dice => (2.0 * tp, 2.0 * tp + errors),
            OverlapMetric::Jaccard => (tp, tp + errors),
            OverlapMetric::Precision => (tp, predicted),
            OverlapMetric::Sensitivity => (tp, existing),
            OverlapMetric::Specificity => (tn, tn + fp),
            OverlapMetric::FBeta(beta) => {
                // Divided by 1 + b^2, so that no b overflows.
                let share = 1.0 / (1.0 + beta * beta);
                (tp, tp + ((1.0 - share) * fn_ + share * fp))
            }
            OverlapMetric::Accuracy => (tp + tn, tp + tn + errors),
            OverlapMetric::VolumeSimilarity => {
                let smaller = if fp < fn_ { fp } else { fn_ };
                (2.0 * (tp + smaller), 2.0 * tp + errors)
            }
            OverlapMetric::RelativeVolumeDifference => (fp - fn_, existing),
            OverlapMetric::CohenKappa => {
                (2.0 * self.determinant(), predicted * (fp + tn) + existing * (fn_ + tn))
            }
            OverlapMetric::Matthews => {
                // Four factors below 2^65 stay far from overflow.
                let product = (predicted * (fn_ + tn)) * (existing * (fp + tn));
                (self.determinant(), libm::sqrt(product))
            }
        };
        if numerator == 0.0 && denominator == 0.0 { undefined } else { numerator / denominator }
    }

    /// `TP TN - FP FN`, whose terms may all but cancel: exact but for one rounding.
    fn determinant(self) -> f64 {
        let agreement = u128::from(self.true_positive) * u128::from(self.true_negative);
        let disagreement = u128::from(self.false_positive) * u128::from(self.false_negative);
        let size = agreement.abs_diff(disagreement);
        // A conversion from u128 would be a call out of the library.
        let (high, low) = ((size >> 64) as u64, size as u64);
        let size = high as f64 * TWO_TO_64 + low as f64;
        if agreement < disagreement { -size } else { size }
    }

    /// From what is of the class in both maps, in the prediction and in the reference, which the
    /// first three fields hold while voxels are counted, and the number of all voxels.
    pub(super) fn finish(&mut self, all: u64) {
        self.false_positive = self.false_positive.wrapping_sub(self.true_positive);
        self.false_negative = self.false_negative.wrapping_sub(self.true_positive);
        let positive = self.true_positive + self.false_positive + self.false_negative;
        self.true_negative = all.wrapping_sub(positive);
    }
}

/// Counts what [`OverlapMetric`] is made of, for all classes at once.
///
/// `counts` gets one element per class and is overwritten. `voxel_weights` are whole-number
/// multiplicities of the voxels, 0 exempts one like the ignore label; without them every voxel
/// counts once. A prediction of no class is a false negative of the reference's class.
///
/// Two passes over the maps, the first to check them; memory does not depend on the number of
/// classes.
///
/// ```
/// use segloss::{LabelPair, OverlapCounts, OverlapMetric, Spacing, count_overlap};
/// let prediction = [0u8, 1, 1, 2, 2, 0];
/// let reference = [0i16, 1, 2, 2, 2, -1];
/// let pair = LabelPair {
///     extent: &[2, 3],
///     spacing: Spacing::voxels(2)?,
///     classes: 3,
///     prediction: prediction[..].into(),
///     reference: reference[..].into(),
///     ignore: Some(-1),
/// };
/// let mut counts = [OverlapCounts::default(); 3];
/// count_overlap(&pair, None, &mut counts)?;
/// assert_eq!(counts[2].score(OverlapMetric::Dice, f64::NAN), 0.8);
/// assert_eq!(counts[0].true_negative, 4);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// [`Cause::Shape`](crate::Cause::Shape), [`Cause::ShapeOverflow`](crate::Cause::ShapeOverflow) and
/// [`Cause::Spacing`](crate::Cause::Spacing) for the sizes,
/// [`Cause::Length`](crate::Cause::Length) for a map, weights or counts of another length, and
/// [`Cause::Label`](crate::Cause::Label) with the voxel. `counts` is untouched then.
pub fn count_overlap(
    pair: &LabelPair<'_>,
    voxel_weights: Option<&[u8]>,
    counts: &mut [OverlapCounts],
) -> Result<(), Error> {
    let reader = pair.reader(voxel_weights)?;
    check_length(Argument::Counts, counts.len(), pair.classes)?;
    reader.check()?;
    counts.fill(OverlapCounts::default());
    let mut all = 0;
    reader.count(|prediction, reference, voxels| {
        all += voxels;
        if let Some(own) = counts.get_mut(reference as usize) {
            own.false_negative += voxels;
            own.true_positive += if prediction == reference { voxels } else { 0 };
        }
        if let Some(own) = counts.get_mut(prediction as usize) {
            own.false_positive += voxels;
        }
    });
    for own in counts {
        own.finish(all);
    }
    Ok(())
}
