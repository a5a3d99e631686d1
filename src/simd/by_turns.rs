//! Values of some kinds by turns, to kinds apart and back.
//!
//! Pairs of registers are parted into lanes of even and of odd number, again and again, until what
//! lies by turns is of an odd number of kinds. The number of lanes is a power of two, and so, in as
//! many registers, each value of a kind lies in another lane: choices lane by lane bring a kind
//! together, and one permutation sorts it. The choices rotate the registers by the number of the
//! lane, bit after bit of it.
#![allow(unsafe_code)]

use super::register::Permute;
use crate::element::LANES;

/// Whether so many kinds are an odd number times a power of two, and registers can be rotated.
const fn can_be_turned(kinds: usize, odd: usize, lanes: usize) -> bool {
    odd % 2 == 1
        && kinds.is_multiple_of(odd)
        && (kinds / odd).is_power_of_two()
        && lanes.is_power_of_two()
        && lanes <= LANES
}

/// Values of `KINDS` kinds by turns, as many of each as a register has lanes, to kinds apart,
/// `stride` groups of 16 values from one to the next. `KINDS` is `ODD`, which is odd, times a power
/// of two.
///
/// # Safety
/// As of [`Permute`]; `by_turns` can be read, `KINDS` registers, and `apart` written, a register from
/// `16 * stride * kind` on for each kind.
#[inline(always)]
pub(super) unsafe fn apart<T: Permute, const KINDS: usize, const ODD: usize>(
    by_turns: *const T::Real,
    apart: *mut T::Real,
    stride: usize,
) {
    const { assert!(can_be_turned(KINDS, ODD, T::LANES)) };
    // SAFETY: the caller's promise.
    unsafe {
        let mut registers = [T::load(by_turns); KINDS];
        for (place, register) in registers.iter_mut().enumerate().skip(1) {
            *register = T::load(by_turns.add(place * T::LANES));
        }
        let mut parts = 1;
        while parts < KINDS / ODD {
            for both in registers.chunks_mut(2 * parts) {
                let (even, odd) = both.split_at_mut(parts);
                for (a, b) in even.iter_mut().zip(odd) {
                    (*a, *b) = T::deinterleave(*a, *b);
                }
            }
            parts *= 2;
        }
        for part in 0..parts {
            let mut odd = [registers[0]; ODD];
            for (place, register) in odd.iter_mut().enumerate() {
                // The remainder shows that no index is out of bounds.
                *register = registers[(place * parts + part) % KINDS];
            }
            for (place, register) in odd_apart(odd).into_iter().enumerate() {
                T::store(register, apart.add((place * parts + part) * stride * LANES));
            }
        }
    }
}

/// What [`apart`] was made of.
///
/// # Safety
/// As there, but that `apart` is read and `by_turns` written.
#[inline(always)]
pub(super) unsafe fn by_turns<T: Permute, const KINDS: usize, const ODD: usize>(
    apart: *const T::Real,
    stride: usize,
    by_turns: *mut T::Real,
) {
    const { assert!(can_be_turned(KINDS, ODD, T::LANES)) };
    // SAFETY: the caller's promise.
    unsafe {
        let mut parts = KINDS / ODD;
        let mut registers = [T::load(apart); KINDS];
        for part in 0..parts {
            let mut odd = [registers[0]; ODD];
            for (place, register) in odd.iter_mut().enumerate() {
                *register = T::load(apart.add((place * parts + part) * stride * LANES));
            }
            for (place, register) in odd_by_turns(odd).into_iter().enumerate() {
                registers[(place * parts + part) % KINDS] = register;
            }
        }
        while parts > 1 {
            parts /= 2;
            for both in registers.chunks_mut(2 * parts) {
                let (even, odd) = both.split_at_mut(parts);
                for (a, b) in even.iter_mut().zip(odd) {
                    (*a, *b) = T::interleave(*a, *b);
                }
            }
        }
        for (place, register) in registers.into_iter().enumerate() {
            T::store(register, by_turns.add(place * T::LANES));
        }
    }
}

/// Registers of kinds by turns to registers of one kind each.
///
/// # Safety
/// As of [`Permute`].
#[inline(always)]
unsafe fn odd_apart<T: Permute, const KINDS: usize>(registers: [T; KINDS]) -> [T; KINDS] {
    let mut kinds = registers;
    for (place, &register) in registers.iter().enumerate() {
        kinds[place * T::LANES % KINDS] = register;
    }
    // SAFETY: the caller's promise.
    unsafe {
        kinds = rotated(kinds, KINDS - 1);
        for (kind, register) in kinds.iter_mut().enumerate() {
            *register = T::in_steps(*register, kind % T::LANES, KINDS % T::LANES);
        }
    }
    kinds
}

/// What [`odd_apart`] was made of.
///
/// # Safety
/// As of [`Permute`].
#[inline(always)]
unsafe fn odd_by_turns<T: Permute, const KINDS: usize>(mut kinds: [T; KINDS]) -> [T; KINDS] {
    // The inverse of an odd number modulo 2, 4, 8 or 16 is its third power.
    let step = KINDS * KINDS * KINDS % T::LANES;
    // SAFETY: the caller's promise.
    unsafe {
        for (kind, register) in kinds.iter_mut().enumerate() {
            let first = (T::LANES - kind % T::LANES) * step % T::LANES;
            *register = T::in_steps(*register, first, step);
        }
        kinds = rotated(kinds, 1);
    }
    let mut registers = kinds;
    for (place, register) in registers.iter_mut().enumerate() {
        *register = kinds[place * T::LANES % KINDS];
    }
    registers
}

/// In each lane, moves the registers round a circle as often as the number of the lane says: each
/// time a register takes what the one `by` places further held.
///
/// # Safety
/// As of [`Permute`].
#[inline(always)]
unsafe fn rotated<T: Permute, const COUNT: usize>(
    mut registers: [T; COUNT],
    by: usize,
) -> [T; COUNT] {
    let mut times = 1;
    while times < COUNT.min(T::LANES) {
        let mut lanes = 0;
        for lane in 0..T::LANES {
            lanes |= u16::from((lane % COUNT) & times != 0) << lane;
        }
        let before = registers;
        for (place, register) in registers.iter_mut().enumerate() {
            let further = before[(place + times * by) % COUNT];
            // SAFETY: the caller's promise.
            *register = unsafe { T::select(T::mask_of(lanes), further, *register) };
        }
        times *= 2;
    }
    registers
}
