//! Terms on logits that look at one channel at a time: binary cross-entropy and sigmoid focal.
//!
//! They add to the gradient with respect to the scores directly. A label map is `g = [y = c]`.
#![forbid(unsafe_code)]

use super::term::{BinaryCrossEntropy, Focal};
use super::tile::{Tile, class_weight, per_class};
use crate::activation::{decay, decays, logit};
use crate::element::{Lanes, Real};
use crate::math::power;
use crate::rows::{rows, rows_mut};
use crate::simd::{Simd, Vector};

/// A term of one channel.
pub(crate) trait Binary<S: Simd> {
    /// Value and derivative with respect to `z` at 16 voxels, from `z` and `e^-|z|`; `hard` if every
    /// `g` is 0 or 1.
    fn at(
        &self,
        simd: S,
        class: usize,
        hard: bool,
        z: (S::Vector, S::Vector),
        g: S::Vector,
    ) -> (S::Vector, S::Vector);
}

impl<S: Simd> Binary<S> for BinaryCrossEntropy<'_> {
    #[inline(always)]
    fn at(
        &self,
        simd: S,
        class: usize,
        _: bool,
        (z, decay): (S::Vector, S::Vector),
        g: S::Vector,
    ) -> (S::Vector, S::Vector) {
        let positive = simd.splat(S::Real::from_f64(per_class(self.positive_weights, class))) * g;
        let negative = simd.splat(S::Real::ONE) - g;
        let logit = logit(simd, z, decay);
        (
            positive * logit.softplus_negative + negative * logit.softplus,
            negative * logit.positive - positive * logit.negative,
        )
    }
}

impl<S: Simd> Binary<S> for Focal<'_> {
    /// `A E C` with `A = alpha g + (1 - alpha)(1 - g)`, `E = sigmoid(-t)^gamma`, `t = z (2 g - 1)`
    /// and the binary cross-entropy `C`; `dE/dz = -gamma sigmoid(t) (2 g - 1) E`.
    #[inline(always)]
    fn at(
        &self,
        simd: S,
        class: usize,
        hard: bool,
        (z, decayed): (S::Vector, S::Vector),
        g: S::Vector,
    ) -> (S::Vector, S::Vector) {
        let one = simd.splat(S::Real::ONE);
        let (sign, rest) = (g + g - one, one - g);
        let t = z * sign;
        // Of a target of 0 or 1, |t| is |z|.
        let t = logit(simd, t, if hard { decayed } else { decay(t) });
        let e = power(simd, t.negative, self.gamma);
        let (c, c_by_z) = if hard {
            (t.softplus_negative, -(sign * t.negative))
        } else {
            let own = logit(simd, z, decayed);
            (
                g * own.softplus_negative + rest * own.softplus,
                rest * own.positive - g * own.negative,
            )
        };
        let gamma = simd.splat(S::Real::from_f64(self.gamma));
        let mut value = e * c;
        let mut slope = e * (c_by_z - gamma * t.positive * sign * c);
        if self.alpha.is_some() {
            let alpha = simd.splat(S::Real::from_f64(per_class(self.alpha, class)));
            let a = alpha * g + (one - alpha) * rest;
            value = value * a;
            slope = slope * a;
        }
        (value, slope)
    }
}

/// `g` of a channel at 16 voxels.
#[inline(always)]
pub(crate) fn target<S: Simd>(
    simd: S,
    dense: Option<&Lanes<S::Real>>,
    label: &Lanes<S::Real>,
    class: usize,
) -> S::Vector {
    match dense {
        Some(g) => simd.load(g),
        None => {
            let own = simd.load(label).equal(simd.splat(S::Real::from_f64(class as f64)));
            Vector::select(own, simd.splat(S::Real::ONE), simd.zero())
        }
    }
}

/// Sum of a binary term over the voxels and channels of a tile; with a scale, its derivative is added
/// to the direct gradient.
#[inline(always)]
pub(crate) fn sum<S: Simd, B: Binary<S>>(
    simd: S,
    binary: &B,
    (class_weights, hard): (Option<&[f64]>, bool),
    scale: Option<f64>,
    tile: &mut Tile<'_, S::Real>,
) -> f64 {
    let mut total = 0.0;
    let mut target_rows = rows(tile.target, tile.lanes);
    let class_rows = rows(tile.scores, tile.lanes).zip(rows_mut(tile.direct, tile.lanes));
    for (class, (scores, direct)) in class_rows.enumerate() {
        let dense = target_rows.next();
        let factor = class_weight(class_weights, class);
        if factor == 0.0 {
            continue;
        }
        let scaled = scale.map(|scale| simd.splat(S::Real::from_f64(scale * factor)));
        decays(simd, scores, tile.spare);
        let mut sum = simd.zero();
        let own = scores.iter().zip(&*tile.spare).zip(direct);
        let shared = tile.label_lanes.iter().zip(&*tile.weight);
        for (group, (((z, decay), direct), (label, w))) in own.zip(shared).enumerate() {
            let g = target(simd, dense.and_then(|row| row.get(group)), label, class);
            let z = (simd.load(z), simd.load(decay));
            let (value, slope) = binary.at(simd, class, hard, z, g);
            let w = simd.load(w);
            sum = sum + value * w;
            if let Some(scaled) = scaled {
                (simd.load(direct) + scaled * slope * w).store(direct);
            }
        }
        total += factor * sum.sum();
    }
    total
}
