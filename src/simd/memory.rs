//! Hints about memory: what will soon be read, and what will not.
#![allow(unsafe_code)]

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

    /// Hints at some bytes of a row.
    #[inline(always)]
    pub(crate) fn prefetch(self, row: usize, first: usize, bytes: usize) {
        if self.stride != 0 {
            let begin = self.start.wrapping_add(row.wrapping_mul(self.stride)).wrapping_add(first);
            for offset in (0..bytes).step_by(LINE * size_of::<f32>()) {
                prefetch(begin.wrapping_add(offset));
            }
        }
    }
}

/// f32 in a line of the caches.
const LINE: usize = 16;

/// Copies values past the caches: memory that is written over need not be read first, a third of
/// the traffic of a large result. Lines that are not written whole are left to the caches.
/// [`flush`] comes before the end of the task.
#[inline(always)]
pub(crate) fn stream(from: &[f32], to: &mut [f32]) {
    let count = to.len().min(from.len());
    let head = to.as_ptr().align_offset(LINE * size_of::<f32>()).min(count);
    let (from_head, from) = from.split_at_checked(head).unwrap_or_default();
    let (to_head, to) = to.split_at_mut_checked(head).unwrap_or_default();
    let (from, to) = (from.get(..count - head), to.get_mut(..count - head));
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    copy(from_head, to_head);
    let ((from, from_tail), (to, to_tail)) = (from.as_chunks(), to.as_chunks_mut());
    for (from, to) in from.iter().zip(to) {
        stream_line(from, to);
    }
    copy(from_tail, to_tail);
}

#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    for (from, to) in from.iter().zip(to) {
        *to = *from;
    }
}

/// `to` is a line of the caches.
#[inline(always)]
fn stream_line(from: &[f32; LINE], to: &mut [f32; LINE]) {
    #[cfg(target_arch = "x86_64")]
    if to.as_ptr().addr().is_multiple_of(size_of_val(to)) {
        use core::arch::x86_64::{_mm_loadu_ps, _mm_stream_ps};
        for (from, to) in from.as_chunks::<4>().0.iter().zip(to.as_chunks_mut::<4>().0) {
            // SAFETY: SSE is part of x86-64, both references cover four values, and the alignment
            // has been looked at.
            unsafe { _mm_stream_ps(to.as_mut_ptr(), _mm_loadu_ps(from.as_ptr())) };
        }
        return;
    }
    *to = *from;
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
