//! A case as a picture: slices with the contours of both maps, and a bar for every class.

mod bars;
mod contour;
mod panel;
mod png;
mod slice;

use crate::cases::Pair;
use crate::measure::{Measured, Row};
use crate::nifti_file;
use crate::options::Options;
use anyhow::{Context, Result};
use std::fs;
use std::ops::Range;
use std::path::Path;
use svg::Document;
use svg::node::element::{Group, Rectangle, Text};

const WIDTH: f64 = 1180.0;
const EDGE: f64 = 28.0;
const GAP: f64 = 20.0;
const TOP: f64 = 84.0;
const HIGHEST_SLICE: f64 = 460.0;

/// What the slices show.
pub(crate) struct Scene {
    pub(crate) pair: Pair,
    pub(crate) image: Option<Shades>,
    /// Labels that are drawn, in the order of their colours.
    pub(crate) labels: Vec<i32>,
    pub(crate) ignore: Option<i32>,
    pub(crate) centre: Vec<usize>,
    pub(crate) window: Vec<Range<usize>>,
}

/// An image from black to white.
pub(crate) struct Shades {
    numbers: Vec<f32>,
    black: f32,
    white: f32,
}

impl Shades {
    /// Of a file on the grid of the labels. Labelled voxels span nearly the whole range of greys.
    fn read(path: &Path, pair: &Pair, spacing_mm: Option<&[f64]>) -> Result<Self> {
        let (grid, numbers) = nifti_file::parse_image(&fs::read(path)?, spacing_mm)?;
        grid.must_equal(&pair.reference.grid).context("image and reference")?;
        let labels = &pair.reference.labels;
        let labelled =
            numbers.iter().zip(labels).filter(|(number, label)| number.is_finite() && **label != 0);
        let mut sorted: Vec<f32> = labelled.map(|(&number, _)| number).collect();
        if sorted.is_empty() {
            sorted = numbers.iter().copied().filter(|number| number.is_finite()).collect();
        }
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| {
            let place = share * (sorted.len().saturating_sub(1)) as f64;
            sorted.get(place as usize).copied().unwrap_or(0.0)
        };
        let (low, high) = (at(0.02), at(0.98));
        let beyond = 0.25 * (high - low);
        Ok(Self { black: low - beyond, white: high + beyond, numbers })
    }

    pub(crate) fn grey(&self, voxel: usize) -> u8 {
        let number = self.numbers.get(voxel).copied().unwrap_or(self.black);
        let share = (number - self.black) / (self.white - self.black).max(f32::MIN_POSITIVE);
        (share.clamp(0.0, 1.0) * 255.0) as u8
    }
}

/// Colours as far apart as may be, by the golden section, light and dark in turn. Red is kept for
/// errors.
pub(crate) fn colour(place: usize) -> String {
    let hue = 35.0 + (175.0 + place as f64 * 0.381_966 * 290.0) % 290.0;
    let (saturation, lightness) = [(70, 45), (65, 58), (80, 36)][place % 3];
    let hex = from_hsl(hue, f64::from(saturation) / 100.0, f64::from(lightness) / 100.0);
    format!("#{hex:06x}")
}

fn from_hsl(hue: f64, saturation: f64, lightness: f64) -> u32 {
    let chroma = saturation * lightness.min(1.0 - lightness);
    let channel = |offset: f64| {
        let turn = (offset + hue / 30.0) % 12.0;
        let value = lightness - chroma * (turn - 3.0).min(9.0 - turn).clamp(-1.0, 1.0);
        (value * 255.0).round() as u32
    };
    channel(0.0) << 16 | channel(8.0) << 8 | channel(4.0)
}

/// Text of a size, its left end at a place.
pub(crate) fn label(text: &str, x: f64, y: f64, size: f64) -> Text {
    Text::new(text).set("x", x).set("y", y).set("font-size", size).set("fill", "#1f2937")
}

