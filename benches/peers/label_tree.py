"""A regular label tree: consecutive classes in groups of four, level by level up to the root."""
import numpy

CHILDREN = 4


class LabelTree:
    """All leaves have the same depth; every edge weighs 1; node c is the leaf of class c."""

    def __init__(self, classes):
        self.leaf_of_class = list(range(classes))
        self.parent = [-1] * classes
        # groups[level][class]: which node of the level, counted from 0; the leaves come first
        self.groups = [numpy.arange(classes)]
        self._add_levels()
        self.edge_weights = numpy.ones(len(self.parent))

    def _add_levels(self):
        level = list(self.leaf_of_class)
        while len(level) > 1:
            first = len(self.parent)
            for position, node in enumerate(level):
                self.parent[node] = first + position // CHILDREN
            level = list(range(first, first + -(-len(level) // CHILDREN)))
            self.parent += [-1] * len(level)
            self.groups.append(self.groups[-1] // CHILDREN)
        self.groups.pop()

    def depth(self):
        """Edges between the root and a leaf."""
        return len(self.groups)

    def node_weights(self):
        """The same weight at every level, 1 along every path."""
        return numpy.full(len(self.parent), 1.0 / self.depth())

    def membership(self, level):
        """Nodes of the level x classes, 1 where the class is below the node."""
        groups = self.groups[level]
        return (groups == numpy.arange(groups.max() + 1)[:, None]).astype(numpy.float32)

    def unit_distance(self):
        """Classes x classes path lengths, divided by the largest."""
        apart = sum((group[:, None] != group).astype(numpy.float32) for group in self.groups)
        return apart / apart.max()
