//! What is made of a tile, and when: sums before the gradient, values before it or with it.
#![forbid(unsafe_code)]

/// What is made of a tile: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(u8);

impl Steps {
    pub(crate) const NONE: Self = Self(0);
    /// What the gradient waits for: weights, sums of classes, voxel losses of top-k.
    pub(crate) const SUMS: Self = Self(1);
    /// Values of the terms that add up over voxels.
    pub(crate) const VALUES: Self = Self(2);
    pub(crate) const GRADIENT: Self = Self(4);
    /// Masks of the prediction, for distance terms.
    pub(crate) const MASKS: Self = Self(8);
    pub(crate) const ALL_SUMS: Self = Self::SUMS.and(Self::VALUES);
    pub(crate) const ALL: Self = Self::ALL_SUMS.and(Self::GRADIENT).and(Self::MASKS);
    /// Of terms that need the same for both.
    pub(crate) const LATE: Self = Self::VALUES.and(Self::GRADIENT);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn add(&mut self, other: Self) {
        *self = self.and(other);
    }

    /// Whether some are in both sets.
    pub(crate) const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of the others are in the set.
    pub(crate) const fn contain(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those of `all` that are not in the set.
    pub(crate) const fn rest_of(self, all: Self) -> Self {
        Self(all.0 & !self.0)
    }
}

/// What is wanted of a term whose value and gradient need the same of a tile.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub value: bool,
    /// The factor of the gradient.
    pub scale: Option<f64>,
}

impl Wanted {
    pub(crate) const VALUE: Self = Self { value: true, scale: None };
}
