//! What one register can do: all that differs between levels. Vectors are made of it.
#![allow(unsafe_code)]

use super::pairwise_sum;
use crate::element::{LANES, Real};

/// A register of some lanes.
///
/// # Safety
/// Every function may be called only where the processor has the instructions.
pub(crate) trait Register: Copy {
    type Real: Real;
    type Mask: Copy;
    /// As many registers of 16-bit integers.
    type Shorts: ShortRegister;
    /// The register that this one is made of, which has the same instructions.
    type Single: Permute<Real = Self::Real>;
    const LANES: usize;
    /// Whether every processor of the target has the instructions: code outside the functions that
    /// enable instructions may use them then.
    const BASELINE: bool;

    unsafe fn splat(value: Self::Real) -> Self;
    /// Reads and writes [`Register::LANES`] values, which need not be aligned.
    unsafe fn load(from: *const Self::Real) -> Self;
    unsafe fn store(a: Self, to: *mut Self::Real);
    /// Writes past the caches, if there is an instruction for it. `to` is aligned to the register.
    unsafe fn stream(a: Self, to: *mut Self::Real);

    unsafe fn add(a: Self, b: Self) -> Self;
    unsafe fn sub(a: Self, b: Self) -> Self;
    unsafe fn mul(a: Self, b: Self) -> Self;
    unsafe fn div(a: Self, b: Self) -> Self;
    /// Correctly rounded.
    unsafe fn square_root(a: Self) -> Self;
    /// `b` where the two cannot be compared.
    unsafe fn larger(a: Self, b: Self) -> Self;
    /// `b` where the two cannot be compared.
    unsafe fn smaller(a: Self, b: Self) -> Self;
    /// Of all lanes, which must be comparable.
    unsafe fn largest(a: Self) -> Self::Real;
    unsafe fn smallest(a: Self) -> Self::Real;
    /// Of a whole vector, as [`pairwise_sum`].
    #[inline(always)]
    unsafe fn sum(a: Self) -> f64 {
        const { assert!(Self::LANES == LANES) };
        let mut lanes = [Self::Real::ZERO; LANES];
        // SAFETY: the caller's promise; the array has room for all lanes.
        unsafe { Self::store(a, lanes.as_mut_ptr()) }
        pairwise_sum(&lanes)
    }

    unsafe fn less(a: Self, b: Self) -> Self::Mask;
    unsafe fn equal(a: Self, b: Self) -> Self::Mask;
    unsafe fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// One bit per lane, the first lane in the least significant one.
    unsafe fn bits(mask: Self::Mask) -> u16;
    unsafe fn any(mask: Self::Mask) -> bool;
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// Four columns of [`Register::LANES`] rows of values, `stride` apart: of
    /// `(LANES - 1) * stride + 4` values, which need not be aligned.
    unsafe fn load_columns(from: *const Self::Real, stride: usize) -> [Self; 4];

    /// Lanes as integers: see [`Vector`](super::Vector).
    unsafe fn add_bits(a: Self, b: Self) -> Self;
    unsafe fn and_bits(a: Self, b: Self) -> Self;
    unsafe fn shift_to_exponent(a: Self) -> Self;
    unsafe fn shift_from_exponent(a: Self) -> Self;
}

/// A register of the processor, whose lanes change places.
///
/// # Safety
/// As of [`Register`].
pub(crate) trait Permute: Register {
    /// The mask that has these bits: what [`Register::bits`] gives.
    unsafe fn mask_of(bits: u16) -> Self::Mask;
    /// Lanes of both by turns: the first halves of the two, then the second ones.
    unsafe fn interleave(a: Self, b: Self) -> (Self, Self);
    /// The lanes of even number of both, then those of odd number.
    unsafe fn deinterleave(a: Self, b: Self) -> (Self, Self);
    /// Lane `i` is lane `first + i * step`, modulo the lanes; `step` is odd.
    ///
    /// Of two or four lanes, which are in order or in reverse order: fixed orders, as they are
    /// shuffles before a compiler counts what a loop around them takes.
    #[inline(always)]
    unsafe fn in_steps(a: Self, first: usize, step: usize) -> Self {
        let mut lanes = a;
        // SAFETY: the caller's promise.
        unsafe {
            if step % 4 == 3 {
                lanes = reordered(lanes, [0, 3, 2, 1]);
            }
            if first % 2 == 1 {
                lanes = reordered(lanes, if step % 4 == 3 { [3, 0, 1, 2] } else { [1, 2, 3, 0] });
            }
            if first / 2 % 2 == 1 {
                lanes = reordered(lanes, [2, 3, 0, 1]);
            }
        }
        lanes
    }
}

