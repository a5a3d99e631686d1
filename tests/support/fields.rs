//! Runs the library's distance transform.

use super::executors::Shuffled;
use crate::reference::distance::{Grid, Phases, Side};
use half::f16;
use segloss::{DistanceTransform, Error, Executor, FieldType, Level, Mask, Sequential, Spacing};

/// Which field, and how it is computed.
#[derive(Clone, Copy, Debug)]
pub struct FieldSettings {
    pub side: Side,
    pub squared: bool,
    pub level: Level,
}

impl FieldSettings {
    pub fn new(side: Side) -> Self {
        Self { side, squared: false, level: Level::Best }
    }
}

pub fn side(side: Side) -> segloss::Side {
    match side {
        Side::Inside => segloss::Side::Inside,
        Side::Outside => segloss::Side::Outside,
        Side::Signed => segloss::Side::Signed,
        Side::TwoPhase => segloss::Side::TwoPhase,
    }
}

pub fn transform_of(grid: &Grid, settings: &FieldSettings) -> Result<DistanceTransform, Error> {
    let spacing = Spacing::millimetres(&grid.spacing)?;
    let transform = DistanceTransform::new(&grid.extent, spacing)?
        .with_side(side(settings.side))
        .with_level(settings.level);
    Ok(if settings.squared { transform.squared() } else { transform })
}

/// A field in single precision. Neither the field nor the scratch is clean before.
pub fn field_with(
    grid: &Grid,
    mask: Mask<'_>,
    settings: &FieldSettings,
    executor: &dyn Executor,
) -> Result<Vec<f32>, Error> {
    let transform = transform_of(grid, settings)?;
    let mut scratch = vec![0xab; transform.scratch_bytes(FieldType::F32, executor.workers())?];
    let mut field = vec![f32::NAN; grid.voxels()];
    transform.evaluate(mask, &mut field[..], &mut scratch, executor)?;
    Ok(field)
}

/// The same in half precision.
pub fn half_field_with(
    grid: &Grid,
    mask: Mask<'_>,
    settings: &FieldSettings,
    executor: &dyn Executor,
) -> Result<Vec<f16>, Error> {
    let transform = transform_of(grid, settings)?;
    let mut scratch = vec![0xab; transform.scratch_bytes(FieldType::F16, executor.workers())?];
    let mut field = vec![f16::NAN; grid.voxels()];
    transform.evaluate(mask, &mut field[..], &mut scratch, executor)?;
    Ok(field)
}

/// On the calling thread, from a mask of flags.
pub fn field(grid: &Grid, mask: &[bool], settings: &FieldSettings) -> Vec<f32> {
    let bytes: Vec<u8> = mask.iter().map(|&m| u8::from(m)).collect();
    field_with(grid, Mask::Bytes(&bytes), settings, &Sequential).unwrap()
}

/// Allowed relative error where f32 does not hold the squares.
pub const RELATIVE: f64 = 3e-7;

/// Where f32 holds the squares every number is the exact one rounded; else it is close to it.
/// Gives the largest relative error.
pub fn check_field(grid: &Grid, found: &[f32], expected: &[f64]) -> Result<f64, String> {
    assert_eq!(found.len(), expected.len());
    let mut worst = 0.0f64;
    for (voxel, (&f, &e)) in found.iter().zip(expected).enumerate() {
        // Equal infinities and zeros have no error.
        let error = if f64::from(f) == e { 0.0 } else { (f64::from(f) - e).abs() / e.abs() };
        let right = if grid.is_exact() { f == e as f32 } else { error < RELATIVE };
        if !right {
            let place = grid.place(voxel);
            return Err(format!("{f:e} for {e:e} at {place:?} of {grid:?}, {error:e}"));
        }
        worst = worst.max(error);
    }
    Ok(worst)
}

/// Fields of three sides against the reference.
pub fn check_large(grid: &Grid, mask: &[bool]) {
    let sides = [(Side::Signed, true), (Side::TwoPhase, false), (Side::Inside, false)];
    check_sides(grid, mask, &sides, &[]);
}

/// Fields of some sides against the reference, at some levels beside.
pub fn check_sides(grid: &Grid, mask: &[bool], sides: &[(Side, bool)], levels: &[Level]) {
    let phases = Phases::separable(grid, mask);
    let bytes: Vec<u8> = mask.iter().map(|&m| u8::from(m)).collect();
    for &(side, squared) in sides {
        let expected = if squared { phases.squared(side) } else { phases.field(side) };
        let settings = FieldSettings { side, squared, level: Level::Best };
        let executor = Shuffled { threads: 4, seed: 9 };
        let found = field_with(grid, Mask::Bytes(&bytes), &settings, &executor).unwrap();
        if let Err(error) = check_field(grid, &found, &expected) {
            panic!("{settings:?}: {error}");
        }
        let level = if squared { Level::Plain } else { Level::Avx2 };
        for &level in levels.iter().chain([&level]) {
            let alone = FieldSettings { level, ..settings };
            let alone = field_with(grid, Mask::Bytes(&bytes), &alone, &Sequential).unwrap();
            assert!(alone == found, "{alone:?} of {grid:?}: other bits");
        }
    }
}
