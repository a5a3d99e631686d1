//! The surfaces of one class in both maps, in its box, and the distances between them.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::boxes::{ClassBox, place};
use super::class_masks::ClassMasks;
use super::row_tasks::{run_rows, task_count};
use super::surface::{SurfaceMetrics, SurfaceModel};
use super::surface_scratch::{NEAR_WEIGHTS, SurfaceScratch, element_extent};
use crate::distance::{Grid, Product, Side, transform_volume};
use crate::error::Error;
use crate::executor::Executor;
use crate::scratch::Carver;
use crate::surface::{BitVolume, Directed, Direction, Elements, NearOffsets, Pyramid, Squares};
use core::ops::Range;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Places of a box for every word that the search for what is far may look at: it then has taken half
/// as long as a transform.
const PLACES_PER_WORD: u64 = 2;

/// Every so many rows are tried before all of them.
const TRIED_ROWS: usize = 61;

/// What the surfaces of every class are found with.
pub(super) struct ClassSurfaces<'c> {
    pub(super) metrics: &'c SurfaceMetrics<'c>,
    pub(super) pair: &'c LabelPair<'c>,
    /// Weight of every code of an element.
    pub(super) weights: &'c [f64; 256],
    pub(super) workers: usize,
    pub(super) executor: &'c dyn Executor,
}

