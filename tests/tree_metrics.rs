//! Metrics on label trees against masks and paths built one voxel at a time, and laws.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/label_map.rs"]
mod label_map;

use label_map::{LabelMap, RandomTree, any_tree, line};
use proptest::prelude::*;
use segloss::{
    LabelPair, LabelTree, OverlapCounts, OverlapMetric, TreeDistances, collapse_labels,
    count_overlap, count_tree_overlap,
};

#[derive(Clone, Debug)]
struct Case {
    tree: RandomTree,
    /// `None` is no class in the prediction, exempt in the reference.
    prediction: Vec<Option<usize>>,
    reference: Vec<Option<usize>>,
    ignore: i64,
    kinds: (usize, usize),
}

impl Case {
    fn maps(&self) -> (LabelMap, LabelMap) {
        let map = |kind, classes: &[Option<usize>]| {
            let labels =
                classes.iter().map(|class| class.map_or(self.ignore, |class| class as i64));
            LabelMap::new(kind, &labels.collect::<Vec<_>>())
        };
        (map(self.kinds.0, &self.prediction), map(self.kinds.1, &self.reference))
    }

    fn with_pair<T>(&self, work: impl FnOnce(&LabelPair<'_>, &LabelTree<'_>) -> T) -> T {
        let ((prediction, reference), extent) = (self.maps(), [self.prediction.len()]);
        let mut storage = self.tree.storage();
        let tree = self.tree.build(&mut storage);
        let classes = self.tree.classes();
        let (prediction, reference) = (prediction.view(), reference.view());
        work(&line(&extent, classes, prediction, reference, Some(self.ignore)), &tree)
    }

    fn counts(&self) -> (Vec<OverlapCounts>, TreeDistances) {
        let sentinel = OverlapCounts { true_negative: 99, ..OverlapCounts::default() };
        let mut nodes = vec![sentinel; self.tree.nodes()];
        let distances =
            self.with_pair(|pair, tree| count_tree_overlap(pair, tree, &mut nodes).unwrap());
        (nodes, distances)
    }

    fn part(&self, voxels: std::ops::Range<usize>) -> Self {
        Self {
            prediction: self.prediction[voxels.clone()].to_vec(),
            reference: self.reference[voxels].to_vec(),
            ..self.clone()
        }
    }

    /// Predicted and true class of the voxels that count.
    fn counted(&self) -> impl Iterator<Item = (Option<usize>, usize)> {
        let classes = self.prediction.iter().zip(&self.reference);
        classes.filter_map(|(&prediction, reference)| Some((prediction, (*reference)?)))
    }

    /// Counts of the mask of a node: a voxel is in it if the node is above its class.
    fn slow_counts(&self, node: usize) -> OverlapCounts {
        let inside = |class: usize| self.tree.class_path(class).contains(&node);
        let mut counts = OverlapCounts::default();
        for (prediction, reference) in self.counted() {
            match (prediction.is_some_and(inside), inside(reference)) {
                (true, true) => counts.true_positive += 1,
                (true, false) => counts.false_positive += 1,
                (false, true) => counts.false_negative += 1,
                (false, false) => counts.true_negative += 1,
            }
        }
        counts
    }

