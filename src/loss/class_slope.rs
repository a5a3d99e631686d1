//! What a class has of its own in the gradient through the softmax: the derivative with respect to
//! its probability, and rows of what has no such form.
#![forbid(unsafe_code)]

use super::Activation;
use super::coefficients::Slope;
use super::plan::{Plan, TargetKind};
use super::wasserstein::signed;
use crate::element::{Lanes, Real};
use crate::rows::{BLOCK, Block, blocks, load_block, row};
use crate::simd::{Simd, Vector};
use crate::tree::NONE;

/// A [`Slope`] in registers.
#[derive(Clone, Copy)]
pub(crate) struct ClassSlope<V> {
    a: V,
    b: V,
    d: V,
    e: V,
    pub constant: V,
}

impl<V: Vector> ClassSlope<V> {
    #[inline(always)]
    pub(crate) fn new<S: Simd<Vector = V, Real = V::Real>>(
        simd: S,
        slope: &Slope<V::Real>,
    ) -> Self {
        let [a, b, d, e, constant] = *slope;
        Self {
            a: simd.splat(a),
            b: simd.splat(b),
            d: simd.splat(d),
            e: simd.splat(e),
            constant: simd.splat(constant),
        }
    }

    /// `dL/dp / w`.
    #[inline(always)]
    pub(crate) fn at<S: Simd<Vector = V>>(&self, simd: S, p: V, g: V) -> V {
        self.a + self.d * p + self.b * g + signed(simd, self.e, p - g)
    }
}

/// Which parts of `H_c` a plan has, beside that of the own class.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub region: bool,
    quadratic: bool,
    labels: bool,
    pub smoothing: bool,
    pub leaf_excess: bool,
}

impl Parts {
    pub(crate) fn of(plan: &Plan<'_>) -> Self {
        let region = plan.region && plan.loss.activation == Activation::Softmax;
        Self {
            region,
            quadratic: region && plan.squared.is_some(),
            labels: region && plan.target == TargetKind::Labels,
            smoothing: plan.smoothing,
            leaf_excess: plan.leaf_excess,
        }
    }
}

/// What the classes have in common at a block of voxels.
#[derive(Clone, Copy)]
pub(crate) struct Voxels<'r, R> {
    pub index: usize,
    pub inverse: &'r Block<R>,
    pub weight: &'r Block<R>,
    pub label: &'r Block<R>,
}

impl<'r, R: Real> Voxels<'r, R> {
    /// All blocks of a tile.
    #[inline(always)]
    pub(crate) fn blocks(
        inverse: &'r [Lanes<R>],
        weight: &'r [Lanes<R>],
        label: &'r [Lanes<R>],
    ) -> impl Iterator<Item = Self> {
        let rows = blocks(inverse).iter().zip(blocks(weight)).zip(blocks(label)).enumerate();
        rows.map(|(index, ((inverse, weight), label))| Self { index, inverse, weight, label })
    }

    /// Probabilities of a class.
    #[inline(always)]
    pub(crate) fn probability<S: Simd<Real = R>>(
        &self,
        simd: S,
        exponentials: &Block<R>,
    ) -> [S::Vector; BLOCK] {
        let mut p = load_block(simd, exponentials);
        for (p, inverse) in p.iter_mut().zip(self.inverse) {
            *p = *p * simd.load(inverse);
        }
        p
    }

    /// `dL/dp / w` of a class by region terms.
    #[inline(always)]
    pub(crate) fn region_slope<S: Simd<Real = R>>(
        &self,
        simd: S,
        parts: Parts,
        p: [S::Vector; BLOCK],
        (c, number): (ClassSlope<S::Vector>, S::Vector),
        target: Option<&Block<R>>,
    ) -> [S::Vector; BLOCK] {
        let mut slope = [c.a; BLOCK];
        if let Some(target) = target {
            for ((slope, p), g) in slope.iter_mut().zip(p).zip(target) {
                *slope = c.at(simd, p, simd.load(g));
            }
            return slope;
        }
        if parts.quadratic {
            for (slope, p) in slope.iter_mut().zip(p) {
                *slope = *slope + c.d * p;
            }
        }
        if parts.labels {
            for (slope, label) in slope.iter_mut().zip(self.label) {
                let own = simd.load(label).equal(number);
                *slope = *slope + Vector::select(own, c.b, simd.zero());
            }
        }
        slope
    }
}

