//! Tables of rows of lanes, `[row][group of lanes]`: the shape of everything in a tile.

use crate::element::{LANES, Lanes, Real};

/// A row of a tile.
#[inline(always)]
pub(crate) fn row<R>(rows: &[Lanes<R>], index: usize, lanes: usize) -> &[Lanes<R>] {
    let begin = index * lanes;
    rows.get(begin..begin + lanes).unwrap_or_default()
}

/// A row of a tile, to be changed.
#[inline(always)]
pub(crate) fn row_mut<R>(rows: &mut [Lanes<R>], index: usize, lanes: usize) -> &mut [Lanes<R>] {
    let begin = index * lanes;
    rows.get_mut(begin..begin + lanes).unwrap_or_default()
}

/// Rows of a tile, one after the other.
#[inline(always)]
pub(crate) fn rows<R>(rows: &[Lanes<R>], lanes: usize) -> core::slice::ChunksExact<'_, Lanes<R>> {
    rows.chunks_exact(lanes.max(1))
}

/// Rows of a tile, one after the other, to be changed.
#[inline(always)]
pub(crate) fn rows_mut<R>(
    rows: &mut [Lanes<R>],
    lanes: usize,
) -> core::slice::ChunksExactMut<'_, Lanes<R>> {
    rows.chunks_exact_mut(lanes.max(1))
}

/// Row of each voxel's index in `rows`, read at that voxel: `to[i] = rows[index[i]][i]`.
#[inline(always)]
pub(crate) fn gather<R: Real>(rows: &[Lanes<R>], index: &[u32], to: &mut [Lanes<R>]) {
    let voxels = to.len() * LANES;
    let from = rows.as_flattened();
    for (voxel, (to, &row)) in to.as_flattened_mut().iter_mut().zip(index).enumerate() {
        *to = from.get(row as usize * voxels + voxel).copied().unwrap_or(R::ZERO);
    }
}

/// Sets every lane.
#[inline(always)]
pub(crate) fn fill<R: Real>(rows: &mut [Lanes<R>], value: R) {
    for group in rows {
        *group = [value; LANES];
    }
}

/// Copying without the panic of unequal lengths.
pub(crate) trait CopyRow<R> {
    fn copy_from_slice_checked(&mut self, from: &[Lanes<R>]);
}

impl<R: Copy> CopyRow<R> for [Lanes<R>] {
    #[inline(always)]
    fn copy_from_slice_checked(&mut self, from: &[Lanes<R>]) {
        for (to, from) in self.iter_mut().zip(from) {
            *to = *from;
        }
    }
}
