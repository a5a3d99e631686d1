//! # segloss
//!
//! Losses for training segmentation networks, with analytic gradients, and the metrics that judge
//! them, over buffers the caller owns. `no_std`, no heap, no threads, no globals, no panics; a C
//! interface stands on top.
//!
//! ```
//! use segloss::{Gradient, Input, Loss, Pooling, Sequential, Shape, Target};
//!
//! let loss = Loss::dice_cross_entropy(Pooling::PerSample);
//! let shape = Shape::planar(1, 2, &[2, 2])?;
//! let scores = [2.0f32, 1.0, -1.0, 0.0, -2.0, -1.0, 1.0, 0.0];
//! let labels = [0u8, 0, 1, 255];
//! let input = Input::new(shape, &scores[..], Target::sparse_labels(&labels[..], 255));
//!
//! let mut gradient = [0.0f32; 8];
//! let mut scratch = vec![0; loss.scratch_bytes(&input, 1)?];
//! let request = Gradient::new(&mut gradient[..]);
//! let value = loss.evaluate(&input, Some(request), &mut scratch, &Sequential)?;
//! assert_eq!(value.counted_voxels, 3);
//! assert_eq!((gradient[3], gradient[7]), (0.0, 0.0));
//! # Ok::<(), segloss::Error>(())
//! ```
//!
//! ## Words
//! A **voxel** is a place of a **volume**, which has 1 to 3 axes, the slowest first. A **sample**
//! is one volume of a **batch**. A **class** is a channel of the **scores**, which are logits, or
//! probabilities without an activation. A **node** belongs to the label tree, whose leaves are
//! classes. `prediction` is what the scores say, `reference` or `target` what they should.
//! `_len` counts elements, `_bytes` bytes.
//!
//! ## Buffers
//! Scores, gradient and dense targets are `[batch][class][voxel]` (planar) or
//! `[batch][voxel][class]` (interleaved); label maps and voxel weights are `[batch][voxel]`. A voxel
//! of weight 0, or with the ignore label, is exempt: its scores may hold anything, and its gradient
//! is 0. Every input is checked in the first pass; an [`Error`] names argument, position and value,
//! and then nothing has been written. Scratch is the caller's: [`Loss::scratch_bytes`].
//!
//! ## Numbers
//! f32, f16 and bf16 scores are computed in f32, f64 scores in f64. Sums are exact beyond a tile,
//! so results are the same bits for any [`Executor`], any cut of the volume at block borders, and
//! any SIMD [`Level`]. That holds for partial sums of a block from 2^-70 to 2^50: what is smaller
//! is dropped, larger ones depend on the order in their last bits. So keep voxel weights, where you
//! have them, between 1e-9 and 1e9. Scores may be as large as a quarter of the largest number,
//! options as large as 1e18. Gradients of voxels that are all but certain may be subnormal numbers,
//! which some processors handle slowly: flush them to zero before you multiply with them.
//!
//! ## Modules
//! [`loss`] holds the losses and their one driver, [`distance`] the exact Euclidean transform,
//! [`metric`] overlap, surface and tree metrics and confidence, [`tree`] the label tree; errors,
//! shapes, spacings, views and executors are found here. `capi`, with the feature of that name, is
//! the C interface.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
extern crate std;

mod activation;
#[cfg(feature = "capi")]
pub mod capi;
mod disjoint;
pub mod distance;
mod element;
mod error;
mod executor;
pub mod loss;
mod math;
pub mod metric;
mod rows;
mod scratch;
mod shape;
mod simd;
mod spacing;
mod surface;
pub mod tree;
mod view;

pub use distance::{DistanceTransform, FieldMut, FieldType, Mask, Side};
pub use error::{Argument, Cause, Error};
pub use executor::{Executor, MAX_WORKERS, Sequential};
pub use half;
pub use loss::*;
pub use metric::*;
pub use shape::{Layout, Shape};
pub use simd::Level;
pub use spacing::Spacing;
pub use tree::LabelTree;
pub use view::{Dense, Labels, Scores, ScoresMut, Target, VoxelWeights};

/// The README's Rust example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