/// A register of integers of 16 bits without sign.
///
/// # Safety
/// As of [`Register`].
pub(crate) trait ShortRegister: Copy {
    type Mask: Copy;
    const LANES: usize;

    unsafe fn splat(value: u16) -> Self;
    /// Reads and writes [`ShortRegister::LANES`] values, which need not be aligned.
    unsafe fn load(from: *const u16) -> Self;
    unsafe fn store(a: Self, to: *mut u16);

    /// Wraps around.
    unsafe fn add(a: Self, b: Self) -> Self;
    unsafe fn larger(a: Self, b: Self) -> Self;
    unsafe fn smaller(a: Self, b: Self) -> Self;

    unsafe fn less(a: Self, b: Self) -> Self::Mask;
    unsafe fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    unsafe fn any(mask: Self::Mask) -> bool;
    unsafe fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}

/// Implements a trait of registers by a table of its functions.
macro_rules! register {
    (impl $(<$parameter:ident: $bound:ident>)? $trait:ident for $register:ty {
        $(type $associated:ident = $is:ty;)*
        $(const $constant:ident: $of:ty = $value:expr;)*
        $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? { $body:expr })*
    }) => {
        // A baseline instruction needs no unsafe block.
        #[allow(unused_unsafe)]
        impl $(<$parameter: $bound>)? $trait for $register {
            $(type $associated = $is;)*
            $(const $constant: $of = $value;)*
            $(
                #[inline(always)]
                unsafe fn $name($($argument: $type),*) $(-> $result)? {
                    // SAFETY: the caller's promise: the instructions are there.
                    unsafe { $body }
                }
            )*
        }
    };
}
pub(super) use register;

/// Lanes in another order, of four or two.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn reordered<T: Permute>(a: T, [first, second, third, last]: [usize; 4]) -> T {
    const { assert!(T::LANES <= 4) };
    let mut lanes = [T::Real::ZERO; 4];
    // SAFETY: the caller's promise; the arrays have room for all lanes.
    unsafe {
        T::store(a, lanes.as_mut_ptr());
        let lane = |number| lanes[number % T::LANES];
        T::load([lane(first), lane(second), lane(third), lane(last)].as_ptr())
    }
}

/// [`Register::load_columns`] of four lanes or two.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
pub(super) unsafe fn load_columns_of_few<T: Permute>(
    from: *const T::Real,
    stride: usize,
) -> [T; 4] {
    const { assert!(T::LANES == 2 || T::LANES == 4) };
    // SAFETY: the caller's promise.
    unsafe {
        let [a, b] = [T::load(from), T::load(from.add(stride))];
        if T::LANES == 2 {
            let [c, d] = [T::load(from.add(2)), T::load(from.add(stride + 2))];
            let ((a, b), (c, d)) = (T::interleave(a, b), T::interleave(c, d));
            return [a, b, c, d];
        }
        let [c, d] = [T::load(from.add(2 * stride)), T::load(from.add(3 * stride))];
        let ((a, b), (c, d)) = (T::interleave(a, c), T::interleave(b, d));
        let ((a, b), (c, d)) = (T::interleave(a, c), T::interleave(b, d));
        [a, b, c, d]
    }
}

/// Two registers.
#[derive(Clone, Copy)]
pub(crate) struct Pair<T>(T, T);

