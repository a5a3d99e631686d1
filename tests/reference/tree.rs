//! A tree over the classes.

/// Nodes are numbered; each class has its own leaf.
#[derive(Clone, Debug)]
pub struct Tree {
    /// `None` for the root only.
    pub parent: Vec<Option<usize>>,
    pub leaf_of_class: Vec<usize>,
    /// Length of the edge from each node to its parent; that of the root is not used.
    pub edge_weights: Vec<f64>,
}

impl Tree {
    /// The nodes from `v` up to the child of the root: the root is left out, as `P = 1` there.
    pub fn path(&self, v: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut node = v;
        while let Some(parent) = self.parent[node] {
            path.push(node);
            node = parent;
        }
        path
    }

    /// Whether the leaf of `class` is `v` or lies below it.
    pub fn contains(&self, v: usize, class: usize) -> bool {
        let mut node = Some(self.leaf_of_class[class]);
        while let Some(above) = node {
            if above == v {
                return true;
            }
            node = self.parent[above];
        }
        false
    }

    /// All nodes but the root.
    pub fn below_root(&self) -> impl Iterator<Item = usize> {
        (0..self.parent.len()).filter(|&v| self.parent[v].is_some())
    }

    /// Sum of the edges between the leaves of two classes: those above one of them, not both.
    pub fn distance(&self, a: usize, b: usize) -> f64 {
        self.below_root()
            .filter(|&v| self.contains(v, a) != self.contains(v, b))
            .map(|v| self.edge_weights[v])
            .sum()
    }

    /// Distances between all classes, `C × C`.
    pub fn matrix(&self) -> Vec<f64> {
        let classes = self.leaf_of_class.len();
        (0..classes * classes).map(|i| self.distance(i / classes, i % classes)).collect()
    }

    pub fn max_distance(&self) -> f64 {
        self.matrix().into_iter().fold(0.0, f64::max)
    }

    /// 0 for the root.
    pub fn depth(&self, v: usize) -> usize {
        self.path(v).len()
    }

    pub fn max_depth(&self) -> usize {
        (0..self.parent.len()).map(|v| self.depth(v)).max().unwrap_or(0)
    }
}
