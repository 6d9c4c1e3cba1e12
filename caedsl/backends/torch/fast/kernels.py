"""Kernels in the layout of transposed convolutions: input channels × output channels × rows × columns."""

from collections.abc import Iterator
from operator import ge
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from caedsl.backends.torch.fast.patches import Pair, PatchWindow

Convolution = nn.Conv2d | nn.ConvTranspose2d


def pair(value: object) -> Pair:
    """Return a setting of a torch module as (rows, columns)."""
    rows, columns = value if isinstance(value, tuple) else (value, value)
    return rows, columns


def is_plain(module: object) -> TypeGuard[Convolution]:
    """Return whether it is a convolution, transposed or not, of one group, with zero padding and a stored kernel.

    A transposed convolution whose output padding reaches the stride is excluded: its kernel would have more places
    there than there are inputs.
    """
    if not isinstance(module, Convolution) or is_parametrized(module):
        return False
    if isinstance(module, nn.ConvTranspose2d) and any(map(ge, pair(module.output_padding), pair(module.stride))):
        return False
    return module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)


def is_single(module: object) -> TypeGuard[Convolution]:
    """Return whether it has stride and dilation 1: it can then be computed as its transposed form, and vice versa."""
    if not is_plain(module) or pair(module.stride) != (1, 1) or pair(module.dilation) != (1, 1):
        return False
    kernel, padding = pair(module.kernel_size), pair(module.padding)
    if isinstance(module, nn.ConvTranspose2d) and pair(module.output_padding) != (0, 0):
        return False
    return padding[0] < kernel[0] and padding[1] < kernel[1]


def transposed_kernel(layer: Convolution) -> Tensor:
    """Return the kernel of ``layer`` as a transposed convolution; a plain convolution must have stride 1."""
    return layer.weight if isinstance(layer, nn.ConvTranspose2d) else turned(layer.weight)


def turned(kernel: Tensor) -> Tensor:
    """Return a kernel of stride 1, converted from a convolution to a transposed one or back.

    It is channels last: PyTorch chooses the layout of a convolution's output by its input and its kernel.
    """
    return kernel.flip((2, 3)).transpose(0, 1).contiguous(memory_format=torch.channels_last)


def transposed_window(layer: Convolution, ratio: Pair = (1, 1)) -> PatchWindow:
    """Return the window of ``layer`` as a transposed convolution, after an upsampling by ``ratio`` that it absorbs."""
    kernel, padding = pair(layer.kernel_size), pair(layer.padding)
    if isinstance(layer, nn.Conv2d):
        padding = (kernel[0] - 1 - padding[0], kernel[1] - 1 - padding[1])
    if ratio == (1, 1):
        return PatchWindow(kernel, pair(layer.stride), padding, pair(layer.dilation))
    return PatchWindow((kernel[0] + ratio[0] - 1, kernel[1] + ratio[1] - 1), ratio, padding)


def enlarging_kernel(kernel_iohw: Tensor, ratio: Pair) -> Tensor:
    """Return the kernel that, with stride ``ratio``, does what ``kernel_iohw`` does after nearest upsampling by it.

    Upsampling is a transposed convolution with a kernel of ones as large as its stride. A transposed convolution of
    stride 1 after it merges with it: the merged kernel is the convolution of both kernels.
    """
    kernel: Tensor = _Spread.apply(kernel_iohw, ratio)  # type: ignore[no-untyped-call]
    return kernel


class _Spread(torch.autograd.Function):
    """Sum of copies of a kernel, each shifted by fewer than ``ratio`` rows and columns."""

    @staticmethod
    def forward(ctx: Any, kernel_iohw: Tensor, ratio: Pair) -> Tensor:
        i, o, h, w = kernel_iohw.shape
        ctx.ratio = ratio
        spread_iohw = kernel_iohw.new_zeros(i, o, h + ratio[0] - 1, w + ratio[1] - 1)
        spread_iohw = spread_iohw.contiguous(memory_format=torch.channels_last)
        for part in _moved(spread_iohw, ratio):
            part += kernel_iohw
        return spread_iohw

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return torch.stack(list(_moved(grad, ctx.ratio))).sum(0), None


def _moved(spread_iohw: Tensor, ratio: Pair) -> Iterator[Tensor]:
    height, width = spread_iohw.shape[2] - ratio[0] + 1, spread_iohw.shape[3] - ratio[1] + 1
    for row in range(ratio[0]):
        for column in range(ratio[1]):
            yield spread_iohw[:, :, row : row + height, column : column + width]


def in_autocast(*tensors: Tensor | None) -> Any:
    """Return the tensors in the dtype of the active autocast, as its own convolutions would cast them."""
    if not torch.is_autocast_enabled("cpu"):
        return tensors
    dtype = torch.get_autocast_dtype("cpu")
    return tuple(None if tensor is None else tensor.to(dtype) for tensor in tensors)
