//! Softmax and sigmoid on tiles: scores to probabilities, and the pieces that log-probabilities
//! are made of. Logarithms come from log-sum-exp, never from a probability.

use crate::element::{LANES, Lanes, Real};
use crate::math::Logarithm;
use crate::rows::{
    BLOCK, Block, FEW, Search, block_sum, blocks, blocks_mut, column, column_mut, load_block, rows,
    rows_mut, store_block,
};
use crate::simd::{Ahead, Simd, Vector};

/// What a softmax leaves of every voxel beside the exponentials.
pub(crate) struct VoxelSums<'r, R> {
    /// Largest score.
    pub maximum: &'r mut [Lanes<R>],
    /// 1 over the sum of the exponentials.
    pub inverse: &'r mut [Lanes<R>],
    /// Logarithm of that sum; empty if it is not wanted.
    pub log_sum: &'r mut [Lanes<R>],
    /// Score of the own class less the largest one, empty if it is not wanted or classes are more than
    /// [`FEW`], and which class that is. Anything where that is no class.
    pub own_score: &'r mut [Lanes<R>],
    pub own_class: &'r [Lanes<R>],
}

/// Scores that are read where the caller has them: class rows of whole blocks, in the type that is
/// computed in. Where there are none, a tile's own rows hold them.
#[derive(Clone, Copy)]
pub(crate) struct GivenScores<'g, R> {
    rows: [&'g [Block<R>]; FEW],
}

impl<'g, R: Real> GivenScores<'g, R> {
    pub(crate) const NONE: Self = Self { rows: [&[]; FEW] };

    /// Rows of every class, of so many values; none where one is not there.
    pub(crate) fn new(rows: impl Iterator<Item = Option<&'g [R]>>, length: usize) -> Self {
        let mut given = Self::NONE;
        for (to, row) in given.rows.iter_mut().zip(rows) {
            match row {
                Some(row) if row.len() == length => *to = blocks(row.as_chunks().0),
                _ => return Self::NONE,
            }
        }
        given
    }

    pub(crate) fn is_none(&self) -> bool {
        let [first, ..] = self.rows;
        first.is_empty()
    }

    #[inline(always)]
    fn block(&self, class: usize, index: usize) -> Option<&'g Block<R>> {
        self.rows.get(class)?.get(index)
    }
}

/// What is read next: class rows, and blocks of labels as rows.
#[derive(Clone, Copy)]
pub(crate) struct NextTile {
    pub scores: Ahead,
    pub labels: Ahead,
}

impl NextTile {
    pub(crate) const NONE: Self = Self { scores: Ahead::NOTHING, labels: Ahead::NOTHING };
}

/// What goes on between exponentials.
pub(crate) trait Meanwhile<S: Simd> {
    /// Called for every class of a block of voxels.
    fn step(&mut self, simd: S, class: usize, block: usize);
}

/// Memory that will be written is fetched.
impl<S: Simd> Meanwhile<S> for Ahead {
    #[inline(always)]
    fn step(&mut self, _: S, class: usize, block: usize) {
        self.prefetch(class, block * BLOCK * LANES, BLOCK * LANES);
    }
}

