"""Anomaly scores: the distance of a sample from its reconstruction, as one number and as a map.

Errors are computed on values mapped to 0..1, or normalised by the contrast of each sample, if the network
normalises samples in this way, as in the loss.
Tensors: x_bc… = batch, channels, then one to three space axes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl.backends.torch.modules import SampleNormalise
from caedsl.backends.torch.ssim import ssim_per_image
from caedsl.training.pixel_range import PixelRange

BLUR_SIGMA = 4.0
"""Standard deviation in pixels of the blur of ``blurmax``, as in Roth et al. 2022, "PatchCore", CVPR, section 4.1."""
_REACH = 3
"""Number of standard deviations at which the blur kernel ends, where its weight is 1 % of the centre's."""


@dataclass(frozen=True)
class Compared:
    """Batch and its reconstruction, both on one scale, and the codes of both."""

    target: Tensor
    reconstruction: Tensor
    code: Tensor
    code_again: Tensor | None
    """Code of the reconstruction, or None if the score does not need it."""

    @property
    def squared_error(self) -> Tensor:
        """Squared error of each pixel, averaged over the channels: B×space."""
        return (self.target - self.reconstruction).square().mean(dim=1)


def on_one_scale(
    target: Tensor, reconstruction: Tensor, values: PixelRange, normalise: nn.Module | None
) -> tuple[Tensor, Tensor]:
    """Return samples and reconstructions on the scale of scores: normalised by contrast, or mapped to 0..1."""
    if isinstance(normalise, SampleNormalise):
        return normalise(target), normalise(reconstruction, target)
    return values.to_unit(target), values.to_unit(reconstruction)


@dataclass(frozen=True)
class Score:
    """Kind of score.

    ``of`` returns one value per sample and ``map`` one per pixel; higher values are more abnormal. ``parameter`` is the
    default of the number that may follow the name (``top=1%``), or None if the score takes no number.
    """

    name: str
    about: str
    of: Callable[[Compared, float], Tensor]
    map: Callable[[Compared], Tensor]
    parameter: float | None = None
    needs_second_code: bool = False
    ranks: tuple[int, ...] = (1, 2, 3)
    """Supported numbers of axes of the samples."""


def _mean(x: Tensor) -> Tensor:
    return x.flatten(1).mean(dim=1)


def _top(compared: Compared, share: float) -> Tensor:
    errors = compared.squared_error.flatten(1)
    count = max(1, round(share * errors.shape[1]))
    return errors.topk(count, dim=1).values.mean(dim=1)


def blurred(map_: Tensor, sigma: float = BLUR_SIGMA) -> Tensor:
    """Apply a Gaussian blur along every space axis of B×space maps, with the edges repeated."""
    reach = int(_REACH * sigma)
    x = torch.arange(-reach, reach + 1, dtype=map_.dtype, device=map_.device)
    kernel = torch.exp(-x.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, -1)
    for axis in range(1, map_.dim()):
        moved = map_.movedim(axis, -1)
        lines = functional.pad(moved.reshape(-1, 1, moved.shape[-1]), (reach, reach), mode="replicate")
        map_ = functional.conv1d(lines, kernel).reshape(moved.shape).movedim(-1, axis)
    return map_


def _blurred_maximum(compared: Compared, _: float) -> Tensor:
    return blurred(compared.squared_error).flatten(1).amax(dim=1)


def _latent(compared: Compared, _: float) -> Tensor:
    assert compared.code_again is not None, "the caller encodes the reconstruction where needs_second_code"
    return (compared.code - compared.code_again).square().flatten(1).mean(dim=1).sqrt()


def _squared(compared: Compared) -> Tensor:
    return compared.squared_error


SCORES = (
    Score("mse", "mean squared error", lambda c, _: _mean(c.squared_error), _squared),
    Score(
        "mae",
        "mean absolute error",
        lambda c, _: _mean((c.target - c.reconstruction).abs()),
        lambda c: (c.target - c.reconstruction).abs().mean(dim=1),
    ),
    Score("top", "mean of the largest squared errors, 1 % of the pixels by default", _top, _squared, parameter=0.01),
    Score(
        "ssim",
        "1 - SSIM (Wang et al. 2004): structure instead of single pixels; images only",
        lambda c, _: 1 - ssim_per_image(c.reconstruction, c.target, data_range=1.0),
        _squared,
        ranks=(2,),
    ),
    Score(
        "latent",
        "distance between the code of the sample and the code of its reconstruction (Akcay et al. 2018, GANomaly)",
        _latent,
        _squared,
        needs_second_code=True,
    ),
    Score(
        "blurmax",
        f"largest squared error after a Gaussian blur of {BLUR_SIGMA:g} pixels: for small defects",
        _blurred_maximum,
        lambda c: blurred(c.squared_error),
    ),
)
"""All kinds of scores, the default first."""


class ScoreError(ValueError):
    """Unknown or malformed score; the message says what is allowed."""


@dataclass(frozen=True)
class ChosenScore:
    """Kind of score with its number."""

    kind: Score
    parameter: float

    def __str__(self) -> str:
        return self.kind.name if self.kind.parameter is None else f"{self.kind.name}={100 * self.parameter:g}%"


def read_score(text: str) -> ChosenScore:
    """Return the score in ``text``, such as ``mse`` or ``top=0.5%``. Raise ``ScoreError`` if it is invalid."""
    name, equals, number = text.strip().partition("=")
    kind = next((score for score in SCORES if score.name == name), None)
    if kind is None:
        raise ScoreError(f'unknown score "{name}": scores are {", ".join(score.name for score in SCORES)}')
    if not equals:
        return ChosenScore(kind, kind.parameter or 0.0)
    if kind.parameter is None:
        raise ScoreError(f"the score {name} takes no number: write only `{name}`")
    value = read_share(number)
    if not 0 < value <= 1:
        raise ScoreError(f'"{number}" is not a share of the pixels: write `{name}=1%`, above 0 % and at most 100 %')
    return ChosenScore(kind, value)


def read_share(text: str) -> float:
    """Return a share written as ``1%`` or ``0.01``; NaN if the text is not a number."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return nan
