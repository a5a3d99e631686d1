//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels at a time: up to four
//! classes, or six, together in registers (eight would gain nothing); of other numbers four classes at
//! a time, or 16 where at least as many are stored.
//!
//! Only values of the type that is computed in are turned, so that kernels do not multiply with the
//! types of scores and gradients: others are converted on the way.
#![forbid(unsafe_code)]

use super::input::GradientMode;
use super::output::put;
use crate::element::{Element, ElementMut, LANES, Lanes, Real};
use crate::simd::{Kernel, Level, Simd, Vector};

/// Values that are converted: groups of voxels with up to 64 classes as they lie, or 16 classes of one
/// group, each voxel in a row.
type Converted<R> = [Lanes<R>; MAX_CLASSES];

const MAX_CLASSES: usize = 64;

/// Groups in [`Converted`], and their classes.
fn in_converted(classes: usize) -> (usize, usize) {
    if classes <= MAX_CLASSES { (MAX_CLASSES / classes.max(1), classes) } else { (1, LANES) }
}

/// Whole groups of 16 voxels in so many values.
fn whole_groups(values: usize, classes: usize) -> usize {
    values / (LANES * classes).max(1)
}

/// Groups that are worked on together: in f32 they about fill a first-level cache.
fn chunks(groups: usize, classes: usize) -> impl Iterator<Item = (usize, usize)> {
    let length = (256 / classes.max(1)).max(1);
    (0..groups).step_by(length).map(move |first| (first, length.min(groups - first)))
}

/// Where groups of `length` classes begin that hold all classes, and how many of its classes the group
/// before holds already: the last group ends with the last class. All groups are one, of all classes,
/// where there are fewer.
fn class_groups(classes: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    let last = classes.saturating_sub(length);
    (0..classes).step_by(length.max(1)).map(move |begin| (begin.min(last), begin - begin.min(last)))
}

/// Groups of 16 voxels, and groups of lanes from class to class of their rows.
#[derive(Clone, Copy)]
struct Groups {
    count: usize,
    lanes: usize,
}

/// Voxels to class rows of `lanes` groups; padding becomes 0.
pub(crate) fn load_interleaved<E: Element, R: Real>(
    level: Level,
    from: &[E],
    classes: usize,
    lanes: usize,
    to: &mut [Lanes<R>],
) {
    let mut done = 0;
    if let Some(voxels) = E::reals(from) {
        done = whole_groups(voxels.len(), classes).min(lanes);
        let groups = Groups { count: done, lanes };
        R::dispatch(level, ToRows { voxels, classes, to: &mut *to, groups });
    }
    if done == lanes {
        return;
    }
    let mut converted: Converted<R> = [[R::ZERO; LANES]; MAX_CLASSES];
    let (length, classes_together) = in_converted(classes);
    for first in (done..lanes).step_by(length) {
        let groups = Groups { count: length.min(lanes - first), lanes };
        let values = from.get(first * LANES * classes..).unwrap_or_default();
        let values = values.get(..groups.count * LANES * classes).unwrap_or(values);
        let to = to.get_mut(first..).unwrap_or_default();
        for (begin, _) in class_groups(classes, classes_together) {
            read(values.get(begin..).unwrap_or_default(), classes, &mut converted);
            let voxels = converted.as_flattened();
            let to = to.get_mut(begin * lanes..).unwrap_or_default();
            R::dispatch(level, ToRows { voxels, classes: classes_together, to, groups });
        }
    }
}

