"""Metrics of reconstructions on values mapped to 0..1. Tensors: batch, channels, then one to three axes."""

from collections.abc import Iterable, Mapping
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
class Metrics:
    """Metrics of a set of samples, with values mapped to 0..1.

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
    likelihood = torch.lerp((1 - p).log_().clamp_(min=LEAST_LOG), p.log().clamp_(min=LEAST_LOG), target)
    return -likelihood.flatten(1).mean(dim=1)


class MetricAccumulator:
    """Accumulator of the metrics of predictors of the same originals over batches, in 64 bits."""

    def __init__(self, predictors: Iterable[str], pixels: PixelRange, axes: int = IMAGES) -> None:
        """Score samples with ``axes`` axes whose values are in the range ``pixels``."""
        self.pixels = pixels
        self._with_ssim = axes == IMAGES
        self._probabilities = pixels.bounded and (pixels.low, pixels.high) == (0.0, 1.0)
        self._names = ["mse", "mae", "psnr", *["ssim"] * self._with_ssim, *["bce"] * self._probabilities]
        self._sums = {name: torch.zeros(len(self._names), dtype=torch.float64) for name in predictors}
        self._floor = 0.0
        self._images = 0

    def add(self, predictions: Mapping[str, Tensor], target: Tensor) -> None:
        """Add the predictions for a batch by predictor, and the originals."""
        size = max(1, PIECES[target.device.type] // target[0].numel())
        for start in range(0, len(target), size):
            piece = slice(start, start + size)
            x = self.pixels.to_unit(target[piece].double())
            for name, prediction in predictions.items():
                columns = self._columns(self.pixels.to_unit(prediction[piece].double()), x)
                self._sums[name] += torch.stack([column.sum().cpu() for column in columns])
            if self._probabilities:
                self._floor += bce_per_image(x, x).sum().item()
        self._images += len(target)

    def scores(self) -> dict[str, Metrics]:
        """Return the means over the images so far by predictor."""
        return {name: self._scores(sums) for name, sums in self._sums.items()}

    def _scores(self, sums: Tensor) -> Metrics:
        means = dict(zip(self._names, (sums / self._images).tolist(), strict=True))
        if self._probabilities:
            means["bce_above_floor"] = means["bce"] - self._floor / self._images
        return Metrics(ssim=means.pop("ssim", None), **means)

    def _columns(self, y: Tensor, x: Tensor) -> Iterable[Tensor]:
        """Yield for each metric one value per sample, for predictions ``y`` of ``x``, both mapped to 0..1."""
        error = (y - x).flatten(1)
        yield error.square().mean(dim=1)
        yield error.abs().mean(dim=1)
        yield psnr_per_image(y.clamp(0, 1) if self.pixels.bounded else y, x)
        if self._with_ssim:
            yield ssim_per_image(y, x, data_range=1.0)
        if self._probabilities:
            yield bce_per_image(y, x)


def metrics_of(pairs: Iterable[tuple[Tensor, Tensor]], pixels: PixelRange) -> Metrics:
    """Score batches of (prediction, original)."""
    sums = MetricAccumulator([""], pixels)
    for prediction, target in pairs:
        sums.add({"": prediction}, target)
    return sums.scores()[""]
