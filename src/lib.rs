//! Segmentation losses with analytic gradients, over buffers the caller owns.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
extern crate std;

mod activation;
#[cfg(feature = "capi")]
pub mod capi;
mod disjoint;
mod element;
mod error;
mod executor;
pub mod loss;
mod math;
mod rows;
mod scratch;
mod shape;
mod simd;
pub mod tree;
mod view;

pub use error::{Argument, Cause, Error};
pub use executor::{Executor, MAX_WORKERS, Sequential};
pub use half;
pub use loss::*;
pub use shape::{Layout, Shape};
pub use simd::Level;
pub use tree::LabelTree;
pub use view::{Dense, Labels, Scores, ScoresMut, Target, VoxelWeights};
