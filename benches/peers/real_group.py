"""Group `real`: losses on real label maps and trees of the shared data, with synthetic scores."""
import sys

from label_tree import read_tree
from loss_group import compare
from masks import DATA, read_labels
from volumes import real_volume

# name, labels, tree, cases
MAPS = (
    ("brain", "brain_dk_9861_2mm_ref", "brain_dk_tree_hemisphere.csv"),
    ("abdomen", "abdomen_ct_ref", "abdomen_ct_tree.csv"),
    ("MS lesions", "ms_lesion_p09_ref", None),
)
FLAT_CASES = ("dice_cross_entropy", "dice_focal", "tversky")
TREE_CASES = ("dice_cross_entropy", "tree_cross_entropy", "wasserstein_cross_entropy")


def rows(library, options, plan):
    for title, labels, tree in MAPS:
        found = read_labels(labels)
        tree = tree and read_tree(DATA / tree)
        if found is None:
            print(f"SKIPPED: {title}, the shared data is not there", file=sys.stderr)
            continue
        classes = len(tree.leaf_of_class) if tree else 2
        volume = real_volume(found[0], classes)
        for name in TREE_CASES if tree else FLAT_CASES:
            full = f"{name} {title} C={classes}"
            yield from compare(library, options, plan, full, name, volume, tree)
