"""Agreement first, then time: both sides on the same arrays, in turns."""
import statistics
import time
from dataclasses import dataclass

import numpy
import torch

from segloss_loss import SeglossLoss
from volumes import make_volume

VALUE_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4

CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}


@dataclass
class Row:
    """One line of the table; times in milliseconds, differences relative."""

    case: str
    peer: str
    ours_ms: float
    peer_ms: float
    lowest_ratio: float
    highest_ratio: float
    value_difference: float
    gradient_difference: float


class Disagreement(Exception):
    """The two sides do not compute the same loss."""


class Peer:
    """The peer on the same scores; labels as int64, gradient by autograd."""

    def __init__(self, loss, scores, labels):
        self.loss = loss
        self.scores = torch.from_numpy(scores).requires_grad_()
        self.labels = torch.from_numpy(labels[:, None].astype(numpy.int64))

    def value_and_gradient(self):
        self.scores.grad = None
        value = self.loss(self.scores, self.labels)
        value.backward()
        return value.item()

    def gradient(self):
        return self.scores.grad.numpy()


def compare(library, name, case, classes, size, repeats, clock):
    """Checks and measures one case."""
    scores, labels = make_volume(classes, size)
    problem = case.problem(classes)
    ours = SeglossLoss(library, problem.terms, scores, labels, problem.tree)
    peer = Peer(problem.peer, scores, labels)
    title = f"{name} C={classes} {size}^3"
    value, gradient = agreement(title, ours, peer)
    pairs = timings(ours.value_and_gradient, peer.value_and_gradient, repeats, CLOCKS[clock])
    ratios = [theirs / own for own, theirs in pairs]
    own_ms, peer_ms = (statistics.median(column) for column in zip(*pairs))
    return Row(title, case.peer_name, own_ms, peer_ms, min(ratios), max(ratios), value, gradient)


def agreement(title, ours, peer):
    """Relative differences of value and gradient; `Disagreement` where they are too large."""
    own_value, peer_value = ours.value_and_gradient(), peer.value_and_gradient()
    value = abs(own_value - peer_value) / abs(peer_value)
    gradient = gradient_difference(ours.gradient_values, peer.gradient())
    # written so that NaN disagrees
    if not (value <= VALUE_TOLERANCE and gradient <= GRADIENT_TOLERANCE):
        raise Disagreement(
            f"{title}: ours {own_value!r}, peer {peer_value!r}, relative difference {value:.1e} "
            f"(allowed {VALUE_TOLERANCE:.0e}); gradient {gradient:.1e} "
            f"(allowed {GRADIENT_TOLERANCE:.0e})"
        )
    return value, gradient


def gradient_difference(ours, reference):
    """Largest difference over the largest gradient."""
    return float(numpy.abs(ours - reference).max() / numpy.abs(reference).max())


def timings(ours, peer, repeats, now):
    """Pairs of milliseconds, ours and the peer in turns."""
    return [(milliseconds(ours, now), milliseconds(peer, now)) for _ in range(repeats)]


def milliseconds(function, now):
    start = now()
    function()
    return 1000.0 * (now() - start)
