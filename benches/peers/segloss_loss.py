"""One loss on one volume, evaluated by segloss through its C interface."""
import ctypes
from dataclasses import dataclass, field

import numpy

import segloss_c as c

# null pointers of the C interface
SEQUENTIAL = None
EVERYTHING = None


@dataclass
class TermSpec:
    """A term and the fields that differ from its defaults; array fields are lists of doubles."""

    kind: int
    fields: dict = field(default_factory=dict)


class SeglossLoss:
    """Holds structs, scratch and gradient; `value_and_gradient` is the measured call.

    `scores` is f32 `[B, C, ...]`, `labels` u8 `[B, ...]`, both contiguous; they are not copied.
    """

    def __init__(self, library, terms, scores, labels, tree=None):
        self.library = library
        self.kept = [scores, labels]
        self.gradient_values = numpy.zeros_like(scores)
        self.terms = (c.Term * len(terms))(*(self._term(spec) for spec in terms))
        self.loss = self._loss(tree)
        self.input = self._input(scores, labels)
        self.gradient = self._gradient()
        self.scratch = self._scratch()

    def value_and_gradient(self):
        """The value; the gradient is in `gradient_values`."""
        result = c.Evaluation()
        self.library.call_with_detail(
            "segloss_loss_evaluate",
            self.loss, self.input, self.gradient, self.scratch, SEQUENTIAL, result,
        )
        return result.total

    def _initialised(self, kind, function, *arguments):
        struct = kind()
        self.library.call(function, struct, ctypes.sizeof(kind), *arguments)
        return struct

    def _keep(self, values, dtype):
        array = numpy.ascontiguousarray(values, dtype=dtype)
        self.kept.append(array)
        return array

    def _term(self, spec):
        term = self._initialised(c.Term, "segloss_term_init", spec.kind)
        for name, value in spec.fields.items():
            if isinstance(getattr(term, name), c.Doubles):
                array = self._keep(value, numpy.float64)
                value = c.Doubles(array.ctypes.data, array.size)
            setattr(term, name, value)
        return term

    def _loss(self, tree):
        loss = self._initialised(c.Loss, "segloss_loss_init")
        loss.terms = self.terms
        loss.term_count = len(self.terms)
        loss.activation = c.SOFTMAX
        if tree is not None:
            loss.tree = self._tree(tree)
        return loss

    def _tree(self, tree):
        parent = self._keep(tree.parent, numpy.int32)
        edges = self._keep(tree.edge_weights, numpy.float64)
        leaves = self._keep(tree.leaf_of_class, numpy.int32)
        return c.Tree(
            parent.ctypes.data, edges.ctypes.data, parent.size, leaves.ctypes.data, leaves.size
        )

    def _input(self, scores, labels):
        batch, classes, *extent = scores.shape
        padded = (ctypes.c_uint64 * 3)(*extent)
        data = self._initialised(c.Input, "segloss_input_init")
        data.shape = c.Shape(batch, classes, padded, len(extent), c.PLANAR)
        data.scores = c.Array(scores.ctypes.data, scores.size, c.F32)
        data.target = c.Array(labels.ctypes.data, labels.size, c.U8)
        data.target_kind = c.TARGET_LABELS
        return data

    def _gradient(self):
        gradient = self._initialised(c.Gradient, "segloss_gradient_init")
        values = self.gradient_values
        gradient.values = c.Array(values.ctypes.data, values.size, c.F32)
        return gradient

    def _scratch(self):
        needed, workers = ctypes.c_uint64(), 1
        self.library.call_with_detail(
            "segloss_loss_scratch_size", self.loss, self.input, EVERYTHING, workers, needed
        )
        memory = self._keep(numpy.zeros(needed.value, numpy.uint8), numpy.uint8)
        return c.Scratch(memory.ctypes.data, memory.size)
