//! Node weights of the tree cross-entropy: `omega[v]`, one per node, the root's is not read.
#![forbid(unsafe_code)]

use super::{LabelTree, NONE, at};
use crate::error::{Argument, Cause, Error};
use crate::view::check_length;

impl LabelTree<'_> {
    fn fill(&self, weights: &mut [f64], weight: impl Fn(u32) -> f64) -> Result<(), Error> {
        check_length(Argument::NodeWeights, weights.len(), self.nodes())?;
        for (node, to) in weights.iter_mut().enumerate() {
            *to = weight(node as u32);
        }
        if let Some(root) = weights.get_mut(self.root() as usize) {
            *root = 0.0;
        }
        Ok(())
    }

    /// Uniform over the levels, 1 along every path from the root to a leaf; the top level (the
    /// children of the root) weighs `top_level_factor` times as much as the others.
    ///
    /// A leaf above the deepest level stands for itself on all levels below, too. This is the
    /// default of this library; the papers do not publish their weights.
    ///
    /// ```
    /// # use segloss::LabelTree;
    /// # let mut storage = vec![0u8; LabelTree::storage_bytes(5, 3)?];
    /// let tree = LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], &mut storage)?;
    /// let mut weights = [0.0; 5];
    /// tree.uniform_node_weights(1.0, &mut weights)?;
    /// assert_eq!(weights, [0.0, 0.5, 1.0, 0.5, 0.5]);
    /// # Ok::<(), segloss::Error>(())
    /// ```
    ///
    /// # Errors
    /// A length that is not the number of nodes, a factor that is negative or not finite, or one
    /// of 0 in a tree of a single level.
    pub fn uniform_node_weights(
        &self,
        top_level_factor: f64,
        weights: &mut [f64],
    ) -> Result<(), Error> {
        let levels = self.max_depth().max(1) as f64;
        let sum = top_level_factor + (levels - 1.0);
        if !(top_level_factor >= 0.0 && sum > 0.0 && sum.is_finite()) {
            return Err(Error::new(Cause::Option, Argument::NodeWeights).found(top_level_factor));
        }
        self.fill(weights, |node| {
            let depth = at(self.depth, node);
            let leaf = at(self.class, node) != NONE;
            let levels_below = f64::from(if leaf { self.max_depth - depth } else { 0 });
            let own = if depth == 1 { top_level_factor } else { 1.0 };
            (own + levels_below) / sum
        })
    }

    /// 1 everywhere: the sum of the cross-entropies of all levels (Muller and Smith 2020).
    ///
    /// # Errors
    /// A length that is not the number of nodes.
    pub fn sum_over_levels_node_weights(&self, weights: &mut [f64]) -> Result<(), Error> {
        self.fill(weights, |_| 1.0)
    }

    /// 1 at the leaves: plain cross-entropy.
    ///
    /// # Errors
    /// A length that is not the number of nodes.
    pub fn leaf_node_weights(&self, weights: &mut [f64]) -> Result<(), Error> {
        self.fill(weights, |node| if at(self.class, node) == NONE { 0.0 } else { 1.0 })
    }

    /// The same weight for all nodes of a level; `level_weights[d]` is that of depth `d`, the
    /// root's (`d = 0`) is not read.
    ///
    /// # Errors
    /// A length that is not the number of nodes, fewer levels than the tree has, a weight that is
    /// negative or not finite.
    pub fn level_node_weights(
        &self,
        level_weights: &[f64],
        weights: &mut [f64],
    ) -> Result<(), Error> {
        if level_weights.len() <= self.max_depth() {
            let error = Error::new(Cause::Length, Argument::NodeWeights);
            return Err(error
                .found(level_weights.len() as f64)
                .expected(self.max_depth() as f64 + 1.0));
        }
        for (level, &weight) in level_weights.iter().enumerate().skip(1) {
            if !(weight >= 0.0 && weight.is_finite()) {
                let error = Error::new(Cause::Option, Argument::NodeWeights);
                return Err(error.at(level).found(weight));
            }
        }
        self.fill(weights, |node| at(level_weights, at(self.depth, node)))
    }

    /// Hierarchical cross-entropy (Bertinetto 2020): the conditional probabilities along the path
    /// weigh `exp(-alpha depth)`, so a node weighs `exp(-alpha d) - exp(-alpha (d + 1))` and a
    /// leaf `exp(-alpha d)`. `alpha = 0` is plain cross-entropy.
    ///
    /// A voxel that is labelled with an inner node has the weight of that node, as if its path
    /// went on.
    ///
    /// # Errors
    /// A length that is not the number of nodes, an `alpha` that is negative or not finite.
    pub fn hierarchical_node_weights(&self, alpha: f64, weights: &mut [f64]) -> Result<(), Error> {
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(Error::new(Cause::Option, Argument::NodeWeights).found(alpha));
        }
        self.fill(weights, |node| {
            let depth = f64::from(at(self.depth, node));
            let below =
                if at(self.class, node) == NONE { libm::exp(-alpha * (depth + 1.0)) } else { 0.0 };
            libm::exp(-alpha * depth) - below
        })
    }
}
