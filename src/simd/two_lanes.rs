//! What registers of two lanes make of their interleaving.
#![allow(unsafe_code)]

use super::register::Register;

/// [`Register::load_columns`] of two lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
pub(super) unsafe fn load_columns_of_two<T: Register>(
    from: *const T::Real,
    stride: usize,
) -> [T; 4] {
    const { assert!(T::LANES == 2) };
    // SAFETY: the caller's promise.
    unsafe {
        let next = from.add(stride);
        let (a, b) = T::interleave(T::load(from), T::load(next));
        let (c, d) = T::interleave(T::load(from.add(2)), T::load(next.add(2)));
        [a, b, c, d]
    }
}

/// [`Register::store_columns`] of two lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
pub(super) unsafe fn store_columns_of_two<T: Register>(
    [a, b, c, d]: [T; 4],
    to: *mut T::Real,
    stride: usize,
) {
    const { assert!(T::LANES == 2) };
    // SAFETY: the caller's promise.
    unsafe {
        let ((a, b), (c, d)) = (T::interleave(a, b), T::interleave(c, d));
        T::store(a, to);
        T::store(c, to.add(2));
        T::store(b, to.add(stride));
        T::store(d, to.add(stride).add(2));
    }
}

/// The first lane of one and the last of the other, of two lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
unsafe fn first_and_last<T: Register>(a: T, b: T) -> T {
    const { assert!(T::LANES == 2) };
    // SAFETY: the caller's promise.
    unsafe { T::interleave(a, T::interleave(b, b).1).0 }
}

/// [`Register::interleave_three`] of two lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
pub(super) unsafe fn interleave_three_of_two<T: Register>([a, b, c]: [T; 3]) -> [T; 3] {
    // SAFETY: the caller's promise.
    unsafe { [T::interleave(a, b).0, first_and_last(c, a), T::interleave(b, c).1] }
}

/// [`Register::deinterleave_three`] of two lanes.
///
/// # Safety
/// As of [`Register`].
#[inline(always)]
pub(super) unsafe fn deinterleave_three_of_two<T: Register>([a, b, c]: [T; 3]) -> [T; 3] {
    // SAFETY: the caller's promise.
    unsafe {
        let last = T::interleave(a, a).1;
        [first_and_last(a, b), T::interleave(last, c).0, first_and_last(b, c)]
    }
}
