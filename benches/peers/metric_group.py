"""Group `metrics`: HD, HD95, ASSD, surface Dice of mask pairs, and of all classes of real maps."""
import sys

from functools import partial

import targets
from masks import blob_pair, real_pairs
from metric_peers import PEERS, Medpy
from segloss_metrics import SeglossMetrics

PLANE = 512
MEDPY_VOXELS = 128**3


def pairs(options):
    yield blob_pair((PLANE,) * 2)
    for size in options.sizes:
        yield blob_pair((size,) * 3)
    if options.quick:
        return
    found = list(real_pairs())
    if not found:
        print("SKIPPED: real label maps, the shared data is not there", file=sys.stderr)
    yield from found


def rows(library, options, plan):
    for pair in pairs(options):
        for kind in PEERS:
            # medpy does not crop: minutes for large volumes, or for many classes
            heavy = pair.classes > 2 or pair.reference.size > MEDPY_VOXELS
            if not options.wants(kind.name) or (kind is Medpy and heavy):
                continue
            ours = SeglossMetrics(library, pair, kind.model, kind.convention)
            title, target = f"four metrics {pair.name}", targets.metrics(kind.name, pair.name)
            yield plan.compare(title, ours, kind.name, partial(kind, pair), target)