/// Draws a measured case, whose files are read once more.
pub(crate) fn write(path: &Path, case: &Measured, options: &Options) -> Result<()> {
    let spacing_mm = options.spacing.as_deref();
    let pair = Pair::read(&case.case, spacing_mm)?;
    let shades = options.image.as_ref().map(|image| {
        let shades = Shades::read(image, &pair, spacing_mm);
        shades.with_context(|| image.display().to_string())
    });
    let scene = Scene {
        image: shades.transpose()?,
        labels: case.classes.iter().filter_map(|row| row.label).filter(|&l| l != 0).collect(),
        ignore: options.ignore,
        centre: slice::centre(&pair, options.ignore),
        window: slice::window(&pair),
        pair,
    };
    let coloured: Vec<_> = case.classes.iter().filter(|row| row.label != Some(0)).collect();
    let content = content(&scene, &coloured)?;
    let height = TOP + content.height + EDGE;
    let moved = |group: Group, y: f64| group.set("transform", format!("translate({EDGE} {y:.2})"));
    let document = Document::new()
        .set("viewBox", (0, 0, WIDTH, height.ceil()))
        .set("width", WIDTH)
        .set("height", height.ceil())
        .set("font-family", "Helvetica, Arial, 'DejaVu Sans', sans-serif")
        .add(Rectangle::new().set("width", "100%").set("height", "100%").set("fill", "#ffffff"))
        .add(label(&case.case.name, EDGE, 38.0, 20.0).set("font-weight", "bold"))
        .add(moved(legend(), 50.0))
        .add(moved(content.group, TOP));
    svg::save(path, &document).context("cannot be written")
}

/// A part of the picture.
struct Block {
    group: Group,
    width: f64,
    height: f64,
}

/// Slices and bars: side by side where the slices leave room, else one below the other.
fn content(scene: &Scene, rows: &[&Row]) -> Result<Block> {
    const BETWEEN: f64 = 34.0;
    let width = WIDTH - 2.0 * EDGE;
    let slices = slices(scene)?;
    let beside = slices.width < 0.55 * width && rows.len() <= 2 * bars::ROWS;
    let (x, y) =
        if beside { (slices.width + BETWEEN, 0.0) } else { (0.0, slices.height + BETWEEN) };
    let (bars, bars_height) = bars::draw(rows, width - x);
    let group = Group::new()
        .add(slices.group)
        .add(bars.set("transform", format!("translate({x:.2} {y:.2})")));
    Ok(Block { group, width, height: slices.height.max(y + bars_height) })
}

/// The slices side by side at one scale.
fn slices(scene: &Scene) -> Result<Block> {
    const TITLE: f64 = 20.0;
    const LETTER: f64 = 7.5;
    let slices = slice::slices(&scene.pair.reference.grid, &scene.centre);
    let sizes: Vec<_> = slices.iter().map(|slice| panel::size_mm(scene, slice)).collect();
    let width: f64 = sizes.iter().map(|&(width, _)| width).sum();
    let tallest = sizes.iter().map(|&(_, height)| height).fold(0.0, f64::max);
    let gaps = GAP * sizes.len().saturating_sub(1) as f64;
    let scale = ((WIDTH - 2.0 * EDGE - gaps) / width).min(HIGHEST_SLICE / tallest);
    let mut group = Group::new();
    let mut x = 0.0;
    for (slice, &(width, _)) in slices.iter().zip(&sizes) {
        let panel = panel::draw(scene, slice, scale)?;
        group = group
            .add(label(&slice.title, x, 12.0, 13.0))
            .add(panel.set("transform", format!("translate({x:.2} {TITLE})")));
        x += (width * scale).max(LETTER * slice.title.len() as f64) + GAP;
    }
    Ok(Block { group, width: x - GAP, height: TITLE + tallest * scale })
}

/// What filling, line and red mean.
fn legend() -> Group {
    let swatch = |x: f64| {
        let swatch = Rectangle::new().set("x", x).set("y", 1).set("width", 18).set("height", 11);
        swatch.set("rx", 2)
    };
    let colour = colour(0);
    Group::new()
        .add(swatch(0.0).set("fill", colour.as_str()).set("fill-opacity", 0.4))
        .add(label("reference", 25.0, 11.0, 12.5))
        .add(swatch(106.0).set("fill", "none").set("stroke", colour).set("stroke-width", 1.6))
        .add(label("prediction", 131.0, 11.0, 12.5))
        .add(swatch(216.0).set("fill", "#d7191c").set("fill-opacity", 0.45))
        .add(label("where they differ", 241.0, 11.0, 12.5))
}
