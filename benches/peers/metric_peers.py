"""Hausdorff distance, its 95th percentile, ASSD and surface Dice as other tools compute them.

Every peer says by which model and convention of ours it measures, and which of our metrics its
values are; `run` leaves one row of values per class of `pair.present()`.
"""
from functools import partial

import edt
import numpy
import surface_distance
import torch
from exacta import functional as exacta
from medpy.metric import binary as medpy
from monai import metrics as monai
from scipy import ndimage
from torch.nn import functional

import segloss_c as c
from measure import checked, fastest
from segloss_metrics import PERCENTILE

ALL_FOUR = ("hausdorff", "hd95", "assd", "nsd")
# MONAI computes in single precision; others differ from us by what distances are stored in
TOLERANCE = 1e-6


class MetricPeer:
    model, convention = c.SURFACE_VOXEL, c.MAXIMUM_OF_DIRECTED
    metrics = ALL_FOUR

    def __init__(self, pair):
        self.pair = pair
        self.labels = pair.present()
        self.values = None

    def run(self):
        masks = ((self.pair.prediction == k, self.pair.reference == k) for k in self.labels)
        self.values = [self.measure(*each) for each in masks]

    def agreement(self, ours):
        if ours.present() != self.labels:
            return checked(f"classes of {self.name}", numpy.nan, 0.0)
        columns = zip(self.metrics, numpy.array(self.values, float).T)
        worst = max(self._difference(ours.column(name), column) for name, column in columns)
        return checked(f"{self.name}, {self.pair.name}", worst, TOLERANCE)

    @staticmethod
    def _difference(ours, theirs):
        scale = numpy.maximum(numpy.abs(theirs), numpy.finfo(float).tiny)
        return float((numpy.abs(ours - theirs) / scale).max())


class ByHand(MetricPeer):
    """What one writes who knows the tools: crop, erosion, two calls of edt, all metrics at once."""

    name = "by hand: crop, erosion, edt"

    def __init__(self, pair):
        super().__init__(pair)
        # what edt is faster on
        self.kind = fastest({kind: partial(self.run_on, kind) for kind in (bool, numpy.uint8)})

    def run_on(self, kind):
        self.kind = kind
        self.run()

    def run(self):
        maps = self.pair.prediction, self.pair.reference
        if self.pair.classes == 2:
            self.values = [self.measure(*self.cropped(*(m.view(bool) for m in maps)))]
            return
        boxes = zip(*(ndimage.find_objects(labels, self.pair.classes - 1) for labels in maps))
        self.values = []
        for label, (mine, theirs) in enumerate(boxes, 1):
            if mine is None or theirs is None:
                continue
            box = tuple(
                slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(mine, theirs)
            )
            self.values.append(self.measure(*(labels[box] == label for labels in maps)))

    @staticmethod
    def cropped(*masks):
        either = numpy.logical_or(*masks)
        box = []
        for axis in range(either.ndim):
            others = tuple(other for other in range(either.ndim) if other != axis)
            held = either.any(others).nonzero()[0]
            box.append(slice(held[0], held[-1] + 1))
        return [mask[tuple(box)] for mask in masks]

    def measure(self, prediction, reference):
        mine, theirs = (m ^ ndimage.binary_erosion(m) for m in (prediction, reference))
        there, back = self.distances(mine, theirs), self.distances(theirs, mine)
        count = there.size + back.size
        return (
            max(there.max(), back.max()),
            max(numpy.percentile(there, PERCENTILE), numpy.percentile(back, PERCENTILE)),
            (there.sum(dtype=float) + back.sum(dtype=float)) / count,
            sum(numpy.count_nonzero(d <= self.pair.tolerance) for d in (there, back)) / count,
        )

    def distances(self, surface, other):
        squared = edt.edtsq((~other).view(self.kind), anisotropy=self.pair.spacing, parallel=1)
        return numpy.sqrt(squared[surface])


class Monai(MetricPeer):
    """Four calls, each with two transforms of its own."""

    name = "MONAI"

    def __init__(self, pair):
        super().__init__(pair)
        self.maps = [
            functional.one_hot(torch.from_numpy(labels.astype(numpy.int64)), pair.classes)
            .movedim(-1, 0)[None].float().contiguous()
            for labels in (pair.prediction, pair.reference)
        ]

    def run(self):
        spacing = self.pair.spacing
        thresholds = [self.pair.tolerance] * (self.pair.classes - 1)
        columns = [
            monai.compute_hausdorff_distance(*self.maps, spacing=spacing),
            monai.compute_hausdorff_distance(*self.maps, percentile=PERCENTILE, spacing=spacing),
            monai.compute_average_surface_distance(*self.maps, symmetric=True, spacing=spacing),
            monai.compute_surface_dice(*self.maps, thresholds, spacing=spacing),
        ]
        rows = torch.stack([column[0] for column in columns], 1).numpy()
        self.values = [rows[label - 1] for label in self.labels]


class Exacta(MetricPeer):
    """All four of all classes in one call."""

    name, surface = "exacta", "voxels"

    def __init__(self, pair):
        super().__init__(pair)
        self.maps = [torch.from_numpy(m[None].copy()) for m in (pair.prediction, pair.reference)]

    def run(self):
        names = ("hausdorff_distance", "hd95", "assd", "nsd")
        options = {name: {"surface": self.surface} for name in names}
        options["nsd"]["tolerance"] = self.pair.tolerance
        result = exacta.evaluate(
            *self.maps, metrics=options, spacing=self.pair.spacing,
            num_classes=self.pair.classes, include_background=False,
        )
        rows = torch.stack([result[name][0] for name in names], 1).numpy()
        self.values = [rows[label - 1] for label in self.labels]


class ExactaSurfels(Exacta):
    name, surface = "exacta, surfels", "surfels"
    model, convention = c.SURFACE_SURFEL, c.AREA_WEIGHTED


class DeepMind(MetricPeer):
    name = "DeepMind, surfels"
    model, convention = c.SURFACE_SURFEL, c.AREA_WEIGHTED
    metrics = ("hausdorff", "hd95", "masd", "nsd")

    def measure(self, prediction, reference):
        found = surface_distance.compute_surface_distances(
            reference, prediction, self.pair.spacing
        )
        return (
            surface_distance.compute_robust_hausdorff(found, 100),
            surface_distance.compute_robust_hausdorff(found, PERCENTILE),
            numpy.mean(surface_distance.compute_average_surface_distance(found)),
            surface_distance.compute_surface_dice_at_tolerance(found, self.pair.tolerance),
        )


class Medpy(MetricPeer):
    """Has no surface Dice, and transforms for every metric anew."""

    name = "medpy, three of four"
    convention = c.POOLED
    metrics = ("hausdorff", "hd95", "assd")

    def measure(self, prediction, reference):
        spacing = self.pair.spacing
        return tuple(
            metric(prediction, reference, voxelspacing=spacing)
            for metric in (medpy.hd, medpy.hd95, medpy.assd)
        )


PEERS = (ByHand, Exacta, Monai, Medpy, DeepMind, ExactaSurfels)
