//! How sure scores are of a voxel, for telling tissue that no class stands for from what was
//! trained on: background-free training (arXiv 2411.09553).
#![forbid(unsafe_code)]

use super::score_rows::{Row, ScoreRows, Statistics};
use crate::element::Real;
use crate::error::{Argument, Cause, Error};
use crate::shape::Shape;
use crate::simd::{Kernel, Simd, Vector};
use crate::view::{Scores, check_length};

/// What is taken for confidence, from the logits `z` of a voxel; larger is surer in every case.
///
/// A temperature `T` is positive and at most 1e18; `p = softmax(z / T)`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Confidence {
    /// `max p`, from 1 / classes to 1 (Hendrycks and Gimpel 2017, with the temperature of Liang,
    /// Li and Srikant 2018).
    MaximumProbability {
        /// `T`.
        temperature: f64,
    },
    /// `max z` (Hendrycks 2022).
    MaximumLogit,
    /// `T ln sum exp(z / T)`, the negative of the free energy (Liu 2020).
    Energy {
        /// `T`.
        temperature: f64,
    },
    /// `sum p ln p`, from -ln(classes) to 0.
    NegativeEntropy {
        /// `T`.
        temperature: f64,
    },
}

impl Confidence {
    /// Temperature, 1 where there is none.
    fn temperature(self) -> Result<f64, Error> {
        let (Self::MaximumProbability { temperature }
        | Self::Energy { temperature }
        | Self::NegativeEntropy { temperature }) = self
        else {
            return Ok(1.0);
        };
        if temperature > 0.0 && temperature <= 1e18 {
            return Ok(temperature);
        }
        Err(Error::new(Cause::Option, Argument::Confidence).found(temperature).expected(1.0))
    }
}

/// Writes the confidence of every voxel, `[batch][voxel]`.
///
/// `scores` are logits in the order of `shape`. O(scores), read three times: to check them, for
/// the largest and for the exponentials. No exponential overflows, whatever the scores.
///
/// ```
/// use segloss::{Confidence, Shape, confidence_map};
/// let shape = Shape::planar(1, 2, &[2])?;
/// let scores = [0.0f32, 9.0, 0.0, -9.0];
/// let mut confidence = [0.0; 2];
/// let score = Confidence::MaximumProbability { temperature: 1.0 };
/// confidence_map(shape, scores[..].into(), score, &mut confidence)?;
/// assert_eq!(confidence[0], 0.5);
/// assert!(confidence[1] > 0.9999);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// [`Cause::Length`](crate::Cause::Length), [`Cause::Option`](crate::Cause::Option) for a
/// temperature out of range, [`Cause::NonFinite`](crate::Cause::NonFinite) with the score.
/// `confidence` is untouched then.
pub fn confidence_map(
    shape: Shape,
    scores: Scores<'_>,
    score: Confidence,
    confidence: &mut [f32],
) -> Result<(), Error> {
    check_length(Argument::Confidence, confidence.len(), shape.batch_voxels())?;
    each_confidence(shape, scores, score, confidence, |to, confidence, _| *to = confidence)
}

/// Labels every voxel with the class of the largest score (the first of equals), or with
/// `unknown` where its confidence, as [`confidence_map`] writes it, is below `threshold`.
///
/// ```
/// use segloss::{Confidence, Shape, label_confident};
/// let shape = Shape::interleaved(1, 2, &[3])?;
/// let scores = [0.0f32, 0.1, 9.0, 0.0, 0.0, 8.0];
/// let mut labels = [0; 3];
/// let score = Confidence::MaximumProbability { temperature: 1.0 };
/// label_confident(shape, scores[..].into(), score, 0.9, -1, &mut labels)?;
/// assert_eq!(labels, [-1, 0, 1]);
/// # Ok::<(), segloss::Error>(())
/// ```
///
/// # Errors
/// As [`confidence_map`], and [`Cause::Option`](crate::Cause::Option) for a threshold that is NaN.
/// `labels` is untouched then.
pub fn label_confident(
    shape: Shape,
    scores: Scores<'_>,
    score: Confidence,
    threshold: f64,
    unknown: i32,
    labels: &mut [i32],
) -> Result<(), Error> {
    check_length(Argument::Result, labels.len(), shape.batch_voxels())?;
    if threshold.is_nan() {
        return Err(Error::new(Cause::Option, Argument::Confidence).found(threshold));
    }
    each_confidence(shape, scores, score, labels, |to, confidence, class| {
        *to = if f64::from(confidence) >= threshold { class } else { unknown };
    })
}

/// Calls `write` with the confidence and the class of the largest score of every voxel.
fn each_confidence<T>(
    shape: Shape,
    scores: Scores<'_>,
    score: Confidence,
    output: &mut [T],
    write: impl FnMut(&mut T, f32, i32),
) -> Result<(), Error> {
    let temperature = score.temperature()?;
    let scores = ScoreRows::new(shape, scores)?;
    if scores.double() {
        compute::<f64, T>(&scores, score, temperature, output, write);
    } else {
        // A temperature that f32 cannot hold still divides.
        let temperature = if temperature < 1e-37 { 1e-37 } else { temperature };
        compute::<f32, T>(&scores, score, temperature as f32, output, write);
    }
    Ok(())
}

pub(super) fn compute<R: Real, T>(
    scores: &ScoreRows<'_>,
    score: Confidence,
    temperature: R,
    output: &mut [T],
    mut write: impl FnMut(&mut T, f32, i32),
) {
    let mut statistics = Statistics::new();
    scores.each_place(output, |place, output| {
        scores.find_highest(place, &mut statistics);
        if score != Confidence::MaximumLogit {
            let classes = 0..scores.shape.classes();
            scores.sum_exponentials(place, classes, temperature, &mut statistics);
        }
        let Statistics { row, maximum, best, sum, product } = &mut statistics;
        let kernel = Finish { score, temperature, maximum, sum, product, confidence: row };
        R::dispatch(scores.level, kernel);
        let confidence = row.as_flattened().iter().zip(best.as_flattened());
        for (to, (&confidence, &class)) in output.iter_mut().zip(confidence) {
            write(to, confidence.to_f32(), class.to_f32() as i32);
        }
    });
}

/// Confidence of some voxels, from the sums of their exponentials.
struct Finish<'a, R> {
    score: Confidence,
    temperature: R,
    maximum: &'a Row<R>,
    sum: &'a Row<R>,
    product: &'a Row<R>,
    confidence: &'a mut Row<R>,
}

impl<R: Real> Kernel<R> for Finish<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let (one, temperature) = (simd.splat(R::ONE), simd.splat(self.temperature));
        let sums = self.maximum.iter().zip(self.sum).zip(self.product);
        for (((maximum, sum), product), to) in sums.zip(self.confidence) {
            let (maximum, sum) = (simd.load(maximum), simd.load(sum));
            let confidence = match self.score {
                Confidence::MaximumLogit => maximum,
                Confidence::MaximumProbability { .. } => one / sum,
                Confidence::Energy { .. } => maximum + temperature * sum.ln_normal(),
                Confidence::NegativeEntropy { .. } => simd.load(product) / sum - sum.ln_normal(),
            };
            confidence.store(to);
        }
    }
}
