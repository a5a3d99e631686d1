//! Masks that are read and fields that are written row by row.
#![allow(unsafe_code)]

use super::volume::{FieldRows, MaskRows};
use super::{FieldMut, FieldType, Mask};
use crate::disjoint::DisjointMut;
use crate::element::ElementMut;
use crate::error::{Argument, Error};
use crate::view::{Labels, check_length};
use half::f16;

impl Mask<'_> {
    /// Refuses a mask of another size.
    pub(crate) fn check(&self, voxels: usize) -> Result<(), Error> {
        match self {
            Self::Bytes(bytes) => check_length(Argument::Mask, bytes.len(), voxels),
            Self::Bits(bytes) => check_length(Argument::Mask, bytes.len(), voxels.div_ceil(8)),
            Self::Label(labels, _) => check_length(Argument::Mask, labels.len(), voxels),
        }
    }
}

/// `phases[i] = from[first + i] == label`; a label that the type cannot hold is nowhere.
#[inline(always)]
fn compare<T: Copy + PartialEq + TryFrom<i64>>(
    from: &[T],
    first: usize,
    label: i64,
    phases: &mut [u8],
) {
    let from = from.get(first..).unwrap_or_default();
    match T::try_from(label) {
        Ok(label) => {
            for (phase, &from) in phases.iter_mut().zip(from) {
                *phase = u8::from(from == label);
            }
        }
        Err(_) => phases.fill(0),
    }
}

/// The bits of a byte as bytes, the lowest one first.
#[inline(always)]
fn spread(byte: u8) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Byte i keeps bit i; adding 127 carries it to the highest bit.
    let kept = (u64::from(byte) * EACH) & 0x8040_2010_0804_0201;
    ((kept + 127 * EACH) >> 7 & EACH).to_le_bytes()
}

fn unpack(bytes: &[u8], first: usize, phases: &mut [u8]) {
    let (skip, begin) = (first % 8, first / 8);
    let mut bytes = bytes.get(begin..).unwrap_or_default();
    let mut phases = phases;
    if skip > 0 {
        let (head, rest) = phases.split_at_mut((8 - skip).min(phases.len()));
        phases = rest;
        let Some((&byte, others)) = bytes.split_first() else { return };
        bytes = others;
        for (phase, bit) in head.iter_mut().zip(spread(byte >> skip)) {
            *phase = bit;
        }
    }
    let (whole, last) = phases.as_chunks_mut();
    for (phases, &byte) in whole.iter_mut().zip(bytes) {
        *phases = spread(byte);
    }
    if let Some(&byte) = bytes.get(whole.len()) {
        for (phase, bit) in last.iter_mut().zip(spread(byte)) {
            *phase = bit;
        }
    }
}

impl MaskRows for Mask<'_> {
    fn read(&self, first: usize, phases: &mut [u8]) {
        match *self {
            Self::Bytes(bytes) => {
                let bytes = bytes.get(first..).unwrap_or_default();
                for (phase, &byte) in phases.iter_mut().zip(bytes) {
                    *phase = u8::from(byte != 0);
                }
            }
            Self::Bits(bytes) => unpack(bytes, first, phases),
            Self::Label(Labels::U8(labels), label) => compare(labels, first, label, phases),
            Self::Label(Labels::U16(labels), label) => compare(labels, first, label, phases),
            Self::Label(Labels::I16(labels), label) => compare(labels, first, label, phases),
            Self::Label(Labels::I32(labels), label) => compare(labels, first, label, phases),
            Self::Label(Labels::I64(labels), label) => compare(labels, first, label, phases),
        }
    }
}

impl FieldMut<'_> {
    /// Number of voxels.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
        }
    }

    /// Whether there is no voxel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn field_type(&self) -> FieldType {
        match self {
            Self::F32(_) => FieldType::F32,
            Self::F16(_) => FieldType::F16,
        }
    }
}

impl<'a> From<&'a mut [f32]> for FieldMut<'a> {
    fn from(values: &'a mut [f32]) -> Self {
        Self::F32(values)
    }
}

impl<'a> From<&'a mut [f16]> for FieldMut<'a> {
    fn from(values: &'a mut [f16]) -> Self {
        Self::F16(values)
    }
}

/// A field in half precision.
pub(super) struct HalfRows<'a>(pub(super) DisjointMut<'a, f16>);

impl FieldRows for HalfRows<'_> {
    unsafe fn write(&self, first: usize, values: &[f32]) {
        // SAFETY: the caller's promise.
        let to = unsafe { self.0.part_mut(first, values.len()) };
        f16::write_slice(values, to);
    }
}
