//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels and 16 classes at a time.
#![forbid(unsafe_code)]

use super::input::GradientMode;
use super::output::put;
use crate::element::{Element, ElementMut, LANES, Lanes, Real};
use crate::rows::rows;
use crate::simd::{Kernel, Simd, Vector};

/// A square of values.
type Square<R> = [Lanes<R>; LANES];

#[inline(always)]
fn transposed<S: Simd>(simd: S, from: &Square<S::Real>) -> Square<S::Real> {
    let mut to = [[S::Real::ZERO; LANES]; LANES];
    simd.transpose(from.as_flattened(), LANES, to.as_flattened_mut(), LANES);
    to
}

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
        let to = to.as_flattened_mut();
        for group in 0..lanes {
            let voxels = from.get(group * LANES * classes..).unwrap_or_default();
            for begin in (0..classes).step_by(LANES) {
                let voxels = voxels.get(begin..).unwrap_or_default();
                let to = to.get_mut((begin * lanes + group) * LANES..).unwrap_or_default();
                let whole = begin + LANES <= classes;
                if whole
                    && let Some(voxels) = E::reals(voxels)
                    && simd.transpose(voxels, classes, to, lanes * LANES)
                {
                    continue;
                }
                let square = square(voxels, classes, classes - begin);
                if whole {
                    simd.transpose(square.as_flattened(), LANES, to, lanes * LANES);
                    continue;
                }
                let rows = to.chunks_mut((lanes * LANES).max(1));
                for (row, values) in rows.zip(transposed(simd, &square)).take(classes - begin) {
                    let Some(row) = row.first_chunk_mut() else { return };
                    *row = values;
                }
            }
        }
    }
}

/// Some classes of 16 voxels; where there are no more voxels, 0. What comes after the classes is
/// anything.
#[inline(always)]
fn square<E: Element, R: Real>(mut voxels: &[E], classes: usize, count: usize) -> Square<R> {
    let mut square = [[R::ZERO; LANES]; LANES];
    for row in &mut square {
        match voxels.first_chunk() {
            Some(values) => E::read_lanes(values, row),
            // The last voxels.
            None => E::read_slice(voxels.get(..count.min(voxels.len())).unwrap_or_default(), row),
        }
        voxels = voxels.get(classes..).unwrap_or_default();
    }
    square
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
        let from = from.as_flattened();
        for (group, voxels) in to.chunks_mut((LANES * classes).max(1)).enumerate() {
            for begin in (0..classes).step_by(LANES) {
                let rows = from.get((begin * lanes + group) * LANES..).unwrap_or_default();
                let voxels = voxels.get_mut(begin..).unwrap_or_default();
                if begin + LANES <= classes
                    && mode != GradientMode::Accumulate
                    && let Some(voxels) = E::reals_mut(voxels)
                    && simd.transpose(rows, lanes * LANES, voxels, classes)
                {
                    continue;
                }
                let mut square = [[R::ZERO; LANES]; LANES];
                let rows = rows.chunks((lanes * LANES).max(1));
                for (to, row) in square.iter_mut().zip(rows) {
                    let Some(row) = row.first_chunk() else { return };
                    *to = *row;
                }
                let count = LANES.min(classes - begin);
                let voxels = voxels.chunks_mut(classes.max(1));
                for (voxel, values) in voxels.zip(transposed(simd, &square)) {
                    match voxel.first_chunk_mut() {
                        Some(to) if count == LANES && mode != GradientMode::Accumulate => {
                            E::write_lanes(&values, to);
                        }
                        _ => {
                            let count = count.min(voxel.len());
                            put(voxel.get_mut(..count).unwrap_or_default(), &values, mode);
                        }
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
