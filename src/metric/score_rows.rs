//! Scores of some voxels, class after class, and what a softmax is made of: the one place in the
//! metrics that knows types and layouts of scores.
#![forbid(unsafe_code)]

use crate::element::{Element, LANES, Lanes, Real};
use crate::error::{Argument, Cause, Error};
use crate::shape::{Layout, Shape};
use crate::simd::{Kernel, Level, Simd, Vector};
use crate::view::{Scores, check_length};

/// Groups of lanes in a row.
const GROUPS: usize = 16;

/// Voxels that are worked on together: few enough for the stack, enough to read whole cache lines.
pub(super) const VOXELS: usize = GROUPS * LANES;

/// One number per voxel.
pub(super) type Row<R> = [Lanes<R>; GROUPS];

/// Exponents are cut off here: e to this power is 0, and its product with it, too.
const LOWEST: f32 = -1e4;

/// Checked scores.
#[derive(Clone, Copy)]
pub(super) struct ScoreRows<'a> {
    pub shape: Shape,
    /// Of the kernels; tests lower it.
    pub level: Level,
    scores: Scores<'a>,
}

/// Where some voxels lie.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub sample: usize,
    /// First voxel within the sample.
    pub first: usize,
    /// At most [`VOXELS`].
    pub voxels: usize,
}

/// What is known of some voxels.
pub(super) struct Statistics<R> {
    /// Scores of one class.
    pub row: Row<R>,
    /// Largest score.
    pub maximum: Row<R>,
    /// The first class that has it.
    pub best: Row<R>,
    /// Sum of the exponentials of the differences from the maximum, over the temperature.
    pub sum: Row<R>,
    /// Sum of these exponentials, each times its exponent.
    pub product: Row<R>,
}

impl<'a> ScoreRows<'a> {
    /// Checks length and every score.
    pub(super) fn new(shape: Shape, scores: Scores<'a>) -> Result<Self, Error> {
        check_length(Argument::Scores, scores.len(), shape.elements())?;
        match scores {
            Scores::F32(values) => check_finite::<f32, _>(values),
            Scores::F64(values) => check_finite::<f64, _>(values),
            Scores::F16(values) => check_finite::<f32, _>(values),
            Scores::Bf16(values) => check_finite::<f32, _>(values),
        }?;
        Ok(Self { shape, level: Level::Best, scores })
    }

    /// Whether to compute in f64.
    pub(super) const fn double(&self) -> bool {
        matches!(self.scores, Scores::F64(_))
    }

    /// Calls `visit` with places that cover the batch, and the part of `output`, one element per
    /// voxel of the batch, that belongs to each.
    pub(super) fn each_place<T>(&self, output: &mut [T], mut visit: impl FnMut(Place, &mut [T])) {
        let samples = output.chunks_mut(self.shape.voxels().max(1));
        for (sample, output) in samples.enumerate() {
            for (index, output) in output.chunks_mut(VOXELS).enumerate() {
                let place = Place { sample, first: index * VOXELS, voxels: output.len() };
                visit(place, output);
            }
        }
    }

    fn load<R: Real>(&self, place: Place, class: usize, to: &mut Row<R>) {
        let (shape, to) = (&self.shape, to.as_flattened_mut());
        match self.scores {
            Scores::F32(values) => load(values, shape, place, class, to),
            Scores::F64(values) => load(values, shape, place, class, to),
            Scores::F16(values) => load(values, shape, place, class, to),
            Scores::Bf16(values) => load(values, shape, place, class, to),
        }
        for to in to.iter_mut().skip(place.voxels) {
            *to = R::ZERO;
        }
    }

    /// Finds the largest score of every voxel.
    pub(super) fn find_highest<R: Real>(&self, place: Place, statistics: &mut Statistics<R>) {
        let Statistics { row, maximum, best, .. } = statistics;
        for class in 0..self.shape.classes() {
            self.load(place, class, row);
            let class = R::from_f32(class as f32);
            R::dispatch(self.level, Highest { class, row, maximum, best });
        }
    }

