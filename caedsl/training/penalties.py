"""Penalties that are added to the loss: on the weights of a layer and on the code."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from caedsl.backends.torch import Penalty


def weight_penalty(module: nn.Module, penalties: Sequence[Penalty]) -> Tensor:
    """The sum over ``penalties`` of ``l1 * sum|w| + l2 * sum w²``, a scalar: the meaning that Keras gives the two."""
    total = next(module.parameters()).new_zeros(())
    for penalty in penalties:
        weight = module.get_parameter(penalty.parameter)
        if penalty.l1:
            total = total + penalty.l1 * weight.abs().sum()
        if penalty.l2:
            total = total + penalty.l2 * weight.square().sum()
    return total


def code_penalty(z: Tensor, l1: float) -> Tensor:
    """``l1 * sum|z|``, averaged over the batch: the activity penalty of a sparse autoencoder."""
    with torch.autocast(z.device.type, enabled=False):
        return l1 * z.float().abs().flatten(1).sum(dim=1).mean()
