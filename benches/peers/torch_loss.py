"""A loss in PyTorch: value and gradient by autograd."""
import ml_dtypes
import numpy
import torch

from measure import checked, fastest

VALUE_TOLERANCE = 1e-5
# of the largest entry; gradients in half precision are rounded to 11 or 8 bits on both sides
GRADIENT_TOLERANCE = {"float64": 1e-4, "float32": 1e-4, "float16": 1e-3, "bfloat16": 8e-3}


class TorchLoss:
    """`losses` maps names to functions of scores `[B, C, ...]` and int64 labels `[B, 1, ...]`.

    The fastest of them is used. Scores in half precision are computed in single, as with autocast.
    """

    def __init__(self, losses, volume):
        self.volume = volume
        self.scores = tensor(volume.scores).requires_grad_()
        self.labels = torch.from_numpy(volume.labels[:, None].astype(numpy.int64))
        self.upstream = torch.tensor(volume.upstream)
        self.value = self.loss = None
        self.loss = losses[fastest({name: self._of(loss) for name, loss in losses.items()})]

    def _of(self, loss):
        def run():
            self.loss = loss
            self.run()

        return run

    def run(self):
        self.scores.grad = None
        scores = self.scores.movedim(-1, 1) if self.volume.interleaved else self.scores
        value = self.loss(scores.float(), self.labels)
        value.backward(self.upstream)
        self.value = value.item()

    def agreement(self, ours):
        reference = self.scores.grad.double().numpy()
        value = abs(ours.value - self.value) / abs(self.value)
        apart = numpy.abs(ours.gradient_values - reference).max()
        gradient = float(apart / numpy.abs(reference).max())
        value = checked("value", value, VALUE_TOLERANCE)
        kind = self.volume.scores.dtype.name
        gradient = checked("gradient", gradient, GRADIENT_TOLERANCE[kind])
        return f"value {value}, gradient {gradient}"


def tensor(scores):
    """The array itself; numpy has no bf16 of its own, so its bits are handed over."""
    if scores.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(scores.view(numpy.int16)).view(torch.bfloat16)
    return torch.from_numpy(scores)