/// Where classes are found.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'r, R> {
    pub slopes: &'r [Slope<R>],
    /// Groups of lanes in a row.
    pub lanes: usize,
    pub pull: &'r [Lanes<R>],
    pub target: &'r [Lanes<R>],
    /// What classes without a row above them have in [`Class::shared`], and those rows.
    pub shared: &'r [Lanes<R>],
    pub nodes: &'r [Lanes<R>],
    pub direct: &'r [Lanes<R>],
    pub excess_factor: &'r [Lanes<R>],
}

impl<'r, R: Real> Tables<'r, R> {
    #[inline(always)]
    pub(crate) fn class<S: Simd<Real = R>>(
        self,
        simd: S,
        plan: &Plan<'_>,
        parts: Parts,
        index: usize,
    ) -> Option<Class<'r, S>> {
        let slope = self.slopes.get(index)?;
        let tree = plan.loss.tree.as_ref();
        let above = tree.filter(|_| plan.nodes > 0).and_then(|tree| tree.row_above.get(index));
        let above = above.filter(|&&above| above != NONE);
        let excess = tree.filter(|_| parts.leaf_excess);
        let excess = excess.map_or(R::ZERO, |tree| tree.leaf_excess(index as u32));
        Some(Class {
            simd,
            parts,
            slope: ClassSlope::new(simd, slope),
            number: simd.splat(R::from_f64(index as f64)),
            excess: simd.splat(excess),
            excess_factor: self.excess_factor,
            pull: row(self.pull, index, self.lanes),
            target: row(self.target, index, self.lanes),
            shared: above.map_or(self.shared, |&above| row(self.nodes, above as usize, self.lanes)),
            direct: row(self.direct, index, self.lanes),
        })
    }
}

/// A class in a loop over blocks of voxels: what is added to its `H`. Empty rows add nothing.
#[derive(Clone, Copy)]
pub(crate) struct Class<'r, S: Simd> {
    pub simd: S,
    pub parts: Parts,
    pub slope: ClassSlope<S::Vector>,
    pub number: S::Vector,
    /// See [`LabelTree::leaf_excess`].
    excess: S::Vector,
    excess_factor: &'r [Lanes<S::Real>],
    pub pull: &'r [Lanes<S::Real>],
    target: &'r [Lanes<S::Real>],
    /// What it has in common with others: `sum_j H_j` less what the inner nodes above pass down.
    pub shared: &'r [Lanes<S::Real>],
    direct: &'r [Lanes<S::Real>],
}

impl<S: Simd> Class<'_, S> {
    /// `dL/dp`, but for what is shared, what lies in [`Tile::pull`] and that of the own class.
    #[inline(always)]
    pub(crate) fn slope(
        &self,
        voxels: &Voxels<'_, S::Real>,
        p: [S::Vector; BLOCK],
    ) -> [S::Vector; BLOCK] {
        let (simd, index) = (self.simd, voxels.index);
        let mut all = [simd.zero(); BLOCK];
        if self.parts.region {
            let target = blocks(self.target).get(index);
            let class = (self.slope, self.number);
            let slope = voxels.region_slope(simd, self.parts, p, class, target);
            for (to, (slope, weight)) in all.iter_mut().zip(slope.into_iter().zip(voxels.weight)) {
                *to = slope * simd.load(weight);
            }
        }
        if let (true, Some(factor)) =
            (self.parts.leaf_excess, blocks(self.excess_factor).get(index))
        {
            for (to, factor) in all.iter_mut().zip(factor) {
                *to = *to + self.excess * simd.load(factor);
            }
        }
        all
    }

    /// Adds to the gradient what lies in rows of it.
    #[inline(always)]
    pub(crate) fn add_direct(&self, index: usize, gradient: &mut [S::Vector; BLOCK]) {
        if let Some(row) = blocks(self.direct).get(index) {
            for (to, row) in gradient.iter_mut().zip(row) {
                *to = *to + self.simd.load(row);
            }
        }
    }
}
