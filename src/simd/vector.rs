//! Vectors of 16 lanes made of registers.
//!
//! Sound because a [`Token`] can only be made where the instructions are enabled, and a vector only
//! by a token or from another vector.
#![allow(unsafe_code)]

use super::memory::Line;
use super::register::Register;
use super::shorts::RegisterShorts;
use super::{ShortLanes, Simd, Vector, by_turns, room_for_columns, room_for_kinds};
use crate::element::{LANES, Lanes, Real};
use crate::math::{self, Format, Logarithm};
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Proof that the instructions of a register are there.
#[derive(Clone, Copy)]
pub(crate) struct Token<T>(PhantomData<T>);

impl<T> Token<T> {
    /// # Safety
    /// The instructions are enabled where vectors are used.
    #[inline(always)]
    pub(super) const unsafe fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Register> Simd for Token<T> {
    type Real = T::Real;
    type Vector = RegisterVector<T>;
    type Shorts = RegisterShorts<T::Shorts>;

    #[inline(always)]
    fn splat(self, value: T::Real) -> RegisterVector<T> {
        // SAFETY: the token exists only where the instructions do.
        RegisterVector(unsafe { T::splat(value) })
    }
    #[inline(always)]
    fn load(self, values: &Lanes<T::Real>) -> RegisterVector<T> {
        const { assert!(T::LANES == LANES) };
        // SAFETY: as above; the reference covers all lanes.
        RegisterVector(unsafe { T::load(values.as_ptr()) })
    }
    #[inline(always)]
    fn load_columns(self, rows: &[T::Real], stride: usize) -> Option<[Self::Vector; 4]> {
        if !room_for_columns(rows.len(), stride) {
            return None;
        }
        // SAFETY: as above; the rows are all there.
        let [a, b, c, d] = unsafe { T::load_columns(rows.as_ptr(), stride) };
        Some([RegisterVector(a), RegisterVector(b), RegisterVector(c), RegisterVector(d)])
    }
    #[inline(always)]
    fn apart<const KINDS: usize, const ODD: usize>(
        self,
        by_turns: &[Lanes<T::Real>; KINDS],
        apart: &mut [Lanes<T::Real>],
        stride: usize,
    ) {
        if room_for_kinds(apart.len(), KINDS, stride) {
            let (from, to) = (by_turns.as_flattened(), apart.as_flattened_mut());
            for first in (0..LANES).step_by(T::Single::LANES) {
                // SAFETY: as above, as single registers have the same instructions; there is room
                // for all kinds, of which each part is as many lanes.
                unsafe {
                    let (from, to) = (from.as_ptr().add(first * KINDS), to.as_mut_ptr().add(first));
                    by_turns::apart::<T::Single, KINDS, ODD>(from, to, stride);
                }
            }
        }
    }
    #[inline(always)]
    fn by_turns<const KINDS: usize, const ODD: usize>(
        self,
        apart: &[Lanes<T::Real>],
        stride: usize,
        by_turns: &mut [Lanes<T::Real>; KINDS],
    ) {
        if room_for_kinds(apart.len(), KINDS, stride) {
            let (from, to) = (apart.as_flattened(), by_turns.as_flattened_mut());
            for first in (0..LANES).step_by(T::Single::LANES) {
                // SAFETY: as above; all kinds are there.
                unsafe {
                    let (from, to) = (from.as_ptr().add(first), to.as_mut_ptr().add(first * KINDS));
                    by_turns::by_turns::<T::Single, KINDS, ODD>(from, stride, to);
                }
            }
        }
    }
    #[inline(always)]
    fn splat_shorts(self, value: u16) -> Self::Shorts {
        // SAFETY: the level that has one kind of register has the other.
        unsafe { RegisterShorts::splat(value) }
    }
    #[inline(always)]
    fn load_shorts(self, values: &ShortLanes) -> Self::Shorts {
        // SAFETY: as above.
        unsafe { RegisterShorts::load(values) }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct RegisterVector<T>(T);

impl<T: Register> RegisterVector<T> {
    /// The token that made this vector.
    #[inline(always)]
    fn simd(self) -> Token<T> {
        Token(PhantomData)
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<T: Register> $trait for RegisterVector<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a vector exists only where its instructions do.
                Self(unsafe { T::$method(self.0, other.0) })
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<T: Register> Neg for RegisterVector<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.add_bits(self.simd().splat(-T::Real::ZERO))
    }
}

impl<T: Register> Vector for RegisterVector<T> {
    type Real = T::Real;
    type Mask = T::Mask;

    #[inline(always)]
    fn store(self, values: &mut Lanes<T::Real>) {
        // SAFETY: a vector exists only where its instructions do; the reference covers all lanes.
        unsafe { T::store(self.0, values.as_mut_ptr()) }
    }
    #[inline(always)]
    fn stream(self, line: &mut Line<T::Real>) {
        // SAFETY: as above; a line is aligned to what the largest register needs.
        unsafe { T::stream(self.0, line.0.as_mut_ptr()) }
    }
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::larger(self.0, other.0) })
    }
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::smaller(self.0, other.0) })
    }
    #[inline(always)]
    fn absolute(self) -> Self {
        self.and_bits(self.simd().splat(T::Real::MAGNITUDE))
    }
    #[inline(always)]
    fn square_root(self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::square_root(self.0) })
    }
    #[inline(always)]
    fn less(self, other: Self) -> T::Mask {
        // SAFETY: as above.
        unsafe { T::less(self.0, other.0) }
    }
    #[inline(always)]
    fn equal(self, other: Self) -> T::Mask {
        // SAFETY: as above.
        unsafe { T::equal(self.0, other.0) }
    }
    #[inline(always)]
    fn bits(mask: T::Mask) -> u16 {
        // SAFETY: a mask is made of vectors.
        unsafe { T::bits(mask) }
    }
    #[inline(always)]
    fn any(mask: T::Mask) -> bool {
        // SAFETY: as above.
        unsafe { T::any(mask) }
    }
    #[inline(always)]
    fn select(mask: T::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::select(mask, yes.0, no.0) })
    }
    #[inline(always)]
    fn largest(self) -> T::Real {
        // SAFETY: as above.
        unsafe { T::largest(self.0) }
    }
    #[inline(always)]
    fn smallest(self) -> T::Real {
        // SAFETY: as above.
        unsafe { T::smallest(self.0) }
    }
    #[inline(always)]
    fn sum(self) -> f64 {
        // SAFETY: as above.
        unsafe { T::sum(self.0) }
    }
    #[inline(always)]
    fn add_bits(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::add_bits(self.0, other.0) })
    }
    #[inline(always)]
    fn and_bits(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::and_bits(self.0, other.0) })
    }
    #[inline(always)]
    fn shift_to_exponent(self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::shift_to_exponent(self.0) })
    }
    #[inline(always)]
    fn shift_from_exponent(self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::shift_from_exponent(self.0) })
    }
    #[inline(always)]
    fn exp(self) -> Self {
        if T::BASELINE { exp_call(self) } else { math::exp(self.simd(), self) }
    }
    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        if T::BASELINE {
            exp_nonpositive_call(self)
        } else {
            math::exp_nonpositive(self.simd(), self)
        }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        if T::BASELINE { ln_call(self) } else { math::ln(self.simd(), self) }
    }
    #[inline(always)]
    fn ln_normal(self) -> Self {
        if T::BASELINE { ln_normal_call(self) } else { T::Real::ln_lanes(self.simd(), self) }
    }
}

/// A call costs little beside what many small registers take, and saves most of the code.
#[inline(never)]
fn exp_call<T: Register>(x: RegisterVector<T>) -> RegisterVector<T> {
    math::exp(x.simd(), x)
}

/// As [`exp_call`].
#[inline(never)]
fn exp_nonpositive_call<T: Register>(x: RegisterVector<T>) -> RegisterVector<T> {
    math::exp_nonpositive(x.simd(), x)
}

/// As [`exp_call`].
#[inline(never)]
fn ln_normal_call<T: Register>(x: RegisterVector<T>) -> RegisterVector<T> {
    T::Real::ln_lanes(x.simd(), x)
}

/// As [`exp_call`].
#[inline(never)]
fn ln_call<T: Register>(x: RegisterVector<T>) -> RegisterVector<T> {
    math::ln(x.simd(), x)
}
