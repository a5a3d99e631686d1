//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels and 16 classes at a time.
#![forbid(unsafe_code)]

use super::input::GradientMode;
use super::output::put;
use crate::element::{Element, ElementMut, LANES, Lanes, Real};
use crate::rows::rows;
use crate::simd::{Kernel, Simd, Vector};
use core::ops::Range;

/// Rounds of interleaving the first half of some rows with the second, each of which moves the
/// highest bit of a value's place to the lowest.
#[inline(always)]
fn turned<V: Vector, const ROWS: usize>(mut rows: [V; ROWS], rounds: u32) -> [V; ROWS] {
    for _ in 0..rounds {
        let before = rows;
        let second = before.iter().skip(ROWS / 2);
        let pairs = rows.as_chunks_mut::<2>().0.iter_mut();
        for (pair, (&a, &b)) in pairs.zip(before.iter().zip(second)) {
            let (low, high) = a.interleave(b);
            *pair = [low, high];
        }
    }
    rows
}

/// Rows to columns.
#[inline(always)]
fn transposed<V: Vector>(rows: [V; LANES]) -> [V; LANES] {
    turned(rows, LANES.ilog2())
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
        match classes {
            2 => return load_turned::<S, E, 2>(simd, from, lanes, to),
            4 => return load_turned::<S, E, 4>(simd, from, lanes, to),
            8 => return load_turned::<S, E, 8>(simd, from, lanes, to),
            _ => {}
        }
        for group in 0..lanes {
            let first = (group * LANES * classes).min(from.len());
            let voxels = from.get(first..).unwrap_or_default();
            for begin in (0..classes).step_by(LANES) {
                let end = (begin + LANES).min(classes);
                let Some(rows) = square(simd, voxels.get(begin..).unwrap_or_default(), classes)
                else {
                    load_last(voxels, classes, begin..end, (lanes, group), to);
                    continue;
                };
                for (class, column) in (begin..end).zip(transposed(rows)) {
                    let Some(to) = to.get_mut(class * lanes + group) else { return };
                    column.store(to);
                }
            }
        }
    }
}

/// 16 classes of 16 voxels, if there is as much. What follows the last class is read, too.
#[inline(always)]
fn square<S: Simd, E: Element>(
    simd: S,
    mut voxels: &[E],
    classes: usize,
) -> Option<[S::Vector; LANES]> {
    let mut rows = [simd.zero(); LANES];
    for row in &mut rows {
        let values = voxels.first_chunk()?;
        let mut lanes = [S::Real::ZERO; LANES];
        E::read_lanes(values, &mut lanes);
        *row = simd.load(&lanes);
        voxels = voxels.get(classes..).unwrap_or_default();
    }
    Some(rows)
}

/// Some classes of the last voxels, value by value.
fn load_last<E: Element, R: Real>(
    voxels: &[E],
    classes: usize,
    some: Range<usize>,
    (lanes, group): (usize, usize),
    to: &mut [Lanes<R>],
) {
    for class in some {
        let Some(to) = to.get_mut(class * lanes + group) else { return };
        for (index, to) in to.iter_mut().enumerate() {
            *to = voxels.get(index * classes + class).map_or(R::ZERO, |value| value.read());
        }
    }
}

/// [`LoadInterleaved`] of a power of two of classes, whose voxels fill whole groups.
#[inline(always)]
fn load_turned<S: Simd, E: Element, const CLASSES: usize>(
    simd: S,
    from: &[E],
    lanes: usize,
    to: &mut [Lanes<S::Real>],
) {
    let none = [[E::default(); LANES]; CLASSES];
    let (groups, _) = from.as_chunks::<LANES>().0.as_chunks::<CLASSES>();
    let mut last = none;
    let rest = from.iter().skip(groups.len() * CLASSES * LANES);
    for (to, from) in last.as_flattened_mut().iter_mut().zip(rest) {
        *to = *from;
    }
    for group in 0..lanes {
        let behind = if group == groups.len() { &last } else { &none };
        let mut vectors = [simd.zero(); CLASSES];
        for (vector, values) in vectors.iter_mut().zip(groups.get(group).unwrap_or(behind)) {
            let mut lanes = [S::Real::ZERO; LANES];
            E::read_lanes(values, &mut lanes);
            *vector = simd.load(&lanes);
        }
        for (class, row) in turned(vectors, LANES.ilog2()).into_iter().enumerate() {
            let Some(to) = to.get_mut(class * lanes + group) else { return };
            row.store(to);
        }
    }
}

#[inline(always)]
fn lanes_of<V: Vector>(vector: V) -> Lanes<V::Real> {
    let mut lanes = [V::Real::ZERO; LANES];
    vector.store(&mut lanes);
    lanes
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
        match classes {
            2 => return store_turned::<S, E, 2>(simd, from, lanes, to, mode),
            4 => return store_turned::<S, E, 4>(simd, from, lanes, to, mode),
            8 => return store_turned::<S, E, 8>(simd, from, lanes, to, mode),
            _ if classes < LANES => return store_few(from, classes, lanes, to, mode),
            _ => {}
        }
        for (group, voxels) in to.chunks_mut((LANES * classes).max(1)).enumerate() {
            for begin in (0..classes).step_by(LANES) {
                let mut columns = [simd.zero(); LANES];
                for (index, column) in columns.iter_mut().enumerate() {
                    // Past the last class anything will do.
                    let class = (begin + index).min(classes - 1);
                    let Some(values) = from.get(class * lanes + group) else { return };
                    *column = simd.load(values);
                }
                let whole = begin + LANES <= classes && mode != GradientMode::Accumulate;
                let voxels = voxels.chunks_exact_mut(classes.max(1));
                let voxels = voxels.zip(transposed(columns));
                if whole {
                    for (voxel, row) in voxels {
                        let to = voxel.get_mut(begin..).unwrap_or_default();
                        let Some(to) = to.first_chunk_mut() else { return };
                        E::write_lanes(&lanes_of(row), to);
                    }
                } else {
                    for (voxel, row) in voxels {
                        put(voxel.get_mut(begin..).unwrap_or_default(), &lanes_of(row), mode);
                    }
                }
            }
        }
    }
}

/// [`StoreInterleaved`] of a power of two of classes.
#[inline(always)]
fn store_turned<S: Simd, E: ElementMut, const CLASSES: usize>(
    simd: S,
    from: &[Lanes<S::Real>],
    lanes: usize,
    to: &mut [E],
    mode: GradientMode,
) {
    for (group, to) in to.chunks_mut((CLASSES * LANES).max(1)).enumerate() {
        let mut vectors = [simd.zero(); CLASSES];
        for (class, vector) in vectors.iter_mut().enumerate() {
            let Some(values) = from.get(class * lanes + group) else { return };
            *vector = simd.load(values);
        }
        let groups = to.chunks_mut(LANES);
        for (to, vector) in groups.zip(turned(vectors, CLASSES.ilog2())) {
            match to.first_chunk_mut() {
                Some(to) if mode != GradientMode::Accumulate => {
                    E::write_lanes(&lanes_of(vector), to);
                }
                _ => put(to, &lanes_of(vector), mode),
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
