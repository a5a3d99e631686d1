//! Functions of the hot loops, and sums that do not care about order.
//!
//! | function | range | error |
//! | --- | --- | --- |
//! | [`exp`] | `-inf..=88` | below 1 ULP; exactly 0 below -87.33 |
//! | [`ln`] | positive normal numbers | below 1 ULP |
//!
//! `tests/math_error.rs` measures both over the whole range. Everything else is `libm`.

mod exponential;
mod wide_sum;

pub(crate) use exponential::{ExponentBits, SQRT_HALF, add_exponent, exp, ln, split_exponent};
pub(crate) use wide_sum::{LIMBS, cut_into, whole};
