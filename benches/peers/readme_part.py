"""The part of the tables that the README shows, from the rows of the last full run."""
from report import markdown_table, number

LOSSES = {
    "dice_cross_entropy": "Dice + CE", "dice_focal": "Dice + focal", "tversky": "Tversky",
    "generalised_dice": "generalised Dice", "cross_entropy": "cross-entropy",
    "tree_cross_entropy": "tree cross-entropy", "wasserstein_cross_entropy": "Wasserstein + CE",
}
CLASSES = (2, 32)
# label, rows whose case begins so; `ours` is the time of the first
OTHERS = (
    ("transform, both sides, 128³: blob", "transform", "blob 128^3"),
    ("lesions", "transform", "lesion 128^3"),
    ("noise", "transform", "noise 128^3"),
    ("oblique slab", "transform", "slab 128^3"),
    ("256³: blob", "transform", "blob 256^3"),
    ("AVX2 alone, 128³ blob", "levels", "blob 128^3, AVX2 alone"),
    ("Tversky-HausdorffDT, value + gradient, C = 2, 128³, foreground", "hausdorff",
     "Tversky-HausdorffDT C=2 128^3 foreground"),
    ("the same, both classes", "hausdorff", "Tversky-HausdorffDT C=2 128^3 all classes"),
    ("HD, HD95, ASSD, NSD: 128³", "metrics", "four metrics 128^3"),
    ("256³", "metrics", "four metrics 256^3"),
    ("all classes of a brain", "metrics", "four metrics brain, 83 classes"),
)
SHORT = {
    "by hand: crop, erosion, edt": "by hand", "edt, two calls": "edt", "SciPy, two calls": "SciPy",
    "ITK signed Maurer": "ITK", "exacta, surfels": "exacta (surfels)",
    "DeepMind, surfels": "DeepMind (surfels)", "medpy, three of four": "medpy",
}


def text(rows):
    return "\n".join([losses(rows), "", others(rows)])


def losses(rows):
    """Per loss: ours in milliseconds, and how many times faster than library, torch, compiled."""
    header = ["value + gradient, 128³"]
    for classes in CLASSES:
        header += [f"C = {classes}, ms", "MONAI", "torch by hand", "torch.compile"]
    cells = [header]
    for case, label in LOSSES.items():
        line = [label]
        for classes in CLASSES:
            found = [row for row in rows if row.group == "losses"
                     and row.case == f"{case} C={classes} 128^3" and row.ratio() is not None]
            line.append(number(found[0].ours_ms) if found else "")
            line += [ratio_of(found, peer) for peer in ("MONAI", "torch by hand", "torch.compile")]
        cells.append(line)
    return markdown_table(cells, {0})


def ratio_of(rows, peer):
    row = next((row for row in rows if row.peer.startswith(peer)), None)
    return number(row.ratio()) if row else ""


def others(rows):
    cells = [["", "ours, ms", "how many times faster"]]
    for label, group, case in OTHERS:
        found = [row for row in rows if (row.group, row.case) == (group, case)]
        found = [row for row in found if row.ratio() is not None]
        if found:
            ratios = [f"{SHORT.get(row.peer, row.peer)} {number(row.ratio())}" for row in found]
            cells.append([label, number(found[0].ours_ms), ", ".join(ratios)])
    return markdown_table(cells, {0, 2})
