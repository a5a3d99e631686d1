//! How voxels are cut into tiles, blocks and tasks.
//!
//! A tile is what is computed at once, a block some tiles whose sums are taken together, and a task
//! one block or some.
#![forbid(unsafe_code)]

use super::output::Place;
use super::plan::Plan;
use crate::element::LANES;
use crate::rows::BLOCK;

/// Scores of a tile: two of them, one read and one written, stay in a second-level cache.
const TILE_SCORES: usize = 16 * 1024;
/// Few classes are 2 to 13 % slower with twice as many, whose voxel rows leave the first-level cache.
const MAX_TILE_VOXELS: usize = 512;
/// Voxels of a block, the unit of exact sums, at least.
const BLOCK_VOXELS: usize = 4096;
/// Scores of a task, at most, unless a block has more.
const TASK_SCORES: usize = 40 * 1024;

/// Groups of lanes in a row, and tiles of a block. They follow from the number of classes alone,
/// so that neither element type nor SIMD level nor threads can be seen in the sums.
pub(crate) fn tiling(classes: usize) -> (usize, usize) {
    let voxels = (TILE_SCORES / classes.max(1)).clamp(BLOCK * LANES, MAX_TILE_VOXELS);
    // Rows an odd number of blocks apart share the sets of a cache evenly.
    let blocks = (voxels / (LANES * BLOCK)) | 1;
    let lanes = blocks * BLOCK;
    (lanes, BLOCK_VOXELS.div_ceil(lanes * LANES))
}

/// [`Loss::block_voxels`].
pub(crate) fn block_voxels(classes: usize) -> usize {
    let (lanes, tiles) = tiling(classes);
    lanes * LANES * tiles
}

impl Plan<'_> {
    pub(crate) fn block_voxels(&self) -> usize {
        self.lanes * LANES * self.tiles_per_block
    }

    /// Voxels of every sample that are worked on.
    pub(crate) fn part_voxels(&self) -> usize {
        let rest = self.shape.voxels().saturating_sub(self.part.first_voxel);
        self.part.voxels.unwrap_or(rest).min(rest)
    }

    fn blocks_per_sample(&self) -> usize {
        self.part_voxels().div_ceil(self.block_voxels().max(1))
    }

    /// Blocks of a task: one, or some small ones, where the gradient of a task's last tile leaves while
    /// nothing else is done.
    fn blocks_per_task(&self) -> usize {
        if !self.streams {
            return 1;
        }
        let scores = self.block_voxels() * self.shape.classes();
        (TASK_SCORES / scores.max(1)).max(1)
    }

    fn tasks_per_sample(&self) -> usize {
        self.blocks_per_sample().div_ceil(self.blocks_per_task())
    }

    pub(crate) fn tasks(&self) -> usize {
        self.shape.batch() * self.tasks_per_sample()
    }

    /// Where the blocks of a task lie.
    pub(crate) fn blocks(&self, task: usize) -> impl Iterator<Item = Place> + use<> {
        let (tasks, count) = (self.tasks_per_sample().max(1), self.blocks_per_task());
        let (sample, task) = (task / tasks, task % tasks);
        let (length, voxels) = (self.block_voxels(), self.part_voxels());
        let first = self.part.first_voxel;
        (task * count..(task + 1) * count)
            .map(move |block| (block * length, voxels.saturating_sub(block * length).min(length)))
            .filter(|&(_, voxels)| voxels > 0)
            .map(move |(begin, voxels)| (sample, first + begin, voxels))
    }
}
