"""The limit set by the processor's matrix product: training a model at the rate of large products."""

import time
from typing import NamedTuple, Self

import torch

from caedsl.facts.cost import total_macs
from caedsl.model.autoencoder import Autoencoder

SIDES = (1024, 2048, 4096)
REPEATS = 5


class Bound(NamedTuple):
    """``flops`` is the best rate of a square matrix product, ``work`` the operations of training on one image."""

    precision: str
    flops: float
    work: float

    @property
    def rate(self) -> float:
        """Return the images per second at that rate."""
        return self.flops / self.work

    @classmethod
    def of(cls, model: Autoencoder, precision: str, device: str = "cpu") -> Self:
        """Measure on all threads that PyTorch uses."""
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        return cls(precision, max(_flops(side, dtype, device) for side in SIDES), work_of(model))


def work_of(model: Autoencoder) -> float:
    """Return the operations of training on one image, two per multiply-accumulate.

    These are the forward pass and the gradients of input and weights; the first layer needs no input gradient.
    """
    first = next(layer for _, layer in model.layers() if layer.kind.macs(layer))
    return 2.0 * (3 * total_macs(model) - first.kind.macs(first))


def _flops(side: int, dtype: torch.dtype, device: str) -> float:
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        (a @ b)[0, 0].item()  # waits for a device
        seconds.append(time.perf_counter() - begun)
    return 2 * side**3 / min(seconds)
