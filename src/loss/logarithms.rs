//! Sums of logarithms: where voxels weigh alike, a product has one for many.
#![forbid(unsafe_code)]

use crate::element::{Lanes, Real};
use crate::rows::{blocks, load_block};
use crate::simd::{Simd, Vector};

/// `sum_i factor_i ln x_i` over a voxel row of numbers from [`Real::SMALL`] to 1. Without factors they
/// are 1.
#[inline(always)]
pub(crate) fn sum_of_logarithms<S: Simd>(
    simd: S,
    factors: Option<&[Lanes<S::Real>]>,
    x: &[Lanes<S::Real>],
) -> f64 {
    match factors {
        Some(factors) => one_by_one(simd, factors, x),
        None => of_products(simd, x),
    }
}

#[inline(always)]
fn one_by_one<S: Simd>(simd: S, factors: &[Lanes<S::Real>], x: &[Lanes<S::Real>]) -> f64 {
    let (mut sum, one) = (simd.zero(), simd.splat(S::Real::ONE));
    for (factor, x) in factors.iter().zip(x) {
        let x = simd.load(x);
        if S::Vector::any(x.less(one)) {
            sum = sum + simd.load(factor) * x.ln_normal();
        }
    }
    sum.sum()
}

#[inline(always)]
fn of_products<S: Simd>(simd: S, x: &[Lanes<S::Real>]) -> f64 {
    let (small, one) = (simd.splat(S::Real::SMALL), simd.splat(S::Real::ONE));
    let (mut sum, mut product) = (simd.zero(), one);
    for block in blocks(x) {
        let [a, b, c, d] = load_block(simd, block);
        let next = product * ((a * b) * (c * d));
        if !S::Vector::any(next.less(small)) {
            product = next;
            continue;
        }
        for x in [a, b, c, d] {
            let next = product * x;
            if S::Vector::any(next.less(small)) {
                sum = sum + product.ln_normal();
                product = x;
            } else {
                product = next;
            }
        }
    }
    (sum + product.ln_normal()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::sum_of_logarithms;
    use crate::element::{LANES, Lanes, Real};
    use crate::rows::BLOCK;
    use crate::simd::{Kernel, LEVELS, Level, Simd};
    use std::vec::Vec;

    struct Sum<'k, R>(Option<&'k [Lanes<R>]>, &'k [Lanes<R>]);

    impl<R: Real> Kernel<R> for Sum<'_, R> {
        type Output = f64;

        #[inline(always)]
        fn run<S: Simd<Real = R>>(self, simd: S) -> f64 {
            sum_of_logarithms(simd, self.0, self.1)
        }
    }

    /// Numbers up to 1 of every size: most near 1, some so small that no product holds two of them.
    fn numbers(seed: u64, smallest: f64) -> f64 {
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let share = (random >> 40) as f64 / (1u64 << 24) as f64;
        match random % 8 {
            0 => 1.0,
            1 => libm::pow(smallest, share),
            2 => smallest,
            3 => share + 1e-3 * (1.0 - share),
            _ => 1.0 - 0.1 * share,
        }
    }

    fn row<R: Real>(value: impl Fn(u64) -> f64) -> Vec<Lanes<R>> {
        let group = |group: u64| {
            core::array::from_fn(|lane| R::from_f64(value(group * LANES as u64 + lane as u64)))
        };
        (0..6 * BLOCK as u64).map(group).collect()
    }

    fn check<R: Real>(bound: f64) {
        for seed in 0..50u64 {
            let part = 1u64 << (seed % 7);
            let x = row::<R>(|voxel| {
                let seed = voxel + 1_000 * seed;
                if seed.is_multiple_of(part) { numbers(seed, R::SMALL.to_f64()) } else { 0.5 }
            });
            let factors = row::<R>(|voxel| [0.0, 1.0, 2.5][((voxel + seed) % 3) as usize]);
            for factors in [None, Some(&*factors)] {
                let weights = factors.map(<[_]>::as_flattened);
                let mut expected = 0.0;
                for (index, x) in x.as_flattened().iter().enumerate() {
                    let weight = weights.map_or(1.0, |weights| weights[index].to_f64());
                    expected += weight * libm::log(x.to_f64());
                }
                let plain = R::dispatch(Level::Plain, Sum(factors, &x));
                let error = (plain - expected).abs() / -expected;
                assert!(error < bound, "{seed}: {plain} {expected} {error}");
                for level in LEVELS {
                    let sum = R::dispatch(level, Sum(factors, &x));
                    assert_eq!(sum.to_bits(), plain.to_bits(), "{level:?}");
                }
            }
        }
    }

    #[test]
    fn products_have_the_logarithms_of_their_factors() {
        check::<f32>(1e-6);
        check::<f64>(1e-14);
    }
}
