"""Group `hausdorff`: 0.9 Tversky + 0.1 log(1 + HausdorffDT), value and gradient.

exacta has no logarithm: it is taken of its HausdorffDTLoss, whose definition is MONAI's. Its
distance map of the target may be kept, as ours may; MONAI's may not.
"""
from functools import partial

import torch
from exacta import losses as exacta
from monai import losses as monai
from torch.nn import functional

import segloss_c as c
import targets
from cases import MONAI_OPTIONS
from segloss_loss import SeglossLoss, TermSpec
from torch_loss import TorchLoss
from volumes import make_smooth_volume

TVERSKY_WEIGHT, HAUSDORFF_WEIGHT = 0.9, 0.1
UNIT_SPACING = (1.0, 1.0, 1.0)


def our_terms(background):
    tversky = {
        "weight": TVERSKY_WEIGHT, "false_positive_weight": 0.3, "false_negative_weight": 0.7,
    }
    hausdorff = {
        "weight": HAUSDORFF_WEIGHT, "logarithm": 1, "exponent": 2.0, "spacing": UNIT_SPACING,
        "include_background": int(background),
    }
    return [TermSpec(c.TVERSKY, tversky), TermSpec(c.HAUSDORFF_DT, hausdorff)]


def monai_loss(background):
    tversky = monai.TverskyLoss(alpha=0.3, beta=0.7, **MONAI_OPTIONS)
    hausdorff = monai.LogHausdorffDTLoss(
        alpha=2.0, include_background=background, **MONAI_OPTIONS
    )

    def loss(scores, labels):
        region = tversky(scores, labels)
        return TVERSKY_WEIGHT * region + HAUSDORFF_WEIGHT * hausdorff(scores, labels)

    return loss


def exacta_loss(background, kept_map):
    tversky = exacta.TverskyLoss(alpha=0.3, beta=0.7)
    hausdorff = exacta.HausdorffDTLoss(alpha=2.0, include_background=background)

    def loss(scores, labels):
        labels = labels[:, 0]
        region = tversky(scores, labels)
        far = hausdorff(scores, labels, spacing=1.0, distance_map=kept_map)
        return TVERSKY_WEIGHT * region + HAUSDORFF_WEIGHT * torch.log1p(far)

    return loss


def target_map(labels, classes, background):
    """exacta's distance map of the target, to be kept."""
    masks = functional.one_hot(torch.from_numpy(labels).long(), classes).movedim(-1, 1)
    masks = masks if background else masks[:, 1:]
    return exacta.geometry.distance_maps(masks.contiguous(), spacing=1.0).float()


def rows(library, options, plan):
    for classes, size in options.scores:
        volume = make_smooth_volume(classes, size)
        for background in (False, True):
            terms = our_terms(background)
            which = "all classes" if background else "foreground"
            title = f"Tversky-HausdorffDT C={classes} {size}^3 {which}"
            for kept in (False, True):
                spacing = UNIT_SPACING if kept else None
                fields = (classes if background else classes - 1) * (1 if kept else 2)
                ours = SeglossLoss(
                    library, terms, volume, cached_field=spacing, fields=fields
                )
                kept_map = target_map(volume.labels, classes, background) if kept else None
                note = ", kept map" if kept else ""
                for name, loss in (
                    ("MONAI", monai_loss(background)),
                    ("exacta", exacta_loss(background, kept_map)),
                ):
                    if options.wants(name):
                        make = partial(TorchLoss, {"": loss}, volume)
                        full = name + (note if name == "exacta" else "")
                        yield plan.compare(
                            title + (", kept field" if kept else ""), ours, full, make,
                            targets.HAUSDORFF[name],
                        )
