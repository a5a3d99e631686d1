"""The losses as one who knows PyTorch writes them: no one-hot volumes, logarithms once.

Every function takes a form, scores `[B, C, ...]` and labels int64 `[B, 1, ...]`. `Gathered` suits
PyTorch's own kernels, `Compared` is what a compiler can fuse; with two classes either may win.
"""
from functools import partial

import torch
from torch.nn import functional

SMOOTH = 1e-5


def flat(scores, labels):
    return scores.flatten(2), labels.flatten(2)


class Gathered:
    """Sums per sample and class, the overlap from the probability of the label alone.

    `scatter_add` adds one by one: in single precision a volume of 128^3 is off in the third digit.
    """

    @staticmethod
    def sums(probabilities, labels):
        of_label = probabilities.gather(1, labels)[:, 0].double()
        zero = of_label.new_zeros(probabilities.shape[:2])
        labels = labels[:, 0]
        overlap = zero.scatter_add(1, labels, of_label)
        volume = zero.scatter_add(1, labels, torch.ones_like(of_label))
        return overlap.to(probabilities.dtype), probabilities.sum(2), volume.float()


class Compared:
    """The same sums from comparisons of labels and classes."""

    @staticmethod
    def sums(probabilities, labels):
        is_label = labels == torch.arange(probabilities.shape[1])[None, :, None]
        overlap = (probabilities * is_label).sum(2)
        return overlap, probabilities.sum(2), is_label.sum(2).to(probabilities.dtype)


def eager(loss, classes):
    """The forms to try."""
    forms = (Gathered, Compared) if classes == 2 else (Gathered,)
    return {form.__name__: partial(loss, form) for form in forms}


def compiled(loss, classes):
    """The forms to try, through `torch.compile`; compiled in their first run."""
    torch.compiler.reset()
    forms = (Gathered, Compared) if classes == 2 else (Compared,)
    return {
        form.__name__: torch.compile(partial(loss, form), dynamic=False) for form in forms
    }


def dice(overlap, predicted, volume):
    return (1 - (2 * overlap + SMOOTH) / (predicted + volume + SMOOTH)).mean()


def dice_cross_entropy(form, scores, labels):
    scores, labels = flat(scores, labels)
    logarithms = scores.log_softmax(1)
    cross_entropy = -logarithms.gather(1, labels).mean()
    return dice(*form.sums(logarithms.exp(), labels)) + cross_entropy


def dice_focal(form, scores, labels):
    """Focal as sigmoid, gamma 2: every channel as background, that of the label put right."""
    scores, labels = flat(scores, labels)
    background = scores.sigmoid().square() * functional.softplus(scores)
    of_label = scores.gather(1, labels)
    right = (-of_label).sigmoid().square() * functional.softplus(-of_label)
    focal = (background.sum() + (right - background.gather(1, labels)).sum()) / scores.numel()
    return dice(*form.sums(scores.softmax(1), labels)) + focal


def tversky(form, scores, labels):
    scores, labels = flat(scores, labels)
    overlap, predicted, volume = form.sums(scores.softmax(1), labels)
    wrong = 0.3 * (predicted - overlap) + 0.7 * (volume - overlap)
    return (1 - (overlap + SMOOTH) / (overlap + wrong + SMOOTH)).mean()


def generalised_dice(form, scores, labels):
    scores, labels = flat(scores, labels)
    overlap, predicted, volume = form.sums(scores.softmax(1), labels)
    weights = volume.square().reciprocal()
    absent = weights.isinf()
    weights = weights.masked_fill(absent, 0)
    weights = weights + absent * weights.amax(1, keepdim=True)
    numerator = 2 * (weights * overlap).sum(1) + SMOOTH
    return (1 - numerator / ((weights * (predicted + volume)).sum(1) + SMOOTH)).mean()


def cross_entropy(_form, scores, labels):
    return functional.cross_entropy(scores, labels[:, 0])


def weighted(weight, labels, values):
    if isinstance(weight, float):
        return weight * values.mean()
    return (weight[labels] * values).mean()


class TreeLosses:
    """Terms on a label tree."""

    def __init__(self, tree):
        self.groups = [torch.from_numpy(group) for group in tree.groups]
        self.weights = [torch.from_numpy(weights).float() for weights in tree.group_weights]
        # one number where all classes have the same
        self.weights = [w[0].item() if w.min() == w.max() else w for w in self.weights]
        self.membership = [torch.from_numpy(tree.membership(group)) for group in tree.groups]
        self.distance = torch.from_numpy(tree.unit_distance())

    def cross_entropy(self, form, scores, labels):
        """The leaf's negative log-likelihood and one per level, of the label's group."""
        scores, labels = flat(scores, labels)
        logarithms = scores.log_softmax(1)
        probabilities = logarithms.exp()
        leaf, *weights = self.weights
        total = -weighted(leaf, labels, logarithms.gather(1, labels))
        for group, weight, membership in zip(self.groups[1:], weights, self.membership[1:]):
            if form is Gathered:
                of_label = (membership @ probabilities).gather(1, group[labels])
            else:
                is_relative = group[None, :, None] == group[labels]
                of_label = (probabilities * is_relative).sum(1, keepdim=True)
            total = total - weighted(weight, labels, of_label.log())
        return total

    def cross_entropy_dice(self, form, scores, labels):
        """Tree cross-entropy, and Dice of the leaves."""
        probabilities = scores.flatten(2).softmax(1)
        region = dice(*form.sums(probabilities, labels.flatten(2)))
        return self.cross_entropy(form, scores, labels) + region

    def wasserstein_cross_entropy(self, form, scores, labels):
        """The distance matrix times the probabilities, the label's row; half of each term."""
        scores, labels = flat(scores, labels)
        logarithms = scores.log_softmax(1)
        if form is Gathered:
            transport = (self.distance @ logarithms.exp()).gather(1, labels)
        else:
            transport = (self.distance[labels[:, 0]].movedim(2, 1) * logarithms.exp()).sum(1)
        return 0.5 * transport.mean() - 0.5 * logarithms.gather(1, labels).mean()
