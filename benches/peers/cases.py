"""The losses to compare: what segloss is asked for, and the peer that computes the same."""
from dataclasses import dataclass
from typing import Callable

import torch
from monai import losses as monai
from torch.nn import functional

import segloss_c as c
from label_tree import LabelTree
from segloss_loss import TermSpec

MONAI_OPTIONS = {"softmax": True, "to_onehot_y": True}


@dataclass
class Problem:
    """A case for a number of classes.

    `peer(scores, labels)` returns the loss as a tensor; labels are int64 `[B, 1, ...]`.
    """

    terms: list
    peer: Callable
    tree: LabelTree | None = None


@dataclass
class Case:
    """A loss that both sides compute."""

    peer_name: str
    problem: Callable


def dice_cross_entropy(_classes):
    terms = [TermSpec(c.DICE), TermSpec(c.CROSS_ENTROPY)]
    return Problem(terms, monai.DiceCELoss(**MONAI_OPTIONS))


def dice_focal(_classes):
    focal = TermSpec(c.FOCAL, {"gamma": 2.0, "activation": c.SIGMOID})
    return Problem([TermSpec(c.DICE), focal], monai.DiceFocalLoss(gamma=2.0, **MONAI_OPTIONS))


def tversky(_classes):
    weights = {"false_positive_weight": 0.3, "false_negative_weight": 0.7}
    peer = monai.TverskyLoss(alpha=0.3, beta=0.7, **MONAI_OPTIONS)
    return Problem([TermSpec(c.TVERSKY, weights)], peer)


def generalised_dice(_classes):
    term = TermSpec(c.GENERALISED_DICE, {"weighting": c.WEIGHTING_INVERSE_SQUARE})
    return Problem([term], monai.GeneralizedDiceLoss(w_type="square", **MONAI_OPTIONS))


def cross_entropy(_classes):
    def peer(scores, labels):
        return functional.cross_entropy(scores, labels[:, 0])

    return Problem([TermSpec(c.CROSS_ENTROPY)], peer)


def tree_cross_entropy(classes):
    """In torch: one negative log-likelihood per level, node probabilities by matrix product."""
    tree = LabelTree(classes)
    groups = [torch.from_numpy(group) for group in tree.groups]
    membership = [torch.from_numpy(tree.membership(level)) for level in range(tree.depth())]

    def peer(scores, labels):
        leaf_log = scores.flatten(2).log_softmax(1)
        leaf = leaf_log.exp()
        labels = labels.flatten(1)
        total = functional.nll_loss(leaf_log, labels)
        for group, member in zip(groups[1:], membership[1:]):
            total = total + functional.nll_loss((member @ leaf).log(), group[labels])
        return total / tree.depth()

    term = TermSpec(c.TREE_CROSS_ENTROPY, {"node_weights": tree.node_weights()})
    return Problem([term], peer, tree)


def wasserstein_cross_entropy(classes):
    """In torch: the distance matrix times the probabilities, the label's row picked by gather."""
    tree = LabelTree(classes)
    distance = torch.from_numpy(tree.unit_distance())

    def peer(scores, labels):
        scores, labels = scores.flatten(2), labels.flatten(2)
        transport = (distance @ scores.softmax(1)).gather(1, labels)
        return 0.5 * functional.cross_entropy(scores, labels[:, 0]) + 0.5 * transport.mean()

    terms = [
        TermSpec(c.CROSS_ENTROPY, {"weight": 0.5}),
        TermSpec(c.TREE_WASSERSTEIN, {"weight": 0.5, "scale": c.SCALE_UNIT_MAXIMUM}),
    ]
    return Problem(terms, peer, tree)


CASES = {
    "dice_cross_entropy": Case("MONAI DiceCELoss", dice_cross_entropy),
    "dice_focal": Case("MONAI DiceFocalLoss", dice_focal),
    "tversky": Case("MONAI TverskyLoss", tversky),
    "generalised_dice": Case("MONAI GeneralizedDiceLoss", generalised_dice),
    "cross_entropy": Case("torch cross_entropy", cross_entropy),
    "tree_cross_entropy": Case("torch, one NLL per level", tree_cross_entropy),
    "wasserstein_cross_entropy": Case("torch, matrix product", wasserstein_cross_entropy),
}
