//! What holds of every distance transform, and what is refused.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use half::f16;
use reference::distance::{Grid, SIDES, Side};
use segloss::{
    Argument, Cause, DistanceTransform, Error, Executor, FieldType, Labels, Level, Mask,
    Sequential, Spacing,
};
use support::executors::{Careless, Shuffled};
use support::fields::{FieldSettings, RELATIVE, field, field_with, transform_of};
use support::masks::{Pattern, blobs, mask};
use support::random::Random;

fn grid() -> Grid {
    Grid::new(&[6, 9, 13], &[3.0, 0.7, 1.1])
}

#[track_caller]
fn assert_close(grid: &Grid, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (voxel, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let near = f == e || f64::from((f - e).abs()) < 2.0 * RELATIVE * f64::from(e.abs());
        let right = if grid.is_exact() { f == e } else { near };
        assert!(right, "{f:e} for {e:e} at {:?}", grid.place(voxel));
    }
}

/// The voxels of `grid`, in the order of a volume whose axes are exchanged and turned round.
fn moved(grid: &Grid, order: &[usize], flip: &[bool]) -> (Grid, Vec<usize>) {
    let pick =
        |values: &[usize]| -> Vec<usize> { order.iter().map(|&axis| values[axis]).collect() };
    let to = Grid {
        extent: pick(&grid.extent),
        spacing: order.iter().map(|&axis| grid.spacing[axis]).collect(),
    };
    let from = (0..grid.voxels())
        .map(|voxel| {
            let mut place = vec![0; order.len()];
            for ((&axis, index), &flip) in order.iter().zip(to.place(voxel)).zip(flip) {
                place[axis] = if flip { grid.extent[axis] - 1 - index } else { index };
            }
            grid.voxel(&place)
        })
        .collect();
    (to, from)
}

#[test]
fn flips_and_permutations_move_the_field_with_the_mask() {
    let mut random = Random::new(4);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for grid in [grid(), Grid::unit(&[6, 9, 13])] {
        for pattern in [Pattern::Noise, Pattern::Blobs, Pattern::SingleVoxel] {
            let mask = mask(pattern, &grid, &mut random);
            for side in SIDES {
                let settings = FieldSettings::new(side);
                let plain = field(&grid, &mask, &settings);
                for (turn, order) in orders.iter().enumerate() {
                    let flip = [turn & 1 == 1, turn & 2 == 2, turn & 4 == 4 || turn == 0];
                    let (to, from) = moved(&grid, order, &flip);
                    let moved_mask: Vec<bool> = from.iter().map(|&voxel| mask[voxel]).collect();
                    let expected: Vec<f32> = from.iter().map(|&voxel| plain[voxel]).collect();
                    assert_close(&to, &field(&to, &moved_mask, &settings), &expected);
                }
            }
        }
    }
}

#[test]
fn doubling_the_spacing_doubles_the_distances() {
    let mut random = Random::new(5);
    for grid in [grid(), Grid::new(&[6, 9, 13], &[0.9, 0.9, 0.9]), Grid::unit(&[6, 9, 13])] {
        let mask = blobs(&grid, 4, &mut random);
        let doubled =
            Grid { spacing: grid.spacing.iter().map(|s| 2.0 * s).collect(), ..grid.clone() };
        for side in SIDES {
            for (squared, factor) in [(false, 2.0), (true, 4.0)] {
                let settings = FieldSettings { side, squared, level: Level::Best };
                let once = field(&grid, &mask, &settings);
                let twice: Vec<f32> = once.iter().map(|d| factor * d).collect();
                assert_close(&doubled, &field(&doubled, &mask, &settings), &twice);
            }
        }
    }
}

