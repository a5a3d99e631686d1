"""One loss on one volume, evaluated by segloss through its C interface."""
import ctypes
from dataclasses import dataclass, field

import numpy

import segloss_c as c
import segloss_types as types


# of a transform: the mask, the field written, fetched, read and written again
FIELD_BYTES_PER_VOXEL = 17


@dataclass
class TermSpec:
    """A term and the fields that differ from its defaults; array fields are lists of doubles."""

    kind: int
    fields: dict = field(default_factory=dict)


class SeglossLoss:
    """Holds structs, scratch and gradient; `run` is the measured call.

    `volume` is not copied. `cached_field` hands in the distance field of the labels, made here for
    that spacing. `fields` is how many distance fields the formula makes.
    """

    def __init__(self, library, terms, volume, tree=None, cached_field=None, fields=0,
                 executor=c.SEQUENTIAL):
        self.library = library
        self.executor = executor
        scores, labels = volume.scores, volume.labels
        # scores and labels are read twice, the gradient is written; a field as in a transform
        self.moved_bytes = 3 * scores.nbytes + 2 * labels.nbytes
        self.moved_bytes += fields * labels.size * FIELD_BYTES_PER_VOXEL
        self.memory = c.Memory()
        self.memory.kept += [scores, labels]
        self.value = None
        self.gradient_values = numpy.zeros_like(scores)
        self.terms = (types.Term * len(terms))(*(self._term(spec) for spec in terms))
        self.loss = self._loss(tree)
        self.input = self._input(volume)
        if cached_field is not None:
            self._add_target_field(scores, cached_field)
        self.gradient = self._gradient(volume.upstream)
        self.scratch_bytes = library.scratch_bytes(
            "segloss_loss_scratch_size", self.loss, self.input, c.EVERYTHING, c.workers(executor)
        )
        self.scratch = self.memory.scratch(self.scratch_bytes)

    def run(self):
        """The value goes to `value`, the gradient to `gradient_values`."""
        result = types.Evaluation()
        self.library.call_with_detail(
            "segloss_loss_evaluate",
            self.loss, self.input, self.gradient, self.scratch, self.executor, result,
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

    def _input(self, volume):
        batch, *extent = volume.labels.shape
        padded = (ctypes.c_uint64 * 3)(*extent)
        layout = c.INTERLEAVED if volume.interleaved else c.PLANAR
        data = self.library.initialised(types.Input, "segloss_input_init")
        data.shape = types.Shape(batch, volume.classes(), padded, len(extent), layout)
        data.scores, data.target = c.array_of(volume.scores), c.array_of(volume.labels)
        data.target_kind = c.TARGET_LABELS
        return data

    def _add_target_field(self, scores, spacing):
        steps = (ctypes.c_double * 3)(*spacing)
        needed = self.library.scratch_bytes(
            "segloss_target_fields_scratch_size", self.input, steps, 1
        )
        field = self.memory.keep(numpy.zeros_like(scores), numpy.float32)
        self.library.call_with_detail(
            "segloss_target_fields", self.input, steps, field.ctypes.data, field.size,
            self.memory.scratch(needed), c.SEQUENTIAL,
        )
        self.input.target_field = field.ctypes.data

    def _gradient(self, upstream):
        gradient = self.library.initialised(types.Gradient, "segloss_gradient_init")
        values = self.gradient_values
        gradient.values = c.array_of(values)
        gradient.upstream = upstream
        return gradient
