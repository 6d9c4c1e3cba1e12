"""Create PyTorch optimizers from their declarations in the vocabulary."""

from collections.abc import Iterable
from inspect import signature, unwrap
from math import sqrt
from typing import Any

import torch
from torch import nn

from caedsl.model.settings import Optimizer, SettledOptimizer
from caedsl.training.device import captures
from caedsl.vocabulary.optimizers import BETA2, EPS_HAT


def make_optimizer(settings: SettledOptimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the optimizer of a run, in its fused form if PyTorch has one.

    Where steps are captured, its numbers are kept on the device.
    """
    call, weights = settings.kind.torch(settings.options), list(parameters)
    make: Any = getattr(torch.optim, call.name)
    form = {"fused": True} if settings.kind.fused else {}
    if captures(weights[0].device):
        form = _captured_form(settings, make, weights[0].device)
    optimizer: torch.optim.Optimizer = _uncompiled(make)(weights, lr=settings.lr, **dict(call.kwargs), **form)
    # The first steps of a run are not captured; this suppresses PyTorch's warning about them.
    vars(optimizer)["_warned_capturable_if_run_uncaptured"] = True
    return optimizer


def _uncompiled(kind: Any) -> Any:
    """Return the same class of optimizers without the wrappers that keep its methods out of ``torch.compile``.

    Their first call imports PyTorch's compiler, which takes a second. No optimizer is compiled here.
    """
    guarded = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
    plain = {name: unwrap(getattr(kind, name)) for name in guarded}
    plain["step"] = torch.no_grad()(unwrap(kind.step))
    return type(kind.__name__, (kind,), plain)


def _captured_form(settings: SettledOptimizer, make: Any, device: torch.device) -> dict[str, bool]:
    """Return the form of an optimizer whose steps can be captured, if there is one.

    With ``eps_hat``, epsilon changes from step to step. Only the form without fused or grouped kernels reads it from
    the device.
    """
    capturable = {"capturable": True} if "capturable" in signature(make).parameters else {}
    if _changes_epsilon(settings):
        return capturable | {"foreach": False}
    fused = settings.kind.fused or (not capturable and _has_fused_kernel(settings.name, device))
    return capturable | ({"fused": True} if fused else {"foreach": True})


def _has_fused_kernel(name: str, device: torch.device) -> bool:
    """Return whether this build of PyTorch has a fused kernel that reads the learning rate from the device."""
    try:
        return torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::_fused_{name}_.tensor_lr", device.type.upper())
    except RuntimeError:  # there is no such operator
        return False


def obstacle(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> str | None:
    """Return why steps of the optimizer cannot be captured, or None if they can."""
    fused = bool(optimizer.defaults.get("fused"))
    if not (fused or optimizer.defaults.get("capturable")):
        return f"PyTorch counts the steps of {type(optimizer).__name__} in main memory"
    if scaler.is_enabled() and not fused:
        return f"{type(optimizer).__name__} waits for the device to know whether a gradient of fp16 has overflowed"
    return None


def _changes_epsilon(settings: Optimizer) -> bool:
    return settings.options.get(EPS_HAT.name) is not None


def epsilon(settings: Optimizer, step: int) -> float | None:
    """Return the epsilon that ``eps_hat`` requires at ``step`` (counted from 1), or None if it is not set.

    PyTorch adds epsilon to the corrected root sqrt(v) / sqrt(1 - beta2^t); eps_hat is added to sqrt(v) itself.
    """
    if not _changes_epsilon(settings):
        return None
    return settings.number(EPS_HAT) / sqrt(1 - settings.number(BETA2) ** step)
