"""Synthetic scores and labels: blocks of one class, half of them background, noisy logits."""
import numpy

BLOCK = 8


def make_volume(classes, size, seed=1):
    """Scores f32 `[1, classes, size, size, size]` and labels u8 `[1, size, size, size]`."""
    generator = numpy.random.default_rng(seed)
    labels = block_labels(generator, classes, size)[None]
    scores = generator.standard_normal((1, classes, size, size, size), dtype=numpy.float32)
    scores *= 2.0
    for label in range(classes):
        scores[:, label] += numpy.float32(2.0) * (labels == label)
    return scores, labels


def block_labels(generator, classes, size):
    blocks = (-(-size // BLOCK),) * 3
    coarse = generator.integers(classes, size=blocks, dtype=numpy.uint8)
    coarse[generator.random(blocks) < 0.5] = 0
    fine = coarse.repeat(BLOCK, 0).repeat(BLOCK, 1).repeat(BLOCK, 2)
    return numpy.ascontiguousarray(fine[:size, :size, :size])
