"""Penalties that are added to the loss: on the weights of a layer and on the code."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch import Penalty


def weight_penalty(module: nn.Module, penalties: Sequence[Penalty]) -> Tensor:
    """The sum over ``penalties`` of ``l1 * sum|w| + l2 * sum w²``, a scalar: the meaning that Keras gives the two."""
    if not penalties:
        return next(module.parameters()).new_zeros(())
    weights = [module.get_parameter(penalty.parameter) for penalty in penalties]
    total: Tensor = _Penalty.apply(penalties, *weights)  # type: ignore[no-untyped-call]
    return total


class _Penalty(torch.autograd.Function):
    """One node for all weights: as twenty small ones they cost a fiftieth of a step."""

    @staticmethod
    def forward(ctx: Any, penalties: Sequence[Penalty], *weights: Tensor) -> Tensor:
        ctx.penalties = penalties
        ctx.save_for_backward(*weights)
        total = weights[0].new_zeros(())
        for penalty, weight in zip(penalties, weights, strict=True):
            if penalty.l1:
                total += penalty.l1 * weight.abs().sum()
            if penalty.l2:
                total += penalty.l2 * torch.linalg.vector_norm(weight).square()
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gradients = []
        for penalty, weight in zip(ctx.penalties, ctx.saved_tensors, strict=True):
            gradient = weight * (2 * penalty.l2 * grad)
            gradients.append(gradient + weight.sign() * (penalty.l1 * grad) if penalty.l1 else gradient)
        return None, *gradients


def code_penalty(z: Tensor, l1: float) -> Tensor:
    """``l1 * sum|z|``, averaged over the batch, 0 for none: the activity penalty of a sparse autoencoder."""
    if not len(z):
        return z.float().sum()
    with torch.autocast(z.device.type, enabled=False):
        return l1 * z.float().abs().flatten(1).sum(dim=1).mean()
