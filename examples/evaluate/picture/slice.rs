//! Which slices are drawn, and how they lie.

use crate::cases::Pair;
use crate::labels::{Grid, position};
use std::ops::Range;

/// Voxels around the labels that are drawn, as a share of their box, and at least.
const MARGIN: f64 = 0.08;
const LEAST_MARGIN: usize = 4;

/// An axis of a picture: the axis of the volume, and whether its numbers fall.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) axis: usize,
    pub(crate) falls: bool,
}

/// A plane through the volume.
pub(crate) struct Slice {
    pub(crate) title: String,
    /// Downwards and to the right.
    pub(crate) down: Axis,
    pub(crate) right: Axis,
    /// What lies to the left, right, top and bottom.
    pub(crate) letters: Option<[char; 4]>,
}

/// Which axis of the volume runs along R, A and S, and whether it runs towards it.
type Anatomy = [(usize, bool); 3];

/// The slices of a volume: three anatomical planes where its orientation is known, else along its
/// axes; a plane image is drawn as it lies.
pub(crate) fn slices(grid: &Grid, centre: &[usize]) -> Vec<Slice> {
    let axis = |axis, falls| Axis { axis, falls };
    let at = |axis: usize| centre.get(axis).copied().unwrap_or(0);
    if grid.extent.len() < 3 {
        let last = grid.extent.len().saturating_sub(1);
        let (down, right) = (axis(0, false), axis(last, false));
        return vec![Slice { title: String::new(), down, right, letters: None }];
    }
    let Some([(x, to_right), (y, to_front), (z, to_top)]) = anatomy(grid) else {
        let plane = |fixed: usize, down, right| Slice {
            title: format!("axis {fixed}, slice {}", at(fixed)),
            down: axis(down, false),
            right: axis(right, false),
            letters: None,
        };
        return vec![plane(0, 1, 2), plane(1, 0, 2), plane(2, 0, 1)];
    };
    // As radiologists look: the patient's right is on the left, the nose in a side view too.
    let (leftwards, downwards, backwards) = (axis(x, to_right), axis(z, to_top), axis(y, to_front));
    let plane = |name: &str, fixed: usize, down, right, letters| Slice {
        title: format!("{name}, slice {}", at(fixed)),
        down,
        right,
        letters: Some(letters),
    };
    vec![
        plane("axial", z, backwards, leftwards, ['R', 'L', 'A', 'P']),
        plane("coronal", y, downwards, leftwards, ['R', 'L', 'S', 'I']),
        plane("sagittal", x, downwards, backwards, ['A', 'P', 'S', 'I']),
    ]
}

/// The axis of the file that is nearest to each direction, `None` if two want the same.
fn anatomy(grid: &Grid) -> Option<Anatomy> {
    let affine = grid.affine.as_ref()?;
    let mut found: [Option<(usize, bool)>; 3] = [None; 3];
    for column in 0..3 {
        let step = affine.each_ref().map(|row| row.get(column).copied().unwrap_or(0.0));
        let longest = |&a: &usize, &b: &usize| {
            let length = |row: usize| step.get(row).map_or(0.0, |value| value.abs());
            length(a).total_cmp(&length(b))
        };
        let row = (0..3).max_by(longest)?;
        let place = found.get_mut(row)?;
        if place.is_some() {
            return None;
        }
        // The file's first axis is the fastest, the volume's the slowest.
        *place = Some((2 - column, *step.get(row)? > 0.0));
    }
    let [Some(x), Some(y), Some(z)] = found else { return None };
    Some([x, y, z])
}

/// The voxel to look at: the wrong voxel nearest to the centre of all wrong ones, or else the
/// labelled voxel nearest to the centre of the reference, or the middle of the volume.
pub(crate) fn centre(pair: &Pair, ignore: Option<i32>) -> Vec<usize> {
    let extent = &pair.reference.grid.extent;
    let maps = || pair.prediction.labels.iter().zip(&pair.reference.labels).enumerate();
    let counts = |reference: i32| Some(reference) != ignore;
    let wrong = maps().filter(|&(_, (p, r))| p != r && counts(*r)).map(|(index, _)| index);
    let labelled = maps().filter(|&(_, (_, r))| *r != 0 && counts(*r)).map(|(index, _)| index);
    let middle = || extent.iter().map(|voxels| voxels / 2).collect();
    let nearest = nearest_to_mean(extent, wrong).or_else(|| nearest_to_mean(extent, labelled));
    nearest.unwrap_or_else(middle)
}

fn nearest_to_mean(
    extent: &[usize],
    voxels: impl Iterator<Item = usize> + Clone,
) -> Option<Vec<usize>> {
    let (mut sum, mut count) = (vec![0.0; extent.len()], 0.0);
    for voxel in voxels.clone() {
        for (sum, number) in sum.iter_mut().zip(position(extent, voxel)) {
            *sum += number as f64;
        }
        count += 1.0;
    }
    let far = |voxel: &usize| -> f64 {
        let offsets = position(extent, *voxel).into_iter().zip(&sum);
        offsets.map(|(number, sum)| (number as f64 - sum / count).powi(2)).sum()
    };
    let nearest = voxels.min_by(|a, b| far(a).total_cmp(&far(b)));
    nearest.map(|voxel| position(extent, voxel))
}

/// The part of every axis that holds labels of either map, with a margin; all of it if none does.
pub(crate) fn window(pair: &Pair) -> Vec<Range<usize>> {
    let extent = &pair.reference.grid.extent;
    let mut window: Vec<Range<usize>> = extent.iter().map(|&voxels| voxels..0).collect();
    let maps = pair.prediction.labels.iter().zip(&pair.reference.labels).enumerate();
    for (index, _) in maps.filter(|&(_, (&p, &r))| p != 0 || r != 0) {
        for (range, number) in window.iter_mut().zip(position(extent, index)) {
            *range = range.start.min(number)..range.end.max(number + 1);
        }
    }
    for (range, &voxels) in window.iter_mut().zip(extent) {
        if range.start >= range.end {
            *range = 0..voxels;
            continue;
        }
        let margin = ((range.len() as f64 * MARGIN) as usize).max(LEAST_MARGIN);
        *range = range.start.saturating_sub(margin)..(range.end + margin).min(voxels);
    }
    window
}
