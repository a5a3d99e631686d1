//! Tables of rows of lanes, `[row][group of lanes]`: the shape of everything in a tile.
#![forbid(unsafe_code)]

use crate::element::{LANES, Lanes, Real};
use crate::simd::{Simd, Vector};
use core::mem::take;

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

/// Rows of a tile, one after the other. Unlike chunks of a slice they are never counted: that is a
/// division, which cannot be proved not to be one by 0 where it is a function of its own.
pub(crate) struct Rows<T> {
    rest: T,
    lanes: usize,
}

impl<'r, R> Iterator for Rows<&'r [Lanes<R>]> {
    type Item = &'r [Lanes<R>];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (row, rest) = self.rest.split_at_checked(self.lanes)?;
        self.rest = rest;
        Some(row)
    }
}

impl<'r, R> Iterator for Rows<&'r mut [Lanes<R>]> {
    type Item = &'r mut [Lanes<R>];

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (row, rest) = take(&mut self.rest).split_at_mut_checked(self.lanes)?;
        self.rest = rest;
        Some(row)
    }
}

impl<R> Rows<&[Lanes<R>]> {
    /// Whether no row is left.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.len() < self.lanes
    }
}

/// Rows of a tile.
#[inline(always)]
pub(crate) fn rows<R>(rows: &[Lanes<R>], lanes: usize) -> Rows<&[Lanes<R>]> {
    Rows { rest: rows, lanes: lanes.max(1) }
}

/// Rows of a tile, to be changed.
#[inline(always)]
pub(crate) fn rows_mut<R>(rows: &mut [Lanes<R>], lanes: usize) -> Rows<&mut [Lanes<R>]> {
    Rows { rest: rows, lanes: lanes.max(1) }
}

/// Groups that kernels hold in registers at a time: enough independent chains of operations to keep
/// a processor busy. Rows of a tile are whole blocks.
pub(crate) const BLOCK: usize = 4;

/// Some groups of a row.
pub(crate) type Block<R> = [Lanes<R>; BLOCK];

/// Blocks of rows.
#[inline(always)]
pub(crate) fn blocks<R>(rows: &[Lanes<R>]) -> &[Block<R>] {
    rows.as_chunks().0
}

/// Blocks of rows, to be changed.
#[inline(always)]
pub(crate) fn blocks_mut<R>(rows: &mut [Lanes<R>]) -> &mut [Block<R>] {
    rows.as_chunks_mut().0
}

/// The same block of every row.
#[inline(always)]
pub(crate) fn column<R>(
    rows: &[Lanes<R>],
    lanes: usize,
    index: usize,
) -> impl Iterator<Item = &Block<R>> {
    blocks(rows).get(index..).unwrap_or_default().iter().step_by((lanes / BLOCK).max(1))
}

/// The same block of every row, to be changed.
#[inline(always)]
pub(crate) fn column_mut<R>(
    rows: &mut [Lanes<R>],
    lanes: usize,
    index: usize,
) -> impl Iterator<Item = &mut Block<R>> {
    blocks_mut(rows).get_mut(index..).unwrap_or_default().iter_mut().step_by((lanes / BLOCK).max(1))
}

/// A block in registers.
#[inline(always)]
pub(crate) fn load_block<S: Simd>(simd: S, block: &Block<S::Real>) -> [S::Vector; BLOCK] {
    let mut vectors = [simd.zero(); BLOCK];
    for (vector, group) in vectors.iter_mut().zip(block) {
        *vector = simd.load(group);
    }
    vectors
}

/// [`load_block`] in the other direction.
#[inline(always)]
pub(crate) fn store_block<V: Vector>(vectors: [V; BLOCK], block: &mut Block<V::Real>) {
    for (vector, group) in vectors.into_iter().zip(block) {
        vector.store(group);
    }
}

