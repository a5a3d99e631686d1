//! Vectors of 32 integers of 16 bits, made of registers; sound as those of `vector.rs` are.
#![allow(unsafe_code)]

use super::register::ShortRegister;
use super::{ShortLanes, ShortVector};
use core::ops::Add;

#[derive(Clone, Copy)]
pub(crate) struct RegisterShorts<T>(T);

impl<T: ShortRegister> RegisterShorts<T> {
    /// # Safety
    /// The instructions are enabled where vectors are used.
    #[inline(always)]
    pub(super) unsafe fn splat(value: u16) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { T::splat(value) })
    }

    /// # Safety
    /// As of `splat`.
    #[inline(always)]
    pub(super) unsafe fn load(values: &ShortLanes) -> Self {
        const { assert!(T::LANES == size_of::<ShortLanes>() / size_of::<u16>()) };
        // SAFETY: the caller's promise; the reference covers all lanes.
        Self(unsafe { T::load(values.as_ptr()) })
    }
}

impl<T: ShortRegister> Add for RegisterShorts<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a vector exists only where its instructions do.
        Self(unsafe { T::add(self.0, other.0) })
    }
}

impl<T: ShortRegister> ShortVector for RegisterShorts<T> {
    type Mask = T::Mask;

    #[inline(always)]
    fn store(self, values: &mut ShortLanes) {
        // SAFETY: as above; the reference covers all lanes.
        unsafe { T::store(self.0, values.as_mut_ptr()) }
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
    fn less(self, other: Self) -> T::Mask {
        // SAFETY: as above.
        unsafe { T::less(self.0, other.0) }
    }
    #[inline(always)]
    fn any(mask: T::Mask) -> bool {
        // SAFETY: a mask is made of vectors.
        unsafe { T::any(mask) }
    }
    #[inline(always)]
    fn select(mask: T::Mask, yes: Self, no: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { T::select(mask, yes.0, no.0) })
    }
}
