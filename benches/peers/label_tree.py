"""Label trees: regular ones, and those of the shared data."""
import csv

import numpy

CHILDREN = 4


class LabelTree:
    """Every edge weighs 1. `parent` is -1 for the root; leaf and class are numbered as given.

    `groups[n]` says for every class in which group of level n it is, the leaves first, and
    `group_weights[n]` how much that node weighs, 0 where the class has no ancestor there.
    """

    def __init__(self, parent, leaf_of_class, node_weights):
        self.parent, self.leaf_of_class = list(parent), list(leaf_of_class)
        self.edge_weights = numpy.ones(len(self.parent))
        self.node_weights = numpy.array(node_weights, float)
        self.paths = [self._path(leaf) for leaf in self.leaf_of_class]
        self.groups, self.group_weights = [], []
        self._add_level([path[-1] for path in self.paths])
        for depth in range(1, max(map(len, self.paths))):
            # None where the path has ended, or ends here: leaves are done
            self._add_level([p[depth - 1] if depth < len(p) else None for p in self.paths])

    def _path(self, node):
        """Nodes from below the root to the leaf."""
        path = []
        while self.parent[node] >= 0:
            path.insert(0, node)
            node = self.parent[node]
        return path

    def _add_level(self, nodes):
        # a class without a node is a group of its own
        keys = [("class", c) if node is None else ("node", node) for c, node in enumerate(nodes)]
        numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        self.groups.append(numpy.array([numbers[key] for key in keys]))
        weights = [0.0 if node is None else self.node_weights[node] for node in nodes]
        self.group_weights.append(numpy.array(weights))

    @staticmethod
    def membership(groups):
        """Groups x classes, 1 where the class is in the group."""
        return (groups == numpy.arange(groups.max() + 1)[:, None]).astype(numpy.float32)

    def unit_distance(self):
        """Classes x classes path lengths, divided by the largest."""
        sets = [set(path) for path in self.paths]
        apart = numpy.array([[len(a ^ b) for b in sets] for a in sets], numpy.float32)
        return apart / apart.max()


def regular_tree(classes):
    """Consecutive classes in groups of four, level by level; the same weight at every level."""
    parent, level, depth = [-1] * classes, list(range(classes)), 0
    while len(level) > 1:
        first = len(parent)
        for position, node in enumerate(level):
            parent[node] = first + position // CHILDREN
        level = list(range(first, first + -(-len(level) // CHILDREN)))
        parent += [-1] * len(level)
        depth += 1
    return LabelTree(parent, range(classes), [1.0 / depth] * len(parent))


def read_tree(path):
    """A tree of the shared data, every node with weight 1; `None` where the file is not there."""
    if not path.exists():
        return None
    with path.open() as lines:
        nodes = list(csv.DictReader(lines))
    leaves = {int(node["leaf_label"]): int(node["node_id"]) for node in nodes if node["leaf_label"]}
    parent = [int(node["parent_id"]) for node in nodes]
    return LabelTree(parent, [leaves[label] for label in sorted(leaves)], [1.0] * len(parent))