    /// Sums the exponentials of some classes, once the largest scores are known.
    pub(super) fn sum_exponentials<R: Real>(
        &self,
        place: Place,
        classes: impl Iterator<Item = usize>,
        temperature: R,
        statistics: &mut Statistics<R>,
    ) {
        let Statistics { row, maximum, sum, product, .. } = statistics;
        *sum = [[R::ZERO; LANES]; GROUPS];
        *product = *sum;
        for class in classes {
            self.load(place, class, row);
            let kernel = Exponentials { temperature, row, maximum, sum, product };
            R::dispatch(self.level, kernel);
        }
    }
}

impl<R: Real> Statistics<R> {
    pub(super) const fn new() -> Self {
        let row = [[R::ZERO; LANES]; GROUPS];
        Self { row, maximum: row, best: row, sum: row, product: row }
    }
}

/// Scores of a class. Not a kernel: loading is as fast as memory at any SIMD level.
fn load<E: Element, R: Real>(
    values: &[E],
    shape: &Shape,
    place: Place,
    class: usize,
    to: &mut [R],
) {
    let begin = shape.index(place.sample, class, place.first);
    let values = values.get(begin..).unwrap_or_default();
    match shape.layout() {
        Layout::Planar => {
            E::read_slice(values.get(..place.voxels).unwrap_or_default(), to);
        }
        Layout::Interleaved => {
            let values = values.iter().step_by(shape.classes().max(1));
            for (to, value) in to.iter_mut().zip(values).take(place.voxels) {
                *to = value.read();
            }
        }
    }
}

/// Refuses scores that are not finite, or so large that their differences would not be.
fn check_finite<R: Real, E: Element>(values: &[E]) -> Result<(), Error> {
    let four = R::from_f32(4.0);
    let finite = |value: &E| (value.read::<R>() * four).finite();
    for (index, group) in values.chunks(VOXELS).enumerate() {
        // A finite number times 0 is 0, anything else is NaN, which stays. One sum per lane, so
        // that lanes can be added side by side.
        let mut suspicion = [R::ZERO; LANES];
        let (groups, rest) = group.as_chunks::<LANES>();
        for group in groups {
            let mut values = [R::ZERO; LANES];
            E::read_lanes(group, &mut values);
            for (suspicion, value) in suspicion.iter_mut().zip(values) {
                *suspicion += (value * four) * R::ZERO;
            }
        }
        let clean = suspicion.iter().all(|&lane| lane == R::ZERO) && rest.iter().all(finite);
        if clean {
            continue;
        }
        let place = group.iter().position(|value| !finite(value)).unwrap_or_default();
        let error = Error::new(Cause::NonFinite, Argument::Scores).at(index * VOXELS + place);
        let value = group.get(place).map_or(R::ZERO, |value| value.read::<R>());
        return Err(error.found(value.to_f64()));
    }
    Ok(())
}

/// Takes a class into the largest scores.
struct Highest<'a, R> {
    class: R,
    row: &'a Row<R>,
    maximum: &'a mut Row<R>,
    best: &'a mut Row<R>,
}

impl<R: Real> Kernel<R> for Highest<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let class = simd.splat(self.class);
        let groups = self.row.iter().zip(self.maximum).zip(self.best);
        for ((z, maximum), best) in groups {
            let z = simd.load(z);
            if self.class == R::ZERO {
                z.store(maximum);
                class.store(best);
                continue;
            }
            let before = simd.load(maximum);
            let higher = before.less(z);
            Vector::select(higher, z, before).store(maximum);
            Vector::select(higher, class, simd.load(best)).store(best);
        }
    }
}

/// Adds a class to the sums of exponentials.
struct Exponentials<'a, R> {
    temperature: R,
    row: &'a Row<R>,
    maximum: &'a Row<R>,
    sum: &'a mut Row<R>,
    product: &'a mut Row<R>,
}

impl<R: Real> Kernel<R> for Exponentials<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<Real = R>>(self, simd: S) {
        let (temperature, lowest) = (simd.splat(self.temperature), simd.splat(R::from_f32(LOWEST)));
        let inputs = self.row.iter().zip(self.maximum);
        for ((z, maximum), (sum, product)) in inputs.zip(self.sum.iter_mut().zip(self.product)) {
            let exponent = (simd.load(z) - simd.load(maximum)) / temperature;
            let exponent = exponent.larger(lowest);
            let e = exponent.exp_nonpositive();
            (simd.load(sum) + e).store(sum);
            (simd.load(product) + e * exponent).store(product);
        }
    }
}
