//! The caller's memory: how much is needed, and how it is cut into typed pieces.

use crate::error::{Argument, Cause, Error};
use core::mem::{MaybeUninit, size_of};
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// Pieces begin at multiples of this: a cache line, and the widest register.
const ALIGNMENT: usize = 64;

/// Number of bytes that a call needs, whatever their alignment.
///
/// Requirements add up and overflow is a value: [`Requirement::bytes`] is `None` then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requirement(Option<usize>);

impl Requirement {
    /// Room for a slice.
    pub(crate) const fn of<T>(length: usize) -> Self {
        match length.checked_mul(size_of::<T>()) {
            Some(bytes) => match bytes.checked_next_multiple_of(ALIGNMENT) {
                Some(bytes) => Self(Some(bytes)),
                None => Self(None),
            },
            None => Self(None),
        }
    }

    /// Both at the same time.
    pub(crate) const fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(a.checked_add(b)),
            _ => Self(None),
        }
    }

    /// The larger one, for uses one after the other.
    pub(crate) const fn or(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(if a > b { a } else { b })),
            _ => Self(None),
        }
    }

    /// Room for a table.
    pub(crate) const fn of_rows<T>(rows: usize, length: usize) -> Self {
        match rows.checked_mul(length) {
            Some(length) => Self::of::<T>(length),
            None => Self(None),
        }
    }

    /// The same, several times over.
    pub(crate) const fn times(self, count: usize) -> Self {
        match self.0 {
            Some(bytes) => Self(bytes.checked_mul(count)),
            None => Self(None),
        }
    }

    /// The number itself, `usize::MAX` if it overflowed.
    pub(crate) fn size(self) -> usize {
        self.0.unwrap_or(usize::MAX)
    }

    /// Bytes to ask of the caller: with room to align the beginning.
    pub(crate) fn bytes(self) -> Result<usize, Error> {
        self.0
            .and_then(|bytes| bytes.checked_add(ALIGNMENT - 1))
            .filter(|&bytes| bytes <= isize::MAX as usize)
            .ok_or(Error::new(Cause::ShapeOverflow, Argument::Scratch))
    }
}

/// Types for which every bit pattern is a value, so that initialised bytes can be lent out as them.
///
/// # Safety
/// Any initialised bytes must be a valid value, and the type must have no padding.
#[allow(unsafe_code)]
pub(crate) unsafe trait AnyBits {}

macro_rules! any_bits {
    ($($type:ty),*) => {
        $(
            // SAFETY: a number, or an array of numbers: every bit pattern is a value.
            #[allow(unsafe_code)]
            unsafe impl AnyBits for $type {}
        )*
    };
}
any_bits!(u8, u16, u32, u64, f32, f64, AtomicU8, AtomicU32, AtomicU64);

// SAFETY: an array of values without padding has none either.
#[allow(unsafe_code)]
unsafe impl<T: AnyBits, const N: usize> AnyBits for [T; N] {}

/// Bytes as memory that may be left uninitialised.
pub(crate) fn uninitialised(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: same size and alignment, and the carver only ever writes initialised bytes.
    #[allow(unsafe_code)]
    unsafe {
        &mut *(core::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>])
    }
}

/// Bytes as they are, whoever wrote them last.
fn initialised(bytes: &mut [MaybeUninit<u8>]) -> &mut [u8] {
    // Memory that came through the C interface holds some bytes, but the compiler may know of no
    // write to it. The empty assembly might be one, for all that it can tell.
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64"))]
    // SAFETY: it does nothing.
    #[allow(unsafe_code)]
    unsafe {
        core::arch::asm!("/* {0} */", in(reg) bytes.as_mut_ptr(), options(nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    bytes.fill(MaybeUninit::new(0));
    // SAFETY: they hold bytes, as said above.
    #[allow(unsafe_code)]
    unsafe {
        &mut *(core::ptr::from_mut(bytes) as *mut [u8])
    }
}

/// What is left of the caller's scratch buffer, all of it initialised.
pub(crate) struct Carver<'s> {
    rest: &'s mut [u8],
}

impl<'s> Carver<'s> {
    /// Takes what is required of the buffer, and zeroes it.
    pub(crate) fn new(
        bytes: &'s mut [MaybeUninit<u8>],
        requirement: Requirement,
    ) -> Result<Self, Error> {
        Ok(Self::split(bytes, requirement, Requirement::of::<u8>(0))?.0)
    }

    /// Takes what is required of the buffer: zeroes, and memory that holds anything. To zero what is
    /// as large as a volume would cost as much as a pass over it.
    pub(crate) fn split(
        bytes: &'s mut [MaybeUninit<u8>],
        zeroed: Requirement,
        anything: Requirement,
    ) -> Result<(Self, Self), Error> {
        let needed = zeroed.and(anything).bytes()?;
        let error = Error::new(Cause::ScratchSize, Argument::Scratch)
            .found(bytes.len() as f64)
            .expected(needed as f64);
        if bytes.len() < needed {
            return Err(error);
        }
        let skip = bytes.as_ptr().align_offset(ALIGNMENT);
        let length = zeroed.and(anything).0.unwrap_or_default();
        let bytes = bytes.get_mut(skip..).and_then(|rest| rest.get_mut(..length)).ok_or(error)?;
        let parts = bytes.split_at_mut_checked(zeroed.0.unwrap_or_default());
        let (zeroes, rest) = parts.ok_or(error)?;
        zeroes.fill(MaybeUninit::new(0));
        Ok((Self { rest: initialised(zeroes) }, Self { rest: initialised(rest) }))
    }

    /// Carves bytes that were cut off before; they begin at a multiple of [`ALIGNMENT`].
    pub(crate) fn resume(rest: &'s mut [u8]) -> Self {
        Self { rest }
    }

    /// Cuts off a slice.
    pub(crate) fn take<T: AnyBits>(&mut self, length: usize) -> Result<&'s mut [T], Error> {
        let bytes = self.take_bytes(Requirement::of::<T>(length))?;
        // SAFETY: the bytes are initialised, and `AnyBits` promises that any bytes are a value.
        #[allow(unsafe_code)]
        let (_, values, _) = unsafe { bytes.align_to_mut::<T>() };
        values.get_mut(..length).ok_or(Error::new(Cause::ScratchSize, Argument::Scratch))
    }

    /// Cuts off the bytes of a requirement; they begin at a multiple of [`ALIGNMENT`].
    pub(crate) fn take_bytes(&mut self, requirement: Requirement) -> Result<&'s mut [u8], Error> {
        let bytes = requirement.0.unwrap_or(usize::MAX);
        let rest = core::mem::take(&mut self.rest);
        match rest.split_at_mut_checked(bytes) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(Error::new(Cause::ScratchSize, Argument::Scratch)),
        }
    }
}
