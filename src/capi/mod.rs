//! The C door: plain structs in, status codes out, no arithmetic.
//!
//! Every function is three moves: decode, call, encode. Pointers are checked for null and
//! alignment, enumerations for known numbers, structs for their size; outputs are written last,
//! and only on success.
#![allow(unsafe_code)]

mod confidence;
mod decode;
mod defaults;
mod distances;
mod executor;
mod losses;
mod metric_types;
mod metrics;
mod overlap;
#[cfg(segloss_panic_handler)]
mod panic_handler;
mod status;
mod surface_types;
mod surfaces;
mod terms;
mod trees;
mod types;

pub use confidence::*;
pub use defaults::*;
pub use distances::*;
pub use losses::*;
pub use metric_types::*;
pub use metrics::*;
pub use status::*;
pub use surface_types::*;
pub use surfaces::*;
pub use trees::*;
pub use types::*;
