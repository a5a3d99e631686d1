//! Functions of the hot loops, and sums that do not care about order.
//!
//! | function | range | error in f32 | at the edges |
//! | --- | --- | --- | --- |
//! | [`exp`] | all numbers | below 1 ULP, or a unit of subnormal numbers | 0 and infinity where f32 ends, of infinities, too |
//! | [`exp_nonpositive`] | `-inf..=0` | below 1 ULP | 0 or a subnormal number where the result is no normal one: 0 below -87.7 (f64: -708.8) |
//! | [`ln`] | all numbers | below 1 ULP | -infinity of 0 and -0, infinity of infinity, NaN of negative numbers; subnormal numbers as others |
//! | [`ln_normal`](Logarithm::ln_lanes) | positive normal numbers | the same | anything for others |
//! | [`log1p`](Logarithm::log1p_lanes) | `0..=1` | below 2 ULP | 0 and subnormal numbers are their own |
//! | [`power`] | `x >= 0` | 1 ULP, and 2 for every unit of the exponent `gamma ln x` | 0 of 0, infinity of infinity; where f32 ends as [`exp`] |
//!
//! All but `ln_normal`, and [`power`] with exponent 0, turn NaN into NaN. The hot loops take
//! [`exp_nonpositive`], as exponents are differences from a maximum,
//! [`log1p`](Logarithm::log1p_lanes) of such exponentials, and `ln_normal` of their sums, which are at
//! least 1, and of products and probabilities that are kept from getting too small: what other numbers
//! need would cost up to a tenth of their speed. In f64 [`exp`] and [`ln`] are within 1 ULP of `libm`.
//! `tests.rs` measures all of f32. Everything else is `libm`.

mod exponential;
mod format;
mod logarithm;
mod polynomial;
mod power;
#[cfg(test)]
mod tests;
mod wide_sum;

pub(crate) use exponential::{Exponential, exp, exp_nonpositive};
pub(crate) use format::Format;
pub(crate) use logarithm::{Logarithm, ln};
pub(crate) use power::power;
pub(crate) use wide_sum::{LIMBS, cut_into, whole};
