//! One part of a MONAI loss: a term of the library and MONAI's reductions of it.

use segloss::{
    Activation, BinaryCrossEntropy, CrossEntropy, Denominator, Dice, Focal, GeneralisedDice,
    Ground, HausdorffDT, Mean, Overlap, Pooling, Ratio, Spacing, Term, TermActivation, Tversky,
    VolumeWeighting, WassersteinDice, WassersteinDiceWeighting,
};

use super::batch::Batch;

/// The term.
pub enum Kind {
    Dice { denominator: Denominator, ratio: Ratio },
    Tversky { false_positive_weight: f64, false_negative_weight: f64 },
    GeneralisedDice { weighting: VolumeWeighting },
    WassersteinDice { matrix: Vec<f64>, weighting: WassersteinDiceWeighting },
    CrossEntropy { label_smoothing: f64 },
    BinaryCrossEntropy { positive_weights: Option<Vec<f64>> },
    Focal { gamma: f64, activation: TermActivation, alpha: Option<Vec<f64>>, mean: Mean },
    HausdorffDT { spacing: Spacing, exponent: f64, logarithm: bool },
}

/// Options of the region terms.
#[derive(Clone, Copy)]
pub struct Region {
    pub pooling: Pooling,
    pub overlap: Overlap,
    pub smooth_numerator: f64,
    pub smooth_denominator: f64,
}

/// A term, its factor, and the weight of every channel: 0 for a background that is left out.
pub struct Part {
    pub factor: f64,
    pub kind: Kind,
    pub region: Region,
    pub class_weights: Vec<f64>,
    /// The first channel that MONAI looks at.
    pub first_class: usize,
}

/// Values that broadcast: `[B or 1][C or 1][N or 1]`.
pub struct Grid {
    pub sizes: [usize; 3],
    pub values: Vec<f64>,
}

impl Part {
    /// The term with these class weights.
    fn term_with<'a>(&'a self, class_weights: &'a [f64]) -> Term<'a> {
        let Region { pooling, overlap, smooth_numerator, smooth_denominator } = self.region;
        let class_weights = Some(class_weights);
        match &self.kind {
            &Kind::Dice { denominator, ratio } => Dice {
                denominator,
                ratio,
                pooling,
                overlap,
                smooth_numerator,
                smooth_denominator,
                class_weights,
            }
            .into(),
            &Kind::Tversky { false_positive_weight, false_negative_weight } => Tversky {
                false_positive_weight,
                false_negative_weight,
                exponent: 1.0,
                pooling,
                overlap,
                smooth_numerator,
                smooth_denominator,
                class_weights,
            }
            .into(),
            &Kind::GeneralisedDice { weighting } => GeneralisedDice {
                weighting,
                pooling,
                overlap,
                smooth_numerator,
                smooth_denominator,
                class_weights,
            }
            .into(),
            Kind::WassersteinDice { matrix, weighting } => WassersteinDice {
                ground: Ground::Matrix(matrix),
                weighting: *weighting,
                smooth_numerator,
                smooth_denominator,
            }
            .into(),
            &Kind::CrossEntropy { label_smoothing } => {
                CrossEntropy { label_smoothing, activation: TermActivation::Softmax, class_weights }
                    .into()
            }
            Kind::BinaryCrossEntropy { positive_weights } => BinaryCrossEntropy {
                positive_weights: positive_weights.as_deref(),
                activation: TermActivation::Sigmoid,
                class_weights,
            }
            .into(),
            Kind::Focal { gamma, activation, alpha, mean } => Focal {
                gamma: *gamma,
                alpha: alpha.as_deref(),
                mean: *mean,
                activation: *activation,
                class_weights,
            }
            .into(),
            // The class weights leave out what does not count.
            &Kind::HausdorffDT { spacing, exponent, logarithm } => HausdorffDT {
                exponent,
                logarithm,
                include_background: true,
                class_weights,
                ..HausdorffDT::new(spacing)
            }
            .into(),
        }
    }

