"""Group `trees`: losses on a label tree beside the loss without one, both ours, same scores."""
from dataclasses import dataclass

import targets
from cases import FLAT, problem
from segloss_loss import SeglossLoss
from torch_by_hand import eager
from torch_loss import TorchLoss
from volumes import make_volume


@dataclass
class OtherLoss:
    """Ours as well; both are checked against PyTorch."""

    ours: SeglossLoss
    words: str

    def __post_init__(self):
        self.scratch_bytes = self.ours.scratch_bytes

    def run(self):
        self.ours.run()

    def agreement(self, _ours):
        return self.words


def checked_loss(library, name, volume):
    """Our loss, and its agreement with PyTorch."""
    made = problem(name, volume.classes())
    ours = SeglossLoss(library, made.terms, volume, made.tree)
    ours.run()
    peer = TorchLoss({"": next(iter(eager(made.by_hand, volume.classes()).values()))}, volume)
    peer.run()
    return ours, peer.agreement(ours)


def rows(library, options, plan):
    for classes in options.classes:
        volume = make_volume(classes, (options.size,) * 3)
        for name, flat in FLAT.items():
            ours, words = checked_loss(library, name, volume)
            peer = OtherLoss(checked_loss(library, flat, volume)[0], words)
            title = f"{name} C={classes} {options.size}^3"
            target = targets.TREE_AGAINST_FLAT
            yield plan.compare(title, ours, f"ours, {flat}", lambda: peer, target)
