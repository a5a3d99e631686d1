//! A gradient on its way to memory: the rows of a tile are written past the caches while the next
//! tile is computed, piece by piece between exponentials, so that neither waits for the other.
//!
//! Soundness: as in [`output`](super::output); the task that writes a tile computes the next one.
#![allow(unsafe_code)]

use super::output::{Output, Place};
use super::tile::groups;
use crate::activation::Meanwhile;
use crate::element::{LANES, Lanes, Real};
use crate::executor::Claim;
use crate::rows::{BLOCK, Rows, rows};
use crate::shape::Shape;
use crate::simd::{Kernel, Line, Simd, Vector, lines_mut};
use core::mem::take;

/// Bytes of a gradient from which on it is written past the caches: more than a core's own ones.
pub(crate) const STREAMED_BYTES: usize = 4 << 20;

/// What is left of the rows of a tile.
pub(crate) struct Outgoing<'t, R> {
    /// Rows that have not begun, where they go, and how far they lie apart.
    rows: Rows<&'t [Lanes<R>]>,
    output: &'t Output<'t>,
    begin: usize,
    stride: usize,
    voxels: usize,
    /// The present row, from the first line on.
    row: &'t [R],
    lines: &'t mut [Line<R>],
}

impl<'t, R: Real> Outgoing<'t, R> {
    /// Class rows of a tile, as [`Tile::place`](super::tile::Tile::place) cuts them, which go to
    /// their place in a planar gradient.
    ///
    /// # Safety
    /// Before all is written, the claimed task uses none of the place's elements.
    pub(crate) unsafe fn new(
        output: &'t Output<'t>,
        _: &Claim,
        shape: &Shape,
        (sample, first, voxels): Place,
        from: &'t [Lanes<R>],
    ) -> Self {
        let lanes = groups(voxels);
        let from = from.get(..shape.classes() * lanes).unwrap_or_default();
        Self {
            rows: rows(from, lanes),
            output,
            begin: shape.index(sample, 0, first),
            stride: shape.voxels(),
            voxels,
            row: &[],
            lines: &mut [],
        }
    }

    fn empty(&self) -> bool {
        self.lines.is_empty() && self.rows.is_empty()
    }

    /// Writes the ends of the next row, which are not whole lines, and leaves its lines.
    #[inline(never)]
    fn next_row(&mut self) {
        let Some(row) = self.rows.next() else { return };
        // SAFETY: promised in `new`.
        let to = unsafe { self.output.own_part(self.begin, self.voxels) };
        self.begin += self.stride;
        let row = row.as_flattened().get(..to.len()).unwrap_or_default();
        let (head, lines, tail) = lines_mut(to);
        let (from, row) = row.split_at_checked(head.len()).unwrap_or_default();
        copy(from, head);
        copy(row.get(LANES * lines.len()..).unwrap_or_default(), tail);
        (self.row, self.lines) = (row, lines);
    }
}

fn copy<R: Real>(from: &[R], to: &mut [R]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

impl<S: Simd> Meanwhile<S> for Outgoing<'_, S::Real> {
    #[inline(always)]
    fn step(&mut self, simd: S) {
        if self.lines.is_empty() {
            self.next_row();
        }
        let length = BLOCK.min(self.lines.len());
        let (lines, rest) = take(&mut self.lines).split_at_mut_checked(length).unwrap_or_default();
        let (groups, _) = self.row.as_chunks();
        for (line, group) in lines.iter_mut().zip(groups) {
            simd.load(group).stream(line);
        }
        self.row = self.row.get(LANES * length..).unwrap_or_default();
        self.lines = rest;
    }
}

/// Writes what is left.
pub(crate) struct Finish<'k, 't, R> {
    pub outgoing: &'k mut Outgoing<'t, R>,
}

impl<R: Real> Kernel<R> for Finish<'_, '_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        while !self.outgoing.empty() {
            self.outgoing.step(simd);
        }
    }
}
