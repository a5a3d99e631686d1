//! One slice: image, reference, prediction, and where they differ.

use super::contour::Mask;
use super::png;
use super::slice::{Axis, Slice};
use super::{Scene, colour, label};
use anyhow::Result;
use std::ops::Range;
use svg::node::element::{Group, Image, Line, Path, Rectangle, Text};

/// Voxels of a slice in the order in which they are drawn.
struct Window {
    rows: usize,
    columns: usize,
    voxels: Vec<usize>,
}

/// Width and height in mm.
pub(crate) fn size_mm(scene: &Scene, slice: &Slice) -> (f64, f64) {
    let along = |axis: Axis| range(scene, axis).len() as f64 * spacing(scene, axis);
    (along(slice.right), if slice.down.axis == slice.right.axis { 1.0 } else { along(slice.down) })
}

fn range(scene: &Scene, axis: Axis) -> Range<usize> {
    scene.window.get(axis.axis).cloned().unwrap_or(0..1)
}

fn spacing(scene: &Scene, axis: Axis) -> f64 {
    scene.pair.reference.grid.spacing_mm.get(axis.axis).copied().unwrap_or(1.0)
}

/// Numbers along an axis in the order in which they are drawn.
fn numbers(scene: &Scene, axis: Axis) -> Vec<usize> {
    let range = range(scene, axis);
    if axis.falls { range.rev().collect() } else { range.collect() }
}

impl Window {
    fn new(scene: &Scene, slice: &Slice) -> Self {
        let extent = &scene.pair.reference.grid.extent;
        let columns = numbers(scene, slice.right);
        let line = slice.down.axis == slice.right.axis;
        let rows = if line { vec![0] } else { numbers(scene, slice.down) };
        let mut voxels = Vec::with_capacity(rows.len() * columns.len());
        for &row in &rows {
            for &column in &columns {
                let index = extent.iter().enumerate().fold(0, |index, (axis, &length)| {
                    let number = match axis {
                        _ if axis == slice.right.axis => column,
                        _ if axis == slice.down.axis => row,
                        _ => scene.centre.get(axis).copied().unwrap_or(0),
                    };
                    index * length + number
                });
                voxels.push(index);
            }
        }
        Self { rows: rows.len(), columns: columns.len(), voxels }
    }

    fn mask(&self, inside: impl Fn(usize) -> bool) -> Mask {
        let inside = self.voxels.iter().map(|&voxel| inside(voxel)).collect();
        Mask { columns: self.columns, inside }
    }
}

/// The slice with its top left corner at (0, 0), `scale` pixels for a mm.
pub(crate) fn draw(scene: &Scene, slice: &Slice, scale: f64) -> Result<Group> {
    let window = Window::new(scene, slice);
    let (width, height) = size_mm(scene, slice);
    let (width, height) = (width * scale, height * scale);
    let (step_x, step_y) = (width / window.columns as f64, height / window.rows as f64);
    let mut group = Group::new()
        .add(Rectangle::new().set("width", width).set("height", height).set("fill", "#f3f4f6"));
    if let Some(image) = &scene.image {
        let grey: Vec<u8> = window.voxels.iter().map(|&v| image.grey(v)).collect();
        group = group.add(
            Image::new()
                .set("href", png::data_address(window.columns, &grey)?)
                .set("width", width)
                .set("height", height)
                .set("preserveAspectRatio", "none")
                .set("image-rendering", "optimizeQuality"),
        );
    }
    let (reference, prediction) = (&scene.pair.reference.labels, &scene.pair.prediction.labels);
    let of = |map: &[i32], voxel: usize| map.get(voxel).copied().unwrap_or(0);
    let area = |mask: Mask, fill: &str, opacity: f64| {
        Path::new()
            .set("d", mask.path(step_x, step_y))
            .set("fill", fill)
            .set("fill-opacity", opacity)
            .set("fill-rule", "evenodd")
    };
    let filled = if scene.image.is_some() { 0.28 } else { 0.38 };
    for (place, &class) in scene.labels.iter().enumerate() {
        let mask = window.mask(|voxel| of(reference, voxel) == class);
        if mask.inside.contains(&true) {
            let path = area(mask, &colour(place), filled);
            group = group.add(path.set("stroke", "#ffffff").set("stroke-width", 1.2));
        }
    }
    let wrong = window.mask(|voxel| {
        let (reference, prediction) = (of(reference, voxel), of(prediction, voxel));
        reference != prediction && Some(reference) != scene.ignore
    });
    group = group.add(area(wrong, "#d7191c", 0.45));
    for (place, &class) in scene.labels.iter().enumerate() {
        let mask = window.mask(|voxel| of(prediction, voxel) == class);
        if mask.inside.contains(&true) {
            let path = area(mask, "none", 1.0);
            group = group.add(path.set("stroke", colour(place)).set("stroke-width", 1.4));
        }
    }
    for line in ticks(scene, slice, (step_x, step_y), (width, height)) {
        group = group.add(line);
    }
    for text in letters(slice, (width, height)) {
        group = group.add(text);
    }
    let frame = Rectangle::new().set("width", width).set("height", height).set("fill", "none");
    Ok(group.add(frame.set("stroke", "#9ca3af").set("stroke-width", 0.8)))
}

/// Short lines on the frame at the planes of the other slices.
fn ticks(scene: &Scene, slice: &Slice, step: (f64, f64), size: (f64, f64)) -> Vec<Line> {
    const LENGTH: f64 = 7.0;
    let place = |axis: Axis| {
        let here = scene.centre.get(axis.axis)?;
        let found = numbers(scene, axis).iter().position(|number| number == here)?;
        Some(found as f64 + 0.5)
    };
    let line = |x1: f64, y1: f64, x2: f64, y2: f64| {
        let line = Line::new().set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2);
        line.set("stroke", "#111827").set("stroke-width", 1.2)
    };
    let (width, height) = size;
    let mut lines = Vec::new();
    if let Some(x) = place(slice.right).map(|x| x * step.0) {
        lines.extend([line(x, 0.0, x, LENGTH), line(x, height - LENGTH, x, height)]);
    }
    if let Some(y) = place(slice.down).map(|y| y * step.1) {
        lines.extend([line(0.0, y, LENGTH, y), line(width - LENGTH, y, width, y)]);
    }
    lines
}

/// The directions, each on a light rim.
fn letters(slice: &Slice, size: (f64, f64)) -> Vec<Text> {
    let (width, height) = size;
    let Some([left, right, top, bottom]) = slice.letters else { return Vec::new() };
    let text = |letter: char, x: f64, y: f64| {
        let text = label(&letter.to_string(), x, y, 12.0).set("text-anchor", "middle");
        let text = text.set("font-weight", "bold");
        let rim = text.clone().set("stroke", "#ffffff").set("stroke-width", 3.5);
        [rim.set("stroke-linejoin", "round").set("stroke-opacity", 0.85), text]
    };
    let (half_width, half_height) = (width / 2.0, height / 2.0 + 4.0);
    let texts = [
        text(left, 16.0, half_height),
        text(right, width - 16.0, half_height),
        text(top, half_width, 20.0),
        text(bottom, half_width, height - 12.0),
    ];
    texts.into_iter().flatten().collect()
}