/// A block of a voxel row; zeros past its end.
#[inline(always)]
pub(crate) fn block_of<S: Simd>(
    simd: S,
    row: &[Lanes<S::Real>],
    index: usize,
) -> [S::Vector; BLOCK] {
    blocks(row).get(index).map_or([simd.zero(); BLOCK], |block| load_block(simd, block))
}

/// Sum over a block in f64.
#[inline(always)]
pub(crate) fn block_sum<V: Vector>([a, b, c, d]: [V; BLOCK]) -> f64 {
    ((a + c) + (b + d)).sum()
}

/// Up to this many rows, looking at all of them is faster than looking up one.
pub(crate) const FEW: usize = 8;

/// Up to this many rows, that is faster than an exponential.
pub(crate) const VERY_FEW: usize = 4;

/// The different indices of a group of voxels, each with the voxels that have it: as a rule, there
/// is one.
pub(crate) struct Indices<'g, S: Simd> {
    simd: S,
    indices: &'g [u32; LANES],
    numbers: S::Vector,
    /// Lanes that have not been visited.
    rest: u16,
}

impl<'g, S: Simd> Indices<'g, S> {
    /// `numbers` holds the indices as numbers.
    #[inline(always)]
    pub(crate) fn new(simd: S, indices: &'g [u32; LANES], numbers: &Lanes<S::Real>) -> Self {
        Self { simd, indices, numbers: simd.load(numbers), rest: u16::MAX }
    }
}

impl<S: Simd> Iterator for Indices<'_, S> {
    type Item = (usize, <S::Vector as Vector>::Mask);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let lane = self.rest.trailing_zeros() as usize;
        let index = *self.indices.get(lane)?;
        let same = self.numbers.equal(self.simd.splat(S::Real::from_f32(index as f32)));
        self.rest &= !(S::Vector::bits(same) | 1 << lane);
        Some((index as usize, same))
    }
}

/// Looks at one row after the other for those of a block of voxels.
pub(crate) struct Search<V> {
    numbers: [V; BLOCK],
    row: V,
    /// 0 where the row has not been seen.
    pub found: [V; BLOCK],
}

impl<V: Vector> Search<V> {
    /// `numbers` are those of the rows that are looked for.
    #[inline(always)]
    pub(crate) fn new<S: Simd<Vector = V>>(simd: S, numbers: [V; BLOCK]) -> Self {
        Self { numbers, row: simd.zero(), found: [simd.zero(); BLOCK] }
    }

    #[inline(always)]
    pub(crate) fn next<S: Simd<Vector = V>>(&mut self, simd: S, values: [V; BLOCK]) {
        for ((found, number), value) in self.found.iter_mut().zip(self.numbers).zip(values) {
            *found = Vector::select(number.equal(self.row), value, *found);
        }
        self.row = self.row + simd.splat(S::Real::ONE);
    }
}

/// The row of each voxel's index, read at that voxel: `to[i] = rows[index[i]][i]`.
#[inline(always)]
pub(crate) fn gather<S: Simd>(
    simd: S,
    table: &[Lanes<S::Real>],
    indices: &[u32],
    numbers: &[Lanes<S::Real>],
    to: &mut [Lanes<S::Real>],
) {
    let lanes = to.len();
    if table.len() <= FEW * lanes {
        for (index, to) in blocks_mut(to).iter_mut().enumerate() {
            let mut search = Search::new(simd, block_of(simd, numbers, index));
            for values in column(table, lanes, index) {
                search.next(simd, load_block(simd, values));
            }
            store_block(search.found, to);
        }
        return;
    }
    let groups = indices.as_chunks().0.iter().zip(numbers);
    for (group, (to, (indices, numbers))) in to.iter_mut().zip(groups).enumerate() {
        let mut found = simd.zero();
        for (index, same) in Indices::new(simd, indices, numbers) {
            if let Some(values) = table.get(index * lanes + group) {
                found = Vector::select(same, simd.load(values), found);
            }
        }
        found.store(to);
    }
}

