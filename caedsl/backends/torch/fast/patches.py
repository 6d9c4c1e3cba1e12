"""Patches of images, added up where they overlap.

x_bchw: batch, channels, height, width; u_bphw: the same with the patch of each place as channels, p = c · kernel area.
Both are kept channels last.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

Pair = tuple[int, int]


class PatchWindow(NamedTuple):
    """Settings of a kernel's window: all as in ``nn.Conv2d``, each (rows, columns)."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)

    def places(self, size: Pair) -> Pair:
        """Return the number of places that the kernel has in an image of ``size``."""
        rows, columns = (
            (side + 2 * p - d * (k - 1) - 1) // s + 1
            for side, k, s, p, d in zip(size, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        )
        return rows, columns

    def views(self, padded_bhwc: Tensor, places: Pair) -> Iterator[Tensor]:
        """Yield what each element of the kernel, row by row, meets at every place: views of the padded image."""
        for a in range(self.kernel[0]):
            for b in range(self.kernel[1]):
                top, left = a * self.dilation[0], b * self.dilation[1]
                bottom = top + (places[0] - 1) * self.stride[0] + 1
                right = left + (places[1] - 1) * self.stride[1] + 1
                yield padded_bhwc[:, top : bottom : self.stride[0], left : right : self.stride[1]]


class Fold(torch.autograd.Function):
    """Sum of patches where they overlap: how a transposed convolution assembles its image."""

    @staticmethod
    def forward(ctx: Any, u_bphw: Tensor, window: PatchWindow, size: Pair) -> Tensor:
        """Return the image of ``size``, added up in at least 32 bits; patches are ordered c, rows, columns."""
        ctx.window, ctx.dtype = window, u_bphw.dtype
        return _fold(u_bphw, window, size)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of each patch: the part of ``grad`` that the patch was added to."""
        return _unfold(grad.to(ctx.dtype), ctx.window), None, None


def _unfold(x_bchw: Tensor, window: PatchWindow) -> Tensor:
    rows, columns = window.padding
    padded_bhwc = functional.pad(x_bchw.permute(0, 2, 3, 1), (0, 0, columns, columns, rows, rows))
    places = window.places((x_bchw.shape[2], x_bchw.shape[3]))
    u_bhwck = torch.stack(list(window.views(padded_bhwc, places)), dim=-1)
    return u_bhwck.flatten(3).permute(0, 3, 1, 2)


def _fold(u_bphw: Tensor, window: PatchWindow, size: Pair) -> Tensor:
    area = window.kernel[0] * window.kernel[1]
    batch, channels = len(u_bphw), u_bphw.shape[1] // area
    u_bhwck = u_bphw.permute(0, 2, 3, 1).reshape(batch, *u_bphw.shape[2:], channels, area)
    (rows, columns), (height, width) = window.padding, size
    dtype = torch.promote_types(u_bphw.dtype, torch.float32)
    padded_bhwc = u_bphw.new_zeros((batch, height + 2 * rows, width + 2 * columns, channels), dtype=dtype)
    for number, view in enumerate(window.views(padded_bhwc, (u_bphw.shape[2], u_bphw.shape[3]))):
        view += u_bhwck[..., number]
    return padded_bhwc[:, rows : rows + height, columns : columns + width].permute(0, 3, 1, 2)
