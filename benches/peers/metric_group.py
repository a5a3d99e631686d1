"""Group `metrics`: HD, HD95, ASSD, surface Dice of a mask pair, and of every class of a brain."""
import sys

from masks import blob_pair, brain_pair
from metric_peers import PEERS, Medpy
from segloss_metrics import SeglossMetrics

PLANE = 512


def pairs(options):
    yield blob_pair((PLANE,) * 2)
    for size in options.sizes:
        yield blob_pair((size,) * 3)
    if options.quick:
        return
    brain = brain_pair()
    if brain is None:
        print("SKIPPED: no brain, the shared data is not there", file=sys.stderr)
    else:
        yield brain


def rows(library, options, plan):
    for pair in pairs(options):
        for kind in PEERS:
            # medpy does not crop: minutes for classes that are a small part of the volume
            if not options.wants(kind.name) or (kind is Medpy and pair.classes > 2):
                continue
            ours = SeglossMetrics(library, pair, kind.model, kind.convention)
            yield plan.compare(f"four metrics {pair.name}", ours, kind(pair))
