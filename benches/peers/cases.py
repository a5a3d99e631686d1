"""The losses to compare: what segloss is asked for, and the peers that compute the same."""
from dataclasses import dataclass
from typing import Callable

from monai import losses as monai

import segloss_c as c
import targets
import torch_by_hand
from label_tree import LabelTree, regular_tree
from segloss_loss import TermSpec

MONAI_OPTIONS = {"softmax": True, "to_onehot_y": True}


@dataclass
class Problem:
    """A loss that both sides compute. `by_hand(form, scores, labels)` is the best of PyTorch.

    `library` is a loss that MONAI has, called `library_name`.
    """

    terms: list
    by_hand: Callable
    library_name: str = ""
    library: Callable | None = None
    tree: LabelTree | None = None

    def peers(self, classes):
        """Names, functions that make the losses to try, and targets."""
        if self.library is not None:
            target = targets.against_monai(classes)
            yield self.library_name, lambda: {"": self.library}, target
        for name, made in (
            ("torch by hand", torch_by_hand.eager), ("torch.compile", torch_by_hand.compiled)
        ):
            if self.tree is None:
                target = targets.against_torch(classes)
            else:
                target = targets.tree_against_torch(made is torch_by_hand.compiled)
            yield name, lambda made=made: made(self.by_hand, classes), target


def dice_cross_entropy(_tree):
    terms = [TermSpec(c.DICE), TermSpec(c.CROSS_ENTROPY)]
    library = monai.DiceCELoss(**MONAI_OPTIONS)
    return Problem(terms, torch_by_hand.dice_cross_entropy, "MONAI DiceCELoss", library)


def dice_focal(_tree):
    focal = TermSpec(c.FOCAL, {"gamma": 2.0, "activation": c.SIGMOID})
    library = monai.DiceFocalLoss(gamma=2.0, **MONAI_OPTIONS)
    terms = [TermSpec(c.DICE), focal]
    return Problem(terms, torch_by_hand.dice_focal, "MONAI DiceFocalLoss", library)


def tversky(_tree):
    weights = {"false_positive_weight": 0.3, "false_negative_weight": 0.7}
    library = monai.TverskyLoss(alpha=0.3, beta=0.7, **MONAI_OPTIONS)
    terms = [TermSpec(c.TVERSKY, weights)]
    return Problem(terms, torch_by_hand.tversky, "MONAI TverskyLoss", library)


def generalised_dice(_tree):
    terms = [TermSpec(c.GENERALISED_DICE, {"weighting": c.WEIGHTING_INVERSE_SQUARE})]
    library = monai.GeneralizedDiceLoss(w_type="square", **MONAI_OPTIONS)
    return Problem(terms, torch_by_hand.generalised_dice, "MONAI GeneralizedDiceLoss", library)


def cross_entropy(_tree):
    return Problem([TermSpec(c.CROSS_ENTROPY)], torch_by_hand.cross_entropy)


def tree_term(tree):
    return TermSpec(c.TREE_CROSS_ENTROPY, {"node_weights": tree.node_weights})


def tree_cross_entropy(tree):
    by_hand = torch_by_hand.TreeLosses(tree).cross_entropy
    return Problem([tree_term(tree)], by_hand, tree=tree)


def tree_cross_entropy_dice(tree):
    by_hand = torch_by_hand.TreeLosses(tree).cross_entropy_dice
    return Problem([tree_term(tree), TermSpec(c.DICE)], by_hand, tree=tree)


def wasserstein_cross_entropy(tree):
    terms = [
        TermSpec(c.CROSS_ENTROPY, {"weight": 0.5}),
        TermSpec(c.TREE_WASSERSTEIN, {"weight": 0.5, "scale": c.SCALE_UNIT_MAXIMUM}),
    ]
    return Problem(terms, torch_by_hand.TreeLosses(tree).wasserstein_cross_entropy, tree=tree)


CASES = {
    make.__name__: make
    for make in (
        dice_cross_entropy, dice_focal, tversky, generalised_dice, cross_entropy,
        tree_cross_entropy, tree_cross_entropy_dice, wasserstein_cross_entropy,
    )
}
# the tree losses, and the loss that has the same terms without a tree
FLAT = {
    "tree_cross_entropy": "cross_entropy",
    "tree_cross_entropy_dice": "dice_cross_entropy",
    "wasserstein_cross_entropy": "cross_entropy",
}


def problem(name, classes, tree=None):
    """A case on a tree of its own, or on a regular one."""
    return CASES[name](tree or regular_tree(classes))
