"""Synthetic scores and labels."""
import numpy

from masks import smooth_noise

BLOCK = 8
BACKGROUND_LEAD = 0.8


def make_volume(classes, size, seed=1):
    """Scores f32 `[1, classes, size, size, size]` and labels u8 `[1, size, size, size]`.

    Blocks of one class, half of them background, and noisy logits.
    """
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


def make_smooth_volume(classes, size, seed=1):
    """The same, but lumps, and logits that are as wrong as those of a network in training.

    Borders lie elsewhere, and near them a voxel here and there is on the wrong side.
    """
    generator = numpy.random.default_rng(seed)
    shape = (size,) * 3
    truth = numpy.stack([smooth_noise(generator, shape) for _ in range(classes)])
    truth[0] += numpy.float32(BACKGROUND_LEAD)
    labels = truth.argmax(0).astype(numpy.uint8)
    scores = truth
    for row in scores:
        row += numpy.float32(0.3) * smooth_noise(generator, shape)
    scores *= numpy.float32(4.0)
    scores += numpy.float32(0.3) * generator.standard_normal(scores.shape, dtype=numpy.float32)
    return scores[None], labels[None]
