"""Faster ways to compute the convolutions of PyTorch modules, with the weights of those modules.

Every class here replaces the layer that it was made from, computes the same up to rounding, and owns no parameters.

x_bchw: batch, channels, height, width.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl.backends.torch.fast.kernels import (
    Convolution,
    enlarging_kernel,
    in_autocast,
    pair,
    transposed_kernel,
    transposed_window,
    turned,
)
from caedsl.backends.torch.fast.patches import Fold, Pair, PatchWindow


class _AsTransposed(nn.Module):
    """Convolution computed as a transposed one; ``ratio`` is that of an upsampling that is merged into its kernel."""

    def __init__(self, layer: Convolution, ratio: Pair = (1, 1)) -> None:
        super().__init__()
        self.layer, self.ratio = layer, ratio
        self.window = transposed_window(layer, ratio)

    def kernel(self) -> Tensor:
        """Return the kernel: input × output channels × rows × columns."""
        kernel_iohw = transposed_kernel(self.layer)
        return kernel_iohw if self.ratio == (1, 1) else enlarging_kernel(kernel_iohw, self.ratio)

    def out_size(self, x_bchw: Tensor) -> Pair:
        """Return the height and width of the output."""
        extra = pair(self.layer.output_padding) if isinstance(self.layer, nn.ConvTranspose2d) else (0, 0)
        height, width = (
            (n - 1) * s - 2 * p + d * (k - 1) + 1 + e
            for n, k, s, p, d, e in zip(x_bchw.shape[2:], *self.window, extra, strict=True)
        )
        return height, width


class ToFew(_AsTransposed):
    """Convolution to very few channels: it multiplies every pixel by the kernel, then adds up the patches.

    oneDNN computes in blocks of 16 channels. An image of one channel leaves 15 of them empty; its patches fill them.
    The result has 32 bits, or the precision of the weights.
    """

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the output of the layer for the upsampled image."""
        x_bchw, kernel_iohw = in_autocast(x_bchw, self.kernel())
        u_bphw = functional.conv2d(x_bchw, kernel_iohw.flatten(1).T[..., None, None])
        y_bchw = _apply(Fold, u_bphw, self.window, self.out_size(x_bchw))
        return y_bchw if self.layer.bias is None else y_bchw + self.layer.bias.view(-1, 1, 1)


class FastTransposed(_AsTransposed):
    """Transposed convolution whose gradients come from the convolution that it transposes: oneDNN's own are slower.

    After an upsampling by 2 it saves more: of the nine products per pixel of a 3x3 kernel, four differ.
    """

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the output of the layer for the upsampled image."""
        x_bchw, kernel_iohw, bias = in_autocast(x_bchw, self.kernel(), self.layer.bias)
        return _apply(_TransposedConvolution, x_bchw, kernel_iohw, bias, self.window, self.out_size(x_bchw))


class PlainConvolution(nn.Module):
    """Convolution in place of a transposed one of stride 1."""

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.layer = layer
        (rows, columns), (above, left) = pair(layer.kernel_size), pair(layer.padding)
        self.padding = (rows - 1 - above, columns - 1 - left)

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the output of the layer."""
        return functional.conv2d(x_bchw, turned(self.layer.weight), self.layer.bias, padding=self.padding)


class _TransposedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_bchw: Tensor,
        kernel_iohw: Tensor,
        bias: Tensor | None,
        window: PatchWindow,
        size: Pair,
    ) -> Tensor:
        places = window.places(size)
        assert places == tuple(x_bchw.shape[2:])
        rest = [
            wanted - ((n - 1) * s - 2 * p + d * (k - 1) + 1)
            for wanted, n, k, s, p, d in zip(size, places, *window, strict=True)
        ]
        ctx.save_for_backward(x_bchw, kernel_iohw)
        ctx.window, ctx.has_bias = window, bias is not None
        _, stride, padding, dilation = window
        return functional.conv_transpose2d(x_bchw, kernel_iohw, bias, stride, padding, rest, 1, dilation)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        x_bchw, kernel_iohw = ctx.saved_tensors
        window: PatchWindow = ctx.window
        grad = grad.contiguous(memory_format=torch.channels_last)
        grad_x = grad_kernel = None
        if ctx.needs_input_grad[0]:
            grad_x = functional.conv2d(grad, kernel_iohw, None, window.stride, window.padding, window.dilation)
        if ctx.needs_input_grad[1]:
            grad_kernel = _kernel_gradient(grad, x_bchw, kernel_iohw, window)
        # Sum over each image first: PyTorch parallelises a reduction to few values badly.
        grad_bias = grad.sum((2, 3)).sum(0) if ctx.has_bias and ctx.needs_input_grad[2] else None
        return grad_x, grad_kernel, grad_bias, None, None


def _kernel_gradient(x_bchw: Tensor, grad: Tensor, kernel: Tensor, window: PatchWindow) -> Tensor:
    """Return the gradient of the kernel of a plain convolution."""
    _, stride, padding, dilation = window
    _, found, _ = torch.ops.aten.convolution_backward(
        grad, x_bchw, kernel, None, stride, padding, dilation, False, (0, 0), 1, (False, True, False)
    )
    gradient: Tensor = found
    return gradient


def _apply(function: type[torch.autograd.Function], *arguments: object) -> Tensor:
    """Return ``function.apply``, which PyTorch leaves untyped."""
    result: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]
    return result
