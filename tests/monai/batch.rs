//! The inputs of a call as buffers of the library, whole, by sample and by voxel.

use segloss::{Activation, Dense, Error, Input, Loss, Sequential, Shape, Target, Term};
use segloss::{Labels, VoxelWeights};

use super::record::{Call, Tensor};

/// What the scores are compared with.
#[derive(Clone)]
enum Reference {
    /// `[B][N]`.
    Labels(Vec<i64>),
    /// `[B][C][N]`.
    Dense(Vec<f32>),
}

/// Scores, target and voxel weights.
#[derive(Clone)]
pub struct Batch {
    pub samples: usize,
    pub classes: usize,
    pub voxels: usize,
    /// Voxels along each axis; one axis for scores of shape `[B, C]`.
    pub extent: Vec<usize>,
    /// False for scores of shape `[B, C]`.
    pub spatial: bool,
    scores: Vec<f32>,
    reference: Reference,
    /// `[B][N]`, 0 or 1.
    pub counts: Vec<f32>,
}

impl Batch {
    /// `labels` tells whether the target is a label map.
    pub fn new(call: &Call, labels: bool, ignore: Option<i64>) -> Result<Self, String> {
        let [samples, classes, ref spatial @ ..] = call.input.shape[..] else {
            return Err("the input has no channels".to_string());
        };
        let voxels: usize = spatial.iter().product();
        let places = if labels { samples * voxels } else { samples * voxels * classes };
        if call.target.values.len() != places {
            return Err(format!("a target of shape {:?}", call.target.shape));
        }
        let mut counts = mask_of(call.mask.as_ref(), samples, voxels)?;
        let mut target = call.target.values.clone();
        if let Some(ignore) = ignore {
            drop_ignored(&mut target, &mut counts, voxels, ignore);
        }
        Ok(Self {
            samples,
            classes,
            voxels,
            extent: if spatial.is_empty() { vec![1] } else { spatial.to_vec() },
            spatial: !spatial.is_empty(),
            scores: call.input.values.iter().map(|&z| other_activation(call, z) as f32).collect(),
            reference: if labels {
                Reference::Labels(target.iter().map(|&label| label as i64).collect())
            } else {
                Reference::Dense(target.iter().map(|&g| g as f32).collect())
            },
            counts,
        })
    }

    /// One sample alone.
    pub fn sample(&self, sample: usize) -> Self {
        self.part(sample, 0, &self.extent)
    }

    /// One voxel of one sample alone.
    pub fn voxel(&self, sample: usize, voxel: usize) -> Self {
        self.part(sample, voxel, &[1])
    }

    fn part(&self, sample: usize, first: usize, extent: &[usize]) -> Self {
        let voxels: usize = extent.iter().product();
        let plane =
            |plane: usize| plane * self.voxels + first..plane * self.voxels + first + voxels;
        let channels = |values: &[f32]| -> Vec<f32> {
            (0..self.classes)
                .flat_map(|class| &values[plane(sample * self.classes + class)])
                .copied()
                .collect()
        };
        Self {
            samples: 1,
            classes: self.classes,
            voxels,
            extent: extent.to_vec(),
            spatial: self.spatial,
            scores: channels(&self.scores),
            reference: match &self.reference {
                Reference::Labels(labels) => Reference::Labels(labels[plane(sample)].to_vec()),
                Reference::Dense(values) => Reference::Dense(channels(values)),
            },
            counts: self.counts[plane(sample)].to_vec(),
        }
    }

    /// Sum over the voxels that count of the class weight of their label, 1 for dense targets.
    pub fn label_weight(&self, class_weights: &[f64]) -> f64 {
        let weight = |place: usize| match &self.reference {
            Reference::Labels(labels) => class_weights[labels[place] as usize],
            Reference::Dense(_) => 1.0,
        };
        self.counts.iter().enumerate().map(|(place, &w)| f64::from(w) * weight(place)).sum()
    }

    /// The value of a loss, from single precision.
    pub fn value(&self, activation: Activation, terms: &[(f64, Term<'_>)]) -> Result<f64, Error> {
        let mut loss = Loss::new(activation);
        for &(weight, term) in terms {
            loss = loss.with(weight, term)?;
        }
        let shape = Shape::planar(self.samples, self.classes, &self.extent)?;
        let target = match &self.reference {
            Reference::Labels(labels) => Target::labels(Labels::I64(labels)),
            Reference::Dense(values) => Target::dense(Dense::F32(values)),
        };
        let input = Input::new(shape, &self.scores[..], target)
            .with_weights(VoxelWeights::F32(&self.counts));
        let mut scratch = vec![0; loss.scratch_bytes(&input, 1)?];
        let evaluation = loss.evaluate(&input, None, &mut scratch, &Sequential)?;
        Ok(evaluation.total)
    }
}

/// MONAI's `other_act`, which is the caller's affair here. The one built-in that its tests take is
/// the hyperbolic tangent.
fn other_activation(call: &Call, score: f64) -> f64 {
    if call.init.builtin("other_act") { score.tanh() } else { score }
}

/// A mask of shape `[B or 1][1][N]` as voxel weights.
fn mask_of(mask: Option<&Tensor>, samples: usize, voxels: usize) -> Result<Vec<f32>, String> {
    let Some(mask) = mask else {
        return Ok(vec![1.0; samples * voxels]);
    };
    if mask.values.iter().any(|&m| m != 0.0 && m != 1.0) {
        return Err("the mask is not binary".to_string());
    }
    let values: Vec<f32> = mask.values.iter().map(|&m| m as f32).collect();
    match values.len() {
        length if length == samples * voxels => Ok(values),
        length if length == voxels => Ok(values.repeat(samples)),
        _ => Err(format!("a mask of shape {:?}", mask.shape)),
    }
}

/// MONAI's `ignore_index`: a label of the map, a channel of a dense target, or, when it is neither,
/// the voxels of a dense target where all channels are 0.
fn drop_ignored(target: &mut [f64], counts: &mut [f32], voxels: usize, ignore: i64) {
    let channels = target.len() / counts.len();
    for (place, count) in counts.iter_mut().enumerate() {
        let (sample, voxel) = (place / voxels, place % voxels);
        let at = |channel: usize| (sample * channels + channel) * voxels + voxel;
        let ignored = match usize::try_from(ignore) {
            _ if channels == 1 => target[place] == ignore as f64,
            Ok(channel) if channel < channels => target[at(channel)] == 1.0,
            _ => (0..channels).all(|channel| target[at(channel)] == 0.0),
        };
        if ignored {
            *count = 0.0;
            // A voxel that does not count still needs a class.
            (0..channels).for_each(|channel| target[at(channel)] = 0.0);
        }
    }
}
