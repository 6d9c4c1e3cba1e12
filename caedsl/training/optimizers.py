"""The optimizers of PyTorch, made from what the vocabulary declares."""

from collections.abc import Iterable
from math import sqrt
from typing import Any

import torch
from torch import nn

from caedsl.model.settings import Optimizer, SettledOptimizer


def make_optimizer(settings: SettledOptimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the optimizer of a run; it updates all weights in one pass where PyTorch can do so on CPU and GPU."""
    call = settings.kind.torch(settings.options)
    make: Any = getattr(torch.optim, call.name)
    fused = {"fused": True} if settings.kind.fused else {}
    optimizer: torch.optim.Optimizer = make(list(parameters), lr=settings.lr, **dict(call.kwargs), **fused)
    return optimizer


def epsilon(settings: Optimizer, step: int) -> float | None:
    """Return the epsilon of step ``step`` (counted from 1) that ``eps_hat`` asks for; None where it is not given.

    PyTorch adds epsilon to the corrected root sqrt(v) / sqrt(1 - beta2^t); eps_hat is added to sqrt(v) itself.
    """
    eps_hat = settings.options.get("eps_hat")
    if eps_hat is None:
        return None
    return settings.number("eps_hat") / sqrt(1 - settings.number("beta2") ** step)