/// Scores become exponentials of their differences from the largest one, in the rows of a tile: given
/// scores stay what they are.
///
/// Returns whether the scores may be not finite or too large: always if one is, and, seldom, if
/// very large ones add up.
#[inline(always)]
pub(crate) fn exponentials<S: Simd>(
    simd: S,
    (given, class_rows): (GivenScores<'_, S::Real>, &mut [Lanes<S::Real>]),
    to: VoxelSums<'_, S::Real>,
    (ahead, meanwhile): (NextTile, &mut impl Meanwhile<S>),
) -> bool {
    let lanes = to.maximum.len();
    if class_rows.len() == 2 * lanes {
        return two_exponentials(simd, (given, class_rows), to, (ahead, meanwhile));
    }
    let zero = simd.zero();
    let mut sizes = [zero; BLOCK];
    let voxels = blocks_mut(to.maximum).iter_mut().zip(blocks_mut(to.inverse));
    let mut log_sums = blocks_mut(to.log_sum).iter_mut();
    let mut own = blocks(to.own_class).iter().zip(blocks_mut(to.own_score));
    let mut before = None;
    for (index, (maximum, inverse)) in voxels.enumerate() {
        ahead.labels.prefetch(index, 0, BLOCK * LANES);
        finish::<S, false>(simd, before);
        let mut largest = [simd.splat(-S::Real::LARGEST); BLOCK];
        let mut smallest = [simd.splat(S::Real::LARGEST); BLOCK];
        for (class, scores) in column(class_rows, lanes, index).enumerate() {
            let scores = given.block(class, index).unwrap_or(scores);
            for ((z, largest), smallest) in scores.iter().zip(&mut largest).zip(&mut smallest) {
                let z = simd.load(z);
                *largest = largest.larger(z);
                *smallest = smallest.smaller(z);
            }
        }
        if let Some((classes, own)) = own.next() {
            let mut search = Search::new(simd, load_block(simd, classes));
            for (class, scores) in column(class_rows, lanes, index).enumerate() {
                search.next(simd, load_block(simd, given.block(class, index).unwrap_or(scores)));
            }
            for (own, (score, largest)) in own.iter_mut().zip(search.found.iter().zip(&largest)) {
                (*score - *largest).store(own);
            }
        }
        let mut sums = [zero; BLOCK];
        for (class, scores) in column_mut(class_rows, lanes, index).enumerate() {
            ahead.scores.prefetch(class, index * BLOCK * LANES, BLOCK * LANES);
            meanwhile.step(simd, class, index);
            let given = given.block(class, index);
            let groups = scores.iter_mut().zip(&largest).zip(&mut sums);
            for (group, ((z, largest), sum)) in groups.enumerate() {
                let from = given.and_then(|scores| scores.get(group)).unwrap_or(z);
                let e = (simd.load(from) - *largest).exp_nonpositive();
                e.store(z);
                *sum = *sum + e;
            }
        }
        for (size, (extremes, sum)) in
            sizes.iter_mut().zip(largest.into_iter().zip(smallest).zip(sums))
        {
            let (largest, smallest) = extremes;
            // A score that is no number is in the sum alone.
            *size = *size + (largest.absolute() + smallest.absolute() + sum);
        }
        store_block(largest, maximum);
        store_block(sums, inverse);
        before = Some((inverse, log_sums.next()));
    }
    finish::<S, false>(simd, before);
    too_large(sizes)
}

/// [`exponentials`] of two classes, of which the larger one's is 1.
#[inline(always)]
fn two_exponentials<S: Simd>(
    simd: S,
    (given, class_rows): (GivenScores<'_, S::Real>, &mut [Lanes<S::Real>]),
    to: VoxelSums<'_, S::Real>,
    (ahead, meanwhile): (NextTile, &mut impl Meanwhile<S>),
) -> bool {
    let one = simd.splat(S::Real::ONE);
    let mut sizes = [simd.zero(); BLOCK];
    let halves = class_rows.split_at_mut_checked(class_rows.len() / 2);
    let (first, second) = halves.unwrap_or_default();
    let scores = blocks_mut(first).iter_mut().zip(blocks_mut(second));
    let voxels = blocks_mut(to.maximum).iter_mut().zip(blocks_mut(to.inverse));
    let mut log_sums = blocks_mut(to.log_sum).iter_mut();
    let mut own = blocks(to.own_class).iter().zip(blocks_mut(to.own_score));
    let mut before = None;
    for (index, ((first, second), (maximum, inverse))) in scores.zip(voxels).enumerate() {
        for class in 0..2 {
            ahead.scores.prefetch(class, index * BLOCK * LANES, BLOCK * LANES);
            meanwhile.step(simd, class, index);
        }
        ahead.labels.prefetch(index, 0, BLOCK * LANES);
        finish::<S, true>(simd, before);
        let given = (given.block(0, index), given.block(1, index));
        if let Some((classes, own)) = own.next() {
            let scores = given.0.unwrap_or(first).iter().zip(given.1.unwrap_or(second));
            for (own, ((a, b), class)) in own.iter_mut().zip(scores.zip(classes)) {
                let (a, b) = (simd.load(a), simd.load(b));
                let is_first = simd.load(class).equal(simd.zero());
                (Vector::select(is_first, a, b) - a.larger(b)).store(own);
            }
        }
        let groups = first.iter_mut().zip(second).zip(maximum.iter_mut().zip(&mut *inverse));
        for (group, (((first, second), (maximum, smaller)), size)) in
            groups.zip(&mut sizes).enumerate()
        {
            let a = simd.load(given.0.and_then(|scores| scores.get(group)).unwrap_or(first));
            let b = simd.load(given.1.and_then(|scores| scores.get(group)).unwrap_or(second));
            let e = (-(a - b).absolute()).exp_nonpositive();
            let below = a.less(b);
            Vector::select(below, e, one).store(first);
            Vector::select(below, one, e).store(second);
            a.larger(b).store(maximum);
            *size = *size + (a.absolute() + b.absolute());
            e.store(smaller);
        }
        before = Some((inverse, log_sums.next()));
    }
    finish::<S, true>(simd, before);
    too_large(sizes)
}

/// What becomes [`VoxelSums::inverse`] and [`VoxelSums::log_sum`] of a block.
type Unfinished<'r, R> = (&'r mut Block<R>, Option<&'r mut Block<R>>);

/// [`VoxelSums`] from the sum of the exponentials, or from the smaller one of `TWO`. Those of a block
/// are made beside the exponentials of the next one: dividing takes as long as these, but of one
/// unit alone.
#[inline(always)]
fn finish<S: Simd, const TWO: bool>(simd: S, block: Option<Unfinished<'_, S::Real>>) {
    let Some((inverse, log_sum)) = block else { return };
    if let Some(log_sum) = log_sum {
        for (e, log_sum) in inverse.iter().zip(log_sum) {
            let e = simd.load(e);
            let logarithm = if TWO { S::Real::log1p_lanes(simd, e) } else { e.ln_normal() };
            logarithm.store(log_sum);
        }
    }
    let one = simd.splat(S::Real::ONE);
    for inverse in inverse {
        let e = simd.load(inverse);
        let sum = if TWO { one + e } else { e };
        (one / sum).store(inverse);
    }
}

/// Whether sizes of scores add up to more than any may have, or are not numbers.
#[inline(always)]
pub(crate) fn too_large<V: Vector>(sizes: [V; BLOCK]) -> bool {
    let sum = block_sum(sizes);
    sum.is_nan() || sum > V::Real::LARGEST.to_f64() / 4.0
}

/// Whether scores may be not finite or too large, as [`exponentials`] tells it.
#[inline(always)]
pub(crate) fn suspicious<S: Simd>(simd: S, scores: &[Lanes<S::Real>]) -> bool {
    let mut sizes = [simd.zero(); BLOCK];
    for block in blocks(scores) {
        for (size, group) in sizes.iter_mut().zip(block) {
            *size = *size + simd.load(group).absolute();
        }
    }
    too_large(sizes)
}

/// Exponentials to probabilities, whose factor is 1 from then on.
#[inline(always)]
pub(crate) fn normalise<S: Simd>(
    simd: S,
    class_rows: &mut [Lanes<S::Real>],
    inverse: &mut [Lanes<S::Real>],
) {
    let lanes = inverse.len();
    for (index, inverse) in blocks_mut(inverse).iter_mut().enumerate() {
        let factors = load_block(simd, inverse);
        for block in column_mut(class_rows, lanes, index) {
            for (group, factor) in block.iter_mut().zip(factors) {
                (simd.load(group) * factor).store(group);
            }
        }
        store_block([simd.splat(S::Real::ONE); BLOCK], inverse);
    }
}

/// What binary terms are made of, from a logit `z`, without overflow or cancellation.
#[derive(Clone, Copy)]
pub(crate) struct Logit<V> {
    /// sigmoid(z).
    pub positive: V,
    /// sigmoid(-z).
    pub negative: V,
    /// softplus(z) = -ln sigmoid(-z).
    pub softplus: V,
    /// softplus(-z) = -ln sigmoid(z).
    pub softplus_negative: V,
}

/// `e^-|z|` of logits: what [`logit`] is made of. It is a loop of its own because an exponential and
/// all that follows it are a chain of operations too long for a processor to overlap with the next.
#[inline(always)]
pub(crate) fn decays<S: Simd>(simd: S, scores: &[Lanes<S::Real>], to: &mut [Lanes<S::Real>]) {
    for (to, z) in to.iter_mut().zip(scores) {
        decay(simd.load(z)).store(to);
    }
}

/// `e^-|z|`.
#[inline(always)]
pub(crate) fn decay<V: Vector>(z: V) -> V {
    (-z.absolute()).exp_nonpositive()
}

/// [`Logit`] of 16 logits, from them and `e^-|z|`.
#[inline(always)]
pub(crate) fn logit<S: Simd>(simd: S, z: S::Vector, e: S::Vector) -> Logit<S::Vector> {
    let (zero, one) = (simd.zero(), simd.splat(S::Real::ONE));
    let rest = S::Real::log1p_lanes(simd, e);
    let large = one / (one + e);
    let small = e * large;
    let below = z.less(zero);
    Logit {
        positive: Vector::select(below, small, large),
        negative: Vector::select(below, large, small),
        softplus: z.larger(zero) + rest,
        softplus_negative: (-z).larger(zero) + rest,
    }
}

/// Sigmoids of the scores.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(
    simd: S,
    scores: &[Lanes<S::Real>],
    to: &mut [Lanes<S::Real>],
    lanes: usize,
) {
    for (to, from) in rows_mut(to, lanes).zip(rows(scores, lanes)) {
        for (to, from) in to.iter_mut().zip(from) {
            let z = simd.load(from);
            logit(simd, z, decay(z)).positive.store(to);
        }
    }
}
