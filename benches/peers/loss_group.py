"""Group `losses`: value and gradient beside MONAI and PyTorch, and beside what is possible."""
from functools import partial

import hardware
import targets
from cases import CASES, problem
from measure import Row
from segloss_loss import SeglossLoss
from torch_loss import TorchLoss
from volumes import make_volume

# softmax of a voxel in the first pass, and again in the second
EXPONENTIALS = 2


def compare(library, options, plan, title, name, volume, tree=None):
    """The lines of one case."""
    classes = volume.classes()
    made = problem(name, classes, tree)
    ours = SeglossLoss(library, made.terms, volume, made.tree)
    last = None
    for peer, losses, target in made.peers(classes):
        if options.wants(peer):
            make = partial(make_peer, losses, volume)
            last = plan.compare(title, ours, peer, make, target)
            yield last
    if last is not None and classes >= 32:
        yield beside_floor(last, title, volume)


def make_peer(losses, volume):
    return TorchLoss(losses(), volume)


def beside_floor(measured, title, volume):
    """A line for the bytes and exponentials that no implementation can do without."""
    exponentials = EXPONENTIALS * volume.scores.size * hardware.exponential_seconds()
    least = measured.floor_ms + 1000.0 * exponentials
    return Row(
        title, "floor: bytes + exp", measured.ours_ms, least, runs=measured.runs,
        floor_ms=measured.floor_ms, target=targets.FLOOR, group=measured.group,
    )


def rows(library, options, plan):
    for classes in options.classes:
        volume = make_volume(classes, (options.size,) * 3)
        for name in options.cases or CASES:
            title = f"{name} C={classes} {options.size}^3"
            yield from compare(library, options, plan, title, name, volume)
