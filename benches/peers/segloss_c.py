"""The C interface of segloss through ctypes: constants, functions, calls that raise."""
import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

import numpy

from segloss_types import (
    Array, Detail, Distance, Doubles, Evaluation, Executor, Gradient, Input, LabelPair, Loss, Mask,
    Scratch, SurfaceOptions, SurfaceResult, Term, ToleranceShares,
)

F32, F64, F16, BF16, U8, I64 = 1, 2, 3, 4, 5, 9
TYPES = {
    "float32": F32, "float64": F64, "float16": F16, "bfloat16": BF16, "uint8": U8, "int64": I64,
}
PLANAR, INTERLEAVED = 0, 1
BEST_LEVEL, AVX2_LEVEL = 0, 3
SOFTMAX, SIGMOID = 0, 1
TARGET_LABELS = 0
DICE, TVERSKY, GENERALISED_DICE, CROSS_ENTROPY, FOCAL = 1, 2, 3, 4, 6
TREE_CROSS_ENTROPY, TREE_WASSERSTEIN, HAUSDORFF_DT = 8, 9, 11
WEIGHTING_INVERSE_SQUARE = 0
SCALE_UNIT_MAXIMUM = 1
SIDE_SIGNED = 2
MASK_BYTES = 0
SURFACE_VOXEL, SURFACE_SURFEL = 0, 1
MAXIMUM_OF_DIRECTED, POOLED, AREA_WEIGHTED = 0, 1, 2
BOTH_PRESENT = 1

# null pointers of the C interface
SEQUENTIAL = None
EVERYTHING = None


class Refused(Exception):
    """A call that did not return SEGLOSS_OK."""


BYTES, DETAIL, EXECUTOR = POINTER(c_uint64), POINTER(Detail), POINTER(Executor)
SPACING = POINTER(c_double)

FUNCTIONS = {
    "segloss_term_init": [POINTER(Term), c_size_t, c_uint32],
    "segloss_loss_init": [POINTER(Loss), c_size_t],
    "segloss_input_init": [POINTER(Input), c_size_t],
    "segloss_gradient_init": [POINTER(Gradient), c_size_t],
    "segloss_distance_init": [POINTER(Distance), c_size_t],
    "segloss_label_pair_init": [POINTER(LabelPair), c_size_t],
    "segloss_surface_options_init": [POINTER(SurfaceOptions), c_size_t],
    "segloss_loss_scratch_size": [
        POINTER(Loss), POINTER(Input), c_void_p, c_uint64, BYTES, DETAIL,
    ],
    "segloss_loss_evaluate": [
        POINTER(Loss), POINTER(Input), POINTER(Gradient), Scratch, EXECUTOR,
        POINTER(Evaluation), DETAIL,
    ],
    "segloss_target_fields_scratch_size": [POINTER(Input), SPACING, c_uint64, BYTES, DETAIL],
    "segloss_target_fields": [
        POINTER(Input), SPACING, c_void_p, c_uint64, Scratch, EXECUTOR, DETAIL,
    ],
    "segloss_distance_scratch_size": [POINTER(Distance), c_uint64, BYTES, DETAIL],
    "segloss_distance_transform": [
        POINTER(Distance), POINTER(Mask), Array, Scratch, EXECUTOR, DETAIL,
    ],
    "segloss_surface_scratch_size": [
        POINTER(SurfaceOptions), POINTER(LabelPair), c_uint64, BYTES, DETAIL,
    ],
    "segloss_surface_metrics": [
        POINTER(SurfaceOptions), POINTER(LabelPair), POINTER(SurfaceResult), c_uint64,
        c_void_p, c_uint64, POINTER(ToleranceShares), c_uint64, Scratch, EXECUTOR, DETAIL,
    ],
}


class Library:
    """The loaded library; `call` raises `Refused` with the library's own words."""

    def __init__(self, path):
        self.raw = ctypes.CDLL(str(path))
        for name, arguments in FUNCTIONS.items():
            function = getattr(self.raw, name)
            function.argtypes, function.restype = arguments, c_int32
        self.raw.segloss_version.argtypes, self.raw.segloss_version.restype = [], c_char_p
        self.raw.segloss_status_message.argtypes = [c_int32]
        self.raw.segloss_status_message.restype = c_char_p
        self.raw.segloss_argument_name.argtypes = [c_uint32]
        self.raw.segloss_argument_name.restype = c_char_p

    def version(self):
        return self.raw.segloss_version().decode()

    def call(self, name, *arguments):
        """Calls a function without a detail argument."""
        self._check(name, getattr(self.raw, name)(*arguments), Detail())

    def call_with_detail(self, name, *arguments):
        """Calls a function whose last argument is the detail."""
        detail = Detail()
        self._check(name, getattr(self.raw, name)(*arguments, ctypes.byref(detail)), detail)

    def initialised(self, kind, function, *arguments):
        """A struct with its defaults."""
        struct = kind()
        self.call(function, struct, ctypes.sizeof(kind), *arguments)
        return struct

    def scratch_bytes(self, function, *arguments):
        """The answer of a size query."""
        needed = c_uint64()
        self.call_with_detail(function, *arguments, needed)
        return needed.value

    def _check(self, name, status, detail):
        if status == 0:
            return
        message = self.raw.segloss_status_message(status).decode()
        argument = self.raw.segloss_argument_name(detail.argument).decode()
        raise Refused(
            f"{name}: status {status}, {message} ({argument}, position {detail.position}, "
            f"value {detail.value}, expected {detail.expected})"
        )


def workers(executor):
    """How many tasks an executor runs at once."""
    return 1 if executor is SEQUENTIAL else executor.workers


def array_of(values):
    """A numpy array as segloss_array."""
    return Array(values.ctypes.data, values.size, TYPES[values.dtype.name])


class Memory:
    """Keeps arrays alive as long as structs point into them."""

    def __init__(self):
        self.kept = []

    def keep(self, values, dtype):
        array = numpy.ascontiguousarray(values, dtype=dtype)
        self.kept.append(array)
        return array

    def doubles(self, values):
        array = self.keep(values, numpy.float64)
        return Doubles(array.ctypes.data, array.size)

    def scratch(self, size):
        memory = self.keep(numpy.zeros(size, numpy.uint8), numpy.uint8)
        return Scratch(memory.ctypes.data, memory.size)
