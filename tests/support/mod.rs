//! Runs the library on a case of the reference implementation, in any element type and layout.
#![allow(dead_code, unreachable_pub, clippy::expect_used, clippy::unwrap_used, clippy::panic)]

pub mod data;
pub mod executors;
pub mod fields;
pub mod masks;
pub mod random;
pub mod random_terms;
mod terms;

pub use terms::{activation, term};

use crate::reference::{self, Case};
use half::{bf16, f16};
use segloss::{
    Dense, Error, Executor, Gradient, Input, LabelTree, Labels, Layout, Level, Loss, Scores,
    ScoresMut, Sequential, Shape, Target, VoxelWeights,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreType {
    F32,
    F64,
    F16,
    Bf16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelType {
    U8,
    U16,
    I16,
    I32,
    I64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenseType {
    U8,
    F32,
    F64,
}

/// How a case is handed to the library.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub scores: ScoreType,
    pub labels: LabelType,
    pub dense: DenseType,
    pub layout: Layout,
    pub level: Level,
    pub upstream: f64,
    pub in_place: bool,
    /// Distance fields in scratch even where the gradient could hold them.
    pub fields_in_scratch: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scores: ScoreType::F32,
            labels: LabelType::U8,
            dense: DenseType::F32,
            layout: Layout::Planar,
            level: Level::Best,
            upstream: 1.0,
            in_place: false,
            fields_in_scratch: false,
        }
    }
}

/// What came back, in the order of the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub total: f64,
    pub terms: Vec<f64>,
    pub counted_voxels: u64,
    /// `[batch][class][voxel]`.
    pub gradient: Vec<f64>,
}

/// An ignore label that is neither a class nor a node.
pub fn ignore_label(labels: LabelType) -> i64 {
    match labels {
        LabelType::U8 => 255,
        LabelType::U16 => 65_535,
        LabelType::I16 | LabelType::I32 | LabelType::I64 => -1,
    }
}

/// A case as buffers of the library.
pub struct Buffers {
    pub shape: Shape,
    scores: ScoreBuffer,
    labels: Option<LabelBuffer>,
    nodes: bool,
    dense: Option<DenseBuffer>,
    weights: Vec<f32>,
    tree_storage: Vec<u8>,
    tree: Option<reference::Tree>,
}

