//! First pass: distances along the rows of a mask, both phases at once.
//!
//! Distances to the nearest change of phase are whole numbers of steps. They start as 1 at a change
//! and spread over 1, 2, 4, ... voxels, each time for the whole row, until no distance is larger
//! than what has been reached.

use super::Side;
use super::lanes::Squared;

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

/// Two buffers of a row each, with a row of [`Steps::NONE`] before and one after.
pub(super) struct StepRows<'s, T> {
    now: &'s mut [T],
    next: &'s mut [T],
    voxels: usize,
}

impl<'s, T: Steps> StepRows<'s, T> {
    /// Elements of a buffer.
    pub(super) const fn len(voxels: usize) -> usize {
        3 * voxels
    }

    pub(super) fn new(now: &'s mut [T], next: &'s mut [T], voxels: usize) -> Self {
        now.fill(T::NONE);
        next.fill(T::NONE);
        Self { now, next, voxels }
    }

    /// Measures a row of zeros and ones. Signed squared distances go to where `part` says that those
    /// from some voxel on belong, 0 for a phase that `side` leaves out.
    #[inline(always)]
    pub(super) fn measure<'f, V: Squared + 'f>(
        &mut self,
        mask: &[u8],
        squared_step: f32,
        side: Side,
        tile: usize,
        part: impl Fn(usize, usize) -> &'f mut [V],
    ) {
        let first = mask.first().copied().unwrap_or_default();
        let mixed = mask.iter().fold(0, |changed, &phase| changed | (phase ^ first)) != 0;
        if mixed {
            self.start(mask);
            self.spread();
        }
        let steps = self.now.get(self.voxels..).unwrap_or_default();
        let tiles = mask.chunks(tile.max(1)).zip(steps.chunks(tile.max(1)));
        for (number, (mask, steps)) in tiles.enumerate() {
            let to = part(number * tile, mask.len());
            if !mixed {
                to.fill(select_side(side, first != 0, V::STORED_INFINITE));
                continue;
            }
            for ((to, &steps), &phase) in to.iter_mut().zip(steps).zip(mask) {
                *to = select_side(side, phase != 0, V::in_row(steps, squared_step));
            }
        }
    }

    /// 1 on both sides of every change of phase.
    #[inline(always)]
    fn start(&mut self, mask: &[u8]) {
        let row = self.now.get_mut(self.voxels..2 * self.voxels).unwrap_or_default();
        row.fill(T::NONE);
        let later = mask.get(1..).unwrap_or_default();
        for ((to, &here), &there) in row.iter_mut().zip(mask).zip(later) {
            *to = if here == there { T::NONE } else { T::ONE };
        }
        let row = row.get_mut(1..).unwrap_or_default();
        for ((to, &here), &there) in row.iter_mut().zip(later).zip(mask) {
            *to = if here == there { *to } else { T::ONE };
        }
    }

    #[inline(always)]
    fn spread(&mut self) {
        let n = self.voxels;
        let mut reach = 1;
        while reach < n {
            let steps = T::from_index(reach);
            let here = self.now.get(n..2 * n).unwrap_or_default();
            let left = self.now.get(n - reach..2 * n - reach).unwrap_or_default();
            let right = self.now.get(n + reach..2 * n + reach).unwrap_or_default();
            let to = self.next.get_mut(n..2 * n).unwrap_or_default();
            let mut largest = T::ONE;
            for (((to, &here), &left), &right) in to.iter_mut().zip(here).zip(left).zip(right) {
                let nearest = here.min(left.plus(steps)).min(right.plus(steps));
                *to = nearest;
                largest = largest.max(nearest);
            }
            core::mem::swap(&mut self.now, &mut self.next);
            if largest.to_index() <= 2 * reach {
                return;
            }
            reach *= 2;
        }
    }
}

#[inline(always)]
fn select_side<V: Squared>(side: Side, foreground: bool, squared: V) -> V {
    match (side, foreground) {
        (Side::Inside, false) | (Side::Outside, true) => V::default(),
        _ => squared.stored(foreground),
    }
}
