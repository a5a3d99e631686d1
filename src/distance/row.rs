//! First pass: distances along the rows of a mask, both phases at once.
//!
//! Distances to the nearest voxel of the other phase are whole numbers of steps. Those up to 4 are
//! seen in the phases; they spread over 4, 8, 16, ... voxels, each time for the whole row, until no
//! distance is larger than what has been reached.
#![forbid(unsafe_code)]

use super::Side;
use super::squared::Squared;

/// A number of steps. The largest one stands for "none seen yet", and is a distance like others
/// when all are known: a row may have one voxel more than it counts.
pub(super) trait Steps: Copy + Ord + 'static {
    const NONE: Self;
    const ONE: Self;
    fn from_index(index: usize) -> Self;
    fn to_index(self) -> usize;
    fn plus(self, steps: Self) -> Self;
    fn to_f32(self) -> f32;
    fn to_u16(self) -> u16;
}

macro_rules! steps {
    ($type:ty) => {
        impl Steps for $type {
            const NONE: Self = Self::MAX;
            const ONE: Self = 1;
            #[inline(always)]
            fn from_index(index: usize) -> Self {
                index as Self
            }
            #[inline(always)]
            fn to_index(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn plus(self, steps: Self) -> Self {
                self.saturating_add(steps)
            }
            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn to_u16(self) -> u16 {
                self as u16
            }
        }
    };
}

steps!(u8);
steps!(u16);
steps!(u32);

/// Stands for the phase of a row that has both.
pub(super) const BOTH: u8 = 2;

/// Voxels that are worked on at a time.
const CHUNK: usize = 64;
/// Steps up to here are seen in the phases.
const NEAR: usize = 4;
/// Voxels of the rows that are measured together, if they are shorter: until a row is read again,
/// what was written of it has left the processor's store buffer.
const TOGETHER: usize = 1024;

/// Rows that are measured together, each filled up to whole chunks.
pub(super) struct StepRows<'s, T> {
    /// A row has copies of its first voxel before it, and of its last one after it.
    phases: &'s mut [u8],
    /// Before and after a row there is as much of [`Steps::NONE`].
    now: &'s mut [T],
    next: &'s mut [T],
    /// A bit for each row that has both phases.
    mixed: u32,
    voxels: usize,
}

const fn filled(voxels: usize) -> usize {
    voxels.next_multiple_of(CHUNK)
}

/// How many rows of some voxels are measured together.
pub(super) const fn rows_together(voxels: usize) -> usize {
    match TOGETHER.checked_div(filled(voxels)) {
        None | Some(0) => 1,
        Some(rows) => rows,
    }
}

/// Steps from the voxel in the middle to the nearest one of the other phase.
#[inline(always)]
fn steps_in<T: Steps>(phases: &[u8]) -> T {
    let &[a, b, c, d, here, e, f, g, h] = phases else { return T::NONE };
    let beside = [(a, h), (b, g), (c, f), (d, e)].into_iter().zip((1..=NEAR).rev());
    let nearer = |farther, ((left, right), steps)| {
        if left == here && right == here { farther } else { T::from_index(steps) }
    };
    beside.fold(T::NONE, nearer)
}

#[inline(always)]
fn chunk<T>(values: &[T], begin: usize) -> Option<&[T; CHUNK]> {
    values.get(begin..)?.first_chunk()
}

impl<'s, T: Steps> StepRows<'s, T> {
    /// Elements of a buffer of steps, not less for more voxels.
    pub(super) const fn len(voxels: usize) -> usize {
        let voxels = filled(voxels);
        voxels + 2 * if voxels > TOGETHER { voxels } else { TOGETHER }
    }

    /// Elements of the buffer of phases, not less for more voxels.
    pub(super) const fn phases_len(voxels: usize) -> usize {
        let voxels = filled(voxels);
        2 * NEAR * TOGETHER / CHUNK + if voxels > TOGETHER { voxels } else { TOGETHER }
    }

    pub(super) fn new(
        phases: &'s mut [u8],
        now: &'s mut [T],
        next: &'s mut [T],
        voxels: usize,
    ) -> Self {
        now.fill(T::NONE);
        next.fill(T::NONE);
        Self { phases, now, next, mixed: 0, voxels }
    }

    /// Where a row's phases begin, after copies of the first.
    const fn phases_of(&self, row: usize) -> usize {
        row * (filled(self.voxels) + 2 * NEAR) + NEAR
    }

    const fn steps_of(&self, row: usize) -> usize {
        (2 * row + 1) * filled(self.voxels)
    }