/// A value of each voxel's index, which is less than `count`: `to[i] = value(index[i])`.
#[inline(always)]
pub(crate) fn look_up<S: Simd>(
    simd: S,
    count: usize,
    value: impl Fn(usize) -> S::Real,
    (indices, numbers): (&[u32], &[Lanes<S::Real>]),
    to: &mut [Lanes<S::Real>],
) {
    if count <= FEW {
        // Neighbours often have the same value: where the next one begins, and which it is.
        let (mut begins, mut changes) = ([(S::Real::ZERO, S::Real::ZERO); FEW], 0);
        let first = value(0);
        let mut last = first;
        for index in 1..count {
            let next = value(index);
            if next != last {
                if let Some(place) = begins.get_mut(changes) {
                    *place = (S::Real::from_f32(index as f32), next);
                }
                (last, changes) = (next, changes + 1);
            }
        }
        for (to, numbers) in blocks_mut(to).iter_mut().zip(blocks(numbers)) {
            let numbers = load_block(simd, numbers);
            let mut found = [simd.splat(first); BLOCK];
            for &(begin, value) in begins.iter().take(changes) {
                let (begin, value) = (simd.splat(begin), simd.splat(value));
                for (found, number) in found.iter_mut().zip(numbers) {
                    *found = Vector::select(number.less(begin), *found, value);
                }
            }
            store_block(found, to);
        }
        return;
    }
    let groups = indices.as_chunks().0.iter().zip(numbers);
    for (to, (indices, numbers)) in to.iter_mut().zip(groups) {
        let mut found = simd.zero();
        for (index, same) in Indices::new(simd, indices, numbers) {
            found = Vector::select(same, simd.splat(value(index)), found);
        }
        found.store(to);
    }
}

/// Sets every lane.
#[inline(always)]
pub(crate) fn fill<R: Real>(rows: &mut [Lanes<R>], value: R) {
    rows.as_flattened_mut().fill(value);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{BLOCK, FEW, look_up};
    use crate::element::{LANES, Lanes};
    use crate::simd::{Kernel, LEVELS, Simd, dispatch_f32};
    use std::vec;
    use std::vec::Vec;

    struct LookUp<'k> {
        values: &'k [f32],
        indices: &'k [u32],
        numbers: &'k [Lanes<f32>],
        to: &'k mut [Lanes<f32>],
    }

    impl Kernel<f32> for LookUp<'_> {
        type Output = ();

        #[inline(always)]
        fn run<S: Simd<Real = f32>>(self, simd: S) {
            let Self { values, indices, numbers, to } = self;
            look_up(simd, values.len(), |index| values[index], (indices, numbers), to);
        }
    }

    #[test]
    fn values_are_those_of_the_indices() {
        let voxels = 2 * BLOCK * LANES;
        for count in 1..FEW + 4 {
            // Neighbours are alike or not, in every way.
            for pattern in 0..1usize << count.min(FEW) {
                let values: Vec<f32> =
                    (0..count).map(|index| (pattern >> (index % FEW) & 1) as f32 + 5.0).collect();
                let indices: Vec<u32> =
                    (0..voxels).map(|voxel| (voxel * 7 / 3 % count) as u32).collect();
                let mut numbers = vec![[0.0; LANES]; voxels / LANES];
                for (number, &index) in numbers.as_flattened_mut().iter_mut().zip(&indices) {
                    *number = index as f32;
                }
                for level in LEVELS {
                    let mut to = vec![[f32::NAN; LANES]; voxels / LANES];
                    let kernel = LookUp {
                        values: &values,
                        indices: &indices,
                        numbers: &numbers,
                        to: &mut to,
                    };
                    dispatch_f32(level, kernel);
                    for (to, &index) in to.as_flattened().iter().zip(&indices) {
                        assert_eq!(*to, values[index as usize], "{count} {pattern}");
                    }
                }
            }
        }
    }
}
