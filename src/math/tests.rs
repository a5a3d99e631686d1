//! Errors of the lane functions, in units of the last place, at every level.

use super::power;
use crate::element::{LANES, Lanes, Real};
use crate::simd::{Kernel, LEVELS, Level, Simd, Vector};
use std::println;
use std::vec::Vec;

#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    ExpNonpositive,
    Ln,
    LnNormal,
    Log1p,
    Power(f64),
}

/// Applies a function in place.
struct Apply<'a, R>(Function, &'a mut [Lanes<R>]);

impl<R: Real> Kernel<R> for Apply<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        for lanes in self.1 {
            let x = simd.load(lanes);
            let y = match self.0 {
                Function::Exp => x.exp(),
                Function::ExpNonpositive => x.exp_nonpositive(),
                Function::Ln => x.ln(),
                Function::LnNormal => x.ln_normal(),
                Function::Log1p => R::log1p_lanes(simd, x),
                Function::Power(gamma) => power(simd, x, gamma),
            };
            y.store(lanes);
        }
    }
}

fn apply<R: Real>(function: Function, level: Level, values: &[R]) -> Vec<R> {
    let mut lanes: Vec<Lanes<R>> = values
        .chunks(LANES)
        .map(|chunk| core::array::from_fn(|i| chunk.get(i).copied().unwrap_or(R::ONE)))
        .collect();
    R::dispatch(level, Apply(function, &mut lanes));
    lanes.as_flattened()[..values.len()].to_vec()
}

/// Values of a function, which must be the same at all levels.
fn at_every_level<R: Real>(function: Function, values: &[R]) -> Vec<R> {
    let best = apply(function, Level::Best, values);
    for level in LEVELS {
        let found = apply(function, level, values);
        for ((x, a), b) in values.iter().zip(&best).zip(&found) {
            let (a, b) = (a.to_f64(), b.to_f64());
            assert!(a == b || a.is_nan() && b.is_nan(), "{function:?} {level:?} {}", x.to_f64());
        }
    }
    best
}

/// Calls `each` with every `step`-th f32 of a range of one sign, in pieces.
fn every(from: f32, to: f32, step: usize, mut each: impl FnMut(&[f32])) {
    let (from, to) = (from.to_bits(), to.to_bits());
    let mut bits = (from.min(to)..=from.max(to)).step_by(step);
    loop {
        let piece: Vec<f32> = bits.by_ref().take(1 << 16).map(f32::from_bits).collect();
        if piece.is_empty() {
            return;
        }
        each(&piece);
    }
}

/// Distance in units of the last place of the exact value, of subnormal numbers below normal ones.
/// Too large a value must become infinite.
fn ulp(found: f32, exact: f64) -> f64 {
    let magnitude = exact.abs() as f32;
    if !magnitude.is_finite() {
        return if found == exact as f32 { 0.0 } else { f64::INFINITY };
    }
    // What comes after the largest number is a power of two, too.
    let next = f64::from(magnitude.next_up()).min(2f64.powi(128));
    let step = next - f64::from(magnitude);
    (f64::from(found) - exact).abs() / step
}

/// The largest error over a range, and where it is.
fn worst(function: Function, ranges: &[(f32, f32)], step: usize, exact: fn(f64) -> f64) -> f64 {
    let (mut worst, mut count) = ((0.0f64, 0.0f32), 0u64);
    for &(from, to) in ranges {
        every(from, to, step, |values| {
            count += values.len() as u64;
            for (&x, &found) in values.iter().zip(&at_every_level(function, values)) {
                let error = ulp(found, exact(f64::from(x)));
                assert!(!error.is_nan(), "{function:?} of {x}");
                if error > worst.0 {
                    worst = (error, x);
                }
            }
        });
    }
    println!("{function:?}: {count} values, worst {:.3} ULP at {:e}", worst.0, worst.1);
    worst.0
}

/// Below it an exponential is no normal number: ln of the smallest one.
const UNDERFLOW: f32 = -87.336_54;

/// The smallest positive number.
const SUBNORMAL_STEP: f64 = 1.401_298_464_324_817e-45;

fn errors(step: usize) {
    let all = [(-0.0, f32::NEG_INFINITY), (0.0, f32::INFINITY)];
    assert!(worst(Function::Exp, &all, step, f64::exp) < 1.0);
    let normal = [(-0.0, UNDERFLOW)];
    assert!(worst(Function::ExpNonpositive, &normal, step, f64::exp) < 1.0);
    assert!(worst(Function::Ln, &[(0.0, f32::INFINITY)], step, f64::ln) < 1.0);
    let normal = [(f32::MIN_POSITIVE, f32::MAX)];
    assert!(worst(Function::LnNormal, &normal, step, f64::ln) < 1.0);
    assert!(worst(Function::Log1p, &[(0.0, 1.0)], step, f64::ln_1p) < 2.0);
    every(UNDERFLOW, f32::NEG_INFINITY, step, |values| {
        let found = at_every_level(Function::ExpNonpositive, values);
        for (&x, y) in values.iter().zip(&found) {
            // Halfway to the next exponent it becomes 0.
            let exact = (f64::from(*y) - f64::from(x).exp()).abs() <= SUBNORMAL_STEP;
            assert!(exact && x > -87.7 || *y == 0.0 && x < -87.68, "exp({x}) = {y:e}");
        }
    });
}

