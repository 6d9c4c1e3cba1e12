"""Classical denoising filters that a denoiser should beat: the median filter of width 3 and the Gaussian blur.

x: batch, channels, then one to three axes.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from caedsl.data.sample import Sample
from caedsl.evaluation.baselines import Predictor

MEDIAN, BLUR = "median filter", "Gaussian blur"
SIDE = 3
"""Side of the window of the median filter, in pixels."""
WIDTHS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0)
"""Standard deviations of the blurs that are tried, in pixels."""
CHOSEN_ON = 256
"""Number of training samples on which the width of the blur is chosen."""


class Median:
    """Median filter, applied to each channel separately."""

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the filtered samples."""
        sides = (1, 1, *[SIDE] * (x_bchw.dim() - 2))
        return _filtered(x_bchw, ndimage.median_filter(_values(x_bchw), size=sides, mode="nearest"))


class Blur:
    """Gaussian blur of ``width``, the standard deviation in pixels."""

    def __init__(self, width: float) -> None:
        self.width = width

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the blurred samples."""
        sigmas = (0.0, 0.0, *[self.width] * (x_bchw.dim() - 2))
        return _filtered(x_bchw, ndimage.gaussian_filter(_values(x_bchw), sigmas, mode="nearest"))


def best_blur(samples: Iterable[Sample]) -> Blur:
    """Return the blur with the lowest mean squared error on these samples."""
    errors = dict.fromkeys(WIDTHS, 0.0)
    for sample in samples:
        for width in WIDTHS:
            errors[width] += float((Blur(width)(sample.seen) - sample.target).square().sum())
    return Blur(min(errors, key=errors.__getitem__))


def filters(samples: Iterable[Sample]) -> tuple[dict[str, Predictor], str]:
    """Return the filters by name, with settings chosen on training samples, and a note about them."""
    blur = best_blur(samples)
    note = (
        f"{MEDIAN}: window of {SIDE} pixels; {BLUR}: standard deviation of {blur.width:g} pixels, the best on "
        "training samples"
    )
    classical: dict[str, Predictor] = {MEDIAN: Median(), BLUR: blur}
    return classical, note


def _values(x: Tensor) -> NDArray[np.floating]:
    return x.cpu().numpy()


def _filtered(x: Tensor, values: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(values).to(x)
