"""The signed squared field of a mask, by segloss through its C interface."""
import ctypes

import numpy

import segloss_c as c
import segloss_types as types


FIELD_BYTES = 4


class SeglossDistance:
    """Holds structs and scratch; `run`, the measured call, writes `field`."""

    def __init__(self, library, mask, spacing, level=c.BEST_LEVEL, executor=c.SEQUENTIAL):
        self.library = library
        self.executor = executor
        # the mask is read; the field is written, which fetches it, and two axes later once more
        self.moved_bytes = mask.size * (1 + 4 * FIELD_BYTES)
        self.memory = c.Memory()
        mask = self.memory.keep(mask, numpy.uint8)
        self.field = numpy.zeros(mask.shape, numpy.float32)
        self.distance = library.initialised(types.Distance, "segloss_distance_init")
        self.distance.extent = (ctypes.c_uint64 * 3)(*mask.shape)
        self.distance.spacing = (ctypes.c_double * 3)(*spacing)
        self.distance.axes = mask.ndim
        self.distance.side = c.SIDE_SIGNED
        self.distance.squared = 1
        self.distance.level = level
        self.mask = types.Mask(c.MASK_BYTES, 0, c.array_of(mask), 0)
        self.output = c.array_of(self.field)
        self.scratch_bytes = library.scratch_bytes(
            "segloss_distance_scratch_size", self.distance, c.workers(executor)
        )
        self.scratch = self.memory.scratch(self.scratch_bytes)

    def run(self):
        self.library.call_with_detail(
            "segloss_distance_transform",
            self.distance, self.mask, self.output, self.scratch, self.executor,
        )
