"""A loss in PyTorch: value and gradient by autograd."""
import numpy
import torch

from measure import checked

VALUE_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4


class TorchLoss:
    """`loss(scores, labels)` returns a tensor; labels are int64 `[B, 1, ...]`."""

    def __init__(self, name, loss, scores, labels):
        self.name = name
        self.loss = loss
        self.value = None
        self.scores = torch.from_numpy(scores).requires_grad_()
        self.labels = torch.from_numpy(labels[:, None].astype(numpy.int64))

    def run(self):
        self.scores.grad = None
        value = self.loss(self.scores, self.labels)
        value.backward()
        self.value = value.item()

    def agreement(self, ours):
        reference = self.scores.grad.numpy()
        value = abs(ours.value - self.value) / abs(self.value)
        apart = numpy.abs(ours.gradient_values - reference).max()
        gradient = float(apart / numpy.abs(reference).max())
        value = checked(f"value of {self.name}", value, VALUE_TOLERANCE)
        gradient = checked(f"gradient of {self.name}", gradient, GRADIENT_TOLERANCE)
        return f"value {value}, gradient {gradient}"
