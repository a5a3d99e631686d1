"""Surface metrics of all classes of a pair of label maps, by segloss through its C interface."""
import ctypes

import numpy

import segloss_c as c
import segloss_types as types

PERCENTILE = 95.0


class SeglossMetrics:
    """Holds structs and scratch; `run`, the measured call, fills the results.

    Maps are u8; `model` and `convention` are numbers of the C interface.
    """

    def __init__(self, library, pair, model, convention, executor=c.SEQUENTIAL):
        self.library = library
        self.executor = executor
        # both maps are read
        self.moved_bytes = pair.prediction.nbytes + pair.reference.nbytes
        self.memory = c.Memory()
        self.options = library.initialised(types.SurfaceOptions, "segloss_surface_options_init")
        self.options.model, self.options.convention = model, convention
        self.options.percentiles = self.memory.doubles([PERCENTILE])
        self.options.tolerances = self.memory.doubles([pair.tolerance])
        self.pair = self._pair(pair)
        self.results = (types.SurfaceResult * pair.classes)()
        self.percentiles = numpy.zeros(pair.classes)
        self.shares = (types.ToleranceShares * pair.classes)()
        self.scratch_bytes = library.scratch_bytes(
            "segloss_surface_scratch_size", self.options, self.pair, c.workers(executor)
        )
        self.scratch = self.memory.scratch(self.scratch_bytes)

    def _pair(self, pair):
        struct = self.library.initialised(types.LabelPair, "segloss_label_pair_init")
        prediction = self.memory.keep(pair.prediction, numpy.uint8)
        reference = self.memory.keep(pair.reference, numpy.uint8)
        struct.extent = (ctypes.c_uint64 * 3)(*prediction.shape)
        struct.spacing = (ctypes.c_double * 3)(*pair.spacing)
        struct.axes = prediction.ndim
        struct.classes = pair.classes
        struct.prediction, struct.reference = c.array_of(prediction), c.array_of(reference)
        return struct

    def run(self):
        count = len(self.results)
        self.library.call_with_detail(
            "segloss_surface_metrics",
            self.options, self.pair, self.results, count, self.percentiles.ctypes.data, count,
            self.shares, count, self.scratch, self.executor,
        )

    def present(self):
        """Classes that both maps hold."""
        return [k for k, result in enumerate(self.results) if result.state == c.BOTH_PRESENT]

    def column(self, name):
        """A metric of the classes of `present`."""
        return numpy.array([self._value(name, k) for k in self.present()])

    def _value(self, name, label):
        if name == "hd95":
            return self.percentiles[label]
        if name == "nsd":
            return self.shares[label].surface_dice
        return getattr(self.results[label], name)
