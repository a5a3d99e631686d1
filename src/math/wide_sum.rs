//! Sums that do not depend on their order.
//!
//! A number is cut into four limbs, each a multiple of its own power of two, the idea of
//! reproducible summation (Demmel and Nguyen 2015, ReproBLAS). Limbs of many numbers are added
//! one by one without ever rounding, so any order of tiles, threads and ranks gives the same bits,
//! and exported limbs may be added by `MPI_SUM` or `ncclSum`.
//!
//! Range: numbers below 2^50 are cut exactly down to multiples of 2^-70, the rest is dropped
//! (rounded to nearest); 2^23 of them, and more the smaller they are, add up exactly. Larger
//! numbers go to the first limb whole: sums stay accurate to f64 but may depend on the order.
#![forbid(unsafe_code)]

/// Limbs of a number.
pub(crate) const LIMBS: usize = 4;

/// The power of two that each limb is a multiple of, largest first.
const UNITS: [f64; LIMBS] = [
    1_048_576.0,                                   // 2^20
    1.0 / 1_024.0,                                 // 2^-10
    1.0 / 1_099_511_627_776.0,                     // 2^-40
    1.0 / (1_099_511_627_776.0 * 1_073_741_824.0), // 2^-70
];

/// 1.5 * 2^52: adding and subtracting it, times a unit, rounds to a multiple of the unit.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// Above this a number is a multiple of the first unit, or so near that rounding would not work.
const WHOLE: f64 = 1_180_591_620_717_411_303_424.0; // 2^70

/// Cuts `value` and adds the pieces to `limbs`.
#[inline]
pub(crate) fn cut_into(limbs: &mut [f64; LIMBS], value: f64) {
    if !(value < WHOLE && value > -WHOLE) {
        limbs[0] += value;
        return;
    }
    let mut rest = value;
    for (limb, unit) in limbs.iter_mut().zip(UNITS) {
        let shift = ROUND * unit;
        let piece = (rest + shift) - shift;
        *limb += piece;
        rest -= piece;
    }
}

/// The number that limbs stand for, smallest limb first.
#[inline]
pub(crate) fn whole(limbs: &[f64; LIMBS]) -> f64 {
    let [a, b, c, d] = *limbs;
    a + (b + (c + d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn sum(values: &[f64]) -> [f64; LIMBS] {
        let mut limbs = [0.0; LIMBS];
        for &value in values {
            cut_into(&mut limbs, value);
        }
        limbs
    }

    #[test]
    fn order_does_not_matter() {
        let mut values: Vec<f64> = (0..10_000)
            .map(|i| libm::sin(f64::from(i)) * libm::pow(2.0, f64::from(i % 90) - 60.0))
            .collect();
        let forward = sum(&values);
        values.reverse();
        assert_eq!(forward, sum(&values));
        values.sort_by(f64::total_cmp);
        assert_eq!(forward, sum(&values));
    }

    #[test]
    fn both_ends_of_the_range() {
        let smallest = libm::pow(2.0, -70.0);
        assert_eq!(whole(&sum(&[smallest, 1.0, -1.0])), smallest);
        assert_eq!(whole(&sum(&[smallest / 4.0])), 0.0);
        let large = libm::pow(2.0, 49.0) + 1.0;
        assert_eq!(whole(&sum(&[large, smallest, -large])), smallest);
        assert_eq!(whole(&sum(&[1e300, 1.0])), 1e300);
        assert_eq!(whole(&sum(&[f64::INFINITY, 1.0])), f64::INFINITY);
        assert!(whole(&sum(&[f64::INFINITY, f64::NEG_INFINITY])).is_nan());
    }
}
