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

/// An index that may be out of range, to show that the check for panic code bites.
#[cfg(segloss_planted_panic)]
#[unsafe(no_mangle)]
pub extern "C" fn segloss_planted(index: usize) -> u8 {
    [1, 2, 3][index]
}

/// What runs instead of unwinding. No code of the library can panic: were there any, this would
/// be referenced, and linking would fail for want of the symbol below.
#[cfg(segloss_panic_handler)]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn segloss_contains_panic_code() -> !;
    }
    segloss_contains_panic_code()
}