    /// Lets `read` write the zeros and ones of a row.
    #[inline(always)]
    pub(super) fn read(&mut self, row: usize, read: impl FnOnce(&mut [u8])) {
        let begin = self.phases_of(row) - NEAR;
        let phases = self.phases.get_mut(begin..begin + filled(self.voxels) + 2 * NEAR);
        let parts = phases.and_then(|phases| phases.split_first_chunk_mut::<NEAR>());
        let Some((before, phases)) = parts else { return };
        let Some((row, after)) = phases.split_at_mut_checked(self.voxels) else { return };
        read(row);
        *before = [row.first().copied().unwrap_or_default(); NEAR];
        let last = row.last().copied().unwrap_or_default();
        if let Some((near, rest)) = after.split_first_chunk_mut() {
            *near = [last; NEAR];
            // A call that fills nothing takes its time.
            if !rest.is_empty() {
                rest.fill(last);
            }
        }
    }

    /// Measures the first rows, which have been read.
    #[inline(always)]
    pub(super) fn measure(&mut self, rows: usize) {
        self.mixed = 0;
        for row in 0..rows {
            self.start(row);
        }
        let mut reach = NEAR;
        while reach < self.voxels && self.mixed != 0 && !self.spread(rows, reach) {
            reach *= 2;
        }
    }

    /// Steps to changes of phase that are near, if there is any.
    #[inline(always)]
    fn start(&mut self, row: usize) {
        let (from, to) = (self.phases_of(row) - NEAR, self.steps_of(row));
        let length = filled(self.voxels);
        let phases = self.phases.get(from..from + length + 2 * NEAR);
        let (Some(phases), Some(to)) = (phases, self.now.get_mut(to..to + length)) else { return };
        let first = [phases.first().copied().unwrap_or_default(); 8];
        let differ = |eight: &[u8; 8]| u64::from_ne_bytes(*eight) ^ u64::from_ne_bytes(first);
        let differences = phases.as_chunks().0.iter().map(differ);
        if differences.fold(0, |any, one| any | one) == 0 {
            return;
        }
        self.mixed |= 1 << row;
        for (to, window) in to.iter_mut().zip(phases.windows(2 * NEAR + 1)) {
            *to = steps_in(window);
        }
    }

    /// Steps from voxels that are `reach` away; returns whether all are known.
    #[inline(always)]
    fn spread(&mut self, rows: usize, reach: usize) -> bool {
        let (steps, length, mixed) = (T::from_index(reach), filled(self.voxels), self.mixed);
        let mut largest = [T::ONE; CHUNK];
        // All rows and what lies between them: of the same length, so that it is checked once.
        let count = (2 * rows).saturating_sub(1) * length;
        let part = |begin: usize| self.now.get(begin..begin + count);
        let to = self.next.get_mut(length..length + count);
        let (Some(here), Some(left), Some(right), Some(to)) =
            (part(length), part(length - reach), part(length + reach), to)
        else {
            return true;
        };
        for row in (0..rows).filter(|row| mixed >> row & 1 != 0) {
            let first = 2 * row * length;
            for begin in (first..first + length).step_by(CHUNK) {
                let to = to.get_mut(begin..).and_then(|to| to.first_chunk_mut::<CHUNK>());
                let (Some(here), Some(left), Some(right), Some(to)) =
                    (chunk(here, begin), chunk(left, begin), chunk(right, begin), to)
                else {
                    return true;
                };
                // Of copies the compiler knows that none is part of another.
                let (mut here, left, right) = (*here, *left, *right);
                for ((here, left), right) in here.iter_mut().zip(left).zip(right) {
                    *here = left.min(right).plus(steps).min(*here);
                }
                for (largest, here) in largest.iter_mut().zip(here) {
                    *largest = here.max(*largest);
                }
                *to = here;
            }
        }
        core::mem::swap(&mut self.now, &mut self.next);
        largest.into_iter().fold(T::ONE, T::max).to_index() <= 2 * reach
    }

    /// The phase of all voxels of a row, or [`BOTH`].
    #[inline(always)]
    pub(super) fn phase(&self, row: usize) -> u8 {
        let first = self.phases.get(self.phases_of(row)).copied().unwrap_or_default();
        if self.mixed >> row & 1 == 0 { first } else { BOTH }
    }

    /// Writes signed squared distances of the voxels of a row of both phases from `begin` on, 0 for
    /// a phase that `side` leaves out.
    #[inline(always)]
    pub(super) fn write<V: Squared>(
        &self,
        row: usize,
        begin: usize,
        squared_step: f32,
        side: Side,
        to: &mut [V],
    ) {
        let steps = self.now.get(self.steps_of(row) + begin..).unwrap_or_default();
        let phases = self.phases.get(self.phases_of(row) + begin..).unwrap_or_default();
        for ((to, &steps), &phase) in to.iter_mut().zip(steps).zip(phases) {
            *to = select_side(side, phase != 0, V::in_row(steps, squared_step));
        }
    }
}

/// What is stored of a voxel, 0 for a phase that `side` leaves out.
#[inline(always)]
pub(super) fn select_side<V: Squared>(side: Side, foreground: bool, squared: V) -> V {
    match (side, foreground) {
        (Side::Inside, false) | (Side::Outside, true) => V::default(),
        _ => squared.stored(foreground),
    }
}
