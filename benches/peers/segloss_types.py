"""The structs of include/segloss.h, as ctypes."""
import ctypes
from ctypes import POINTER, c_double, c_int32, c_int64, c_uint32, c_uint64, c_void_p


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
        ("spacing", c_double * 3),
        ("threshold", c_double),
        ("sides", c_uint32),
        ("logarithm", c_uint32),
        ("include_background", c_uint32),
        ("reserved", c_uint32),
    ]


class Loss(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("terms", POINTER(Term)),
        ("term_count", c_uint64),
        ("activation", c_uint32),
        ("class_sums", c_uint32),
        ("fields_in_scratch", c_uint32),
        ("level", c_uint32),
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
        ("target_field", c_void_p),
        ("prediction_field", c_void_p),
    ]


class Gradient(ctypes.Structure):
    _fields_ = [("size", c_uint64), ("values", Array), ("upstream", c_double), ("mode", c_uint32)]


class Scratch(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("bytes", c_uint64)]


class Executor(ctypes.Structure):
    _fields_ = [("context", c_void_p), ("workers", c_uint64), ("parallel_for", c_void_p)]


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


class Distance(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("extent", c_uint64 * 3),
        ("spacing", c_double * 3),
        ("axes", c_uint32),
        ("side", c_uint32),
        ("squared", c_uint32),
        ("field_type", c_uint32),
        ("level", c_uint32),
        ("reserved", c_uint32),
    ]


class Mask(ctypes.Structure):
    _fields_ = [("kind", c_uint32), ("reserved", c_uint32), ("values", Array), ("label", c_int64)]


class LabelPair(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("extent", c_uint64 * 3),
        ("spacing", c_double * 3),
        ("axes", c_uint32),
        ("has_ignore_label", c_uint32),
        ("ignore_label", c_int64),
        ("classes", c_uint64),
        ("prediction", Array),
        ("reference", Array),
    ]


class SurfaceOptions(ctypes.Structure):
    _fields_ = [
        ("size", c_uint64),
        ("model", c_uint32),
        ("convention", c_uint32),
        ("percentiles", Doubles),
        ("tolerances", Doubles),
        ("include_background", c_uint32),
        ("level", c_uint32),
        ("distance_one_empty", c_double),
        ("share_one_empty", c_double),
        ("distance_both_empty", c_double),
        ("share_both_empty", c_double),
    ]


class SurfaceResult(ctypes.Structure):
    _fields_ = [
        ("state", c_uint32),
        ("reserved", c_uint32),
        ("prediction_voxels", c_uint64),
        ("reference_voxels", c_uint64),
        ("common_voxels", c_uint64),
        ("prediction_surface", c_double),
        ("reference_surface", c_double),
        ("hausdorff", c_double),
        ("directed_maximum", c_double * 2),
        ("directed_mean", c_double * 2),
        ("assd", c_double),
        ("masd", c_double),
    ]


class ToleranceShares(ctypes.Structure):
    _fields_ = [
        ("surface_dice", c_double),
        ("prediction_overlap", c_double),
        ("reference_overlap", c_double),
    ]
