//! Distance transforms where columns are cut, or rows and planes have one phase: against the reference.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod support;

use reference::distance::{Grid, SIDES, Side};
use segloss::Level;
use support::fields::{check_large, check_sides};
use support::random::Random;

/// Planes without anything, half of them, and more than 16 bits have room for the squares of.
#[test]
fn many_empty_planes() {
    let (grid, mut random) = (Grid::unit(&[260, 3, 20]), Random::new(16));
    let mask: Vec<bool> =
        (0..grid.voxels()).map(|voxel| grid.place(voxel)[0] >= 130 && random.chance(0.5)).collect();
    check_large(&grid, &mask);
}

/// Slabs along no axis: phases far away on one side, on both sides of many rows without them.
#[test]
fn oblique_slabs() {
    let levels = [Level::Simd128, Level::Avx2, Level::Plain];
    for (extent, slopes) in [([100, 40, 40], [8, 4, 1]), ([40, 100, 40], [4, 8, 1])] {
        for spacing in [[1.0; 3], [3.0, 0.8, 0.8], [0.7, 1.0, 1.1]] {
            let grid = Grid::new(&extent, &spacing);
            let slab: Vec<bool> = (0..grid.voxels())
                .map(|voxel| {
                    let place = grid.place(voxel);
                    let height: usize = place.iter().zip(slopes).map(|(i, slope)| i * slope).sum();
                    height.abs_diff(500) < 100
                })
                .collect();
            check_sides(&grid, &slab, &[(Side::Signed, true)], &levels);
        }
    }
}

/// Rows and planes of one phase, each beside those of the other.
#[test]
fn rows_of_one_phase() {
    let sides = SIDES.map(|side| (side, true));
    for thickness in [1, 2, 5] {
        for axis in 0..3 {
            let grid = Grid::new(&[11, 12, 33], &[1.0, 1.5, 1.0]);
            let stripes: Vec<bool> = (0..grid.voxels())
                .map(|voxel| grid.place(voxel)[axis] / thickness % 2 == 1)
                .collect();
            check_sides(&grid, &stripes, &sides, &[Level::Plain]);
        }
    }
}
