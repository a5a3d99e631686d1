//! Distance transforms against the slow reference, against SciPy's stored ones, on larger volumes.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use half::f16;
use proptest::prelude::*;
use reference::distance::{Grid, Phases, SIDES, Side, to_nearest, to_nearest_separable};
use reference::json;
use segloss::{Level, Mask, Sequential};
use support::executors::Shuffled;
use support::fields::{
    FieldSettings, RELATIVE, check_field, check_large, check_sides, field, field_with,
    half_field_with, transform_of,
};
use support::masks::{FORMS, Form, MaskBuffer, PATTERNS, Pattern, blobs, mask};
use support::random::Random;

const LEVELS: [Level; 5] = [Level::Plain, Level::Simd128, Level::Avx2, Level::Avx512, Level::Best];

/// Extents around the widths of registers, and any other; at most 4000 voxels, so that the slow
/// reference stays bearable.
fn extents() -> impl Strategy<Value = Vec<usize>> {
    let size = || {
        let borders = prop::sample::select(vec![1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33]);
        prop_oneof![borders, 1usize..41]
    };
    let axes = prop_oneof![
        prop::collection::vec(size(), 1),
        prop::collection::vec(size(), 2),
        prop::collection::vec(size(), 3),
        prop::collection::vec(size(), 3)
    ];
    (axes, any::<prop::sample::Index>()).prop_map(|(mut extent, first)| {
        // The axis that is cut short is any of them.
        let first = first.index(extent.len());
        let others: usize =
            extent.iter().enumerate().filter(|&(a, _)| a != first).map(|e| e.1).product();
        extent[first] = extent[first].min((4000 / others).max(1));
        extent
    })
}

fn grids() -> impl Strategy<Value = Grid> {
    let spacings = prop_oneof![
        Just([1.0, 1.0, 1.0]),
        Just([0.5, 0.5, 0.5]),
        Just([3.0, 0.7, 1.1]),
        Just([1.0, 2.0, 1.0]),
        Just([1e-6, 1.0, 1e6]),
        prop::array::uniform3(0.05f64..20.0)
    ];
    (extents(), spacings).prop_map(|(extent, spacing)| Grid::new(&extent, &spacing[..extent.len()]))
}

#[derive(Clone, Debug)]
struct Recipe {
    grid: Grid,
    pattern: Pattern,
    seed: u64,
    form: Form,
    level: Level,
    threads: usize,
}

fn recipes() -> impl Strategy<Value = Recipe> {
    let patterns = prop::sample::select(PATTERNS.to_vec());
    let forms = prop::sample::select(FORMS.to_vec());
    let levels = prop::sample::select(LEVELS.to_vec());
    (grids(), patterns, any::<u64>(), forms, levels, 1usize..8).prop_map(
        |(grid, pattern, seed, form, level, threads)| Recipe {
            grid,
            pattern,
            seed,
            form,
            level,
            threads,
        },
    )
}

