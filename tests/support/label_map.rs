//! Label maps of any integer type, and random label trees.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use proptest::prelude::*;
use segloss::{LabelPair, Labels, Spacing};

#[derive(Clone, Debug)]
pub enum LabelMap {
    U8(Vec<u8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl LabelMap {
    /// The map in the type of this number, 0 to 4. Every label must fit.
    pub fn new(kind: usize, labels: &[i64]) -> Self {
        fn all<T: TryFrom<i64>>(labels: &[i64]) -> Vec<T>
        where
            T::Error: std::fmt::Debug,
        {
            labels.iter().map(|&label| T::try_from(label).unwrap()).collect()
        }
        match kind {
            0 => Self::U8(all(labels)),
            1 => Self::U16(all(labels)),
            2 => Self::I16(all(labels)),
            3 => Self::I32(all(labels)),
            _ => Self::I64(all(labels)),
        }
    }

    pub fn view(&self) -> Labels<'_> {
        match self {
            Self::U8(v) => v[..].into(),
            Self::U16(v) => v[..].into(),
            Self::I16(v) => v[..].into(),
            Self::I32(v) => v[..].into(),
            Self::I64(v) => v[..].into(),
        }
    }
}

/// A pair of maps along one axis.
pub fn line<'a>(
    extent: &'a [usize; 1],
    classes: usize,
    prediction: impl Into<Labels<'a>>,
    reference: impl Into<Labels<'a>>,
    ignore: Option<i64>,
) -> LabelPair<'a> {
    LabelPair {
        extent,
        spacing: Spacing::voxels(1).unwrap(),
        classes,
        prediction: prediction.into(),
        reference: reference.into(),
        ignore,
    }
}

/// A label tree whose nodes are numbered in no particular order.
#[derive(Clone, Debug)]
pub struct RandomTree {
    pub parent: Vec<i32>,
    pub leaf_of_class: Vec<i32>,
    pub edge_weights: Vec<f64>,
}

impl RandomTree {
    pub fn nodes(&self) -> usize {
        self.parent.len()
    }

    pub fn classes(&self) -> usize {
        self.leaf_of_class.len()
    }

    /// From a node to the root, both included.
    pub fn path(&self, node: usize) -> Vec<usize> {
        let mut path = vec![node];
        while let Ok(above) = usize::try_from(self.parent[path[path.len() - 1]]) {
            path.push(above);
        }
        path
    }

    pub fn class_path(&self, class: usize) -> Vec<usize> {
        self.path(self.leaf_of_class[class] as usize)
    }

    pub fn storage(&self) -> Vec<u8> {
        vec![0; segloss::LabelTree::storage_bytes(self.nodes(), self.classes()).unwrap()]
    }

    pub fn build<'s>(&self, storage: &'s mut [u8]) -> segloss::LabelTree<'s> {
        let edges = Some(&self.edge_weights[..]);
        segloss::LabelTree::new(&self.parent, edges, &self.leaf_of_class, storage).unwrap()
    }
}

/// Trees of up to that many nodes.
pub fn any_tree(nodes: usize) -> impl Strategy<Value = RandomTree> {
    let draws = prop::collection::vec((any::<prop::sample::Index>(), 1..40u32), 1..nodes);
    draws.prop_flat_map(|draws| {
        let numbers: Vec<usize> = (0..draws.len()).collect();
        let numbers = (Just(numbers.clone()).prop_shuffle(), Just(numbers).prop_shuffle());
        (Just(draws), numbers).prop_map(|(draws, (numbers, class_order))| {
            let mut parent = vec![-1; draws.len()];
            for (node, (above, _)) in draws.iter().enumerate().skip(1) {
                parent[numbers[node]] = numbers[above.index(node)] as i32;
            }
            let inner = |&node: &usize| parent.contains(&(node as i32));
            let leaves = class_order.iter().filter(|node| !inner(node));
            RandomTree {
                leaf_of_class: leaves.map(|&node| node as i32).collect(),
                edge_weights: draws.iter().map(|(_, edge)| f64::from(*edge) / 8.0).collect(),
                parent,
            }
        })
    })
}
