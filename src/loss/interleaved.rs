//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels and four classes at a time.
#![forbid(unsafe_code)]

use super::input::GradientMode;
use super::output::put;
use crate::element::{Element, ElementMut, LANES, Lanes, Real};
use crate::simd::{Kernel, Simd, Vector};

/// Values of 16 voxels that are converted: all of those with up to 16 classes, which lie together, or
/// 16 classes of more, each voxel in a row.
type Square<R> = [Lanes<R>; LANES];

/// How far voxels lie apart in a [`Square`].
const fn square_stride(classes: usize) -> usize {
    if classes < LANES { classes } else { LANES }
}

/// Values of 16 voxels, whose last four classes may reach behind the last class of the last one.
const fn voxels_needed(classes: usize) -> usize {
    (LANES - 1) * classes + classes.next_multiple_of(4)
}

/// Voxels to class rows of `lanes` groups; padding becomes 0.
pub(crate) struct LoadInterleaved<'k, E, R> {
    pub from: &'k [E],
    pub classes: usize,
    pub lanes: usize,
    pub to: &'k mut [Lanes<R>],
}

impl<E: Element, R: Real> Kernel<R> for LoadInterleaved<'_, E, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let Self { from, classes, lanes, to } = self;
        let done = if classes == 2 { pairs_to_rows(simd, from, lanes, to) } else { 0 };
        for group in done..lanes {
            let voxels = from.get(group * LANES * classes..).unwrap_or_default();
            let to = to.get_mut(group..).unwrap_or_default();
            if let Some(voxels) = E::reals(voxels)
                && voxels.len() >= voxels_needed(classes)
            {
                to_rows(simd, voxels, classes, classes, to, lanes);
                continue;
            }
            for begin in (0..classes).step_by(LANES) {
                let count = LANES.min(classes - begin);
                let square = read(voxels.get(begin..).unwrap_or_default(), classes, count);
                let to = to.get_mut(begin * lanes..).unwrap_or_default();
                to_rows(simd, square.as_flattened(), square_stride(classes), count, to, lanes);
            }
        }
    }
}

/// Two classes of all groups that are full, and how many these are.
#[inline(always)]
fn pairs_to_rows<S: Simd, E: Element>(
    simd: S,
    from: &[E],
    lanes: usize,
    to: &mut [Lanes<S::Real>],
) -> usize {
    let (groups, _) = from.as_chunks::<LANES>().0.as_chunks::<2>();
    let (first, second) = to.split_at_mut_checked(lanes).unwrap_or_default();
    for (values, (first, second)) in groups.iter().zip(first.iter_mut().zip(second)) {
        let mut pairs = [[S::Real::ZERO; LANES]; 2];
        for (pairs, values) in pairs.iter_mut().zip(values) {
            E::read_lanes(values, pairs);
        }
        let [a, b] = &pairs;
        let (a, b) = simd.load(a).deinterleave(simd.load(b));
        a.store(first);
        b.store(second);
    }
    groups.len().min(lanes)
}

/// Some classes of 16 voxels, `stride` apart, to rows.
#[inline(always)]
fn to_rows<S: Simd>(
    simd: S,
    voxels: &[S::Real],
    stride: usize,
    classes: usize,
    to: &mut [Lanes<S::Real>],
    lanes: usize,
) {
    let mut rows = to.iter_mut().step_by(lanes.max(1)).take(classes);
    for class in (0..classes).step_by(4) {
        let voxels = voxels.get(class..).unwrap_or_default();
        let Some(columns) = simd.load_columns(voxels, stride) else { return };
        for (column, row) in columns.iter().zip(&mut rows) {
            column.store(row);
        }
    }
}

/// Up to 16 classes of 16 voxels; where there are no more voxels, 0.
#[inline(always)]
fn read<E: Element, R: Real>(mut voxels: &[E], classes: usize, count: usize) -> Square<R> {
    let mut square = [[R::ZERO; LANES]; LANES];
    if classes <= LANES {
        let together = voxels.get(..voxels.len().min(LANES * classes)).unwrap_or_default();
        E::read_slice(together, square.as_flattened_mut());
        return square;
    }
    for row in &mut square {
        E::read_slice(voxels.get(..count.min(voxels.len())).unwrap_or_default(), row);
        voxels = voxels.get(classes..).unwrap_or_default();
    }
    square
}

/// Class rows of `lanes` groups to voxels.
pub(crate) struct StoreInterleaved<'k, E, R> {
    pub from: &'k [Lanes<R>],
    pub classes: usize,
    pub lanes: usize,
    pub to: &'k mut [E],
    pub mode: GradientMode,
}