/// Class rows of `lanes` groups to voxels.
pub(crate) fn store_interleaved<E: ElementMut, R: Real>(
    level: Level,
    from: &[Lanes<R>],
    classes: usize,
    lanes: usize,
    to: &mut [E],
    mode: GradientMode,
) {
    let mut done = 0;
    if mode == GradientMode::Overwrite
        && let Some(voxels) = E::reals_mut(&mut *to)
    {
        done = whole_groups(voxels.len(), classes).min(lanes);
        let groups = Groups { count: done, lanes };
        R::dispatch(level, ToVoxels { from, classes, voxels, groups });
    }
    if done == lanes {
        return;
    }
    let mut converted: Converted<R> = [[R::ZERO; LANES]; MAX_CLASSES];
    let (length, classes_together) = in_converted(classes);
    let rest = to.get_mut(done * LANES * classes..).unwrap_or_default();
    let rest = rest.chunks_mut((length * LANES * classes).max(1));
    for (first, to) in (done..lanes).step_by(length).zip(rest) {
        let groups = Groups { count: length.min(lanes - first), lanes };
        for (begin, shared) in class_groups(classes, classes_together) {
            let from = from.get(begin * lanes + first..).unwrap_or_default();
            let voxels = converted.as_flattened_mut();
            R::dispatch(level, ToVoxels { from, classes: classes_together, voxels, groups });
            write(&converted, shared, to.get_mut(begin..).unwrap_or_default(), classes, mode);
        }
    }
}

/// Groups of voxels to class rows.
struct ToRows<'k, R> {
    voxels: &'k [R],
    classes: usize,
    to: &'k mut [Lanes<R>],
    groups: Groups,
}

impl<R: Real> Kernel<R> for ToRows<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let Self { voxels, classes, to, groups } = self;
        match classes {
            1 => few_to_rows::<S, 1>(simd, voxels, to, groups),
            2 => few_to_rows::<S, 2>(simd, voxels, to, groups),
            3 => few_to_rows::<S, 3>(simd, voxels, to, groups),
            4 => few_to_rows::<S, 4>(simd, voxels, to, groups),
            6 => few_to_rows::<S, 6>(simd, voxels, to, groups),
            _ => {
                for (first, count) in chunks(groups.count, classes) {
                    let voxels = voxels.get(first * LANES * classes..).unwrap_or_default();
                    let to = to.get_mut(first..).unwrap_or_default();
                    for (class, _) in class_groups(classes, 4) {
                        let voxels = voxels.get(class..).unwrap_or_default();
                        let to = to.get_mut(class * groups.lanes..).unwrap_or_default();
                        columns_to_rows(simd, voxels, classes, to, Groups { count, ..groups });
                    }
                }
            }
        }
    }
}

/// Class rows to groups of voxels.
struct ToVoxels<'k, R> {
    from: &'k [Lanes<R>],
    classes: usize,
    voxels: &'k mut [R],
    groups: Groups,
}

impl<R: Real> Kernel<R> for ToVoxels<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let Self { from, classes, voxels, groups } = self;
        match classes {
            1 => few_to_voxels::<S, 1>(simd, from, voxels, groups),
            2 => few_to_voxels::<S, 2>(simd, from, voxels, groups),
            3 => few_to_voxels::<S, 3>(simd, from, voxels, groups),
            4 => few_to_voxels::<S, 4>(simd, from, voxels, groups),
            6 => few_to_voxels::<S, 6>(simd, from, voxels, groups),
            _ => {
                for (first, count) in chunks(groups.count, classes) {
                    let groups = Groups { count, ..groups };
                    let from = from.get(first..).unwrap_or_default();
                    let to = voxels.get_mut(first * LANES * classes..).unwrap_or_default();
                    let together = if classes < LANES { 4 } else { LANES };
                    for (class, _) in class_groups(classes, together) {
                        let from = from.get(class * groups.lanes..).unwrap_or_default();
                        let to = to.get_mut(class..).unwrap_or_default();
                        if together == 4 {
                            rows_to_columns(simd, from, to, classes, groups);
                        } else {
                            rows_to_sixteens(simd, from, to, classes, groups);
                        }
                    }
                }
            }
        }
    }
}

/// Class rows, the last of which may be cut short.
#[inline(always)]
fn first_rows<T, const CLASSES: usize>(values: &[T], lanes: usize) -> [&[T]; CLASSES] {
    let mut rows = values.chunks(lanes.max(1));
    core::array::from_fn(|_| rows.next().unwrap_or_default())
}

/// [`first_rows`] to write.
#[inline(always)]
fn first_rows_mut<T, const CLASSES: usize>(values: &mut [T], lanes: usize) -> [&mut [T]; CLASSES] {
    let mut rows = values.chunks_mut(lanes.max(1));
    core::array::from_fn(|_| rows.next().unwrap_or_default())
}

