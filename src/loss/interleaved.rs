//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels and 16 classes at a time.
#![forbid(unsafe_code)]

use super::input::GradientMode;
use super::output::put;
use crate::element::{Element, ElementMut, LANES, Lanes, Real};
use crate::rows::rows;
use crate::simd::{Kernel, Simd, Vector, prefetch};

/// Rows to columns: four rounds of interleaving the first half with the second.
#[inline(always)]
fn transposed<V: Vector>(mut rows: [V; LANES]) -> [V; LANES] {
    for _ in 0..LANES.ilog2() {
        let before = rows;
        let second = before.iter().skip(LANES / 2);
        let pairs = rows.as_chunks_mut::<2>().0.iter_mut();
        for (pair, (&a, &b)) in pairs.zip(before.iter().zip(second)) {
            let (low, high) = a.interleave(b);
            *pair = [low, high];
        }
    }
    rows
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
        for group in 0..lanes {
            for begin in (0..classes).step_by(LANES) {
                let mut rows = [simd.zero(); LANES];
                for (row, voxel) in rows.iter_mut().zip(group * LANES..) {
                    let first = (voxel * classes + begin).min(from.len());
                    let values = from.get(first..).unwrap_or_default();
                    prefetch(values.as_ptr().wrapping_add(LANES * classes));
                    let mut lanes = [R::ZERO; LANES];
                    // What follows the last class is read, but not kept.
                    match values.first_chunk() {
                        Some(values) => E::read_lanes(values, &mut lanes),
                        None => E::read_slice(values, &mut lanes),
                    }
                    *row = simd.load(&lanes);
                }
                for (class, column) in (begin..classes).zip(transposed(rows)) {
                    if let Some(to) = to.get_mut(class * lanes + group) {
                        column.store(to);
                    }
                }
            }
        }
    }
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
        let Self { from, classes, lanes, to, mode } = self;
        if classes < LANES {
            return store_few(from, classes, lanes, to, mode);
        }
        for (group, voxels) in to.chunks_mut((LANES * classes).max(1)).enumerate() {
            for begin in (0..classes).step_by(LANES) {
                let mut columns = [simd.zero(); LANES];
                for (column, class) in columns.iter_mut().zip(begin..classes) {
                    if let Some(values) = from.get(class * lanes + group) {
                        *column = simd.load(values);
                    }
                }
                let voxels = voxels.chunks_exact_mut(classes.max(1));
                for (voxel, row) in voxels.zip(transposed(columns)) {
                    let mut values = [R::ZERO; LANES];
                    row.store(&mut values);
                    let to = voxel.get_mut(begin..).unwrap_or_default();
                    match to.first_chunk_mut() {
                        Some(to) if mode != GradientMode::Accumulate => E::write_lanes(&values, to),
                        _ => put(to, &values, mode),
                    }
                }
            }
        }
    }
}

/// [`StoreInterleaved`] value by value: squares of 16 would be mostly empty.
#[inline(always)]
fn store_few<E: ElementMut, R: Real>(
    from: &[Lanes<R>],
    classes: usize,
    lanes: usize,
    to: &mut [E],
    mode: GradientMode,
) {
    for (class, row) in rows(from, lanes).enumerate() {
        let column = to.iter_mut().skip(class).step_by(classes.max(1));
        let values = column.zip(row.as_flattened());
        match mode {
            GradientMode::Accumulate => {
                values.for_each(|(to, &value)| *to = E::write(to.read::<R>() + value));
            }
            _ => values.for_each(|(to, &value)| *to = E::write(value)),
        }
    }
}
