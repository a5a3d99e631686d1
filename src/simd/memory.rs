//! Hints about memory: what will soon be used, and what will not.
#![allow(unsafe_code)]

use crate::element::{LANES, Lanes, Real};

/// Hints that memory will soon be used. Any address will do: nothing is read.
#[inline(always)]
pub(crate) fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint about an address, which need not be one of memory; SSE is part of x86-64.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Rows of a table that will be used next, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    start: *const u8,
    /// Bytes from row to row; 0 where there is nothing to hint at.
    stride: usize,
    /// Bytes of a value.
    size: usize,
}

impl Ahead {
    pub(crate) const NOTHING: Self = Self { start: core::ptr::null(), stride: 0, size: 0 };

    /// Rows that begin at `start` and lie `stride` values apart.
    pub(crate) fn new<T>(start: *const T, stride: usize) -> Self {
        let size = size_of::<T>();
        Self { start: start.cast(), stride: stride.wrapping_mul(size), size }
    }

    /// Hints at some values of a row, whole groups, at least once for each line of the caches: a line
    /// behind where it begins, as what comes before has mostly been used.
    #[inline(always)]
    pub(crate) fn prefetch(self, row: usize, first: usize, values: usize) {
        if self.stride != 0 {
            let begin = self.start.wrapping_add(row.wrapping_mul(self.stride));
            let begin = begin.wrapping_add(first.wrapping_mul(self.size));
            const LINE: usize = align_of::<Line<f32>>();
            let groups = 0..values / LANES;
            for group in groups.clone() {
                prefetch(begin.wrapping_add(group * LANES * self.size + (LINE - 1)));
            }
            if self.size > size_of::<f32>() {
                for group in groups {
                    prefetch(begin.wrapping_add(group * LANES * self.size + (2 * LINE - 1)));
                }
            }
        }
    }
}

/// 16 values that begin where a line of the caches does, and can be written past them.
#[repr(C, align(64))]
pub(crate) struct Line<R>(pub(super) Lanes<R>);

/// Values as lines, and what is none before and behind them.
pub(crate) fn lines_mut<R: Real>(values: &mut [R]) -> (&mut [R], &mut [Line<R>], &mut [R]) {
    // SAFETY: a line is 16 values, whatever their bits are.
    unsafe { values.align_to_mut() }
}

/// Lets other threads see what this one has streamed once they have synchronised.
#[inline(always)]
pub(crate) fn flush() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}
