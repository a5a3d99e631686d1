//! The surfaces of one class in both maps, in its box, and the distances between them.
#![forbid(unsafe_code)]

use super::LabelPair;
use super::boxes::{ClassBox, place};
use super::surface::{SurfaceMetrics, SurfaceModel};
use crate::distance::{Grid, Product, Side, box_requirement, by_axis, transform_volume};
use crate::error::Error;
use crate::executor::{Claims, Executor, run_tasks};
use crate::scratch::{Carver, Requirement};
use crate::surface::{
    BitVolume, Directed, Direction, Elements, NearOffsets, NearWeights, Pyramid, Squares,
    label_bits,
};
use crate::view::Labels;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Tasks of a volume, at most, and words of each, at least.
const TASKS: usize = 64;
const TASK_WORDS: usize = 1024;

/// Words of rows that the search for what is far may look at for every place of a box: it then has
/// taken a tenth of the time of a transform.
const WORDS_PER_PLACE: u64 = 1;

/// Every so many rows are tried before all of them.
const TRIED_ROWS: usize = 61;

/// Squares that are looked up beyond the last place of an axis.
const SPARE_SQUARES: usize = 65;

/// Planes, rows and voxels of a row.
pub(super) fn three_axes(extent: &[usize]) -> [usize; 3] {
    match *extent {
        [x] => [1, 1, x],
        [y, x] => [1, y, x],
        [z, y, x] => [z, y, x],
        _ => [0; 3],
    }
}

/// Tasks for volumes of some sizes.
fn task_count(sizes: [usize; 3]) -> usize {
    BitVolume::len(sizes).div_ceil(TASK_WORDS).clamp(1, TASKS)
}

/// Places for elements in a box of a volume with some axes.
const fn element_extent(
    model: SurfaceModel,
    axes: usize,
    [planes, rows, length]: [usize; 3],
) -> [usize; 3] {
    match model {
        SurfaceModel::Voxel => [planes, rows, length],
        SurfaceModel::Surfel => [if axes > 2 { planes + 1 } else { 1 }, rows + 1, length + 1],
    }
}

/// How large the parts of the scratch are.
#[derive(Clone, Copy)]
struct Sizes {
    elements: usize,
    words: usize,
    pyramid: usize,
    squares: usize,
    tasks: usize,
    transform: Requirement,
}

impl Sizes {
    fn new(model: SurfaceModel, extent: &[usize], workers: usize) -> Self {
        let sizes = element_extent(model, extent.len(), three_axes(extent));
        Self {
            elements: sizes.iter().fold(1, |product, &size| product.saturating_mul(size)),
            words: BitVolume::len(sizes),
            pyramid: Pyramid::len(sizes),
            squares: sizes.iter().copied().max().unwrap_or_default().saturating_add(SPARE_SQUARES),
            tasks: task_count(sizes),
            transform: box_requirement(&sizes, workers),
        }
    }

    fn requirement(&self) -> Requirement {
        Requirement::of::<AtomicU64>(self.words)
            .times(5)
            .and(Requirement::of::<AtomicU64>(self.pyramid))
            .and(Requirement::of::<f32>(self.squares).times(3))
            .and(Requirement::of_rows::<AtomicU64>(self.tasks, NEAR_WEIGHTS))
            .and(Requirement::of::<AtomicU64>(self.tasks))
            .and(Claims::requirement(self.tasks))
            .and(Requirement::of::<AtomicU32>(self.elements))
            .and(Requirement::of::<AtomicU8>(self.elements))
            .and(Requirement::of::<f32>(self.elements))
            .and(Requirement::of::<u8>(self.elements))
            .and(self.transform)
    }
}

const NEAR_WEIGHTS: usize = size_of::<NearWeights>() / size_of::<f64>();

