"""Group `formats`: layouts, element types, batches and planes, beside the same peers."""
from functools import partial

from loss_group import compare
from volumes import make_volume

CASES = ("dice_cross_entropy", "cross_entropy")
PLANE, BATCH = (512, 512), 4


def formats(large, small):
    """Names of cases, and functions that make their volumes; cubes of two sizes."""
    def cube(classes, size, batch=1):
        return make_volume(classes, (size,) * 3, batch)

    yield f"C=2 {large}^3 interleaved", lambda: cube(2, large).as_interleaved()
    for classes in (32, 107):
        title = f"C={classes} {small}^3 interleaved"
        yield title, lambda classes=classes: cube(classes, small).as_interleaved()
    yield f"C=2 {large}^3 f16", lambda: cube(2, large).as_half()
    yield f"C=32 {small}^3 f16", lambda: cube(32, small).as_half()
    yield f"C=32 {small}^3 bf16", lambda: cube(32, small).as_bfloat()
    yield f"C=2 {large}^3 i64 labels", lambda: cube(2, large).with_labels("int64")
    yield f"C=8 {small}^3 batch {BATCH}", partial(cube, 8, small, BATCH)
    for classes in (2, 8):
        yield f"C={classes} 512^2 batch {BATCH}", partial(make_volume, classes, PLANE, BATCH)


def rows(library, options, plan):
    for title, make in formats(options.size, min(options.size, 64)):
        volume = make()
        for name in CASES:
            yield from compare(library, options, plan, f"{name} {title}", name, volume)
