//! Writing to disjoint parts of one buffer from several threads.
#![allow(unsafe_code)]

use crate::executor::Seats;
use crate::scratch::{AnyBits, Carver};
use crate::simd::{Ahead, prefetch};
use core::marker::PhantomData;
use core::slice;

/// A mutable slice whose parts are lent to the tasks that own them.
pub(crate) struct DisjointMut<'a, T> {
    start: *mut T,
    length: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: parts are only lent by the unsafe methods below, whose callers promise that no two
// threads hold overlapping ones, unless both only read.
unsafe impl<T: Send + Sync> Sync for DisjointMut<'_, T> {}

impl<'a, T> DisjointMut<'a, T> {
    pub(crate) fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), length: values.len(), owner: PhantomData }
    }

    fn range(&self, begin: usize, length: usize) -> (usize, usize) {
        let begin = begin.min(self.length);
        (begin, length.min(self.length - begin))
    }

    /// Hints that rows will soon be used that begin at an element and lie `stride` apart.
    pub(crate) fn ahead(&self, index: usize, stride: usize) -> Ahead {
        Ahead::new(self.start.wrapping_add(index).cast_const(), stride)
    }

    /// Hints that an element will soon be read. Any index will do: nothing is read.
    #[inline(always)]
    pub(crate) fn prefetch(&self, index: usize) {
        prefetch(self.start.wrapping_add(index).cast_const());
    }

    /// A part, cut off at the end of the buffer.
    ///
    /// # Safety
    /// While it lives, no other part that overlaps it may be lent.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part_mut(&self, begin: usize, length: usize) -> &mut [T] {
        let (begin, length) = self.range(begin, length);
        // SAFETY: `range` stays inside the slice that `new` borrowed for 'a; exclusiveness is the
        // caller's promise.
        unsafe { slice::from_raw_parts_mut(self.start.add(begin), length) }
    }

    /// A part's memory as values of another type, which begin where the part does.
    ///
    /// # Safety
    /// As of [`DisjointMut::part_mut`].
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn part_as<V: AnyBits>(&self, begin: usize, length: usize) -> &mut [V]
    where
        T: AnyBits,
    {
        const { assert!(size_of::<V>() <= size_of::<T>() && align_of::<V>() <= align_of::<T>()) };
        let (begin, length) = self.range(begin, length);
        // SAFETY: as above; any bits are values of both types, and the new ones need no more room.
        unsafe { slice::from_raw_parts_mut(self.start.add(begin).cast(), length) }
    }

    /// A part that is only read, cut off at the end of the buffer.
    ///
    /// # Safety
    /// While it lives, no mutable part that overlaps it may be lent.
    pub(crate) unsafe fn part(&self, begin: usize, length: usize) -> &[T] {
        let (begin, length) = self.range(begin, length);
        // SAFETY: as above.
        unsafe { slice::from_raw_parts(self.start.add(begin), length) }
    }
}

/// Scratch of the workers, one equal part for each seat.
pub(crate) struct Workers<'s> {
    memory: DisjointMut<'s, u8>,
    bytes_each: usize,
    seats: Seats,
}

impl<'s> Workers<'s> {
    pub(crate) fn new(memory: &'s mut [u8], workers: usize, bytes_each: usize) -> Self {
        Self { memory: DisjointMut::new(memory), bytes_each, seats: Seats::new(workers) }
    }

    /// Lends the scratch of a free seat.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Carver<'_>) -> T) -> T {
        let seat = self.seats.take();
        let begin = seat.worker() * self.bytes_each;
        // SAFETY: a seat is held by one thread at a time, and seats have disjoint parts.
        let memory = unsafe { self.memory.part_mut(begin, self.bytes_each) };
        work(&mut Carver::resume(memory))
    }

    /// Lends the scratch of each seat in turn, when no task runs any more.
    pub(crate) fn each(&mut self, workers: usize, mut work: impl FnMut(&mut Carver<'_>)) {
        for worker in 0..workers {
            // SAFETY: `&mut self` says that no seat is taken.
            let memory = unsafe { self.memory.part_mut(worker * self.bytes_each, self.bytes_each) };
            work(&mut Carver::resume(memory));
        }
    }
}
