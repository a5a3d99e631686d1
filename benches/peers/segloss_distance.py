"""The signed squared field of a mask, by segloss through its C interface."""
import ctypes

import numpy

import segloss_c as c
import segloss_types as types


class SeglossDistance:
    """Holds structs and scratch; `run`, the measured call, writes `field`."""

    def __init__(self, library, mask, spacing):
        self.library = library
        self.memory = c.Memory()
        mask = self.memory.keep(mask, numpy.uint8)
        self.field = numpy.zeros(mask.shape, numpy.float32)
        self.distance = library.initialised(types.Distance, "segloss_distance_init")
        self.distance.extent = (ctypes.c_uint64 * 3)(*mask.shape)
        self.distance.spacing = (ctypes.c_double * 3)(*spacing)
        self.distance.axes = mask.ndim
        self.distance.side = c.SIDE_SIGNED
        self.distance.squared = 1
        values = types.Array(mask.ctypes.data, mask.size, c.U8)
        self.mask = types.Mask(c.MASK_BYTES, 0, values, 0)
        self.output = types.Array(self.field.ctypes.data, self.field.size, c.F32)
        needed = library.scratch_bytes(
            "segloss_distance_scratch_size", self.distance, c.ONE_WORKER
        )
        self.scratch = self.memory.scratch(needed)

    def run(self):
        self.library.call_with_detail(
            "segloss_distance_transform",
            self.distance, self.mask, self.output, self.scratch, c.SEQUENTIAL,
        )
