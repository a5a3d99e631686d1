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
