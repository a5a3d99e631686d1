//! MONAI's losses and metrics expressed in those of the library.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod batch;
pub mod metrics;
pub mod part;
pub mod plan;
pub mod record;
