//! Which places of a volume are surface, how much surface they hold, and how far they are from
//! another surface.

#![forbid(unsafe_code)]

mod area;
mod bits;
mod directed;
mod direction;
mod elements;
mod far;
mod near;
mod order;

pub(crate) use area::{surfel_areas, surfel_lengths};
pub(crate) use bits::{BitVolume, WORD, first_bits, label_bits, pack, places};
pub(crate) use directed::{Directed, Summary, linear_percentile};
pub(crate) use direction::{Direction, NearWeights};
pub(crate) use elements::Elements;
pub(crate) use far::{Pyramid, Squares};
pub(crate) use near::NearOffsets;
