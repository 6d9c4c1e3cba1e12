"""Random changes to the images of a batch, each image by its own draw; b images, c channels, h rows, w columns."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.data.batch_share import Part
from caedsl.model.settings import Augment


def augment(x_bchw: Tensor, settings: Augment, generator: torch.Generator, part: Part | None = None) -> Tensor:
    """A changed copy of the images, flipped, then rotated, then shifted; themselves where nothing is to be changed.

    What comes into view repeats the pixels at the border. Flips and shifts move pixels unchanged; a rotation is
    bilinear, about the centre. ``generator`` is on the device of the images, which are ``part`` of a batch (all of it
    by default).
    """
    part = part or Part.all_of(len(x_bchw))
    if settings.flip:
        x_bchw = torch.where(_draw(x_bchw, generator, part).view(-1, 1, 1, 1) < 0.5, x_bchw.flip(-1), x_bchw)
    if settings.rotate:
        x_bchw = _rotated(x_bchw, (2 * _draw(x_bchw, generator, part) - 1) * math.radians(settings.rotate))
    if settings.shift:
        x_bchw = _shifted(x_bchw, settings.shift, generator, part)
    return x_bchw


def _draw(x_bchw: Tensor, generator: torch.Generator, part: Part) -> Tensor:
    return part.cut(torch.rand(part.whole, generator=generator, device=x_bchw.device))


def _rotated(x_bchw: Tensor, angle: Tensor) -> Tensor:
    if not len(x_bchw):
        return x_bchw  # affine_grid refuses a part without images
    h, w = x_bchw.shape[-2:]
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # affine_grid works where both sides are 2 long: the ratio makes the rotation one of pixels, not of that square.
    theta = torch.stack([cos, -sin * (h / w), zero, sin * (w / h), cos, zero], dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(theta, list(x_bchw.shape), align_corners=False)
    turned = functional.grid_sample(x_bchw.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return turned.to(x_bchw.dtype)


def _shifted(x_bchw: Tensor, most: int, generator: torch.Generator, part: Part) -> Tensor:
    b, c, h, w = x_bchw.shape
    drawn = torch.randint(-most, most + 1, (2, part.whole, 1), generator=generator, device=x_bchw.device)
    down, right = part.cut(drawn, dim=1)
    rows = (torch.arange(h, device=x_bchw.device) - down).clamp(0, h - 1)
    columns = (torch.arange(w, device=x_bchw.device) - right).clamp(0, w - 1)
    x_bchw = x_bchw.gather(2, rows.view(b, 1, h, 1).expand(b, c, h, w))
    return x_bchw.gather(3, columns.view(b, 1, 1, w).expand(b, c, h, w))