/// The surfaces of both maps in the box of a class.
struct Found<'f> {
    grid: Grid,
    elements: Elements,
    /// Prediction and reference.
    masks: [BitVolume<'f>; 2],
    surfaces: [BitVolume<'f>; 2],
}

impl ClassSurfaces<'_> {
    /// Runs a task for every part of the rows of a volume.
    fn rows(
        &self,
        sizes: [usize; 3],
        memory: &mut [u8],
        work: &(dyn Fn(usize, Range<usize>) + Sync),
    ) -> Result<(), Error> {
        run_rows(sizes, &mut Carver::resume(memory), self.executor, &|task, rows| {
            work(task, rows);
            Ok(())
        })
    }

    /// Finds the surfaces of a class.
    fn find<'s>(
        &self,
        class: usize,
        found: &ClassBox,
        scratch: &mut SurfaceScratch<'s>,
    ) -> Result<Found<'s>, Error> {
        let axes = self.pair.extent.len();
        let (first, voxels) = place(found);
        let extent = element_extent(self.metrics.model, axes, voxels);
        let extent = extent.get(3 - axes..).unwrap_or_default();
        let grid = Grid::new(extent, &self.pair.spacing);
        let sizes = grid.sizes();
        let elements = match self.metrics.model {
            SurfaceModel::Voxel => Elements::Voxels { flat: extent.contains(&1) },
            SurfaceModel::Surfel => Elements::Surfels,
        };
        let volume = |words| BitVolume::new(words, sizes);
        let (masks, surfaces) = (scratch.masks.map(volume), scratch.surfaces.map(volume));
        let source = ClassMasks::new(self.pair, class, first, voxels, extent);
        let [_, rows, _] = sizes;
        self.rows(sizes, scratch.claims, &|_, range| {
            for row in range {
                source.read(row / rows.max(1), row % rows.max(1), &masks);
            }
        })?;
        self.rows(sizes, scratch.claims, &|_, range| {
            for row in range {
                let (plane, row) = (row / rows.max(1), row % rows.max(1));
                for (mask, surface) in masks.iter().zip(&surfaces) {
                    elements.find(mask, plane, row, surface);
                }
            }
        })?;
        Ok(Found { grid, elements, masks, surfaces })
    }

    fn directions<'d>(&'d self, found: &Found<'d>, left: BitVolume<'d>) -> [Direction<'d>; 2] {
        let ([mask, other], [wanted, seeds]) = (found.masks, found.surfaces);
        let (elements, weights) = (found.elements, self.weights);
        [
            Direction { wanted, mask, seeds, left, elements, weights },
            Direction { wanted: seeds, mask: other, seeds: wanted, left, elements, weights },
        ]
    }

    /// Weights of the surfaces of prediction and reference.
    pub(super) fn sizes(
        &self,
        class: usize,
        class_box: &ClassBox,
        scratch: &mut SurfaceScratch<'_>,
    ) -> Result<[f64; 2], Error> {
        let found = self.find(class, class_box, scratch)?;
        let left = BitVolume::new(scratch.left, found.grid.sizes());
        Ok(self.directions(&found, left).map(|direction| direction.size()))
    }

    /// Calls `report` with the distances from prediction to reference and back.
    pub(super) fn distances(
        &self,
        class: usize,
        class_box: &ClassBox,
        scratch: &mut SurfaceScratch<'_>,
        report: impl FnOnce(&Directed<'_>, &Directed<'_>),
    ) -> Result<(), Error> {
        let found = self.find(class, class_box, scratch)?;
        let sizes = found.grid.sizes();
        let [planes, rows, places] = &mut scratch.squares;
        let known = scratch.steps.take().filter(|(grid, _)| grid.has_steps_of(&found.grid));
        if known.is_none() {
            found.grid.fill_squares([planes, rows, places]);
        }
        let squares = Squares { along: [planes, rows, places], scale: found.grid.plane_scale() };
        let known = known.unwrap_or_else(|| (found.grid, NearOffsets::new(&squares, sizes)));
        let (_, offsets) = scratch.steps.insert(known);
        let offsets = &*offsets;
        let left = BitVolume::new(scratch.left, sizes);
        let mut near = [[0.0; NEAR_WEIGHTS]; 2];
        let mut ends = [0; 2];
        let mut begin = 0;
        for ((direction, near), end) in
            self.directions(&found, left).iter().zip(&mut near).zip(&mut ends)
        {
            let pyramid = Pyramid::new(direction.seeds, scratch.pyramid, |level_sizes, work| {
                self.rows(level_sizes, scratch.claims, &|_, range| work(range))
            })?;
            self.rows(sizes, scratch.claims, &|task, range| {
                let mut weights = [0.0; NEAR_WEIGHTS];
                let count = direction.near(range, offsets, &pyramid, &mut weights);
                let to = scratch.near.iter().skip(task * NEAR_WEIGHTS);
                for (to, weight) in to.zip(weights) {
                    to.store(f64::to_bits(weight), Relaxed);
                }
                if let Some(to) = scratch.counts.get(task) {
                    to.store(count as u64, Relaxed);
                }
            })?;
            let tasks = task_count(sizes);
            for task in scratch.near.chunks_exact(NEAR_WEIGHTS).take(tasks) {
                for (sum, weight) in near.iter_mut().zip(task) {
                    *sum += f64::from_bits(weight.load(Relaxed));
                }
            }
            // From counts to where each task begins.
            let mut place = begin;
            for count in scratch.counts.iter().take(tasks) {
                place += count.swap(place as u64, Relaxed) as usize;
            }
            if place > begin {
                self.far(
                    direction,
                    &found.grid,
                    offsets,
                    &pyramid,
                    squares,
                    begin,
                    Far {
                        counts: scratch.counts,
                        claims: scratch.claims,
                        squared: scratch.squared,
                        codes: scratch.codes,
                        field: scratch.field,
                        wanted: scratch.wanted,
                        transform: scratch.transform,
                    },
                )?;
            }
            begin = place;
            *end = place;
        }
        let [middle, end] = ends;
        let directed = |near, range: Range<usize>| Directed {
            near: (offsets.squared(), near),
            far: (
                scratch.squared.get(range.clone()).unwrap_or_default(),
                scratch.codes.get(range).unwrap_or_default(),
            ),
            weights: self.weights,
        };
        let [there, back] = &near;
        report(&directed(there, 0..middle), &directed(back, middle..end));
        Ok(())
    }

    /// Distances of what is not near.
    fn far(
        &self,
        direction: &Direction<'_>,
        grid: &Grid,
        offsets: &NearOffsets,
        pyramid: &Pyramid<'_>,
        squares: Squares<'_>,
        begin: usize,
        scratch: Far<'_>,
    ) -> Result<(), Error> {
        let sizes = grid.sizes();
        let [planes, rows, length] = sizes;
        let spent = AtomicU64::new(0);
        let budget = grid.voxels() as u64 / PLACES_PER_WORD;
        let write = |place: usize, squared: f32, code: u8| {
            if let (Some(to), Some(kept)) = (scratch.squared.get(place), scratch.codes.get(place)) {
                to.store(squared.to_bits(), Relaxed);
                kept.store(code, Relaxed);
            }
        };
        // Some rows tell whether all would take too long.
        self.rows(sizes, scratch.claims, &|_, range| {
            let some = (range.start.next_multiple_of(TRIED_ROWS)..range.end).step_by(TRIED_ROWS);
            direction.far(some, offsets, pyramid, squares, &spent, u64::MAX, |_, _| {});
        })?;
        if spent.load(Relaxed).saturating_mul(TRIED_ROWS as u64) <= budget {
            spent.store(0, Relaxed);
            self.rows(sizes, scratch.claims, &|task, range| {
                let place = scratch.counts.get(task);
                let mut place = place.map_or(0, |place| place.load(Relaxed) as usize);
                direction.far(range, offsets, pyramid, squares, &spent, budget, |squared, code| {
                    write(place, squared, code);
                    place += 1;
                });
            })?;
            if spent.load(Relaxed) <= budget {
                return Ok(());
            }
        }
        let count = planes * rows * length;
        let wanted = scratch.wanted.get_mut(..count).unwrap_or_default();
        let field = scratch.field.get_mut(..count).unwrap_or_default();
        wanted.fill(0);
        let index = |[z, y, x]: [usize; 3]| (z * rows + y) * length + x;
        direction.each_left(0..planes * rows, |place, code| {
            if let Some(to) = wanted.get_mut(index(place)) {
                *to = code;
            }
        });
        let level = self.metrics.level;
        let product = Product { side: Side::Outside, squared: true, level, wanted: Some(wanted) };
        let memory = &mut Carver::resume(scratch.transform);
        let (workers, executor) = (self.workers, self.executor);
        transform_volume(grid, product, &direction.seeds, field, None, memory, workers, executor)?;
        let mut place = begin;
        direction.each_left(0..planes * rows, |at, code| {
            write(place, field.get(index(at)).copied().unwrap_or_default(), code);
            place += 1;
        });
        Ok(())
    }
}

/// Scratch for what is far.
struct Far<'f> {
    counts: &'f [AtomicU64],
    claims: &'f mut [u8],
    squared: &'f [AtomicU32],
    codes: &'f [AtomicU8],
    field: &'f mut [f32],
    wanted: &'f mut [u8],
    transform: &'f mut [u8],
}
