"""Random changes to samples. Emitted training loops carry the source of these functions.

Each change is two functions: one draws a random entry for each sample, the other applies what was drawn. Tensors: x =
samples (batch, channels, then one to three axes). ``low`` and ``high`` are the ends of the range, None for no end.
Pixels from outside the sample repeat those at its border.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.backends.torch.draws import Draws


def draw_uniform_each(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a number of 0..1 for each sample."""
    return draws.uniform(stream, 1).squeeze(1)


def draw_symmetric(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a number of -``amount``..``amount`` for each sample."""
    return (2 * draws.uniform(stream, 1).squeeze(1) - 1) * amount


def draw_shift(x: Tensor, draws: Draws, stream: str, amount: int) -> Tensor:
    """Draw a whole number of -``amount``..``amount`` for each axis of each sample."""
    return (draws.uniform(stream, x.dim() - 2) * (2 * amount + 1)).long() - amount


def draw_crop(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a share of 0..``amount`` that is cut off, and for each axis where, for each sample."""
    drawn = draws.uniform(stream, x.dim() - 1)
    return torch.cat((drawn[:, :1] * amount, 2 * drawn[:, 1:] - 1), dim=1)


def draw_normal_each(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw normal numbers of deviation ``amount``, one for each value of the samples."""
    return draws.normal(stream, *x.shape[1:]) * amount


def flip_last(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Reverse the last axis of the samples whose number is below 1/2."""
    return torch.where(drawn.view(-1, *[1] * (x.dim() - 1)) < 0.5, x.flip(-1), x)


def flip_rows(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Reverse the axis before the last one of the samples whose number is below 1/2."""
    return torch.where(drawn.view(-1, *[1] * (x.dim() - 1)) < 0.5, x.flip(-2), x)


def quarter_turns(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Turn each sample by a multiple of 90 degrees, of 180 where its sides differ."""
    turns = 4 if x.shape[-1] == x.shape[-2] else 2
    number = (drawn * turns).long().view(-1, 1, 1, 1)
    turned = x
    for turn in range(1, turns):
        turned = torch.where(number == turn, x.rot90(turn * 4 // turns, (-2, -1)), turned)
    return turned


def resampled(x: Tensor, theta: Tensor) -> Tensor:
    """Return the samples at the places that the affine maps ``theta`` give, bilinearly, in the type of ``x``."""
    if not len(x):
        return x  # affine_grid refuses a batch without samples
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x.float(), grid, padding_mode="border", align_corners=False).to(x.dtype)


def rotate(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Rotate each image about its centre, by degrees."""
    height, width = x.shape[-2:]
    angle = drawn * (math.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # affine_grid works where both sides are 2 long: the ratio makes the rotation one of pixels, not of that square.
    rows = [cos, -sin * (height / width), zero, sin * (width / height), cos, zero]
    return resampled(x, torch.stack(rows, dim=1).view(-1, 2, 3))


def stretched(x: Tensor, factor: Tensor, centre: Tensor) -> Tensor:
    """Return windows of the samples, ``factor`` times as long and moved to ``centre`` (-1..1), at the samples' size."""
    axes = x.dim() - 2
    if axes == 1:  # grid_sample has no form for signals: a signal is an image of one row
        return stretched(x.unsqueeze(2), factor, functional.pad(centre, (0, 1))).squeeze(2)
    diagonal = torch.diag_embed(factor.view(-1, 1).expand(-1, axes))
    return resampled(x, torch.cat((diagonal, centre.unsqueeze(2)), dim=2))


def zoom(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Enlarge or reduce each sample about its centre by 1 + the number drawn."""
    centre = torch.zeros(len(x), x.dim() - 2, device=x.device)
    return stretched(x, 1 / (1 + drawn), centre)


def crop(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Cut a window out of each sample and enlarge it to the sample's size."""
    cut = drawn[:, 0]
    return stretched(x, 1 - cut, cut.unsqueeze(1) * drawn[:, 1:])


def shift(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Move each sample by whole pixels along each axis."""
    for axis, moved in enumerate(drawn.unbind(1), 2):
        length = x.shape[axis]
        places = (torch.arange(length, device=x.device) - moved.unsqueeze(1)).clamp(0, length - 1)
        shape = [len(x) if dim == 0 else length if dim == axis else 1 for dim in range(x.dim())]
        x = x.gather(axis, places.view(shape).expand_as(x))
    return x


def at_size(drawn: Tensor, x: Tensor, target: Tensor) -> Tensor:
    """Return pixels along each axis of ``x`` as pixels of ``target``, rounded."""
    if x.shape[2:] == target.shape[2:]:
        return drawn
    ratios = [wanted / given for wanted, given in zip(target.shape[2:], x.shape[2:], strict=True)]
    return torch.stack([axis * ratio for axis, ratio in zip(drawn.unbind(1), ratios, strict=True)], 1).round().long()


def within(x: Tensor, low: float | None, high: float | None) -> Tensor:
    """Return the samples, clipped to the range if there is one."""
    return x if low is None or high is None else x.clamp(low, high)


def brighten(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Add the number drawn, in widths of the range, to each sample."""
    width = 1.0 if low is None or high is None else high - low
    return within(x + (width * drawn).to(x.dtype).view(-1, *[1] * (x.dim() - 1)), low, high)


def change_contrast(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Multiply the distance of each sample's values from their mean by 1 + the number drawn."""
    factor = (1 + drawn).to(x.dtype).view(-1, *[1] * (x.dim() - 1))
    mean = x.flatten(1).mean(dim=1).view(factor.shape)
    return within(mean + factor * (x - mean), low, high)


def jitter(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Add the noise drawn, in widths of the range."""
    width = 1.0 if low is None or high is None else high - low
    return within(x + (width * drawn).to(x.dtype), low, high)
