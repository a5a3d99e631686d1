"""Group `threads`: two threads beside one, both ours, in wall time; the results are the same bits.

A processor may be half a core, and others may use the other half. So lines also say what two
threads gain that do arithmetic on their own.
"""
import ctypes
import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import Callable

import numpy

import openmp
import segloss_c as c
import segloss_types as types
import targets
from cases import problem
from hausdorff_group import our_terms
from masks import blob, blob_pair
from measure import Disagreement
from segloss_distance import SeglossDistance
from segloss_loss import SeglossLoss
from segloss_metrics import SeglossMetrics
from volumes import make_smooth_volume, make_volume

THREADS = 2


@dataclass
class OneThread:
    """The same call without an executor."""

    side: object
    result: Callable

    def __post_init__(self):
        self.scratch_bytes = self.side.scratch_bytes

    def run(self):
        self.side.run()

    def agreement(self, ours):
        for mine, theirs in zip(self.result(ours), self.result(self.side)):
            if not numpy.array_equal(mine, theirs, equal_nan=True):
                raise Disagreement("two threads give other bits than one")
        return "same bits"


def loss_result(side):
    return side.value, side.gradient_values


def field_result(side):
    return (side.field,)


def metrics_result(side):
    return [side.column(name) for name in ("hausdorff", "hd95", "assd", "nsd")]


def calls(library, options):
    """Titles, functions that make a side with an executor, and what to compare."""
    size = options.size
    for classes in (2, 32):
        volume = make_volume(classes, (size,) * 3)
        terms = problem("dice_cross_entropy", classes).terms
        make = partial(SeglossLoss, library, terms, volume)
        yield f"dice_cross_entropy C={classes} {size}^3", make, loss_result
    make = partial(SeglossLoss, library, our_terms(True), make_smooth_volume(2, size))
    yield f"Tversky-HausdorffDT C=2 {size}^3", make, loss_result
    for size in options.sizes:
        make = partial(SeglossDistance, library, blob(size), (1.0,) * 3)
        yield f"blob {size}^3", make, field_result
        model = c.SURFACE_VOXEL, c.MAXIMUM_OF_DIRECTED
        make = partial(SeglossMetrics, library, blob_pair((size,) * 3), *model)
        yield f"four metrics {size}^3", make, metrics_result


def rows(library, options, plan):
    threaded = openmp.library()
    if threaded is None or os.cpu_count() < THREADS:
        print("SKIPPED: threads, no gcc with OpenMP or one processor", file=sys.stderr)
        return
    run = ctypes.cast(threaded.parallel_for, ctypes.c_void_p)
    executor = types.Executor(THREADS, THREADS, run)
    plan = replace(plan, clock="wall", idle=openmp.ArithmeticGain(threaded, THREADS))
    plan.group = "threads"
    for title, make, result in calls(library, options):
        ours, peer = make(executor=executor), OneThread(make(), result)
        row = plan.compare(title, ours, "ours, one thread", lambda: peer, targets.TWO_THREADS)
        if row.idle is not None:
            row.agreement += f"; arithmetic {row.idle:.1f}x"
        yield row