#[derive(Clone)]
pub enum ScoreBuffer {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

enum LabelBuffer {
    U8(Vec<u8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

enum DenseBuffer {
    U8(Vec<u8>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl ScoreBuffer {
    pub fn new(kind: ScoreType, values: &[f64]) -> Self {
        match kind {
            ScoreType::F32 => Self::F32(values.iter().map(|&v| v as f32).collect()),
            ScoreType::F64 => Self::F64(values.to_vec()),
            ScoreType::F16 => Self::F16(values.iter().map(|&v| f16::from_f64(v)).collect()),
            ScoreType::Bf16 => Self::Bf16(values.iter().map(|&v| bf16::from_f64(v)).collect()),
        }
    }

    pub fn view(&self) -> Scores<'_> {
        match self {
            Self::F32(v) => v[..].into(),
            Self::F64(v) => v[..].into(),
            Self::F16(v) => v[..].into(),
            Self::Bf16(v) => v[..].into(),
        }
    }

    pub fn view_mut(&mut self) -> ScoresMut<'_> {
        match self {
            Self::F32(v) => (&mut v[..]).into(),
            Self::F64(v) => (&mut v[..]).into(),
            Self::F16(v) => (&mut v[..]).into(),
            Self::Bf16(v) => (&mut v[..]).into(),
        }
    }

    pub fn wide(&self) -> Vec<f64> {
        match self {
            Self::F32(v) => v.iter().map(|&v| f64::from(v)).collect(),
            Self::F64(v) => v.clone(),
            Self::F16(v) => v.iter().map(|v| v.to_f64()).collect(),
            Self::Bf16(v) => v.iter().map(|v| v.to_f64()).collect(),
        }
    }

    /// Every bit, to compare runs with.
    pub fn bits(&self) -> Vec<u64> {
        match self {
            Self::F32(v) => v.iter().map(|v| u64::from(v.to_bits())).collect(),
            Self::F64(v) => v.iter().map(|v| v.to_bits()).collect(),
            Self::F16(v) => v.iter().map(|v| u64::from(v.to_bits())).collect(),
            Self::Bf16(v) => v.iter().map(|v| u64::from(v.to_bits())).collect(),
        }
    }
}

/// `[b][c][n]` to `[b][n][c]`, or back with the two sizes exchanged.
pub fn transposed(values: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let sample = rows * columns;
    (0..values.len())
        .map(|i| {
            let (b, rest) = (i / sample, i % sample);
            values[b * sample + (rest % rows) * columns + rest / rows]
        })
        .collect()
}

impl Buffers {
    pub fn new(case: &Case, settings: &Settings) -> Self {
        let shape = Shape::new(case.batch, case.classes, &case.extent, settings.layout).unwrap();
        let ordered = |values: &[f64]| match settings.layout {
            Layout::Planar => values.to_vec(),
            Layout::Interleaved => transposed(values, case.classes, case.voxels),
        };
        let integers = |labels: &[Option<usize>]| -> LabelBuffer {
            let ignore = ignore_label(settings.labels);
            let wide = labels.iter().map(|label| label.map_or(ignore, |l| l as i64));
            match settings.labels {
                LabelType::U8 => LabelBuffer::U8(wide.map(|l| l.try_into().unwrap()).collect()),
                LabelType::U16 => LabelBuffer::U16(wide.map(|l| l.try_into().unwrap()).collect()),
                LabelType::I16 => LabelBuffer::I16(wide.map(|l| l.try_into().unwrap()).collect()),
                LabelType::I32 => LabelBuffer::I32(wide.map(|l| l.try_into().unwrap()).collect()),
                LabelType::I64 => LabelBuffer::I64(wide.collect()),
            }
        };
        let (mut labels, mut dense, mut nodes) = (None, None, false);
        match &case.target {
            reference::Target::Labels(values) => labels = Some(integers(values)),
            reference::Target::Nodes(values) => {
                labels = Some(integers(values));
                nodes = true;
            }
            reference::Target::Dense(values) => {
                let values = ordered(values);
                dense = Some(match settings.dense {
                    DenseType::U8 => DenseBuffer::U8(values.iter().map(|&v| v as u8).collect()),
                    DenseType::F32 => DenseBuffer::F32(values.iter().map(|&v| v as f32).collect()),
                    DenseType::F64 => DenseBuffer::F64(values),
                });
            }
        }
        let storage = case.tree.as_ref().map_or(0, |tree| {
            LabelTree::storage_bytes(tree.parent.len(), tree.leaf_of_class.len()).unwrap()
        });
        Self {
            shape,
            scores: ScoreBuffer::new(settings.scores, &ordered(&case.scores)),
            labels,
            nodes,
            dense,
            weights: case.voxel_weights.iter().map(|&w| w as f32).collect(),
            tree_storage: vec![0; storage],
            tree: case.tree.clone(),
        }
    }
}

/// A tree of the library from one of the reference.
pub fn label_tree<'s>(tree: &reference::Tree, storage: &'s mut [u8]) -> LabelTree<'s> {
    let parent: Vec<i32> = tree.parent.iter().map(|p| p.map_or(-1, |p| p as i32)).collect();
    let leaves: Vec<i32> = tree.leaf_of_class.iter().map(|&l| l as i32).collect();
    LabelTree::new(&parent, Some(&tree.edge_weights), &leaves, storage).unwrap()
}

/// Evaluates with the sequential executor.
pub fn run(
    case: &Case,
    terms: &[(f64, reference::Term)],
    settings: &Settings,
) -> Result<Outcome, Error> {
    run_with(case, terms, settings, &Sequential).map(|(outcome, _)| outcome)
}

/// Evaluates; gives the gradient's bits as well.
pub fn run_with(
    case: &Case,
    terms: &[(f64, reference::Term)],
    settings: &Settings,
    executor: &dyn Executor,
) -> Result<(Outcome, Vec<u64>), Error> {
    let mut buffers = Buffers::new(case, settings);
    let mut storage = std::mem::take(&mut buffers.tree_storage);
    let mut loss = Loss::new(activation(case.activation)).with_level(settings.level);
    for (weight, options) in terms {
        loss = loss.with(*weight, term(options))?;
    }
    if let Some(tree) = &buffers.tree {
        loss = loss.with_tree(label_tree(tree, &mut storage));
    }
    let halves = matches!(settings.scores, ScoreType::F16 | ScoreType::Bf16);
    if settings.fields_in_scratch || settings.in_place || halves {
        loss = loss.with_fields_in_scratch();
    }
    let labels = buffers.labels.as_ref().map(|labels| match labels {
        LabelBuffer::U8(v) => Labels::from(&v[..]),
        LabelBuffer::U16(v) => v[..].into(),
        LabelBuffer::I16(v) => v[..].into(),
        LabelBuffer::I32(v) => v[..].into(),
        LabelBuffer::I64(v) => v[..].into(),
    });
    let target = match (labels, &buffers.dense) {
        (Some(nodes), _) if buffers.nodes => {
            Target::sparse_nodes(nodes, ignore_label(settings.labels))
        }
        (Some(labels), _) => Target::sparse_labels(labels, ignore_label(settings.labels)),
        (None, Some(DenseBuffer::U8(v))) => Target::dense(Dense::U8(v)),
        (None, Some(DenseBuffer::F32(v))) => Target::dense(Dense::F32(v)),
        (None, Some(DenseBuffer::F64(v))) => Target::dense(Dense::F64(v)),
        (None, None) => unreachable!(),
    };
    let weights = if case.voxel_weights.iter().all(|&w| w == 1.0) {
        VoxelWeights::Ones
    } else {
        VoxelWeights::F32(&buffers.weights)
    };
    let workers = executor.workers();
    let (evaluation, gradient);
    let mut scratch;
    if settings.in_place {
        let mut scores = buffers.scores.clone();
        let input = Input::without_scores(buffers.shape, target).with_weights(weights);
        scratch = vec![0xabu8; loss.scratch_bytes_in_place(&input, &scores.view_mut(), workers)?];
        evaluation = loss.evaluate_in_place(
            &input,
            scores.view_mut(),
            settings.upstream,
            &mut scratch,
            executor,
        )?;
        gradient = scores;
    } else {
        let input = Input::new(buffers.shape, buffers.scores.view(), target).with_weights(weights);
        // What the buffer held must not matter.
        let mut written = ScoreBuffer::new(settings.scores, &vec![7.0; case.scores.len()]);
        scratch = vec![0xabu8; loss.scratch_bytes(&input, workers)?];
        let request = Gradient::new(written.view_mut()).times(settings.upstream);
        evaluation = loss.evaluate(&input, Some(request), &mut scratch, executor)?;
        gradient = written;
    }
    let wide = gradient.wide();
    let outcome = Outcome {
        total: evaluation.total,
        terms: evaluation.terms.to_vec(),
        counted_voxels: evaluation.counted_voxels,
        gradient: match settings.layout {
            Layout::Planar => wide,
            Layout::Interleaved => transposed(&wide, case.voxels, case.classes),
        },
    };
    Ok((outcome, gradient.bits()))
}

/// Largest difference of two gradients, over the largest entry of the second.
pub fn gradient_error(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let error = found.iter().zip(expected).fold(0.0f64, |m, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() { f64::INFINITY } else { m.max(d) }
    });
    if error == 0.0 { 0.0 } else { error / largest.max(f64::MIN_POSITIVE) }
}

/// Difference of two values, relative to the second where that is above 0.05: most losses are
/// differences from 1, whose f32 parts have errors of 1e-7.
pub fn value_error(found: f64, expected: f64) -> f64 {
    let error = (found - expected).abs() / expected.abs().max(0.05);
    if error.is_nan() { f64::INFINITY } else { error }
}