    /// Walks from both classes to the root and takes what is on one path alone.
    fn slow_distances(&self) -> TreeDistances {
        let mut sums = TreeDistances::default();
        let root = self.tree.parent.iter().position(|&above| above < 0).unwrap();
        for (prediction, reference) in self.counted() {
            let predicted = prediction.map_or(vec![root], |class| self.tree.class_path(class));
            let path = self.tree.class_path(reference);
            let apart = |a: &[usize], b: &[usize]| -> f64 {
                let own = a.iter().filter(|node| !b.contains(node));
                own.map(|&node| self.tree.edge_weights[node]).sum()
            };
            sums.counted_voxels += 1;
            sums.total_distance += apart(&predicted, &path) + apart(&path, &predicted);
            let common = path.iter().filter(|node| predicted.contains(node)).count();
            sums.total_ancestor_depth += common as u64 - 1;
        }
        sums
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let kinds = (0..5usize, 0..5usize, prop::bool::ANY);
    (any_tree(24), kinds).prop_flat_map(|(tree, (a, b, negative))| {
        let class = prop_oneof![1 => Just(None), 9 => (0..tree.classes()).prop_map(Some)];
        let run = (class, prop_oneof![3 => Just(1usize), 1 => 15..40usize]);
        let map = prop::collection::vec(run, 1..60).prop_map(|runs| {
            runs.into_iter().flat_map(|(class, n)| std::iter::repeat_n(class, n)).collect()
        });
        let ignore = if negative { -1 } else { 255 };
        let signed = move |kind: usize| if negative { 2 + kind % 3 } else { kind };
        let kinds = (signed(a), signed(b));
        (Just(tree), map.clone(), map).prop_map(
            move |(tree, mut prediction, mut reference): (_, Vec<_>, Vec<_>)| {
                let voxels = prediction.len().min(reference.len());
                prediction.truncate(voxels);
                reference.truncate(voxels);
                Case { tree, prediction, reference, ignore, kinds }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nodes_are_unions_of_classes(case in any_case()) {
        let (nodes, distances) = case.counts();
        for (node, own) in nodes.iter().enumerate() {
            prop_assert_eq!(*own, case.slow_counts(node), "node {}", node);
        }
        // Edge weights are eighths: no sum rounds.
        prop_assert_eq!(distances, case.slow_distances());
    }

    #[test]
    fn leaves_are_classes(case in any_case()) {
        let (nodes, _) = case.counts();
        let mut classes = vec![OverlapCounts::default(); case.tree.classes()];
        case.with_pair(|pair, _| count_overlap(pair, None, &mut classes).unwrap());
        for (class, own) in classes.iter().enumerate() {
            prop_assert_eq!(*own, nodes[case.tree.leaf_of_class[class] as usize]);
        }
    }

    #[test]
    fn parts_add_up_to_the_whole(case in any_case(), cut in any::<prop::sample::Index>()) {
        let voxels = case.prediction.len();
        prop_assume!(voxels > 1);
        let cut = 1 + cut.index(voxels - 1);
        let (a, b) = (case.part(0..cut).counts(), case.part(cut..voxels).counts());
        let merged: Vec<_> = a.0.into_iter().zip(b.0).map(|(a, b)| a.merged(b)).collect();
        prop_assert_eq!((merged, a.1.merged(b.1)), case.counts());
    }

    #[test]
    fn order_and_sides(case in any_case()) {
        let mut other = case.clone();
        other.prediction.reverse();
        other.reference.reverse();
        prop_assert_eq!(other.counts(), case.counts());
        // With classes everywhere the two maps may change places.
        let zero = |map: &[Option<usize>]| map.iter().map(|c| Some(c.unwrap_or(0))).collect();
        let (a, b): (Vec<_>, Vec<_>) = (zero(&case.prediction), zero(&case.reference));
        let there = Case { prediction: a.clone(), reference: b.clone(), ..case.clone() }.counts();
        let back = Case { prediction: b, reference: a, ..case }.counts();
        prop_assert_eq!(there.1, back.1);
        for (there, back) in there.0.iter().zip(&back.0) {
            prop_assert_eq!(there.false_positive, back.false_negative);
            prop_assert_eq!(there.false_negative, back.false_positive);
            prop_assert_eq!(there.true_positive, back.true_positive);
        }
    }

    #[test]
    fn collapsing_is_a_walk_to_a_depth(case in any_case(), depth in 0..8usize) {
        let (_, reference) = case.maps();
        let mut storage = case.tree.storage();
        let tree = case.tree.build(&mut storage);
        let mut found = vec![-7; case.reference.len()];
        collapse_labels(&tree, depth, reference.view(), Some(case.ignore), &mut found).unwrap();
        for (&found, class) in found.iter().zip(&case.reference) {
            let expected = match class {
                None => case.ignore as i32,
                Some(class) => {
                    let path = case.tree.class_path(*class);
                    path[path.len().saturating_sub(depth + 1)] as i32
                }
            };
            prop_assert_eq!(found, expected);
        }
    }
}

/// 0 root, 1 lung, 2 background; 3 left lung, 4 right lung.
fn lungs(storage: &mut [u8]) -> LabelTree<'_> {
    LabelTree::new(&[-1, 0, 0, 1, 1], None, &[2, 3, 4], storage).unwrap()
}

#[test]
fn distances_by_hand() {
    let mut storage = vec![0; LabelTree::storage_bytes(5, 3).unwrap()];
    let tree = lungs(&mut storage);
    let mut nodes = [OverlapCounts::default(); 5];
    let mut measure = |prediction: &[u8], reference: &[u8]| {
        let extent = [prediction.len()];
        let pair = line(&extent, 3, prediction, reference, Some(9));
        count_tree_overlap(&pair, &tree, &mut nodes).unwrap()
    };
    let left_for_right = measure(&[1, 0], &[2, 0]);
    assert_eq!(
        (left_for_right.mean_distance(0.0), left_for_right.mean_ancestor_depth(0.0)),
        (1.0, 1.0)
    );
    let lung_for_background = measure(&[1, 2], &[0, 2]);
    assert_eq!(lung_for_background.mean_distance(0.0), 1.5);
    assert_eq!(lung_for_background.mean_ancestor_depth(0.0), 1.0);
    // No class stands for the root: two edges above a lung.
    let abstained = measure(&[9, 9], &[1, 0]);
    assert_eq!((abstained.total_distance, abstained.total_ancestor_depth), (3.0, 0));
    let nothing = measure(&[1, 2], &[9, 9]);
    assert_eq!(nothing, TreeDistances::default());
    assert_eq!((nothing.mean_distance(-1.0), nothing.mean_ancestor_depth(0.5)), (-1.0, 0.5));
    assert_eq!(nodes, [OverlapCounts::default(); 5]);
}

#[test]
fn one_node_is_a_tree() {
    let mut storage = vec![0; LabelTree::storage_bytes(1, 1).unwrap()];
    let tree = LabelTree::new(&[-1], None, &[0], &mut storage).unwrap();
    let labels = [0u8; 5];
    let mut nodes = [OverlapCounts::default()];
    let pair = line(&[5], 1, &labels[..], &labels[..], None);
    let distances = count_tree_overlap(&pair, &tree, &mut nodes).unwrap();
    assert_eq!((distances.mean_distance(9.0), distances.mean_ancestor_depth(9.0)), (0.0, 0.0));
    assert_eq!(nodes[0].score(OverlapMetric::Dice, 0.0), 1.0);
    let mut collapsed = [-1; 5];
    collapse_labels(&tree, 0, labels[..].into(), None, &mut collapsed).unwrap();
    assert_eq!(collapsed, [0; 5]);
}
