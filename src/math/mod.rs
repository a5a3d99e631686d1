//! Functions of the hot loops, and sums that do not care about order.
//!
//! | function | range | error in f32 | outside |
//! | --- | --- | --- | --- |
//! | [`exp`] | `-inf..=88` | below 1 ULP | a subnormal number or 0 below the logarithm of the smallest normal one, 0 below -87.7 (f64: -708.8); NaN is NaN; above 88 (f64: 709) anything |
//! | [`ln`](Logarithm::ln_lanes) | positive normal numbers | below 1 ULP | 0 and subnormal numbers: between -127 ln 2 and that of the smallest normal number; negative numbers, infinities and NaN: anything |
//! | [`log1p`](Logarithm::log1p_lanes) | `0..=1` | below 2 ULP | |
//! | [`power`] | `x >= 0`, result up to e^88 | 1 ULP, and 2 for every unit of the exponent `gamma ln x` | exactly 0 for 0 and subnormal numbers; a subnormal number or 0 where the result is no normal one |
//!
//! What lies outside would cost the hot loops a tenth of their speed and does not occur: scores are
//! finite, exponents are differences from a maximum, logarithms are of sums of exponentials or of
//! what a caller has selected. In f64 [`exp`] and [`ln`](Logarithm::ln_lanes) are within 1 ULP of
//! `libm`. `tests.rs` measures all of f32. Everything else is `libm`.

mod exponential;
mod format;
mod logarithm;
mod polynomial;
mod power;
#[cfg(test)]
mod tests;
mod wide_sum;

pub(crate) use exponential::{Exponential, exp};
pub(crate) use format::Format;
pub(crate) use logarithm::Logarithm;
pub(crate) use power::power;
pub(crate) use wide_sum::{LIMBS, cut_into, whole};