/// All fields of a mask are the reference's; in every other form, at every level, on any threads
/// they are the same bits, and in half precision they are those rounded.
fn compare(recipe: &Recipe) -> Result<(), String> {
    let grid = &recipe.grid;
    let mut random = Random::new(recipe.seed);
    let mask = mask(recipe.pattern, grid, &mut random);
    let phases = Phases::new(grid, &mask);
    let buffer = MaskBuffer::new(recipe.form, &mask, &mut random);
    for side in SIDES {
        for squared in [false, true] {
            let plain = FieldSettings { side, squared, level: Level::Plain };
            let expected = if squared { phases.squared(side) } else { phases.field(side) };
            let found = field(grid, &mask, &plain);
            check_field(grid, &found, &expected).map_err(|e| format!("{plain:?}: {e}"))?;
            let settings = FieldSettings { level: recipe.level, ..plain };
            let executor = Shuffled { threads: recipe.threads, seed: recipe.seed };
            let other = field_with(grid, buffer.view(), &settings, &executor);
            if other.as_ref() != Ok(&found) {
                return Err(format!("{settings:?}: other bits, {:?}", other.err()));
            }
            let rounded: Vec<f16> = found.iter().map(|&f| f16::from_f32(f)).collect();
            let half = half_field_with(grid, buffer.view(), &settings, &executor);
            if half.as_ref() != Ok(&rounded) {
                return Err(format!("{settings:?}: f16, {:?}", half.err()));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn fields_are_those_of_the_reference(recipe in recipes()) {
        compare(&recipe).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn whole_squared_distances_are_those_of_the_reference(
        planes in 1usize..132,
        plane_step in prop::sample::select(vec![1.0, 1.0, 3.0]),
        step in prop::sample::select(vec![1.0, 1.0, 0.8]),
        rows in 1usize..132,
        voxels in prop_oneof![17usize..70, 100usize..184],
        pattern in prop::sample::select(PATTERNS.to_vec()),
        seed in any::<u64>(),
        side in prop::sample::select(SIDES.to_vec()),
        level in prop::sample::select(LEVELS.to_vec()),
    ) {
        let rows = rows.min(10_000 / (planes * voxels)).max(1);
        let grid = Grid::new(&[planes, rows, voxels], &[plane_step, step, step]);
        let mask = mask(pattern, &grid, &mut Random::new(seed));
        check_sides(&grid, &mask, &[(side, seed % 2 == 0)], &[level]);
    }

    #[test]
    fn the_separable_reference_is_the_slow_one(
        grid in grids(),
        pattern in prop::sample::select(PATTERNS.to_vec()),
        seed in any::<u64>(),
    ) {
        let set = mask(pattern, &grid, &mut Random::new(seed));
        let (fast, slow) = (to_nearest_separable(&grid, &set), to_nearest(&grid, &set));
        for (fast, slow) in fast.iter().zip(slow) {
            prop_assert!(*fast == slow || (fast - slow).abs() <= 1e-14 * slow, "{} {}", fast, slow);
        }
    }
}

/// Every pattern in every form once, whatever the random cases were.
#[test]
fn every_pattern_in_every_form() {
    for (turn, pattern) in PATTERNS.into_iter().enumerate() {
        for (seed, form) in FORMS.into_iter().enumerate() {
            for (extent, spacing) in
                [(&[17][..], &[1.0][..]), (&[5, 16], &[1.0, 1.0]), (&[4, 7, 15], &[3.0, 0.7, 1.1])]
            {
                let recipe = Recipe {
                    grid: Grid::new(extent, spacing),
                    pattern,
                    seed: seed as u64,
                    form,
                    level: LEVELS[(turn + seed) % LEVELS.len()],
                    threads: 3,
                };
                compare(&recipe).unwrap_or_else(|error| panic!("{recipe:?}: {error}"));
            }
        }
    }
}

/// Sizes around those of registers and of blocks of lines, along every axis.
#[test]
fn sizes_around_borders() {
    let sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65];
    for (turn, &size) in sizes.iter().enumerate() {
        for extent in [vec![size], vec![size, 3], vec![3, size], vec![size, 2, 3], vec![2, 3, size]]
        {
            for spacing in [[1.0, 1.0, 1.0], [0.8, 1.7, 0.45]] {
                let recipe = Recipe {
                    grid: Grid::new(&extent, &spacing[..extent.len()]),
                    pattern: if turn % 2 == 0 { Pattern::Noise } else { Pattern::SingleVoxel },
                    seed: size as u64,
                    form: Form::Bits,
                    level: Level::Best,
                    threads: 2,
                };
                compare(&recipe).unwrap_or_else(|error| panic!("{recipe:?}: {error}"));
            }
        }
    }
}

/// Lines around those whose ends see each other, with something at one end alone: of one line, of all.
#[test]
fn short_lines_with_a_voxel_at_an_end() {
    for size in 1..=10 {
        for (axis, extent) in [(0, vec![size]), (1, vec![3, size]), (2, vec![2, 3, size])]
            .into_iter()
            .chain([(0, vec![size, 3]), (0, vec![size, 2, 3]), (1, vec![2, size, 3])])
        {
            for spacing in [[1.0, 1.0, 1.0], [0.8, 1.7, 0.45]] {
                let grid = Grid::new(&extent, &spacing[..extent.len()]);
                let last = grid.voxels() - 1;
                for end in [0, last] {
                    let along = |voxel| grid.place(voxel)[axis];
                    let single: Vec<bool> = (0..=last).map(|voxel| voxel == end).collect();
                    let wall: Vec<bool> = (0..=last).map(|v| along(v) == along(end)).collect();
                    for mask in [single, wall] {
                        let sides = SIDES.map(|side| (side, side == Side::Signed));
                        check_sides(&grid, &mask, &sides, &[Level::Simd128]);
                    }
                }
            }
        }
    }
}

/// SciPy's transforms of a mask and of its complement.
#[test]
fn stored_transforms() {
    let Some(cases) = json::cases() else {
        return;
    };
    let mut worst = 0.0f64;
    let mut count = 0;
    for (name, case) in cases.iter().filter(|(_, case)| case["kind"] == "distance") {
        let spacing = json::numbers(&case["spacing"]);
        let grid = Grid::new(&json::shape(&case["mask"]), &spacing);
        let mask = json::mask(&case["mask"]);
        for (side, key) in [(Side::Inside, "inside"), (Side::Outside, "outside")] {
            let expected = json::values(&case[key]);
            let found = field(&grid, &mask, &FieldSettings::new(side));
            let error = check_field(&grid, &found, &expected);
            worst = worst.max(error.unwrap_or_else(|e| panic!("{name} {key}: {e}")));
        }
        count += 1;
    }
    assert!(count >= 6, "{count} stored transforms");
    println!("{count} transforms, worst relative error {worst:e} of {RELATIVE:e}");
}

/// Extents whose squared distances have just room in 16 bits, or just none: of a column, of a plane,
/// of all.
const SHORT_EXTENTS: [&[usize]; 19] = [
    &[17],
    &[182],
    &[183],
    &[128, 17],
    &[129, 17],
    &[2, 182],
    &[3, 183],
    &[128, 182],
    &[128, 2, 17],
    &[129, 2, 17],
    &[2, 128, 17],
    &[2, 129, 17],
    &[2, 128, 129],
    &[2, 128, 130],
    &[128, 128, 129],
    &[2, 65, 169],
    &[2, 65, 170],
    &[4, 33, 150],
    &[40, 16, 65],
];

/// Where squared distances are whole numbers of something, and where they are as far as a volume goes.
#[test]
fn whole_squared_distances() {
    let mut random = Random::new(15);
    let sides = [Side::Signed, Side::TwoPhase, Side::Inside, Side::Outside];
    for extent in SHORT_EXTENTS {
        let grid = Grid::unit(extent);
        let last = grid.voxels() - 1;
        let large = last > 100_000;
        // From one corner to the other; and a plane beside an end, far from the other.
        let corner: Vec<bool> = (0..=last).map(|voxel| voxel == last).collect();
        let row = extent[extent.len() - 1];
        let wall: Vec<bool> = (0..=last).map(|voxel| voxel % row > 0).collect();
        let patterns = [Pattern::Noise, Pattern::Sparse, Pattern::SingleHole, Pattern::Blobs];
        let others = patterns.map(|pattern| mask(pattern, &grid, &mut random));
        for mask in [corner, wall].iter().chain(&others) {
            let sides = sides.map(|side| (side, side != Side::Inside));
            let levels = [Level::Simd128, Level::Avx2, Level::Plain];
            if large {
                check_sides(&grid, mask, &sides[..1], &[]);
                break;
            }
            check_sides(&grid, mask, &sides, &levels);
            // Whole multiples of a step in a plane, and in a row alone.
            for spacing in [[3.0, 0.8, 0.8], [0.3, 0.3, 0.3], [2.0, 1.0, 1.0]] {
                let grid = Grid::new(extent, &spacing[3 - extent.len()..]);
                check_sides(&grid, mask, &sides[..2], &levels[..1]);
            }
        }
    }
}

#[test]
fn larger_volumes() {
    let mut random = Random::new(11);
    for spacing in [[1.0, 1.0, 1.0], [3.0, 0.7, 1.1]] {
        let grid = Grid::new(&[100, 90, 70], &spacing);
        check_large(&grid, &blobs(&grid, 12, &mut random));
        let grid = Grid::new(&[300, 5, 3], &spacing);
        check_large(&grid, &mask(Pattern::Sparse, &grid, &mut random));
        let grid = Grid::new(&[3, 257, 400], &spacing);
        check_large(&grid, &mask(Pattern::SingleVoxel, &grid, &mut random));
    }
}

#[test]
fn long_axes() {
    let mut random = Random::new(12);
    for extent in
        [&[70_000][..], &[1, 70_000], &[70_000, 1], &[1, 70_000, 1], &[3, 70_000], &[4100, 3]]
    {
        for spacing in [1.0, 0.31] {
            let grid = Grid::new(extent, &vec![spacing; extent.len()]);
            for pattern in [Pattern::Noise, Pattern::Sparse, Pattern::SingleHole] {
                check_large(&grid, &mask(pattern, &grid, &mut random));
            }
            // Squares beyond 2^24, where f32 has gaps.
            let corner: Vec<bool> = (0..grid.voxels()).map(|voxel| voxel == 0).collect();
            check_large(&grid, &corner);
        }
    }
}

/// Lengths around those where rows are counted in wider numbers, and columns in fewer at a time.
#[test]
fn lengths_around_those_where_kernels_change() {
    let mut random = Random::new(14);
    for extent in [
        &[255][..],
        &[256],
        &[257],
        &[2, 255],
        &[3, 256],
        &[3, 257],
        &[2, 65_535],
        &[2, 65_536],
        &[2, 65_537],
        &[2047, 20],
        &[2048, 33],
        &[2049, 65],
        &[2, 2049, 17],
        &[520, 2, 70],
    ] {
        let grid = Grid::unit(extent);
        let last = grid.voxels() - 1;
        for single in [0, last, random.below(last)] {
            // Rows and columns without anything of the phase, and with it at an end.
            let mask: Vec<bool> = (0..=last).map(|voxel| voxel == single).collect();
            check_large(&grid, &mask);
        }
        check_large(&grid, &mask(Pattern::Noise, &grid, &mut random));
        check_large(&grid, &mask(Pattern::Sparse, &grid, &mut random));
    }
}

/// The squares of the largest spacing and a long row are far from the end of f32; the smallest
/// squares are normal numbers.
#[test]
fn extreme_spacings() {
    let mut random = Random::new(13);
    for spacing in [1e-6, 1e6] {
        for extent in [&[20_000][..], &[40, 30, 20]] {
            let grid = Grid::new(extent, &vec![spacing; extent.len()]);
            check_large(&grid, &mask(Pattern::Sparse, &grid, &mut random));
        }
    }
}

/// Half precision ends at 65504.
#[test]
fn halves_beyond_their_range_are_infinite() {
    let grid = Grid::new(&[700], &[1000.0]);
    let mut bytes = vec![0u8; 700];
    bytes[0] = 1;
    let settings = FieldSettings::new(Side::Outside);
    let found = half_field_with(&grid, Mask::Bytes(&bytes), &settings, &Sequential).unwrap();
    assert_eq!(found[65], f16::from_f32(65_000.0));
    assert!(found[66..].iter().all(|&f| f == f16::INFINITY));
}

/// Asked again, with whatever is left in scratch and field, the answer is the same.
#[test]
fn buffers_can_be_used_again() {
    let grid = Grid::new(&[9, 10, 11], &[1.0, 2.0, 3.0]);
    let settings = FieldSettings::new(Side::Signed);
    let transform = transform_of(&grid, &settings).unwrap();
    let mut scratch = vec![0; transform.scratch_bytes(segloss::FieldType::F32, 1).unwrap()];
    let mut found = vec![0.0f32; grid.voxels()];
    for (seed, pattern) in PATTERNS.into_iter().enumerate() {
        let mask = mask(pattern, &grid, &mut Random::new(seed as u64));
        let bytes: Vec<u8> = mask.iter().map(|&m| u8::from(m)).collect();
        transform.evaluate(Mask::Bytes(&bytes), &mut found[..], &mut scratch, &Sequential).unwrap();
        assert_eq!(found, field(&grid, &mask, &settings), "{pattern:?}");
    }
}
