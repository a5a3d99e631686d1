//! Arrays of 16: the oracle of every other level, and what runs where there is no other.
//!
//! Operations are calls, not inlined: unrolled into every kernel, 16 scalar operations each, they
//! made the library take three times as long to build.

use super::memory::Line;
use super::{
    ShortLanes, ShortVector, Simd, Vector, pairwise_sum, room_for_columns, room_for_kinds,
};
use crate::element::{LANES, Lanes, Real};
use crate::math::{self, Format};
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Needs nothing but the language.
#[derive(Clone, Copy)]
pub(crate) struct Plain<R>(PhantomData<R>);

impl<R> Plain<R> {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct PlainVector<R>(pub(crate) Lanes<R>);

#[derive(Clone, Copy)]
pub(crate) struct PlainMask([bool; LANES]);

impl<R: Real> PlainVector<R> {
    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(R) -> R) -> Self {
        let mut lanes = self.0;
        for lane in &mut lanes {
            *lane = f(*lane);
        }
        Self(lanes)
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(R, R) -> R) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = f(*lane, other);
        }
        Self(lanes)
    }

    #[inline(always)]
    fn compare(self, other: Self, f: impl Fn(R, R) -> bool) -> PlainMask {
        let mut mask = [false; LANES];
        for ((set, a), b) in mask.iter_mut().zip(self.0).zip(other.0) {
            *set = f(a, b);
        }
        PlainMask(mask)
    }
}

impl<R: Real> Add for PlainVector<R> {
    type Output = Self;
    #[inline(never)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl<R: Real> Sub for PlainVector<R> {
    type Output = Self;
    #[inline(never)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl<R: Real> Mul for PlainVector<R> {
    type Output = Self;
    #[inline(never)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

impl<R: Real> Div for PlainVector<R> {
    type Output = Self;
    #[inline(never)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
}

impl<R: Real> Neg for PlainVector<R> {
    type Output = Self;
    #[inline(never)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

impl<R: Real> Simd for Plain<R> {
    type Real = R;
    type Vector = PlainVector<R>;
    type Shorts = PlainShorts;

    #[inline(always)]
    fn splat(self, value: R) -> PlainVector<R> {
        PlainVector([value; LANES])
    }
    #[inline(always)]
    fn load(self, values: &Lanes<R>) -> PlainVector<R> {
        PlainVector(*values)
    }
    #[inline(never)]
    fn load_columns(self, rows: &[R], stride: usize) -> Option<[PlainVector<R>; 4]> {
        if !room_for_columns(rows.len(), stride) {
            return None;
        }
        let mut columns = [self.zero(); 4];
        for lane in 0..LANES {
            let row = rows.get(lane * stride..).unwrap_or_default();
            for (column, &value) in columns.iter_mut().zip(row) {
                if let Some(to) = column.0.get_mut(lane) {
                    *to = value;
                }
            }
        }
        Some(columns)
    }
    #[inline(always)]
    fn apart<const KINDS: usize, const ODD: usize>(
        self,
        by_turns: &[Lanes<R>; KINDS],
        apart: &mut [Lanes<R>],
        stride: usize,
    ) {
        if room_for_kinds(apart.len(), KINDS, stride) {
            take_apart(by_turns.as_flattened(), KINDS, apart, stride);
        }
    }
    #[inline(always)]
    fn by_turns<const KINDS: usize, const ODD: usize>(
        self,
        apart: &[Lanes<R>],
        stride: usize,
        by_turns: &mut [Lanes<R>; KINDS],
    ) {
        if room_for_kinds(apart.len(), KINDS, stride) {
            put_by_turns(apart, stride, by_turns.as_flattened_mut(), KINDS);
        }
    }
    #[inline(always)]
    fn splat_shorts(self, value: u16) -> PlainShorts {
        PlainShorts([value; 2 * LANES])
    }
    #[inline(always)]
    fn load_shorts(self, values: &ShortLanes) -> PlainShorts {
        PlainShorts(*values)
    }
}

#[inline(never)]
fn take_apart<R: Real>(by_turns: &[R], kinds: usize, apart: &mut [Lanes<R>], stride: usize) {
    for (kind, to) in apart.chunks_mut(stride.max(1)).take(kinds).enumerate() {
        let values = by_turns.iter().skip(kind).step_by(kinds.max(1));
        let to = to.first_mut().into_iter().flatten();
        to.zip(values).for_each(|(to, value)| *to = *value);
    }
}

#[inline(never)]
fn put_by_turns<R: Real>(apart: &[Lanes<R>], stride: usize, by_turns: &mut [R], kinds: usize) {
    for (kind, from) in apart.chunks(stride.max(1)).take(kinds).enumerate() {
        let values = by_turns.iter_mut().skip(kind).step_by(kinds.max(1));
        let from = from.first().into_iter().flatten();
        values.zip(from).for_each(|(to, value)| *to = *value);
    }
}

impl<R: Real> Vector for PlainVector<R> {
    type Real = R;
    type Mask = PlainMask;

