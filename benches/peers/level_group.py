"""Group `levels`: the transform with AVX2 alone beside edt, the same bits as the best level."""
from functools import partial

import numpy

import segloss_c as c
import targets
from masks import MASKS
from measure import Disagreement
from segloss_distance import SeglossDistance
from transform_group import SPACINGS, Edt


def rows(library, options, plan):
    if not options.wants(Edt.name):
        return
    for size in options.sizes:
        for name in options.masks or MASKS:
            mask, spacing = MASKS[name](size), SPACINGS[""]
            best = SeglossDistance(library, mask, spacing)
            ours = SeglossDistance(library, mask, spacing, c.AVX2_LEVEL)
            best.run()
            ours.run()
            if not numpy.array_equal(best.field, ours.field):
                raise Disagreement(f"{name}: the AVX2 level gives other bits")
            title = f"{name} {size}^3, AVX2 alone"
            make = partial(Edt, mask, spacing)
            yield plan.compare(title, ours, Edt.name, make, targets.AVX2_TRANSFORM)
