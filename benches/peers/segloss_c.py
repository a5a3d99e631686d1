"""The C interface of segloss, as ctypes: structs and functions of include/segloss.h."""
import ctypes
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t
from ctypes import c_uint32, c_uint64, c_void_p

F32, U8 = 1, 5
PLANAR = 0
SOFTMAX, SIGMOID = 0, 1
TARGET_LABELS = 0
DICE, TVERSKY, GENERALISED_DICE, CROSS_ENTROPY, FOCAL = 1, 2, 3, 4, 6
TREE_CROSS_ENTROPY, TREE_WASSERSTEIN = 8, 9
WEIGHTING_INVERSE_SQUARE = 0
SCALE_UNIT_MAXIMUM = 1


class Shape(ctypes.Structure):
    _fields_ = [
        ("batch", c_uint64),
        ("classes", c_uint64),
        ("extent", c_uint64 * 3),
        ("axes", c_uint32),
        ("layout", c_uint32),
    ]


class Array(ctypes.Structure):
    """segloss_array and segloss_array_mut."""

    _fields_ = [("data", c_void_p), ("length", c_uint64), ("type", c_uint32)]


class Doubles(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("length", c_uint64)]


class Tree(ctypes.Structure):
    _fields_ = [
        ("parent", c_void_p),
        ("edge_weights", c_void_p),
        ("nodes", c_uint64),
        ("leaf_of_class", c_void_p),
        ("classes", c_uint64),
    ]


class Term(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("kind", c_uint32),
        ("activation", c_uint32),
        ("weight", c_double),
        ("class_weights", Doubles),
        ("pooling", c_uint32),
        ("overlap", c_uint32),
        ("denominator", c_uint32),
        ("ratio", c_uint32),
        ("smooth_numerator", c_double),
        ("smooth_denominator", c_double),
        ("false_positive_weight", c_double),
        ("false_negative_weight", c_double),
        ("exponent", c_double),
        ("weighting", c_uint32),
        ("mean", c_uint32),
        ("label_smoothing", c_double),
        ("positive_weights", Doubles),
        ("gamma", c_double),
        ("alpha", Doubles),
        ("fraction", c_double),
        ("node_weights", Doubles),
        ("ground", c_uint32),
        ("scale", c_uint32),
        ("distance_matrix", Doubles),
        ("background", c_uint64),
    ]


class Loss(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("terms", POINTER(Term)),
        ("term_count", c_uint64),
        ("activation", c_uint32),
        ("class_sums", c_uint32),
        ("tree", Tree),
    ]


class Input(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("shape", Shape),
        ("scores", Array),
        ("target", Array),
        ("target_kind", c_uint32),
        ("has_ignore_label", c_uint32),
        ("ignore_label", c_int64),
        ("voxel_weights", Array),
    ]


class Gradient(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("values", Array), ("upstream", c_double), ("mode", c_uint32)]


class Scratch(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("bytes", c_uint64)]


class Evaluation(ctypes.Structure):
    _fields_ = [
        ("total", c_double),
        ("terms", c_double * 16),
        ("term_count", c_uint64),
        ("counted_voxels", c_uint64),
        ("weight", c_double),
        ("class_sums", c_void_p),
        ("class_sums_length", c_uint64),
    ]


class Detail(ctypes.Structure):
    _fields_ = [
        ("status", c_int32),
        ("argument", c_uint32),
        ("position", c_uint64),
        ("value", c_double),
        ("expected", c_double),
    ]


class Refused(Exception):
    """A call that did not return SEGLOSS_OK."""


FUNCTIONS = {
    "segloss_term_init": [POINTER(Term), c_size_t, c_uint32],
    "segloss_loss_init": [POINTER(Loss), c_size_t],
    "segloss_input_init": [POINTER(Input), c_size_t],
    "segloss_gradient_init": [POINTER(Gradient), c_size_t],
    "segloss_loss_scratch_size": [
        POINTER(Loss), POINTER(Input), c_void_p, c_uint64, POINTER(c_uint64), POINTER(Detail),
    ],
    "segloss_loss_evaluate": [
        POINTER(Loss), POINTER(Input), POINTER(Gradient), Scratch, c_void_p,
        POINTER(Evaluation), POINTER(Detail),
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

    def _check(self, name, status, detail):
        if status == 0:
            return
        message = self.raw.segloss_status_message(status).decode()
        argument = self.raw.segloss_argument_name(detail.argument).decode()
        raise Refused(
            f"{name}: status {status}, {message} ({argument}, position {detail.position}, "
            f"value {detail.value}, expected {detail.expected})"
        )
