//! Hints about memory: what will soon be read, and what will not.
#![allow(unsafe_code)]

use crate::element::{Lanes, Real};

/// Hints that memory will soon be read. Any address will do: nothing is read.
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

/// Rows of a table that will be read next, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    start: *const u8,
    /// Bytes from row to row; 0 where nothing is to be read ahead.
    stride: usize,
}

impl Ahead {
    pub(crate) const NOTHING: Self = Self { start: core::ptr::null(), stride: 0 };

    /// Rows that begin at `start` and lie `stride` elements apart.
    pub(crate) fn new<T>(start: *const T, stride: usize) -> Self {
        Self { start: start.cast(), stride: stride.wrapping_mul(size_of::<T>()) }
    }

    /// Hints at a row of rows that lie one behind the other.
    #[inline(always)]
    pub(crate) fn prefetch_row(self, row: usize) {
        self.prefetch(row, 0, self.stride);
    }

    /// Hints at some bytes of a row: all lines that they end in, as what comes before has been read.
    #[inline(always)]
    pub(crate) fn prefetch(self, row: usize, first: usize, bytes: usize) {
        if self.stride != 0 {
            let begin = self.start.wrapping_add(row.wrapping_mul(self.stride)).wrapping_add(first);
            let line = align_of::<Line<f32>>();
            for offset in (0..bytes).step_by(line) {
                prefetch(begin.wrapping_add(offset + (line - 1)));
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