#[test]
fn sides_are_parts_of_each_other() {
    let grid = grid();
    let mask = blobs(&grid, 4, &mut Random::new(6));
    let complement: Vec<bool> = mask.iter().map(|m| !m).collect();
    let [inside, outside, signed, both] =
        SIDES.map(|side| field(&grid, &mask, &FieldSettings::new(side)));
    for voxel in 0..grid.voxels() {
        assert_eq!(inside[voxel] > 0.0, mask[voxel]);
        assert_eq!(outside[voxel] > 0.0, !mask[voxel]);
        assert_eq!(signed[voxel], outside[voxel] - inside[voxel]);
        assert_eq!(both[voxel], outside[voxel] + inside[voxel]);
    }
    assert_eq!(field(&grid, &complement, &FieldSettings::new(Side::Inside)), outside);
    let negative: Vec<f32> = signed.iter().map(|d| -d).collect();
    assert_eq!(field(&grid, &complement, &FieldSettings::new(Side::Signed)), negative);
    let squared = FieldSettings { side: Side::Signed, squared: true, level: Level::Best };
    let squares: Vec<f32> = signed.iter().map(|d| d.signum() * d * d).collect();
    assert_close(&grid, &field(&grid, &mask, &squared), &squares);
}

#[test]
fn one_phase_is_infinitely_far_from_the_other() {
    let grid = grid();
    for (full, expected) in [
        (true, [f32::INFINITY, 0.0, f32::NEG_INFINITY, 0.0]),
        (false, [0.0, f32::INFINITY, f32::INFINITY, 0.0]),
    ] {
        for (side, expected) in SIDES.into_iter().zip(expected) {
            for squared in [false, true] {
                let settings = FieldSettings { side, squared, level: Level::Best };
                let found = field(&grid, &vec![full; grid.voxels()], &settings);
                assert!(found.iter().all(|&d| d == expected), "{full} {side:?}");
            }
        }
    }
}

#[test]
fn labels_that_their_type_cannot_hold_are_nowhere() {
    let grid = Grid::unit(&[3, 5]);
    let settings = FieldSettings::new(Side::Signed);
    let nowhere = vec![f32::INFINITY; 15];
    let found = |labels: Labels<'_>, label: i64| {
        field_with(&grid, Mask::Label(labels, label), &settings, &Sequential).unwrap()
    };
    for label in [-1, 256, 257, 256 + 7, -249, 1 << 32, i64::MIN, i64::MAX] {
        assert_eq!(found(Labels::U8(&[7; 15]), label), nowhere, "{label}");
        assert_eq!(found(Labels::U8(&[0; 15]), label), nowhere, "{label}");
    }
    for label in [-1, 65_536, 1 << 32, (1 << 32) + 7, -65_529] {
        assert_eq!(found(Labels::U16(&[7; 15]), label), nowhere, "{label}");
        assert_eq!(found(Labels::U16(&[65_535; 15]), label), nowhere, "{label}");
    }
    for label in [65_535, 32_768, (1 << 32) + 7, -32_769] {
        assert_eq!(found(Labels::I16(&[-1; 15]), label), nowhere, "{label}");
        assert_eq!(found(Labels::I16(&[7; 15]), label), nowhere, "{label}");
    }
    for label in [(1 << 32) - 1, (1 << 32) + 7, 1 << 31] {
        assert_eq!(found(Labels::I32(&[-1; 15]), label), nowhere, "{label}");
        assert_eq!(found(Labels::I32(&[7; 15]), label), nowhere, "{label}");
    }
}

#[test]
fn bits_past_the_end_are_not_read() {
    for voxels in [1, 7, 8, 9, 15, 63, 65, 129] {
        let grid = Grid::unit(&[voxels]);
        let settings = FieldSettings::new(Side::Signed);
        let mut bytes = vec![0u8; voxels.div_ceil(8)];
        bytes[0] = 1;
        let clean = field_with(&grid, Mask::Bits(&bytes), &settings, &Sequential).unwrap();
        if voxels % 8 != 0 {
            *bytes.last_mut().unwrap() |= 0xff << (voxels % 8);
        }
        let dirty = field_with(&grid, Mask::Bits(&bytes), &settings, &Sequential).unwrap();
        assert_eq!(clean, dirty, "{voxels}");
    }
}

