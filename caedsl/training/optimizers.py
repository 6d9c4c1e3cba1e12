"""The optimizers by the names that specs use, with PyTorch's meaning of every setting."""

from collections.abc import Iterable
from math import sqrt

import torch
from torch import nn

from caedsl.model.settings import Optimizer, SettledOptimizer


def make_optimizer(settings: SettledOptimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of a run, fused into one pass over all weights where PyTorch can do so on CPU and GPU."""
    weights = list(parameters)
    lr, decay, momentum, eps = settings.lr, settings.weight_decay, settings.momentum, settings.eps
    betas = (settings.beta1, settings.beta2)
    if settings.name == "adam":
        return torch.optim.Adam(weights, lr=lr, betas=betas, eps=eps, weight_decay=decay, fused=True)
    if settings.name == "adamw":
        return torch.optim.AdamW(weights, lr=lr, betas=betas, eps=eps, weight_decay=decay, fused=True)
    if settings.name == "sgd":
        return torch.optim.SGD(weights, lr=lr, momentum=momentum, weight_decay=decay, fused=True)
    return torch.optim.RMSprop(weights, lr=lr, momentum=momentum, eps=eps, weight_decay=decay)


def epsilon(settings: Optimizer, step: int) -> float:
    """The epsilon of step ``step`` (counted from 1) with which PyTorch's Adam divides as ``eps_hat`` says.

    PyTorch adds epsilon to the corrected root sqrt(v) / sqrt(1 - beta2^t); eps_hat is added to sqrt(v) itself.
    """
    if settings.eps_hat is None:
        return settings.eps
    return settings.eps_hat / sqrt(1 - settings.beta2**step)
