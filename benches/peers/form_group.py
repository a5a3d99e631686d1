"""Group `forms`: other forms of the input beside planar f32 scores and u8 labels, both ours.

Nearly as many voxels without a power of two between two classes tell whether such distances harm.
"""
from tree_group import OtherLoss, checked_loss
from volumes import make_volume

CASES = ("dice_cross_entropy", "cross_entropy")


def forms(classes, size):
    """Names, and functions that change the plain volume or make another one."""
    beside = size - 1, size, size + 1
    yield "interleaved", lambda plain: plain.as_interleaved()
    yield "i64 labels", lambda plain: plain.with_labels("int64")
    yield "f16", lambda plain: plain.as_half()
    yield "bf16", lambda plain: plain.as_bfloat()
    yield "f64", lambda plain: plain.as_double()
    yield "x".join(map(str, beside)), lambda _: make_volume(classes, beside)


def rows(library, options, plan):
    for classes in options.classes:
        plain = make_volume(classes, (options.size,) * 3)
        for form, change in forms(classes, options.size):
            volume = change(plain)
            for name in CASES:
                ours, words = checked_loss(library, name, volume)
                peer = OtherLoss(checked_loss(library, name, plain)[0], words)
                title = f"{name} C={classes} {options.size}^3, {form}"
                yield plan.compare(title, ours, "ours, plain", lambda: peer)