impl<E: ElementMut, R: Real> Kernel<R> for StoreInterleaved<'_, E, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let Self { from, classes, lanes, mut to, mode } = self;
        if classes == 2 {
            return rows_to_pairs(simd, from, lanes, to, mode);
        }
        for group in 0..lanes {
            let from = from.get(group..).unwrap_or_default();
            if mode != GradientMode::Accumulate
                && let Some(voxels) = E::reals_mut(&mut *to)
                && voxels.len() >= voxels_needed(classes)
            {
                // What the last classes leave behind their voxel is written over by the first ones.
                for begin in (0..classes).step_by(LANES).rev() {
                    let count = LANES.min(classes - begin);
                    let from = from.get(begin * lanes..).unwrap_or_default();
                    let to = voxels.get_mut(begin..).unwrap_or_default();
                    to_voxels(simd, from, lanes, count, to, classes);
                }
            } else {
                for begin in (0..classes).step_by(LANES) {
                    let count = LANES.min(classes - begin);
                    let from = from.get(begin * lanes..).unwrap_or_default();
                    let mut square = [[R::ZERO; LANES]; LANES];
                    let stride = square_stride(classes);
                    to_voxels(simd, from, lanes, count, square.as_flattened_mut(), stride);
                    write(&square, to.get_mut(begin..).unwrap_or_default(), classes, count, mode);
                }
            }
            to = to.get_mut(LANES * classes..).unwrap_or_default();
            if to.is_empty() {
                return;
            }
        }
    }
}

/// Rows of two classes.
#[inline(always)]
fn rows_to_pairs<S: Simd, E: ElementMut>(
    simd: S,
    from: &[Lanes<S::Real>],
    lanes: usize,
    to: &mut [E],
    mode: GradientMode,
) {
    let (first, second) = from.split_at_checked(lanes).unwrap_or_default();
    let rows = first.iter().zip(second);
    for (to, (first, second)) in to.chunks_mut(2 * LANES).zip(rows) {
        let (a, b) = simd.load(first).interleave(simd.load(second));
        let mut pairs = [[S::Real::ZERO; LANES]; 2];
        for (vector, pairs) in [a, b].into_iter().zip(&mut pairs) {
            vector.store(pairs);
        }
        match to.first_chunk_mut() {
            Some(to) if mode != GradientMode::Accumulate => write_pairs(&pairs, to),
            _ => put(to, pairs.as_flattened(), mode),
        }
    }
}

#[inline(always)]
fn write_pairs<E: ElementMut, R: Real>(pairs: &[Lanes<R>; 2], to: &mut [E; 2 * LANES]) {
    for (to, pairs) in to.as_chunks_mut().0.iter_mut().zip(pairs) {
        E::write_lanes(pairs, to);
    }
}

/// Rows of up to 16 classes to voxels, `stride` apart, the last classes first.
#[inline(always)]
fn to_voxels<S: Simd>(
    simd: S,
    from: &[Lanes<S::Real>],
    lanes: usize,
    classes: usize,
    to: &mut [S::Real],
    stride: usize,
) {
    if classes == LANES {
        let mut voxels = to.chunks_mut(stride.max(1));
        for voxel in (0..LANES).step_by(4) {
            let from = from.as_flattened().get(voxel..).unwrap_or_default();
            let Some(columns) = simd.load_columns(from, lanes * LANES) else { return };
            for (column, to) in columns.iter().zip(&mut voxels) {
                let Some(to) = to.first_chunk_mut() else { return };
                column.store(to);
            }
        }
        return;
    }
    for begin in (0..classes).step_by(4).rev() {
        let mut columns = [simd.zero(); 4];
        let rows = from.get(begin * lanes..).unwrap_or_default().iter().step_by(lanes.max(1));
        for (column, row) in columns.iter_mut().zip(rows).take(classes - begin) {
            *column = simd.load(row);
        }
        S::Vector::store_columns(columns, to.get_mut(begin..).unwrap_or_default(), stride);
    }
}

/// Up to 16 classes of 16 voxels, or of as many as there are.
#[inline(always)]
fn write<E: ElementMut, R: Real>(
    square: &Square<R>,
    to: &mut [E],
    classes: usize,
    count: usize,
    mode: GradientMode,
) {
    if classes <= LANES {
        let length = to.len().min(LANES * classes);
        put(to.get_mut(..length).unwrap_or_default(), square.as_flattened(), mode);
        return;
    }
    for (voxel, values) in to.chunks_mut(classes.max(1)).zip(square) {
        let count = count.min(voxel.len());
        put(voxel.get_mut(..count).unwrap_or_default(), values, mode);
    }
}
