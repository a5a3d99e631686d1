"""Group `transform`: the distance of every voxel to the other phase.

Ours is one call for the signed squared field. edt and SciPy measure one phase, so they are called
twice. ITK makes a signed field in one call, but inside it measures to the border voxels of the
object, not to the background: only the outside is compared.
"""
from functools import partial

import edt
import numpy
import SimpleITK
from scipy import ndimage

import targets
from masks import MASKS
from measure import checked, fastest
from segloss_distance import SeglossDistance

SPACINGS = {"": (1.0, 1.0, 1.0), " 3:0.8:0.8": (3.0, 0.8, 0.8)}
HEAVY_SIZE = 128
# ours is within 3e-7 of the exact distance, which is SciPy's; others have errors of their own
TOLERANCE = 3e-7
EDT_TOLERANCE = 1e-5
ITK_TOLERANCE = 1e-4


def relative(ours, reference):
    return float(numpy.abs(ours / reference - 1.0).max())


class TwoCalls:
    """One transform of the mask, one of its complement."""

    def __init__(self, mask, spacing):
        self.mask = mask
        self.complement = 1 - mask
        self.spacing = spacing
        self.unit = spacing == (1.0, 1.0, 1.0)
        self.inside = self.outside = None

    def run(self):
        self.inside = self.transform(self.mask)
        self.outside = self.transform(self.complement)


class Edt(TwoCalls):
    name = "edt, two calls"

    def __init__(self, mask, spacing):
        super().__init__(mask, spacing)
        # up to twice as fast on bool or on bytes, as the mask is fine or coarse
        kinds = {kind: partial(self.transform, mask.view(kind)) for kind in (bool, numpy.uint8)}
        kind = fastest(kinds)
        self.mask, self.complement = self.mask.view(kind), self.complement.view(kind)

    def transform(self, mask):
        return edt.edtsq(mask, anisotropy=self.spacing, parallel=1)

    def agreement(self, ours):
        difference = relative(ours.field, self.outside - self.inside)
        return checked(self.name, difference, 0.0 if self.unit else EDT_TOLERANCE)


class SciPy(TwoCalls):
    name = "SciPy, two calls"

    def transform(self, mask):
        return ndimage.distance_transform_edt(mask, sampling=self.spacing)

    def agreement(self, ours):
        squared = self.outside**2 - self.inside**2
        if self.unit:
            squared = numpy.rint(squared)
        return checked(self.name, relative(ours.field, squared), 0.0 if self.unit else TOLERANCE)


class Maurer:
    name = "ITK signed Maurer"

    def __init__(self, mask, spacing):
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        self.outside = mask == 0
        self.image = SimpleITK.GetImageFromArray(mask)
        self.image.SetSpacing(spacing[::-1])
        self.unit = spacing == (1.0, 1.0, 1.0)
        self.result = None

    def run(self):
        self.result = SimpleITK.SignedMaurerDistanceMap(
            self.image, insideIsPositive=False, squaredDistance=True, useImageSpacing=True
        )

    def agreement(self, ours):
        field = SimpleITK.GetArrayViewFromImage(self.result)
        difference = relative(ours.field[self.outside], field[self.outside])
        tolerance = 0.0 if self.unit else ITK_TOLERANCE
        return checked(self.name, difference, tolerance) + ", outside"


def rows(library, options, plan):
    for size in options.sizes:
        for name in options.masks or MASKS:
            mask = MASKS[name](size)
            for suffix, spacing in SPACINGS.items():
                ours = SeglossDistance(library, mask, spacing)
                # SciPy and ITK take seconds for the largest, whatever the spacing
                heavy = size > HEAVY_SIZE and spacing != SPACINGS[""]
                for kind in (Edt,) if heavy else (Edt, SciPy, Maurer):
                    if options.wants(kind.name):
                        make = partial(kind, mask, spacing)
                        target = targets.transform(kind.name, name, size)
                        yield plan.compare(
                            f"{name} {size}^3{suffix}", ours, kind.name, make, target
                        )
