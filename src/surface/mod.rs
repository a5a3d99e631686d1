//! Surfaces of masks.

// Used by the surface metrics, which are not here yet.
#[cfg_attr(not(test), expect(dead_code))]
mod area;