#[test]
fn careless_executors_do_no_harm() {
    let grid = Grid::new(&[30, 40, 50], &[1.0, 2.0, 0.5]);
    let mask = blobs(&grid, 9, &mut Random::new(7));
    let bytes: Vec<u8> = mask.iter().map(|&m| u8::from(m)).collect();
    let settings = FieldSettings::new(Side::Signed);
    let expected = field(&grid, &mask, &settings);
    let twice = Careless { skip: None, twice: true };
    let (first, third) =
        (Careless { skip: Some(0), twice: false }, Careless { skip: Some(2), twice: false });
    let threads = Shuffled { threads: 7, seed: 3 };
    let executors: [&dyn Executor; 4] = [&twice, &first, &third, &threads];
    for executor in executors {
        let found = field_with(&grid, Mask::Bytes(&bytes), &settings, executor).unwrap();
        assert!(found == expected);
    }
}

/// Evaluates into fields of a length of their own, that must be left alone.
fn refused(
    grid: &Grid,
    mask: Mask<'_>,
    length: usize,
    scratch: &mut dyn FnMut(usize) -> usize,
) -> Error {
    let transform = transform_of(grid, &FieldSettings::new(Side::Signed)).unwrap();
    let bytes = transform.scratch_bytes(FieldType::F32, 1).unwrap();
    let mut buffer = vec![0xab; scratch(bytes)];
    let mut field = vec![123.0f32; length];
    let error = transform.evaluate(mask, &mut field[..], &mut buffer, &Sequential).unwrap_err();
    assert!(field.iter().all(|&d| d == 123.0), "{error}: the field was written");
    let bytes = transform.scratch_bytes(FieldType::F16, 1).unwrap();
    let mut buffer = vec![0xab; scratch(bytes)];
    let mut field = vec![f16::ONE; length];
    let half = transform.evaluate(mask, &mut field[..], &mut buffer, &Sequential).unwrap_err();
    assert!(field.iter().all(|&d| d == f16::ONE), "{half}: the field was written");
    assert_eq!((error.cause, error.argument), (half.cause, half.argument));
    assert!(!error.to_string().is_empty());
    error
}

#[test]
fn scratch_of_one_byte_less_is_refused() {
    let bytes = [1u8; 6 * 9 * 13];
    for less in [1, 64, 1000] {
        let mut needed = 0;
        let mut cut = |bytes: usize| {
            needed = bytes;
            bytes - less.min(bytes)
        };
        let error = refused(&grid(), Mask::Bytes(&bytes), bytes.len(), &mut cut);
        assert_eq!((error.cause, error.argument), (Cause::ScratchSize, Argument::Scratch));
    }
    let error = refused(&grid(), Mask::Bytes(&bytes), bytes.len(), &mut |_| 0);
    assert_eq!((error.cause, error.argument), (Cause::ScratchSize, Argument::Scratch));
}

#[test]
fn scratch_may_begin_anywhere_and_grows_with_the_workers() {
    let grid = grid();
    let transform = transform_of(&grid, &FieldSettings::new(Side::Signed)).unwrap();
    let mask: Vec<u8> = (0..grid.voxels()).map(|voxel| u8::from(voxel % 11 == 0)).collect();
    for kind in [FieldType::F32, FieldType::F16] {
        let needed = |workers| transform.scratch_bytes(kind, workers).unwrap();
        assert!(needed(1) <= needed(2) && needed(2) <= needed(16));
    }
    let bytes = transform.scratch_bytes(FieldType::F32, 1).unwrap();
    let mut scratch = vec![0xcd; bytes + 64];
    let mut expected = None;
    for offset in 0..64 {
        let mut found = vec![0.0f32; grid.voxels()];
        let piece = &mut scratch[offset..offset + bytes];
        transform.evaluate(Mask::Bytes(&mask), &mut found[..], piece, &Sequential).unwrap();
        assert_eq!(*expected.get_or_insert_with(|| found.clone()), found, "{offset}");
    }
}

