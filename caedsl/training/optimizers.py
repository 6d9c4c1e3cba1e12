"""Create PyTorch optimizers from their declarations in the vocabulary."""

from collections.abc import Iterable
from inspect import signature
from math import sqrt
from typing import Any

import torch
from torch import nn

from caedsl.model.settings import Optimizer, SettledOptimizer
from caedsl.training.device import captures


def make_optimizer(settings: SettledOptimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the optimizer of a run, in its fused form if PyTorch has one for CPU and GPU."""
    call, weights = settings.kind.torch(settings.options), list(parameters)
    make: Any = getattr(torch.optim, call.name)
    form = {"fused": True} if settings.kind.fused else {}
    if captures(weights[0].device):
        if _can_be_captured(make):
            form |= {"capturable": True}
        if not settings.kind.fused:
            form |= {"foreach": True}
    optimizer: torch.optim.Optimizer = make(weights, lr=settings.lr, **dict(call.kwargs), **form)
    # The first steps of a run are not captured; this suppresses PyTorch's warning about them.
    vars(optimizer)["_warned_capturable_if_run_uncaptured"] = True
    return optimizer


def obstacle(settings: SettledOptimizer) -> str | None:
    """Return why steps of the optimizer cannot be captured, or None if they can."""
    call = settings.kind.torch(settings.options)
    if settings.options.get("eps_hat") is not None:
        return "`eps_hat` changes from step to step"
    if not (settings.kind.fused or _can_be_captured(getattr(torch.optim, call.name))):
        return f"PyTorch counts the steps of {settings.name} in main memory"
    return None


def _can_be_captured(make: Any) -> bool:
    return "capturable" in signature(make).parameters


def epsilon(settings: Optimizer, step: int) -> float | None:
    """Return the epsilon that ``eps_hat`` requires at ``step`` (counted from 1), or None if it is not set.

    PyTorch adds epsilon to the corrected root sqrt(v) / sqrt(1 - beta2^t); eps_hat is added to sqrt(v) itself.
    """
    eps_hat = settings.options.get("eps_hat")
    if eps_hat is None:
        return None
    return settings.number("eps_hat") / sqrt(1 - settings.number("beta2") ** step)
