"""Damage to the input of a denoiser; b images, c channels, h rows, w columns."""

import torch
from torch import Tensor

from caedsl.data.batch_share import Part
from caedsl.model.data import InputRange
from caedsl.model.settings import Corrupt

_REAL = (-3.0, 3.0)
"""Pepper and salt where the range has no ends: three standard deviations of standardised data."""


def corrupt(
    x_bchw: Tensor, settings: Corrupt, input_range: InputRange, generator: torch.Generator, part: Part | None = None
) -> Tensor:
    """A damaged copy of the images, themselves where nothing is to be damaged; dtype and device are kept.

    Gaussian noise comes first, then masking, then salt and pepper. Pixels are hit in all their channels at once. In a bounded range noise is scaled by its width and clipped to it. In
    ``real`` noise is in the data's own units and not clipped, masked pixels are 0, pepper and salt are -3 and 3.
    ``generator`` is on the device of the images, which are ``part`` of a batch (all of it by default).
    """
    part = part or Part.all_of(len(x_bchw))
    low, high = (
        (0.0, 1.0) if input_range.low is None or input_range.high is None else (input_range.low, input_range.high)
    )
    if settings.gaussian:
        dtype = torch.promote_types(x_bchw.dtype, torch.float32)
        shape = (part.whole, *x_bchw.shape[1:])
        noise = part.cut(torch.randn(shape, generator=generator, device=x_bchw.device, dtype=dtype))
        x_bchw = x_bchw + (noise * (settings.gaussian * (high - low))).to(x_bchw.dtype)
        if input_range.bounded:
            x_bchw = x_bchw.clamp(low, high)
    if settings.masking:
        x_bchw = torch.where(_draw(x_bchw, generator, part) < settings.masking, low, x_bchw)
    if settings.saltpepper:
        pepper, salt = (low, high) if input_range.bounded else _REAL
        drawn = _draw(x_bchw, generator, part)
        x_bchw = torch.where(drawn < settings.saltpepper / 2, pepper, x_bchw)
        x_bchw = torch.where(drawn >= 1 - settings.saltpepper / 2, salt, x_bchw)
    return x_bchw


def _draw(x_bchw: Tensor, generator: torch.Generator, part: Part) -> Tensor:
    """A number of 0..1 for each pixel; always 32-bit, since shares of less than a hundredth are lost in fewer bits."""
    _, _, h, w = x_bchw.shape
    return part.cut(torch.rand((part.whole, 1, h, w), generator=generator, device=x_bchw.device))