#[test]
fn errors_of_a_sample() {
    errors(4093);
}

/// All of f32: minutes in a release build.
#[test]
#[ignore = "2^32 values"]
fn errors_of_every_value() {
    errors(1);
}

/// The error of a power grows with its logarithm.
#[test]
fn errors_of_powers() {
    let mut worst = (0.0, 0.0, 0.0);
    for step in 1..160u16 {
        // Not 1 and 2, which are no exponentials.
        let gamma = f64::from(f32::from(step) * 0.037_1);
        every(0.0, f32::INFINITY, 100_003, |values| {
            let found = at_every_level(Function::Power(gamma), values);
            for (&x, &found) in values.iter().zip(&found) {
                let exponent = f64::from(gamma as f32) * f64::from(x).ln();
                let exact = exponent.exp();
                let error = ulp(found, exact) / (1.0 + 2.0 * exponent.abs());
                if error > worst.0 {
                    worst = (error, gamma, x.into());
                }
            }
        });
    }
    println!(
        "power: worst {:.3} of (1 + 2 |gamma ln x|) ULP at {:e}^{}",
        worst.0, worst.2, worst.1
    );
    assert!(worst.0 < 1.0);
}

#[test]
fn double_precision() {
    let sample = |from: f64, to: f64| -> Vec<f64> {
        let count = 200_000;
        (0..=count).map(|i| from + (to - from) * f64::from(i) / f64::from(count)).collect()
    };
    let distance = |a: f64, b: f64| a.to_bits().abs_diff(b.to_bits());
    let mut exponents = sample(-750.0, 712.0);
    exponents.extend(sample(-1.0, 1.0));
    for (&x, &found) in exponents.iter().zip(&at_every_level(Function::Exp, &exponents)) {
        assert!(distance(found, x.exp()) <= 1, "exp {x}: {found:e}");
    }
    let mut nonpositive = sample(-708.3, 0.0);
    nonpositive.extend(sample(-1.0, 0.0));
    let found = at_every_level(Function::ExpNonpositive, &nonpositive);
    for (&x, &found) in nonpositive.iter().zip(&found) {
        assert!(distance(found, x.exp()) <= 1, "exp {x}: {found:e}");
    }
    let mut values: Vec<f64> = exponents.iter().map(|x| x.exp()).collect();
    values.extend(sample(0.5, 2.0));
    for (&x, &found) in values.iter().zip(&at_every_level(Function::Ln, &values)) {
        assert!(distance(found, x.ln()) <= 1, "ln {x}: {found:e}");
    }
    let small = sample(0.0, 1.0);
    for (&x, &found) in small.iter().zip(&at_every_level(Function::Log1p, &small)) {
        assert!(distance(found, x.ln_1p()) <= 3, "log1p {x}: {found:e}");
    }
}

fn edges_of<R: Real>(infinity: R) {
    let (zero, one, largest, subnormal) = (R::ZERO, R::ONE, R::LARGEST, R::MANTISSA);
    let nan = infinity * zero;
    let expect = |function, pairs: &[(R, R)]| {
        let values: Vec<R> = pairs.iter().map(|&(x, _)| x).collect();
        // The only ones of their group, and one of many.
        for size in [values.len(), 1] {
            for (values, pairs) in values.chunks(size).zip(pairs.chunks(size)) {
                for (&(x, exact), found) in pairs.iter().zip(at_every_level(function, values)) {
                    let (x, exact, found) = (x.to_f64(), exact.to_f64(), found.to_f64());
                    let same = found == exact || found.is_nan() && exact.is_nan();
                    assert!(same, "{function:?} of {x:e}: {found:e}, not {exact:e}");
                }
            }
        }
    };
    let exponents = [
        (zero, one),
        (-zero, one),
        (subnormal, one),
        (-subnormal, one),
        (-largest, zero),
        (-infinity, zero),
        (nan, nan),
        (-nan, nan),
    ];
    expect(Function::Exp, &exponents);
    expect(Function::Exp, &[(largest, infinity), (infinity, infinity)]);
    expect(Function::ExpNonpositive, &exponents);
    let logarithms = [
        (one, zero),
        (zero, -infinity),
        (-zero, -infinity),
        (infinity, infinity),
        (-subnormal, nan),
        (-one, nan),
        (-infinity, nan),
        (nan, nan),
        (-nan, nan),
        (subnormal, subnormal.ln()),
    ];
    expect(Function::Ln, &logarithms);
    expect(Function::Log1p, &[(zero, zero), (subnormal, subnormal), (nan, nan), (-nan, nan)]);
    for gamma in [0.25, 0.5, 1.0, 2.0, 3.5] {
        let powers = [(zero, zero), (one, one), (infinity, infinity), (nan, nan)];
        expect(Function::Power(gamma), &powers);
    }
    expect(Function::Power(0.0), &[(zero, one), (one, one), (infinity, one), (nan, one)]);
}

#[test]
fn edges() {
    edges_of(f32::INFINITY);
    edges_of(f64::INFINITY);
}
