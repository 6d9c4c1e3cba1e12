"""How an image comes to the input's size, channels and range.

Shapes: b images, c channels, h rows, w columns.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.model.data import InputRange

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in grey, of ITU-R BT.601: those that Pillow uses."""

ELONGATED = 64
"""From this ratio of the proportions of an image and of the input on, the image is cut or shrunk first.

Otherwise an image of one by a million pixels would become one of billions before its middle is taken.
"""


class Resizing(NamedTuple):
    """The part of an image to take, ``top, left, height, width``, and the sizes to scale it to, one after another."""

    box: tuple[int, int, int, int]
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Fit:
    """What every image is made to be: ``channels`` × ``height`` × ``width`` in ``range``.

    ``resize`` is ``stretch`` (both sides to the input's), ``fit`` (the whole image, its sides in proportion, amid the
    low end of the range: 0 for ``real``) or ``crop`` (the middle of the image, its sides in proportion).
    """

    channels: int
    height: int
    width: int
    range: InputRange
    gray: bool
    resize: str

    @property
    def low(self) -> float:
        """The value of black: the low end of the range, 0 for ``real``."""
        return 0.0 if self.range.low is None else self.range.low

    @property
    def high(self) -> float:
        """The value of white: the high end of the range, 1 for ``real``."""
        return 1.0 if self.range.high is None else self.range.high

    @property
    def input(self) -> str:
        """The input as a spec writes its size."""
        return f"{self.channels}x{self.height}x{self.width}"

    def scaled_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width that an image is scaled to before it is padded or cut."""
        if self.resize == "stretch":
            return self.height, self.width
        across, down = self.width / width, self.height / height
        scale = min(across, down) if self.resize == "fit" else max(across, down)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def resizing(self, height: int, width: int) -> Resizing:
        """Return how an image comes to its scaled size with memory in proportion to the image and the input."""
        down, across = height, width
        if self.resize == "crop":
            scaled_height, scaled_width = self.scaled_size(height, width)
            down = _middle(height, ELONGATED * self.height / scaled_height)
            across = _middle(width, ELONGATED * self.width / scaled_width)
        scaled = self.scaled_size(down, across)
        smaller = min(down, scaled[0]), min(across, scaled[1])
        change = (scaled[0] / down) / (scaled[1] / across)
        sizes = (scaled,) if 1 / ELONGATED <= change <= ELONGATED else (smaller, scaled)
        return Resizing(((height - down) // 2, (width - across) // 2, down, across), sizes)


def _middle(length: int, share: float) -> int:
    """Return the length of the middle part of a side that has ``share`` of it; what is cut is equal at both ends."""
    return length if share >= 1 else length - (length - ceil(length * share)) // 2 * 2


def scale_(x: Tensor, top: int, fit: Fit) -> Tensor:
    """Scale float images of 0..``top`` to the input's range, in place; bytes in the range 0..255 stay what they are."""
    width = fit.high - fit.low
    if width != top:
        # Not divided by top / width: for 0..1 that would differ from the usual x / 255 in the last bit.
        # By a tensor, since CUDA multiplies by the inverse of a plain number, which differs in the last bit too.
        (x.mul_(width) if width != 1 else x).div_(x.new_full((), top))
    if (fit.low, fit.high) == (0, 1):
        return x
    return x.add_(fit.low).clamp_(fit.low, fit.high)


@dataclass(frozen=True)
class Scale:
    """Makes images of stored values: bytes of 0..``top`` come to the range of ``fit``; float32 is in it already."""

    top: int
    fit: Fit

    def __call__(self, values: Tensor) -> Tensor:
        """Float32; each value depends on its byte alone, on every device alike."""
        return values if values.dtype == torch.float32 else scale_(values.float(), self.top, self.fit)


def blank(count: int, fit: Fit, dtype: torch.dtype) -> Tensor:
    """Images count×C×H×W yet to be filled in, the channels last in memory."""
    if fit.channels == 1:
        return torch.empty(count, 1, fit.height, fit.width, dtype=dtype)
    return torch.empty(count, fit.height, fit.width, fit.channels, dtype=dtype).permute(0, 3, 1, 2)


def to_gray(x_bchw: Tensor) -> Tensor:
    """One channel from three, by the luma weights of ITU-R BT.601."""
    weights = torch.tensor(LUMA, dtype=x_bchw.dtype).view(1, 3, 1, 1)
    return (x_bchw * weights).sum(1, keepdim=True)


def resized(x_bchw: Tensor, fit: Fit) -> Tensor:
    """The images at the input's size: bilinear, smoothed before it shrinks; values stay within those of the image."""
    height, width = x_bchw.shape[-2:]
    if (height, width) == (fit.height, fit.width):
        return x_bchw
    low, high = x_bchw.amin((1, 2, 3), keepdim=True), x_bchw.amax((1, 2, 3), keepdim=True)
    (top, left, height, width), sizes = fit.resizing(height, width)
    scaled = x_bchw[..., top : top + height, left : left + width]
    for size in sizes:
        scaled = functional.interpolate(scaled, size, mode="bilinear", antialias=True, align_corners=False)
    # The weights of the interpolation sum to one only up to rounding.
    return centred(scaled.clamp_(low, high), fit.height, fit.width, fit.low)


def centred(x: Tensor, height: int, width: int, fill: float) -> Tensor:
    """The middle ``height`` × ``width`` of ``x``'s last two dimensions; what lies outside of ``x`` is ``fill``."""
    top, left = (height - x.shape[-2]) // 2, (width - x.shape[-1]) // 2
    bottom, right = height - x.shape[-2] - top, width - x.shape[-1] - left
    return functional.pad(x, (left, right, top, bottom), value=fill) if any((top, bottom, left, right)) else x