/// A vector of each row.
#[inline(always)]
fn load_group<S: Simd, const CLASSES: usize>(
    simd: S,
    rows: &[&[Lanes<S::Real>]; CLASSES],
    group: usize,
) -> [S::Vector; CLASSES] {
    let mut vectors = [simd.zero(); CLASSES];
    for (vector, row) in vectors.iter_mut().zip(rows) {
        if let Some(values) = row.get(group) {
            *vector = simd.load(values);
        }
    }
    vectors
}

/// A vector to each row.
#[inline(always)]
fn store_group<V: Vector, const CLASSES: usize>(
    vectors: [V; CLASSES],
    rows: &mut [&mut [Lanes<V::Real>]; CLASSES],
    group: usize,
) {
    for (vector, row) in vectors.into_iter().zip(rows) {
        if let Some(to) = row.get_mut(group) {
            vector.store(to);
        }
    }
}

/// [`ToRows`] of few classes.
#[inline(always)]
fn few_to_rows<S: Simd, const CLASSES: usize>(
    simd: S,
    voxels: &[S::Real],
    to: &mut [Lanes<S::Real>],
    Groups { count, lanes }: Groups,
) {
    let voxels = voxels.as_chunks::<LANES>().0.as_chunks::<CLASSES>().0;
    let mut rows = first_rows_mut::<_, CLASSES>(to, lanes);
    for (group, voxels) in voxels.iter().take(count).enumerate() {
        store_group(split(simd, voxels), &mut rows, group);
    }
}

/// [`ToVoxels`] of few classes.
#[inline(always)]
fn few_to_voxels<S: Simd, const CLASSES: usize>(
    simd: S,
    from: &[Lanes<S::Real>],
    voxels: &mut [S::Real],
    Groups { count, lanes }: Groups,
) {
    let voxels = voxels.as_chunks_mut::<LANES>().0.as_chunks_mut::<CLASSES>().0;
    let rows = first_rows::<_, CLASSES>(from, lanes);
    for (group, voxels) in voxels.iter_mut().take(count).enumerate() {
        for (vector, to) in join(load_group(simd, &rows, group)).into_iter().zip(voxels) {
            vector.store(to);
        }
    }
}

/// The classes of 16 voxels: one to four, or six.
#[inline(always)]
fn split<S: Simd, const CLASSES: usize>(
    simd: S,
    voxels: &[Lanes<S::Real>; CLASSES],
) -> [S::Vector; CLASSES] {
    let mut classes = [simd.zero(); CLASSES];
    for (vector, values) in classes.iter_mut().zip(voxels) {
        *vector = simd.load(values);
    }
    match &mut classes[..] {
        [a, b] => (*a, *b) = a.deinterleave(*b),
        [a, b, c] => [*a, *b, *c] = S::Vector::deinterleave_three([*a, *b, *c]),
        [a, b, c, d] => {
            let ((even, odd), (more_even, more_odd)) = (a.deinterleave(*b), c.deinterleave(*d));
            (*a, *c) = even.deinterleave(more_even);
            (*b, *d) = odd.deinterleave(more_odd);
        }
        [a, b, c, d, e, f] => {
            let (first_even, first_odd) = a.deinterleave(*b);
            let (even, odd) = c.deinterleave(*d);
            let (last_even, last_odd) = e.deinterleave(*f);
            [*a, *c, *e] = S::Vector::deinterleave_three([first_even, even, last_even]);
            [*b, *d, *f] = S::Vector::deinterleave_three([first_odd, odd, last_odd]);
        }
        _ => {}
    }
    classes
}

/// What [`split`] was made of.
#[inline(always)]
fn join<V: Vector, const CLASSES: usize>(mut classes: [V; CLASSES]) -> [V; CLASSES] {
    match &mut classes[..] {
        [a, b] => (*a, *b) = a.interleave(*b),
        [a, b, c] => [*a, *b, *c] = V::interleave_three([*a, *b, *c]),
        [a, b, c, d] => {
            let ((even, more_even), (odd, more_odd)) = (a.interleave(*c), b.interleave(*d));
            (*a, *b) = even.interleave(odd);
            (*c, *d) = more_even.interleave(more_odd);
        }
        [a, b, c, d, e, f] => {
            let [first_even, even, last_even] = V::interleave_three([*a, *c, *e]);
            let [first_odd, odd, last_odd] = V::interleave_three([*b, *d, *f]);
            (*a, *b) = first_even.interleave(first_odd);
            (*c, *d) = even.interleave(odd);
            (*e, *f) = last_even.interleave(last_odd);
        }
        _ => {}
    }
    classes
}

