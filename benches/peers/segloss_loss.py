"""One loss on one volume, evaluated by segloss through its C interface."""
import ctypes
from dataclasses import dataclass, field

import numpy

import segloss_c as c
import segloss_types as types


@dataclass
class TermSpec:
    """A term and the fields that differ from its defaults; array fields are lists of doubles."""

    kind: int
    fields: dict = field(default_factory=dict)


class SeglossLoss:
    """Holds structs, scratch and gradient; `run` is the measured call.

    `scores` is f32 `[B, C, ...]`, `labels` u8 `[B, ...]`, both contiguous; they are not copied.
    `cached_field` hands in the distance field of the labels, made here for that spacing.
    """

    def __init__(self, library, terms, scores, labels, tree=None, cached_field=None):
        self.library = library
        self.memory = c.Memory()
        self.memory.kept += [scores, labels]
        self.value = None
        self.gradient_values = numpy.zeros_like(scores)
        self.terms = (types.Term * len(terms))(*(self._term(spec) for spec in terms))
        self.loss = self._loss(tree)
        self.input = self._input(scores, labels)
        if cached_field is not None:
            self._add_target_field(scores, cached_field)
        self.gradient = self._gradient()
        needed = library.scratch_bytes(
            "segloss_loss_scratch_size", self.loss, self.input, c.EVERYTHING, c.ONE_WORKER
        )
        self.scratch = self.memory.scratch(needed)

    def run(self):
        """The value goes to `value`, the gradient to `gradient_values`."""
        result = types.Evaluation()
        self.library.call_with_detail(
            "segloss_loss_evaluate",
            self.loss, self.input, self.gradient, self.scratch, c.SEQUENTIAL, result,
        )
        self.value = result.total

    def _term(self, spec):
        term = self.library.initialised(types.Term, "segloss_term_init", spec.kind)
        for name, value in spec.fields.items():
            if isinstance(getattr(term, name), types.Doubles):
                value = self.memory.doubles(value)
            elif isinstance(getattr(term, name), ctypes.Array):
                value = type(getattr(term, name))(*value)
            setattr(term, name, value)
        return term

    def _loss(self, tree):
        loss = self.library.initialised(types.Loss, "segloss_loss_init")
        loss.terms = self.terms
        loss.term_count = len(self.terms)
        loss.activation = c.SOFTMAX
        if tree is not None:
            loss.tree = self._tree(tree)
        return loss

    def _tree(self, tree):
        parent = self.memory.keep(tree.parent, numpy.int32)
        edges = self.memory.keep(tree.edge_weights, numpy.float64)
        leaves = self.memory.keep(tree.leaf_of_class, numpy.int32)
        return types.Tree(
            parent.ctypes.data, edges.ctypes.data, parent.size, leaves.ctypes.data, leaves.size
        )

    def _input(self, scores, labels):
        batch, classes, *extent = scores.shape
        padded = (ctypes.c_uint64 * 3)(*extent)
        data = self.library.initialised(types.Input, "segloss_input_init")
        data.shape = types.Shape(batch, classes, padded, len(extent), c.PLANAR)
        data.scores = types.Array(scores.ctypes.data, scores.size, c.F32)
        data.target = types.Array(labels.ctypes.data, labels.size, c.U8)
        data.target_kind = c.TARGET_LABELS
        return data

    def _add_target_field(self, scores, spacing):
        steps = (ctypes.c_double * 3)(*spacing)
        needed = self.library.scratch_bytes(
            "segloss_target_fields_scratch_size", self.input, steps, c.ONE_WORKER
        )
        field = self.memory.keep(numpy.zeros_like(scores), numpy.float32)
        self.library.call_with_detail(
            "segloss_target_fields", self.input, steps, field.ctypes.data, field.size,
            self.memory.scratch(needed), c.SEQUENTIAL,
        )
        self.input.target_field = field.ctypes.data

    def _gradient(self):
        gradient = self.library.initialised(types.Gradient, "segloss_gradient_init")
        values = self.gradient_values
        gradient.values = types.Array(values.ctypes.data, values.size, c.F32)
        return gradient
