//! Which places of a volume are surface, how much surface they hold, and how far they are from
//! another surface.

#![forbid(unsafe_code)]

mod area;
mod directed;
mod elements;
mod order;

pub(crate) use area::{surfel_areas, surfel_lengths};
pub(crate) use directed::{Directed, collect, collect_in_place, linear_percentile};
pub(crate) use elements::{Masks, boundary_voxels, surfels};
pub(crate) use order::Histogram;