#[test]
fn wrong_lengths() {
    let grid = grid();
    let voxels = grid.voxels();
    let enough = &mut |bytes: usize| bytes;
    for length in [0, 1, voxels - 1, voxels + 1] {
        let (bytes, labels) = (vec![1u8; length], vec![1i32; length]);
        for mask in [Mask::Bytes(&bytes), Mask::Label(Labels::I32(&labels), 1)] {
            let error = refused(&grid, mask, voxels, enough);
            assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Mask));
            assert_eq!((error.value, error.expected), (length as f64, voxels as f64));
        }
        let bytes = vec![1u8; voxels];
        let error = refused(&grid, Mask::Bytes(&bytes), length, enough);
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Field));
        assert_eq!((error.value, error.expected), (length as f64, voxels as f64));
    }
    for length in [0, voxels.div_ceil(8) - 1, voxels.div_ceil(8) + 1, voxels] {
        let error = refused(&grid, Mask::Bits(&vec![1; length]), voxels, enough);
        assert_eq!((error.cause, error.argument), (Cause::Length, Argument::Mask));
        assert_eq!((error.value, error.expected), (length as f64, voxels.div_ceil(8) as f64));
    }
}

#[test]
fn spacings_and_extents() {
    let spacing = |along: &[f64]| Spacing::millimetres(along).unwrap_err();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9.9e-7, 1.1e6] {
        for axis in 0..3 {
            let mut along = [1.0; 3];
            along[axis] = bad;
            let error = spacing(&along);
            assert_eq!((error.cause, error.argument), (Cause::Spacing, Argument::Spacing));
            assert_eq!((error.position, error.value.to_bits()), (axis as u64, bad.to_bits()));
        }
    }
    assert_eq!(spacing(&[]).cause, Cause::Spacing);
    assert_eq!(spacing(&[1.0; 4]).cause, Cause::Spacing);
    assert_eq!(Spacing::voxels(0).unwrap_err().cause, Cause::Spacing);
    assert_eq!(Spacing::voxels(4).unwrap_err().cause, Cause::Spacing);
    let new = |extent: &[usize], axes| {
        DistanceTransform::new(extent, Spacing::voxels(axes).unwrap()).unwrap_err()
    };
    for (extent, axes) in [(&[4, 5][..], 1), (&[4, 5], 3), (&[4], 2), (&[4, 5, 6], 2)] {
        let error = new(extent, axes);
        assert_eq!((error.cause, error.argument), (Cause::Spacing, Argument::Spacing));
    }
    for (extent, axes) in [(&[0][..], 1), (&[4, 0], 2), (&[4, 0, 5], 3)] {
        assert_eq!(new(extent, axes).cause, Cause::Shape, "{extent:?}");
    }
    assert!(matches!(new(&[], 1).cause, Cause::Shape | Cause::Spacing));
    assert!(matches!(new(&[2, 2, 2, 2], 3).cause, Cause::Shape | Cause::Spacing));
    for extent in [[usize::MAX, 2, 1], [1 << 31, 1 << 31, 4]] {
        assert_eq!(new(&extent, 3).cause, Cause::ShapeOverflow);
    }
    // A volume that exists in theory only: its scratch is a number or an overflow, not a panic.
    let spacing = Spacing::voxels(3).unwrap();
    if let Ok(transform) = DistanceTransform::new(&[1 << 20, 1 << 20, 1 << 20], spacing) {
        for workers in [0, 1, 1024, usize::MAX] {
            let _ = transform.scratch_bytes(FieldType::F16, workers);
        }
    }
}