    #[inline(always)]
    fn stream(self, line: &mut Line<R>) {
        line.0 = self.0;
    }
    #[inline(always)]
    fn store(self, values: &mut Lanes<R>) {
        *values = self.0;
    }
    #[inline(never)]
    fn larger(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(never)]
    fn smaller(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(never)]
    fn square_root(self) -> Self {
        self.map(Real::square_root)
    }
    #[inline(never)]
    fn bits(mask: PlainMask) -> u16 {
        mask.0.iter().rev().fold(0, |bits, &set| bits << 1 | u16::from(set))
    }
    #[inline(never)]
    fn largest(self) -> R {
        self.0.iter().fold(R::ZERO - R::ONE / R::ZERO, |a, &b| if b > a { b } else { a })
    }
    #[inline(never)]
    fn smallest(self) -> R {
        self.0.iter().fold(R::ONE / R::ZERO, |a, &b| if b < a { b } else { a })
    }
    #[inline(never)]
    fn absolute(self) -> Self {
        self.map(|a| a.and_bits(R::MAGNITUDE))
    }
    #[inline(never)]
    fn less(self, other: Self) -> PlainMask {
        self.compare(other, |a, b| a < b)
    }
    #[inline(never)]
    fn equal(self, other: Self) -> PlainMask {
        self.compare(other, |a, b| a == b)
    }
    #[inline(never)]
    fn select(mask: PlainMask, yes: Self, no: Self) -> Self {
        let mut lanes = no.0;
        for ((lane, yes), set) in lanes.iter_mut().zip(yes.0).zip(mask.0) {
            *lane = if set { yes } else { *lane };
        }
        Self(lanes)
    }
    #[inline(always)]
    fn any(mask: PlainMask) -> bool {
        Self::bits(mask) != 0
    }
    #[inline(never)]
    fn add_bits(self, other: Self) -> Self {
        self.zip(other, Format::add_bits)
    }
    #[inline(never)]
    fn and_bits(self, other: Self) -> Self {
        self.zip(other, Format::and_bits)
    }
    #[inline(never)]
    fn shift_to_exponent(self) -> Self {
        self.map(Format::shift_to_exponent)
    }
    #[inline(never)]
    fn shift_from_exponent(self) -> Self {
        self.map(Format::shift_from_exponent)
    }
    #[inline(never)]
    fn exp(self) -> Self {
        math::exp(Plain::new(), self)
    }
    #[inline(never)]
    fn exp_nonpositive(self) -> Self {
        math::exp_nonpositive(Plain::new(), self)
    }
    #[inline(never)]
    fn ln(self) -> Self {
        math::ln(Plain::new(), self)
    }
    #[inline(never)]
    fn ln_normal(self) -> Self {
        R::ln_lanes(Plain::new(), self)
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        pairwise_sum(&self.0)
    }
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct PlainShorts(ShortLanes);

impl PlainShorts {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(u16, u16) -> u16) -> Self {
        let mut lanes = self.0;
        for (lane, other) in lanes.iter_mut().zip(other.0) {
            *lane = f(*lane, other);
        }
        Self(lanes)
    }
}

impl Add for PlainShorts {
    type Output = Self;
    #[inline(never)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u16::wrapping_add)
    }
}

impl ShortVector for PlainShorts {
    /// All bits of a lane are set, or none.
    type Mask = Self;

    #[inline(always)]
    fn store(self, values: &mut ShortLanes) {
        *values = self.0;
    }
    #[inline(never)]
    fn larger(self, other: Self) -> Self {
        self.zip(other, u16::max)
    }
    #[inline(never)]
    fn smaller(self, other: Self) -> Self {
        self.zip(other, u16::min)
    }
    #[inline(never)]
    fn less(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { u16::MAX } else { 0 })
    }
    #[inline(never)]
    fn any(mask: Self) -> bool {
        mask.0.iter().fold(0, |any, lane| any | lane) != 0
    }
    #[inline(never)]
    fn select(mask: Self, yes: Self, no: Self) -> Self {
        let chosen = yes.zip(mask, |yes, set| yes & set);
        chosen.zip(no.zip(mask, |no, set| no & !set), |yes, no| yes | no)
    }
}
