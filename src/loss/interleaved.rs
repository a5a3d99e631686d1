//! Interleaved values, `[voxel][class]`, to class rows and back, 16 voxels at a time: fewer than 16
//! classes together in registers; of 16 and more, four are loaded at a time and 16 stored.
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
/// before holds already: the last group ends with the last class.
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
            let values = values.get(begin..).unwrap_or_default();
            read(values, classes, groups.count, &mut converted);
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

/// Calls the first function with the number of classes and its odd part, if it is below 16, or the
/// second one.
macro_rules! few_or_many {
    ($classes:ident, $few:ident($($of_few:ident),*), $many:ident($($of_many:ident),*)) => {
        match $classes {
            1 => $few::<S, 1, 1>($($of_few),*),
            2 => $few::<S, 2, 1>($($of_few),*),
            3 => $few::<S, 3, 3>($($of_few),*),
            4 => $few::<S, 4, 1>($($of_few),*),
            5 => $few::<S, 5, 5>($($of_few),*),
            6 => $few::<S, 6, 3>($($of_few),*),
            7 => $few::<S, 7, 7>($($of_few),*),
            8 => $few::<S, 8, 1>($($of_few),*),
            9 => $few::<S, 9, 9>($($of_few),*),
            10 => $few::<S, 10, 5>($($of_few),*),
            11 => $few::<S, 11, 11>($($of_few),*),
            12 => $few::<S, 12, 3>($($of_few),*),
            13 => $few::<S, 13, 13>($($of_few),*),
            14 => $few::<S, 14, 7>($($of_few),*),
            15 => $few::<S, 15, 15>($($of_few),*),
            _ => $many($($of_many),*),
        }
    };
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
        few_or_many!(
            classes,
            few_to_rows(simd, voxels, to, groups),
            many_to_rows(simd, voxels, classes, to, groups)
        );
    }
}

#[inline(always)]
fn few_to_rows<S: Simd, const CLASSES: usize, const ODD: usize>(
    simd: S,
    voxels: &[S::Real],
    to: &mut [Lanes<S::Real>],
    Groups { count, lanes }: Groups,
) {
    let voxels = voxels.as_chunks::<LANES>().0.as_chunks::<CLASSES>().0;
    for (group, voxels) in voxels.iter().take(count).enumerate() {
        simd.apart::<CLASSES, ODD>(voxels, to.get_mut(group..).unwrap_or_default(), lanes);
    }
}

#[inline(always)]
fn many_to_rows<S: Simd>(
    simd: S,
    voxels: &[S::Real],
    classes: usize,
    to: &mut [Lanes<S::Real>],
    groups: Groups,
) {
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

/// Four of many classes of groups of voxels to class rows.
#[inline(always)]
fn columns_to_rows<S: Simd>(
    simd: S,
    voxels: &[S::Real],
    classes: usize,
    to: &mut [Lanes<S::Real>],
    Groups { count, lanes }: Groups,
) {
    let mut rows = to.chunks_mut(lanes.max(1));
    let mut rows: [_; 4] = core::array::from_fn(|_| rows.next().unwrap_or_default());
    for group in 0..count {
        let voxels = voxels.get(group * LANES * classes..).unwrap_or_default();
        let Some(columns) = simd.load_columns(voxels, classes) else { return };
        for (column, row) in columns.into_iter().zip(&mut rows) {
            if let Some(to) = row.get_mut(group) {
                column.store(to);
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
        few_or_many!(
            classes,
            few_to_voxels(simd, from, voxels, groups),
            many_to_voxels(simd, from, classes, voxels, groups)
        );
    }
}

#[inline(always)]
fn few_to_voxels<S: Simd, const CLASSES: usize, const ODD: usize>(
    simd: S,
    from: &[Lanes<S::Real>],
    voxels: &mut [S::Real],
    Groups { count, lanes }: Groups,
) {
    let voxels = voxels.as_chunks_mut::<LANES>().0.as_chunks_mut::<CLASSES>().0;
    for (group, voxels) in voxels.iter_mut().take(count).enumerate() {
        simd.by_turns::<CLASSES, ODD>(from.get(group..).unwrap_or_default(), lanes, voxels);
    }
}

#[inline(always)]
fn many_to_voxels<S: Simd>(
    simd: S,
    from: &[Lanes<S::Real>],
    classes: usize,
    voxels: &mut [S::Real],
    groups: Groups,
) {
    for (first, count) in chunks(groups.count, classes) {
        let from = from.get(first..).unwrap_or_default();
        let voxels = voxels.get_mut(first * LANES * classes..).unwrap_or_default();
        for (class, _) in class_groups(classes, LANES) {
            let from = from.get(class * groups.lanes..).unwrap_or_default();
            let voxels = voxels.get_mut(class..).unwrap_or_default();
            rows_to_sixteens(simd, from, voxels, classes, Groups { count, ..groups });
        }
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

/// Reads voxels: all of their classes, or 16 of more than [`MAX_CLASSES`], of one group; 0 for voxels
/// of so many groups that are not there.
fn read<E: Element, R: Real>(
    mut voxels: &[E],
    classes: usize,
    groups: usize,
    to: &mut Converted<R>,
) {
    if classes <= MAX_CLASSES {
        E::read_slice(voxels, to.as_flattened_mut());
        let values = to.as_flattened_mut().iter_mut().take(groups * LANES * classes);
        values.skip(voxels.len()).for_each(|value| *value = R::ZERO);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    /// Rows of so many voxels and up to two groups of padding, out of values that are not zero.
    fn rows_of<E: Element>(value: fn(f32) -> E, voxels: usize, classes: usize, padding: usize) {
        let values = (0..voxels * classes).map(|i| (i % 91 + 1) as f32);
        let from: vec::Vec<E> = values.map(value).collect();
        let lanes = voxels.div_ceil(LANES) + padding;
        let mut to = vec![[-1.0f32; LANES]; classes * lanes];
        load_interleaved(Level::Best, &from, classes, lanes, &mut to);
        for (class, row) in to.chunks(lanes).enumerate() {
            for (voxel, &found) in row.as_flattened().iter().enumerate() {
                let inside = voxel < voxels;
                let expected = if inside { (voxel * classes + class) % 91 + 1 } else { 0 };
                assert_eq!(found, expected as f32, "{classes} classes, voxel {voxel}");
            }
        }
    }

    #[test]
    fn padding_is_zero() {
        for classes in [1, 7, 8, 15, 16, 31, 33, 40, 64, 65, 107] {
            for voxels in [5, 16, 33, 75, 160, 161] {
                for padding in 0..3 {
                    rows_of(|x| x, voxels, classes, padding);
                    rows_of(f64::from, voxels, classes, padding);
                    rows_of(half::f16::from_f32, voxels, classes, padding);
                }
            }
        }
    }
}
