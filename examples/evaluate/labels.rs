//! A label map in memory, and whether two lie on the same grid.

use anyhow::{Result, bail, ensure};
use std::fmt::Write;

/// Relative tolerance of spacing and of the directions of axes.
const RELATIVE: f64 = 1e-3;
/// Tolerance of the origin in mm.
const ORIGIN_MM: f64 = 1e-3;

/// Where voxels lie, axes from the slowest to the fastest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    /// 1 to 3 axes. Axes with one voxel are left out: the surface of a plane image is its contour.
    pub(crate) extent: Vec<usize>,
    pub(crate) spacing_mm: Vec<f64>,
    /// From voxel numbers (x, y, z, in the order of the file) to mm, where the file says so.
    pub(crate) affine: Option<[[f64; 4]; 3]>,
}

/// A label for every voxel.
#[derive(Clone, Debug)]
pub(crate) struct LabelMap {
    pub(crate) grid: Grid,
    pub(crate) labels: Vec<i32>,
    /// What a reader should know, but what is no reason to refuse.
    pub(crate) warnings: Vec<String>,
}

impl Grid {
    /// A grid of 1 to 3 axes, of which those with one voxel are dropped.
    pub(crate) fn new(
        extent: &[usize],
        spacing_mm: &[f64],
        affine: Option<[[f64; 4]; 3]>,
    ) -> Result<Self> {
        let axes = extent.len();
        ensure!((1..=3).contains(&axes), "{axes} axes; 1 to 3 can be measured");
        ensure!(!extent.contains(&0), "an axis without voxels: {}", by(extent));
        ensure!(
            spacing_mm.len() == axes,
            "{} spacings for {axes} axes ({} voxels)",
            spacing_mm.len(),
            by(extent)
        );
        let mut kept: Vec<_> = extent.iter().copied().zip(spacing_mm.iter().copied()).collect();
        kept.retain(|&(voxels, _)| voxels > 1);
        if kept.is_empty() {
            kept = extent.iter().copied().zip(spacing_mm.iter().copied()).take(1).collect();
        }
        let (extent, spacing_mm) = kept.into_iter().unzip();
        Ok(Self { extent, spacing_mm, affine })
    }

    /// Refuses grids that differ, with both values.
    pub(crate) fn must_equal(&self, reference: &Self) -> Result<()> {
        if self.extent != reference.extent {
            bail!(
                "shapes differ: prediction {}, reference {} (slowest axis first)",
                by(&self.extent),
                by(&reference.extent)
            );
        }
        let far = |a: f64, b: f64| (a - b).abs() > RELATIVE * a.abs().max(b.abs());
        if self.spacing_mm.iter().zip(&reference.spacing_mm).any(|(&a, &b)| far(a, b)) {
            bail!(
                "spacings differ: prediction {} mm, reference {} mm (slowest axis first)",
                by(&short(&self.spacing_mm)),
                by(&short(&reference.spacing_mm))
            );
        }
        let (Some(ours), Some(theirs)) = (&self.affine, &reference.affine) else { return Ok(()) };
        for (row, (ours_row, theirs_row)) in ours.iter().zip(theirs).enumerate() {
            for (column, (&a, &b)) in ours_row.iter().zip(theirs_row).enumerate() {
                let tolerance =
                    if column == 3 { ORIGIN_MM } else { RELATIVE * column_length(theirs, column) };
                let near = (a - b).abs() <= tolerance;
                ensure!(
                    near,
                    "affines differ in row {row}, column {column}: prediction {}, reference {}\n  \
                     prediction {}\n  reference  {}",
                    a as f32,
                    b as f32,
                    matrix(ours),
                    matrix(theirs)
                );
            }
        }
        Ok(())
    }

    /// Numbers of the axes of a voxel.
    pub(crate) fn position(&self, index: usize) -> Vec<usize> {
        position(&self.extent, index)
    }
}

/// Numbers along the axes of the voxel with this index.
pub(crate) fn position(extent: &[usize], mut index: usize) -> Vec<usize> {
    let mut position = vec![0; extent.len()];
    for (place, &voxels) in position.iter_mut().zip(extent).rev() {
        *place = index % voxels.max(1);
        index /= voxels.max(1);
    }
    position
}

/// Length in mm of a step along an axis of the file.
pub(crate) fn column_length(affine: &[[f64; 4]; 3], column: usize) -> f64 {
    let squares = affine.iter().filter_map(|row| row.get(column)).map(|value| value * value);
    squares.sum::<f64>().sqrt()
}

/// "512x170x17".
pub(crate) fn by<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("x")
}

/// Numbers of a header as they were written: it holds single precision.
pub(crate) fn short(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&number| number as f32).collect()
}

fn matrix(affine: &[[f64; 4]; 3]) -> String {
    let mut text = String::new();
    for row in affine {
        let numbers: Vec<_> = short(row).iter().map(f32::to_string).collect();
        let _ = write!(text, "[{}]", numbers.join(", "));
    }
    text
}

/// Labels from stored numbers: `slope * number + intercept` must be whole.
///
/// Slopes are single precision, so a scaled label may miss its whole number by their rounding.
pub(crate) fn whole_numbers(
    numbers: impl Iterator<Item = f64>,
    scale: Option<(f64, f64)>,
    extent: &[usize],
) -> Result<Vec<i32>> {
    let mut labels = Vec::with_capacity(extent.iter().product());
    for number in numbers {
        let value = scale.map_or(number, |(slope, intercept)| slope * number + intercept);
        let slack = if scale.is_some() { 1e-4 * value.abs().max(1.0) } else { 0.0 };
        let whole = value.round();
        let label = whole as i32;
        if (value - whole).abs() <= slack && f64::from(label) == whole {
            labels.push(label);
            continue;
        }
        let voxel = position(extent, labels.len());
        let why = if value.fract() == 0.0 { "is too large for a label" } else { "is no label" };
        bail!("{value} {why}: voxel {voxel:?} (slowest axis first); labels are whole numbers");
    }
    Ok(labels)
}
