"""Metrics of reconstructions on values mapped to 0..1. Tensors: batch, channels, then one to three axes."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from caedsl.backends.torch.ssim import ssim_per_image
from caedsl.training.pixel_range import PixelRange

IMAGES = 2
"""Number of axes of an image."""
LEAST_LOG = -100.0
LEAST_ERROR = 1e-10
"""Mean squared error below which images count as equal, which is a PSNR of 100 dB."""


PIECES = {"cpu": 1 << 17, "cuda": 1 << 24}
"""Largest number of values that are scored at a time, by the type of device.

Metrics need twenty times the memory of their images, which for a small model is more than a step of training. On a CPU,
pieces that fit into its cache are also faster: by a half at 3x64x64.
"""


@dataclass(frozen=True)
class Scores:
    """Scores of a set of samples, with values mapped to 0..1.

    ``mse`` and ``mae`` are means over all values, without clipping. ``psnr`` in dB is computed for each sample and
    averaged; predictions are clipped to 0..1 if the range is bounded, and an exact reconstruction counts as 100 dB.
    ``ssim`` is the mean structural similarity of Wang et al. 2004, or None for signals and volumes. ``bce`` is the
    binary cross-entropy, and ``bce_above_floor`` its excess over the entropy of the originals, a lower bound for any
    model; both are None if the range is not 0..1.
    """

    mse: float
    mae: float
    psnr: float
    ssim: float | None
    bce: float | None = None
    bce_above_floor: float | None = None


def psnr_per_image(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each image in dB, for a peak of 1; at most 100 dB."""
    error = (prediction - target).square().flatten(1).mean(dim=1)
    return -10 * torch.log10(error.clamp(min=LEAST_ERROR))


def bce_per_image(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the binary cross-entropy of each image in nats per pixel; logarithms are clamped at -100 as in PyTorch."""
    p = prediction.clamp(0, 1)
    likelihood = target * p.log().clamp(min=LEAST_LOG) + (1 - target) * (1 - p).log().clamp(min=LEAST_LOG)
    return -likelihood.flatten(1).mean(dim=1)


class Scoring:
    """Accumulator of scores over batches, in 64 bits."""

    def __init__(self, pixels: PixelRange, axes: int = IMAGES) -> None:
        """Score samples with ``axes`` axes whose values are in the range ``pixels``."""
        self.pixels = pixels
        self._with_ssim = axes == IMAGES
        self._probabilities = pixels.bounded and (pixels.low, pixels.high) == (0.0, 1.0)
        ssim, bce = ["ssim"] * self._with_ssim, ["bce", "floor"] * self._probabilities
        self._names = ["mse", "mae", "psnr", *ssim, *bce]
        self._sums = torch.zeros(len(self._names), dtype=torch.float64)
        self._images = 0

    def add(self, prediction: Tensor, target: Tensor) -> None:
        """Add a batch of predictions and originals."""
        size = max(1, PIECES[target.device.type] // target[0].numel())
        for y, x in zip(torch.split(prediction, size), torch.split(target, size), strict=True):
            columns = _columns(y, x, self.pixels, self._with_ssim, self._probabilities)
            self._sums += torch.stack([column.sum().cpu() for column in columns])
        self._images += len(target)

    def scores(self) -> Scores:
        """Return the means over the images so far."""
        means = dict(zip(self._names, (self._sums / self._images).tolist(), strict=True))
        if self._probabilities:
            means["bce_above_floor"] = means["bce"] - means.pop("floor")
        return Scores(ssim=means.pop("ssim", None), **means)


def score(pairs: Iterable[tuple[Tensor, Tensor]], pixels: PixelRange) -> Scores:
    """Score batches of (prediction, original)."""
    scoring = Scoring(pixels)
    for prediction, target in pairs:
        scoring.add(prediction, target)
    return scoring.scores()


def _columns(
    prediction: Tensor, target: Tensor, pixels: PixelRange, ssim: bool, probabilities: bool
) -> Iterable[Tensor]:
    """Yield for each metric one value per sample."""
    y, x = pixels.to_unit(prediction.double()), pixels.to_unit(target.double())
    error = y - x
    yield error.square().flatten(1).mean(dim=1)
    yield error.abs().flatten(1).mean(dim=1)
    yield psnr_per_image(y.clamp(0, 1) if pixels.bounded else y, x)
    if ssim:
        yield ssim_per_image(y, x, data_range=1.0)
    if probabilities:
        yield bce_per_image(y, x)
        yield bce_per_image(x, x)
