//! Reverse-mode differentiation of scalar expressions: each operation records its inputs and the
//! derivative with respect to each, and one backward sweep applies the chain rule.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The record of every operation since the tape was made.
#[derive(Default)]
pub struct Tape {
    // One entry per variable: its inputs, each with the derivative with respect to that input.
    inputs: RefCell<Vec<Vec<(usize, f64)>>>,
}

/// A number that remembers how it was computed.
#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    index: usize,
    value: f64,
}

impl Tape {
    pub fn new() -> Self {
        Self::default()
    }

    fn push(&self, value: f64, inputs: Vec<(usize, f64)>) -> Var<'_> {
        let mut all = self.inputs.borrow_mut();
        all.push(inputs);
        Var { tape: self, index: all.len() - 1, value }
    }

    /// An independent variable, or a constant: neither has inputs.
    pub fn constant(&self, value: f64) -> Var<'_> {
        self.push(value, Vec::new())
    }

    /// Sum of any number of terms; 0 for none.
    pub fn sum<'t>(&'t self, terms: impl IntoIterator<Item = Var<'t>>) -> Var<'t> {
        let mut value = 0.0;
        let mut inputs = Vec::new();
        for term in terms {
            value += term.value;
            inputs.push((term.index, 1.0));
        }
        self.push(value, inputs)
    }

    /// `ln Σ exp(x)`, with the maximum taken out as a constant so that nothing overflows;
    /// negative infinity for an empty list.
    pub fn log_sum_exp<'t>(&'t self, terms: &[Var<'t>]) -> Var<'t> {
        let max = terms.iter().fold(f64::NEG_INFINITY, |m, t| m.max(t.value));
        if terms.is_empty() {
            return self.constant(max);
        }
        self.sum(terms.iter().map(|&t| (t - max).exp())).ln() + max
    }

    /// Logarithm of the softmax probability that lies in `inside`, when `inside` and `outside`
    /// together are all the logits. Accurate at both ends: close to 0 and far below it.
    pub fn log_share<'t>(&'t self, inside: &[Var<'t>], outside: &[Var<'t>]) -> Var<'t> {
        -(self.log_sum_exp(outside) - self.log_sum_exp(inside)).softplus()
    }

    /// Derivative of `output` with respect to every variable on the tape.
    pub fn gradient(&self, output: Var<'_>) -> Vec<f64> {
        let all = self.inputs.borrow();
        let mut adjoint = vec![0.0; all.len()];
        adjoint[output.index] = 1.0;
        for (index, inputs) in all.iter().enumerate().rev() {
            let upstream = adjoint[index];
            // Not only faster: 0 times an infinite derivative would be NaN.
            if upstream != 0.0 {
                for &(input, derivative) in inputs {
                    adjoint[input] += upstream * derivative;
                }
            }
        }
        adjoint
    }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

impl<'t> Var<'t> {
    pub fn value(self) -> f64 {
        self.value
    }

    fn unary(self, value: f64, derivative: f64) -> Self {
        self.tape.push(value, vec![(self.index, derivative)])
    }

    fn binary(self, other: Self, value: f64, derivatives: [f64; 2]) -> Self {
        let inputs = vec![(self.index, derivatives[0]), (other.index, derivatives[1])];
        self.tape.push(value, inputs)
    }

    pub fn exp(self) -> Self {
        let value = self.value.exp();
        self.unary(value, value)
    }

    pub fn ln(self) -> Self {
        self.unary(self.value.ln(), 1.0 / self.value)
    }

    /// The derivative at 0 is 0.
    pub fn abs(self) -> Self {
        let sign = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        self.unary(self.value.abs(), sign)
    }

    /// `x^e` for positive `x`.
    pub fn powf(self, e: f64) -> Self {
        self.unary(self.value.powf(e), e * self.value.powf(e - 1.0))
    }

    pub fn sigmoid(self) -> Self {
        let x = self.value;
        self.unary(sigmoid(x), sigmoid(x) * sigmoid(-x))
    }

    /// `ln(1 + exp(x))`.
    pub fn softplus(self) -> Self {
        let x = self.value;
        self.unary(x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x))
    }
}

impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(-self.value, -1.0)
    }
}

impl Add for Var<'_> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.binary(other, self.value + other.value, [1.0, 1.0])
    }
}

impl Sub for Var<'_> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.binary(other, self.value - other.value, [1.0, -1.0])
    }
}

impl Mul for Var<'_> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.binary(other, self.value * other.value, [other.value, self.value])
    }
}

impl Div for Var<'_> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let ratio = self.value / other.value;
        self.binary(other, ratio, [1.0 / other.value, -ratio / other.value])
    }
}

impl Add<f64> for Var<'_> {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self.unary(self.value + other, 1.0)
    }
}

impl Sub<f64> for Var<'_> {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self.unary(self.value - other, 1.0)
    }
}

impl Mul<f64> for Var<'_> {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self.unary(self.value * other, other)
    }
}

impl Div<f64> for Var<'_> {
    type Output = Self;
    fn div(self, other: f64) -> Self {
        self.unary(self.value / other, 1.0 / other)
    }
}

impl<'t> Sub<Var<'t>> for f64 {
    type Output = Var<'t>;
    fn sub(self, other: Var<'t>) -> Var<'t> {
        other.unary(self - other.value, -1.0)
    }
}

impl<'t> Mul<Var<'t>> for f64 {
    type Output = Var<'t>;
    fn mul(self, other: Var<'t>) -> Var<'t> {
        other * self
    }
}