register! {
    impl<T: Register> Register for Pair<T> {
        type Real = T::Real;
        type Mask = (T::Mask, T::Mask);
        type Shorts = Pair<T::Shorts>;
        type Single = T::Single;
        const LANES: usize = 2 * T::LANES;
        const BASELINE: bool = T::BASELINE;

        fn splat(value: T::Real) -> Self { Self(T::splat(value), T::splat(value)) }
        fn load(from: *const T::Real) -> Self { Self(T::load(from), T::load(from.add(T::LANES))) }
        fn store(a: Self, to: *mut T::Real) {
            { T::store(a.0, to); T::store(a.1, to.add(T::LANES)) }
        }
        fn stream(a: Self, to: *mut T::Real) {
            { T::stream(a.0, to); T::stream(a.1, to.add(T::LANES)) }
        }

        fn add(a: Self, b: Self) -> Self { Self(T::add(a.0, b.0), T::add(a.1, b.1)) }
        fn sub(a: Self, b: Self) -> Self { Self(T::sub(a.0, b.0), T::sub(a.1, b.1)) }
        fn mul(a: Self, b: Self) -> Self { Self(T::mul(a.0, b.0), T::mul(a.1, b.1)) }
        fn div(a: Self, b: Self) -> Self { Self(T::div(a.0, b.0), T::div(a.1, b.1)) }
        fn square_root(a: Self) -> Self { Self(T::square_root(a.0), T::square_root(a.1)) }
        fn larger(a: Self, b: Self) -> Self { Self(T::larger(a.0, b.0), T::larger(a.1, b.1)) }
        fn smaller(a: Self, b: Self) -> Self { Self(T::smaller(a.0, b.0), T::smaller(a.1, b.1)) }
        fn largest(a: Self) -> T::Real { T::largest(T::larger(a.0, a.1)) }
        fn smallest(a: Self) -> T::Real { T::smallest(T::smaller(a.0, a.1)) }

        fn less(a: Self, b: Self) -> Self::Mask { (T::less(a.0, b.0), T::less(a.1, b.1)) }
        fn equal(a: Self, b: Self) -> Self::Mask { (T::equal(a.0, b.0), T::equal(a.1, b.1)) }
        fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask {
            (T::either(a.0, b.0), T::either(a.1, b.1))
        }
        fn bits(mask: Self::Mask) -> u16 { T::bits(mask.0) | (T::bits(mask.1) << T::LANES) }
        fn any(mask: Self::Mask) -> bool { T::any(T::either(mask.0, mask.1)) }
        fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
            Self(T::select(mask.0, yes.0, no.0), T::select(mask.1, yes.1, no.1))
        }

        fn load_columns(from: *const T::Real, stride: usize) -> [Self; 4] {{
            let [a, b, c, d] = T::load_columns(from, stride);
            let [e, f, g, h] = T::load_columns(from.add(T::LANES * stride), stride);
            [Self(a, e), Self(b, f), Self(c, g), Self(d, h)]
        }}

        fn add_bits(a: Self, b: Self) -> Self { Self(T::add_bits(a.0, b.0), T::add_bits(a.1, b.1)) }
        fn and_bits(a: Self, b: Self) -> Self { Self(T::and_bits(a.0, b.0), T::and_bits(a.1, b.1)) }
        fn shift_to_exponent(a: Self) -> Self { Self(T::shift_to_exponent(a.0), T::shift_to_exponent(a.1)) }
        fn shift_from_exponent(a: Self) -> Self { Self(T::shift_from_exponent(a.0), T::shift_from_exponent(a.1)) }
    }
}

register! {
    impl<T: ShortRegister> ShortRegister for Pair<T> {
        type Mask = (T::Mask, T::Mask);
        const LANES: usize = 2 * T::LANES;

        fn splat(value: u16) -> Self { Self(T::splat(value), T::splat(value)) }
        fn load(from: *const u16) -> Self { Self(T::load(from), T::load(from.add(T::LANES))) }
        fn store(a: Self, to: *mut u16) {
            { T::store(a.0, to); T::store(a.1, to.add(T::LANES)) }
        }

        fn add(a: Self, b: Self) -> Self { Self(T::add(a.0, b.0), T::add(a.1, b.1)) }
        fn larger(a: Self, b: Self) -> Self { Self(T::larger(a.0, b.0), T::larger(a.1, b.1)) }
        fn smaller(a: Self, b: Self) -> Self { Self(T::smaller(a.0, b.0), T::smaller(a.1, b.1)) }

        fn less(a: Self, b: Self) -> Self::Mask { (T::less(a.0, b.0), T::less(a.1, b.1)) }
        fn either(a: Self::Mask, b: Self::Mask) -> Self::Mask {
            (T::either(a.0, b.0), T::either(a.1, b.1))
        }
        fn any(mask: Self::Mask) -> bool { T::any(T::either(mask.0, mask.1)) }
        fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
            Self(T::select(mask.0, yes.0, no.0), T::select(mask.1, yes.1, no.1))
        }
    }
}