/// Scratch of a call.
pub(super) struct SurfaceScratch<'s> {
    pub(super) boxes: &'s mut [ClassBox],
    masks: [&'s [AtomicU64]; 2],
    surfaces: [&'s [AtomicU64]; 2],
    left: &'s [AtomicU64],
    pyramid: &'s [AtomicU64],
    squares: [&'s mut [f32]; 3],
    /// The volume whose steps `squares` holds, and the shortest offsets in it.
    steps: Option<(Grid, NearOffsets)>,
    /// `[task][offset]`, and elements that are left of each task.
    near: &'s [AtomicU64],
    counts: &'s [AtomicU64],
    claims: &'s mut [u8],
    /// What is far, of one direction behind the other: an element of both surfaces is not.
    squared: &'s [AtomicU32],
    codes: &'s [AtomicU8],
    field: &'s mut [f32],
    wanted: &'s mut [u8],
    transform: &'s mut [u8],
}

impl<'s> SurfaceScratch<'s> {
    pub(super) fn requirement(
        model: SurfaceModel,
        extent: &[usize],
        workers: usize,
    ) -> Requirement {
        Sizes::new(model, extent, workers).requirement()
    }

    pub(super) fn carve(
        model: SurfaceModel,
        pair: &LabelPair<'_>,
        workers: usize,
        scratch: &'s mut [MaybeUninit<u8>],
    ) -> Result<Self, Error> {
        let sizes = Sizes::new(model, pair.extent, workers);
        let boxes = Requirement::of::<ClassBox>(pair.classes);
        let (mut boxes, mut scratch) = Carver::split(scratch, boxes, sizes.requirement())?;
        let scratch = &mut scratch;
        Ok(Self {
            boxes: boxes.take(pair.classes)?,
            masks: [scratch.take(sizes.words)?, scratch.take(sizes.words)?],
            surfaces: [scratch.take(sizes.words)?, scratch.take(sizes.words)?],
            left: scratch.take(sizes.words)?,
            pyramid: scratch.take(sizes.pyramid)?,
            squares: [
                scratch.take(sizes.squares)?,
                scratch.take(sizes.squares)?,
                scratch.take(sizes.squares)?,
            ],
            steps: None,
            near: scratch.take(sizes.tasks * NEAR_WEIGHTS)?,
            counts: scratch.take(sizes.tasks)?,
            claims: scratch.take_bytes(Claims::requirement(sizes.tasks))?,
            squared: scratch.take(sizes.elements)?,
            codes: scratch.take(sizes.elements)?,
            field: scratch.take(sizes.elements)?,
            wanted: scratch.take(sizes.elements)?,
            transform: scratch.take_bytes(sizes.transform)?,
        })
    }
}

/// The box of a class in both maps.
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
        let [planes, rows, _] = sizes;
        let tasks = task_count(sizes);
        let each = (planes * rows).div_ceil(tasks);
        let claims = Claims::new(tasks, &mut Carver::resume(memory))?;
        run_tasks(tasks, &claims, self.executor, &|claim| {
            let begin = claim.task() * each;
            work(claim.task(), begin.min(planes * rows)..(begin + each).min(planes * rows));
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
        let source = Source::new(self.pair, class, first, voxels, extent);
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
        let squares = Squares { along: [planes, rows, places] };
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
            let pyramid = Pyramid::new(direction.seeds, scratch.pyramid);
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
        pyramid: &Pyramid<'_>,
        squares: Squares<'_>,
        begin: usize,
        scratch: Far<'_>,
    ) -> Result<(), Error> {
        let sizes = grid.sizes();
        let [planes, rows, length] = sizes;
        let spent = AtomicU64::new(0);
        let budget = grid.voxels() as u64 * WORDS_PER_PLACE;
        let write = |place: usize, squared: f32, code: u8| {
            if let (Some(to), Some(kept)) = (scratch.squared.get(place), scratch.codes.get(place)) {
                to.store(squared.to_bits(), Relaxed);
                kept.store(code, Relaxed);
            }
        };
        // Some rows tell whether all would take too long.
        let some = (0..planes * rows).step_by(TRIED_ROWS);
        direction.far(some, pyramid, squares, &spent, u64::MAX, |_, _| {});
        if spent.load(Relaxed).saturating_mul(TRIED_ROWS as u64) <= budget {
            spent.store(0, Relaxed);
            self.rows(sizes, scratch.claims, &|task, range| {
                let place = scratch.counts.get(task);
                let mut place = place.map_or(0, |place| place.load(Relaxed) as usize);
                direction.far(range, pyramid, squares, &spent, budget, |squared, code| {
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

/// Where the masks of a class come from.
struct Source<'s> {
    maps: [Labels<'s>; 2],
    label: i64,
    ignore: Option<i64>,
    first: usize,
    /// From one plane, row and place to the next, and how many of each the box has.
    steps: [usize; 3],
    sizes: [usize; 3],
}

impl<'s> Source<'s> {
    fn new(
        pair: &LabelPair<'s>,
        class: usize,
        [z, y, x]: [usize; 3],
        voxels: [usize; 3],
        extent: &[usize],
    ) -> Self {
        let [_, rows, length] = three_axes(pair.extent);
        let skip = 3 - pair.extent.len().min(3);
        let steps = [rows * length, length, 1];
        Self {
            maps: [pair.prediction, pair.reference],
            label: class as i64,
            ignore: pair.ignore,
            first: (z * rows + y) * length + x,
            steps: by_axis(extent, steps.into_iter().skip(skip), 0),
            sizes: by_axis(extent, voxels.into_iter().skip(skip), 1),
        }
    }

    /// Reads a row of both masks.
    fn read(&self, plane: usize, row: usize, masks: &[BitVolume<'_>; 2]) {
        let ([planes, rows, length], [plane_step, row_step, step]) = (self.sizes, self.steps);
        let place = [self.first + plane * plane_step + row * row_step, step.max(1)];
        for (mask, labels) in masks.iter().zip(self.maps) {
            let words = mask.words(mask.row(plane, row));
            if plane >= planes || row >= rows {
                words.iter().for_each(|word| word.store(0, Relaxed));
                continue;
            }
            // A place more than there are voxels may have a word of its own.
            if let Some(last) = words.last() {
                last.store(0, Relaxed);
            }
            label_bits(labels, self.label, place, length, |word, bits| {
                if let Some(to) = words.get(word) {
                    to.store(bits, Relaxed);
                }
            });
            if let Some(ignore) = self.ignore {
                let [_, reference] = self.maps;
                label_bits(reference, ignore, place, length, |word, bits| {
                    if let Some(to) = words.get(word) {
                        to.store(to.load(Relaxed) & !bits, Relaxed);
                    }
                });
            }
        }
    }
}