/// Four of many classes of groups of voxels to class rows.
#[inline(always)]
fn columns_to_rows<S: Simd>(
    simd: S,
    voxels: &[S::Real],
    classes: usize,
    to: &mut [Lanes<S::Real>],
    Groups { count, lanes }: Groups,
) {
    let mut rows = first_rows_mut::<_, 4>(to, lanes);
    for group in 0..count {
        let voxels = voxels.get(group * LANES * classes..).unwrap_or_default();
        let Some(columns) = simd.load_columns(voxels, classes) else { return };
        store_group(columns, &mut rows, group);
    }
}

/// Class rows to four of many classes of groups of voxels.
#[inline(always)]
fn rows_to_columns<S: Simd>(
    simd: S,
    from: &[Lanes<S::Real>],
    to: &mut [S::Real],
    classes: usize,
    Groups { count, lanes }: Groups,
) {
    let rows = first_rows::<_, 4>(from, lanes);
    for group in 0..count {
        let columns = load_group(simd, &rows, group);
        let to = to.get_mut(group * LANES * classes..).unwrap_or_default();
        S::Vector::store_columns(columns, to, classes);
    }
}

/// Class rows to 16 of many classes of groups of voxels.
#[inline(always)]
fn rows_to_sixteens<S: Simd>(
    simd: S,
    from: &[Lanes<S::Real>],
    to: &mut [S::Real],
    classes: usize,
    Groups { count, lanes }: Groups,
) {
    let from = from.as_flattened();
    let mut voxels = to.chunks_mut(classes.max(1));
    for four in (0..count * LANES).step_by(4) {
        let from = from.get(four..).unwrap_or_default();
        let Some(columns) = simd.load_columns(from, lanes * LANES) else { return };
        for (column, to) in columns.iter().zip(&mut voxels) {
            let Some(to) = to.first_chunk_mut() else { return };
            column.store(to);
        }
    }
}

/// Reads voxels: all of their classes, or 16 of more than [`MAX_CLASSES`]; 0 where no voxels are left.
fn read<E: Element, R: Real>(mut voxels: &[E], classes: usize, to: &mut Converted<R>) {
    if classes <= MAX_CLASSES {
        let values = to.as_flattened_mut();
        E::read_slice(voxels, values);
        values.iter_mut().skip(voxels.len()).for_each(|value| *value = R::ZERO);
        return;
    }
    // Converted together: a conversion of one row is little more than a call.
    let mut rows = [[E::default(); LANES]; LANES];
    for row in &mut rows {
        if let Some(values) = voxels.first_chunk() {
            *row = *values;
        }
        voxels = voxels.get(classes..).unwrap_or_default();
    }
    E::read_groups(&rows, to);
}

/// Writes as many voxels as there are, or adds all but the first `shared` classes, which were added
/// before.
fn write<E: ElementMut, R: Real>(
    from: &Converted<R>,
    shared: usize,
    to: &mut [E],
    classes: usize,
    mode: GradientMode,
) {
    if classes <= MAX_CLASSES {
        return put(to, from.as_flattened(), mode);
    }
    let voxels = to.chunks_mut(classes.max(1));
    match mode {
        GradientMode::Overwrite => {
            let mut rows = [[E::default(); LANES]; LANES];
            E::write_groups(from, &mut rows);
            for (voxel, row) in voxels.zip(rows) {
                if let Some(to) = voxel.first_chunk_mut() {
                    *to = row;
                }
            }
        }
        GradientMode::Accumulate => {
            for (voxel, values) in voxels.zip(from) {
                let to = voxel.get_mut(shared..LANES).unwrap_or_default();
                put(to, values.get(shared..).unwrap_or_default(), mode);
            }
        }
    }
}
