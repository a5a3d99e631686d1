"""Synthetic scores and labels, and real labels with synthetic scores."""
from dataclasses import dataclass, replace

import ml_dtypes
import numpy

from masks import smooth_noise

BLOCK = 8
BACKGROUND_LEAD = 0.8


@dataclass
class Volume:
    """Scores `[B, C, ...]`, `[B, ..., C]` where they are interleaved, and labels `[B, ...]`.

    Gradients are multiplied by `upstream`.
    """

    scores: numpy.ndarray
    labels: numpy.ndarray
    interleaved: bool = False
    upstream: float = 1.0

    def classes(self):
        return self.scores.shape[-1 if self.interleaved else 1]

    def as_interleaved(self):
        scores = numpy.ascontiguousarray(numpy.moveaxis(self.scores, 1, -1))
        return replace(self, scores=scores, interleaved=True)

    def as_half(self, kind=numpy.float16):
        """Gradients are scaled by the number of voxels, else they would be too small for f16."""
        return replace(self, scores=self.scores.astype(kind), upstream=float(self.labels.size))

    def as_bfloat(self):
        return self.as_half(ml_dtypes.bfloat16)

    def as_double(self):
        return replace(self, scores=self.scores.astype(numpy.float64))

    def with_labels(self, kind):
        return replace(self, labels=self.labels.astype(kind))


def make_volume(classes, extent, batch=1, seed=1):
    """Blocks of one class, half of them background, and noisy logits."""
    generator = numpy.random.default_rng(seed)
    labels = numpy.stack([block_labels(generator, classes, extent) for _ in range(batch)])
    return Volume(noisy_scores(generator, labels, classes), labels)


def noisy_scores(generator, labels, classes):
    batch, *extent = labels.shape
    scores = generator.standard_normal((batch, classes, *extent), dtype=numpy.float32)
    scores *= 2.0
    for label in range(classes):
        scores[:, label] += numpy.float32(2.0) * (labels == label)
    return scores


def real_volume(labels, classes, seed=1):
    """Noisy logits around the labels `[...]` of a real map."""
    labels = numpy.ascontiguousarray(labels[None])
    return Volume(noisy_scores(numpy.random.default_rng(seed), labels, classes), labels)


def block_labels(generator, classes, extent):
    blocks = tuple(-(-size // BLOCK) for size in extent)
    labels = generator.integers(classes, size=blocks, dtype=numpy.uint8)
    labels[generator.random(blocks) < 0.5] = 0
    for axis in range(len(extent)):
        labels = labels.repeat(BLOCK, axis)
    return numpy.ascontiguousarray(labels[tuple(slice(size) for size in extent)])


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
    return Volume(scores[None], labels[None])