    pub fn term(&self) -> Term<'_> {
        self.term_with(&self.class_weights)
    }

    fn weight_sum(&self) -> f64 {
        self.class_weights.iter().sum()
    }

    fn weighted_classes(&self) -> f64 {
        self.class_weights.iter().filter(|&&k| k > 0.0).count() as f64
    }

    fn counted_classes(&self) -> f64 {
        (self.class_weights.len() - self.first_class) as f64
    }

    /// MONAI's mean over ours: MONAI multiplies by class weights and divides by the number of
    /// classes, the library divides by the sum of the weights (region terms) or by the number of
    /// classes that have one (focal).
    pub fn mean_factor(&self) -> f64 {
        match &self.kind {
            Kind::Dice { .. } | Kind::Tversky { .. } => self.weight_sum() / self.counted_classes(),
            Kind::Focal { mean: Mean::ChannelsAndVoxels, .. } => {
                self.weighted_classes() / self.counted_classes()
            }
            _ => 1.0,
        }
    }

    /// MONAI's sum. Region terms add their values; focal takes the mean over the voxels of each
    /// sample first; cross-entropy adds the voxels.
    pub fn sum(&self, batch: &Batch, activation: Activation) -> Result<f64, String> {
        if let Kind::Focal { .. } = self.kind
            && !batch.spatial
        {
            // The mean over no axis is the mean over all of them in PyTorch.
            return Ok(self.mean_factor() * evaluate(batch, activation, self.term())?);
        }
        if let Kind::HausdorffDT { spacing, exponent, logarithm: true } = self.kind {
            // MONAI takes the logarithm of its sum.
            let kind = Kind::HausdorffDT { spacing, exponent, logarithm: false };
            let class_weights = self.class_weights.clone();
            return Ok(Self { kind, class_weights, ..*self }.sum(batch, activation)?.ln_1p());
        }
        let pooled = self.pooled_over_batch();
        let groups = if pooled { 1 } else { batch.samples };
        let mut sum = 0.0;
        for group in 0..groups {
            let alone = batch.sample(group);
            let group = if pooled { batch } else { &alone };
            let values = match &self.kind {
                Kind::Dice { .. } | Kind::Tversky { .. } => self.weight_sum(),
                Kind::GeneralisedDice { .. } | Kind::WassersteinDice { .. } => 1.0,
                Kind::HausdorffDT { .. } => self.weighted_classes(),
                Kind::CrossEntropy { .. } => group.label_weight(&self.class_weights),
                Kind::BinaryCrossEntropy { .. } => {
                    self.weighted_classes() * group.counts.iter().sum::<f32>() as f64
                }
                Kind::Focal { mean, .. } => match mean {
                    Mean::ChannelsAndVoxels => self.weighted_classes(),
                    Mean::Voxels => 1.0,
                },
            };
            sum += values * evaluate(group, activation, self.term())?;
        }
        Ok(sum)
    }

    fn pooled_over_batch(&self) -> bool {
        let region = matches!(
            self.kind,
            Kind::Dice { .. } | Kind::Tversky { .. } | Kind::GeneralisedDice { .. }
        );
        region && self.region.pooling == Pooling::Batch
    }

    /// Every value that MONAI would reduce: each is the library's value of one class, one sample
    /// or one voxel alone.
    pub fn values(&self, batch: &Batch, activation: Activation) -> Result<Grid, String> {
        let (samples, classes) = if self.pooled_over_batch() {
            (1, self.counted_classes() as usize)
        } else {
            (batch.samples, self.counted_classes() as usize)
        };
        let sizes = match self.kind {
            Kind::Dice { .. } | Kind::Tversky { .. } | Kind::HausdorffDT { .. } => {
                [samples, classes, 1]
            }
            Kind::GeneralisedDice { .. } | Kind::WassersteinDice { .. } => [samples, 1, 1],
            Kind::Focal { .. } => [samples, classes, batch.voxels],
            Kind::CrossEntropy { .. } | Kind::BinaryCrossEntropy { .. } => {
                return Err("MONAI does not take cross-entropy without a reduction".to_string());
            }
        };
        let mut values = Vec::new();
        for sample in 0..sizes[0] {
            for class in self.first_class..self.first_class + sizes[1] {
                for voxel in 0..sizes[2] {
                    let alone = if sizes[2] > 1 {
                        batch.voxel(sample, voxel)
                    } else if samples == batch.samples {
                        batch.sample(sample)
                    } else {
                        batch.clone()
                    };
                    values.push(if sizes[1] > 1 {
                        self.value_of_class(&alone, class, activation)?
                    } else {
                        self.mean_factor() * evaluate(&alone, activation, self.term())?
                    });
                }
            }
        }
        Ok(Grid { sizes, values })
    }

    fn value_of_class(
        &self,
        batch: &Batch,
        class: usize,
        activation: Activation,
    ) -> Result<f64, String> {
        let mut only = vec![0.0; self.class_weights.len()];
        only[class] = 1.0;
        let value = evaluate(batch, activation, self.term_with(&only))?;
        Ok(self.class_weights[class] * value)
    }
}

impl Grid {
    /// One number.
    pub fn single(value: f64) -> Self {
        Self { sizes: [1; 3], values: vec![value] }
    }

    fn at(&self, place: [usize; 3]) -> f64 {
        let [_, classes, voxels] = self.sizes;
        let [b, c, i] = [0, 1, 2].map(|axis| place[axis].min(self.sizes[axis] - 1));
        self.values[(b * classes + c) * voxels + i]
    }

    /// `self + factor other`, broadcast.
    pub fn plus(&self, factor: f64, other: &Self) -> Self {
        let sizes = [0, 1, 2].map(|axis| self.sizes[axis].max(other.sizes[axis]));
        let mut values = Vec::new();
        for b in 0..sizes[0] {
            for c in 0..sizes[1] {
                for i in 0..sizes[2] {
                    values.push(self.at([b, c, i]) + factor * other.at([b, c, i]));
                }
            }
        }
        Self { sizes, values }
    }
}

fn evaluate(batch: &Batch, activation: Activation, term: Term<'_>) -> Result<f64, String> {
    batch.value(activation, &[(1.0, term)]).map_err(|error| error.to_string())
}
