//! Order statistics of distances without sorting them.
//!
//! Squared distances are non-negative f32, whose bits have their order. The bits are found from the
//! top, eight at a time, by adding up the weights of all values that share the bits known so
//! far. O(values) for each statistic.
#![forbid(unsafe_code)]

const BUCKETS: usize = 1 << WIDTH;
/// Bits of a digit, and bits below each digit.
const WIDTH: u32 = 8;
const DIGITS: [u32; 4] = [24, 16, 8, 0];

/// The smallest value that, with all smaller ones, weighs at least `least`; the largest value if
/// all together weigh less.
pub(crate) fn weighted_value(values: impl Iterator<Item = (f32, f64)> + Clone, least: f64) -> f32 {
    let (mut known, mut below) = (0u32, 0.0);
    for shift in DIGITS {
        // Weights of the values that share their upper bits, by their next bits.
        let mut histogram = [0.0; BUCKETS];
        let upper = |bits: u32| u64::from(bits) >> (shift + WIDTH);
        for (value, weight) in values.clone() {
            let bits = value.to_bits();
            let digit = (bits >> shift) as usize & (BUCKETS - 1);
            if upper(bits) == upper(known)
                && let Some(sum) = histogram.get_mut(digit)
            {
                *sum += weight;
            }
        }
        let (mut digit, mut before) = (0, below);
        for (next, &weight) in histogram.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            (digit, before) = (next, below);
            below += weight;
            if below >= least {
                break;
            }
        }
        below = before;
        known |= (digit as u32) << shift;
    }
    f32::from_bits(known)
}
