"""Masks that distance transforms find easy or hard, and pairs of label maps."""
import gzip
import json
import pathlib
from dataclasses import dataclass

import numpy
from scipy import ndimage

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
# title, prediction, reference
REAL_PAIRS = (
    ("brain", "brain_dk_9861_1mm_perturbed", "brain_dk_9861_1mm_ref"),
    ("abdomen", "abdomen_ct_pred_2024", "abdomen_ct_ref"),
    ("MS lesions", "ms_lesion_p09_perturbed", "ms_lesion_p09_ref"),
)
# the generator works on cubes up to this size, larger ones repeat voxels
SMOOTHED = 256


def smooth_noise(generator, shape):
    """Noise of standard deviation 1 whose features are a few per cent of the longest axis."""
    noise = generator.standard_normal(shape, dtype=numpy.float32)
    noise = ndimage.gaussian_filter(noise, max(shape) / 24, mode="wrap")
    return noise / noise.std()


def largest_share(values, share):
    """The voxels with the largest values, as bytes."""
    sample = values[tuple(slice(None, None, 2) for _ in values.shape)]
    return (values > numpy.quantile(sample, 1 - share)).astype(numpy.uint8)


def coordinates(size):
    """Voxel numbers along z, y and x, to be broadcast."""
    return numpy.ogrid[:size, :size, :size]


def blob(size):
    """A fifth of the volume in round lumps."""
    generator = numpy.random.default_rng(1)
    small = min(size, SMOOTHED)
    mask = largest_share(smooth_noise(generator, (small,) * 3), 0.2)
    for axis in range(3):
        mask = mask.repeat(size // small, axis)
    return mask


def lesion(size):
    """Six small balls."""
    generator = numpy.random.default_rng(2)
    mask = numpy.zeros((size,) * 3, bool)
    for _ in range(6):
        centre = generator.integers(size // 6, size - size // 6, 3)
        radius = generator.uniform(size / 64, size / 20)
        mask |= sum((x - c) ** 2 for x, c in zip(coordinates(size), centre)) <= radius**2
    return mask.astype(numpy.uint8)


def seed(size):
    """One voxel."""
    mask = numpy.zeros((size,) * 3, numpy.uint8)
    mask[size // 5, size // 3, size // 2] = 1
    return mask


def noise(size):
    """Every voxel by itself, half of them foreground."""
    generator = numpy.random.default_rng(3)
    return (generator.random((size,) * 3, dtype=numpy.float32) < 0.5).astype(numpy.uint8)


def checkerboard(size):
    """Every other voxel."""
    return (sum(coordinates(size)) % 2).astype(numpy.uint8)


def slab(size):
    """A slab along none of the axes, an eighth of the volume's width thick."""
    z, y, x = coordinates(size)
    height = 0.53 * z + 0.62 * y + 0.58 * x
    return (abs(height - 0.86 * size) < size / 16).astype(numpy.uint8)


MASKS = {make.__name__: make for make in (blob, lesion, seed, noise, checkerboard, slab)}


@dataclass
class Pair:
    """Two label maps, u8; class 0 is background."""

    name: str
    prediction: numpy.ndarray
    reference: numpy.ndarray
    spacing: tuple
    tolerance: float
    classes: int

    def present(self):
        """Foreground classes that both maps hold."""
        counts = [
            numpy.bincount(labels.ravel(), minlength=self.classes)
            for labels in (self.prediction, self.reference)
        ]
        both = numpy.logical_and(*counts).nonzero()[0]
        return [int(label) for label in both if label > 0]


def blob_pair(shape):
    """Lumps, and lumps like them whose border lies elsewhere."""
    generator = numpy.random.default_rng(4)
    truth = smooth_noise(generator, shape)
    guess = truth + 0.2 * smooth_noise(generator, shape)
    name = f"{shape[0]}^{len(shape)}"
    spacing = (1.0,) * len(shape)
    return Pair(name, largest_share(guess, 0.2), largest_share(truth, 0.2), spacing, 2.0, 2)


def real_pairs():
    """A brain parcellation, organs of a CT, lesions: those of which the data is there."""
    for title, *names in REAL_PAIRS:
        parts = [read_labels(name) for name in names]
        if any(part is None for part in parts):
            continue
        (prediction, spacing), (reference, _) = parts
        classes = int(max(prediction.max(), reference.max())) + 1
        name = f"{title}, {classes} classes"
        yield Pair(name, prediction, reference, tuple(spacing), 2.0, classes)


def read_labels(name):
    """Labels and spacing of a volume of the shared data; `None` where it is not there."""
    header = DATA / f"{name}.json"
    plain, packed = DATA / f"{name}.u8.raw", DATA / f"{name}.u8.raw.gz"
    if not (header.exists() and (plain.exists() or packed.exists())):
        return None
    header = json.loads(header.read_text())
    values = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    labels = numpy.frombuffer(values, numpy.uint8)
    return labels.reshape(header["shape"]), header["spacing_mm"]
