"""Corruptions of the input of a denoiser. Emitted training loops carry the source of these functions.

Tensors: x = samples (batch, channels, then one to three axes). ``low`` and ``high`` are the ends of the input's range,
None if it has none. Pixels are hit in all their channels at once. ``amount`` is a number, or one for each sample.
"""

import torch
from torch import Tensor

from caedsl.backends.torch.draws import Draws


def draw_normal(x: Tensor, draws: Draws, stream: str) -> Tensor:
    """Draw a standard normal number for each value of the samples, in at least 32 bits."""
    return draws.normal(stream, *x.shape[1:], dtype=torch.promote_types(x.dtype, torch.float32))


def draw_uniform(x: Tensor, draws: Draws, stream: str) -> Tensor:
    """Draw a number of 0..1 for each pixel of the samples, in 32 bits: fewer lose small shares."""
    return draws.uniform(stream, 1, *x.shape[2:])


def draw_amount(x: Tensor, draws: Draws, stream: str, least: float, most: float) -> Tensor:
    """Draw the amount of each sample, uniformly between ``least`` and ``most``."""
    return draws.uniform(f"amount of {stream}", *[1] * (x.dim() - 1)) * (most - least) + least


def add_mean(x: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Add the mean of the noise that follows: ``amount`` times the range's width, not clipped before that noise."""
    width = 1.0 if low is None or high is None else high - low
    return (x + amount * width).to(x.dtype)


def add_noise(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Add noise of ``amount`` times the range's width; without a range, in the data's units."""
    width = 1.0 if low is None or high is None else high - low
    return x + (drawn * (amount * width)).to(x.dtype)


def add_clipped_noise(
    x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None
) -> Tensor:
    """Add noise, and clip the sum to the range, if there is one."""
    noisy = add_noise(x, drawn, amount, low, high)
    return noisy if low is None or high is None else noisy.clamp(low, high)


def mask_pixels(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Set this share of the pixels to the low end of the range, or to 0 without a range."""
    return torch.where(drawn < amount, low or 0.0, x)


def salt_and_pepper(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Set this share of the pixels to the ends of the range, half each; without a range to -3 and 3.

    These are three standard deviations of standardised data.
    """
    pepper, salt = (-3.0, 3.0) if low is None or high is None else (low, high)
    x = torch.where(drawn < amount / 2, pepper, x)
    return torch.where(drawn >= 1 - amount / 2, salt, x)


def draw_place(x: Tensor, draws: Draws, stream: str) -> Tensor:
    """Draw a place of 0..1 along each axis for each sample."""
    return draws.uniform(stream, x.dim() - 2)


def cut_hole(x: Tensor, drawn: Tensor, amount: float, low: float | None, high: float | None) -> Tensor:
    """Set a box of this share of the pixels to the low end of the range, or to 0 without a range.

    Its sides have the proportions of the sample's, and it lies within the sample.
    """
    axes = x.dim() - 2
    inside = torch.ones_like(x[:, :1], dtype=torch.bool)
    for axis, size in enumerate(x.shape[2:]):
        side = max(1, round(size * amount ** (1 / axes)))
        first = (drawn[:, axis, None] * (size - side + 1)).floor().clamp(max=size - side)
        along = torch.arange(size, device=x.device)
        shape = [len(x), 1] + [1] * axes
        shape[2 + axis] = size
        inside = inside & ((along >= first) & (along < first + side)).view(shape)
    return torch.where(inside, low or 0.0, x)
