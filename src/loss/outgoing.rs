//! A gradient on its way to memory: the rows of a tile are written past the caches while the next
//! tile is computed, piece by piece between exponentials, so that neither waits for the other.
//!
//! Soundness: as in [`output`](super::output); the task that writes a tile computes the next one.
#![allow(unsafe_code)]

use super::input::GradientMode;
use super::interleaved::store_interleaved;
use super::output::{Output, Place};
use super::plan::Plan;
use super::pull::result;
use super::tile::{Tile, groups};
use crate::activation::Meanwhile;
use crate::element::{LANES, Lanes, Real};
use crate::executor::Claim;
use crate::rows::{BLOCK, Rows, rows};
use crate::shape::{Layout, Shape};
use crate::simd::{Kernel, Line, Simd, Vector, lines_mut};
use core::mem::{swap, take};

/// Scores from which on the gradient is written past the caches: both together are more than a core
/// has of its own.
pub(crate) const STREAMED_SCORES: usize = 512 * 1024;

/// Puts the gradient of a tile where it waits, in the order that it is written in: class rows, which
/// take turns with those, or voxels.
pub(crate) fn set_out<R: Real>(plan: &Plan<'_>, tile: &mut Tile<'_, R>) {
    let result = if plan.softmax { &mut tile.softmax } else { &mut tile.scores };
    match plan.shape.layout() {
        Layout::Planar => swap(result, &mut tile.leaving),
        Layout::Interleaved => {
            let (classes, lanes, mode) = (tile.classes, tile.lanes, GradientMode::Overwrite);
            let to = tile.leaving.as_flattened_mut().get_mut(..classes * tile.voxels);
            let to = to.unwrap_or_default();
            store_interleaved(plan.loss.level, result, classes, lanes, to, mode);
        }
    }
}

/// A tile whose gradient is set out.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    pub place: Place,
    /// Whether the lines that its rows share with those of the tile before are written.
    pub joined: bool,
}

/// Whether the lines that rows of a tile share with those of the tile before are written at once, see
/// [`Join`]: two halves of a line would make a processor read it.
pub(crate) fn joins(plan: &Plan<'_>, voxels: usize) -> bool {
    plan.shape.layout() == Layout::Planar && voxels >= LANES
}

/// Writes the lines that the rows of two tiles share, the second of which is not yet set out.
pub(crate) struct Join<'k, R> {
    output: &'k Output<'k>,
    before: Rows<&'k [Lanes<R>]>,
    next: Rows<&'k [Lanes<R>]>,
    /// Where the second tile begins.
    begin: usize,
    stride: usize,
}

impl<'k, R: Real> Join<'k, R> {
    /// # Safety
    /// The place and what lies before it, where the tile's last gradient belongs, are the claimed task's
    /// own, in one sample; the first has whole groups of lanes and the second one at least. The task
    /// uses none of their elements meanwhile.
    pub(crate) unsafe fn new(
        output: &'k Output<'k>,
        _: &Claim,
        plan: &Plan<'_>,
        next: Place,
        tile: &'k Tile<'_, R>,
    ) -> Self {
        let (sample, first, _) = next;
        Self {
            output,
            before: rows(tile.leaving, tile.lanes),
            next: rows(result(plan, tile), tile.lanes),
            begin: plan.shape.index(sample, 0, first),
            stride: plan.shape.voxels(),
        }
    }
}

impl<R: Real> Kernel<R> for Join<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let Self { output, before, next, mut begin, stride } = self;
        for (before, next) in before.zip(next) {
            let (Some(last), Some(first)) = (before.last(), next.first()) else { return };
            let both = [*last, *first];
            // SAFETY: promised in `new`.
            let to = unsafe { output.own_part(begin.saturating_sub(LANES), 2 * LANES) };
            let (head, lines, _) = lines_mut(to);
            let from = both.as_flattened().get(head.len()..).and_then(<[R]>::first_chunk);
            if let (false, Some(line), Some(from)) = (head.is_empty(), lines.first_mut(), from) {
                simd.load(from).stream(line);
            }
            begin += stride;
        }
    }
}

/// What is left of the rows of a tile.
pub(crate) struct Outgoing<'t, R> {
    /// Rows that have not begun, where they go, and how far they lie apart.
    rows: Rows<&'t [Lanes<R>]>,
    output: &'t Output<'t>,
    begin: usize,
    stride: usize,
    /// Values of a row.
    length: usize,
    /// Whether the ends of rows that are no whole lines are written, too.
    head: bool,
    tail: bool,
    /// The present row, from the first line on.
    row: &'t [R],
    lines: &'t mut [Line<R>],
}

impl<'t, R: Real> Outgoing<'t, R> {
    /// What [`set_out`] has left of the gradient of a tile; with or without the ends of its rows that
    /// the next tile [joins].
    ///
    /// # Safety
    /// The place is the claimed task's own, which uses none of its elements before all is written.
    pub(crate) unsafe fn new(
        output: &'t Output<'t>,
        _: &Claim,
        shape: &Shape,
        Waiting { place: (sample, first, voxels), joined }: Waiting,
        joins_next: bool,
        from: &'t [Lanes<R>],
    ) -> Self {
        let classes = shape.classes();
        let (count, lanes, length) = match shape.layout() {
            Layout::Planar => (classes, groups(voxels), voxels),
            Layout::Interleaved => (1, (classes * voxels).div_ceil(LANES), classes * voxels),
        };
        let from = from.get(..count * lanes).unwrap_or_default();
        Self {
            rows: rows(from, lanes),
            output,
            begin: shape.index(sample, 0, first),
            stride: shape.voxels(),
            length,
            head: !joined,
            tail: !joins_next,
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
        let to = unsafe { self.output.own_part(self.begin, self.length) };
        self.begin += self.stride;
        let row = row.as_flattened().get(..to.len()).unwrap_or_default();
        let (head, lines, tail) = lines_mut(to);
        let (from, row) = row.split_at_checked(head.len()).unwrap_or_default();
        if self.head {
            copy(from, head);
        }
        if self.tail {
            copy(row.get(LANES * lines.len()..).unwrap_or_default(), tail);
        }
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
    fn step(&mut self, simd: S, _: usize, _: usize) {
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
            self.outgoing.step(simd, 0, 0);
        }
    }
}
