"""ReLU that works in place, forward and backward, and so needs half the memory traffic.

x_bchw: batch, channels, height, width.
"""

from typing import Any

import torch
from torch import Tensor, nn


class Rectifier(nn.Module):
    """``relu`` between two layers that allocate their results: nothing else reads its input or its gradient."""

    def forward(self, x_bchw: Tensor) -> Tensor:
        """Return the same tensor with its negative numbers set to zero."""
        y_bchw: Tensor = _Rectified.apply(x_bchw)  # type: ignore[no-untyped-call]
        return y_bchw


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_bchw: Tensor) -> Tensor:
        ctx.mark_dirty(x_bchw)
        ctx.save_for_backward(x_bchw.relu_())
        return x_bchw

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y_bchw,) = ctx.saved_tensors
        grad_x: Tensor = torch.ops.aten.threshold_backward.grad_input(grad, y_bchw, 0, grad_input=grad)
        return grad_x
