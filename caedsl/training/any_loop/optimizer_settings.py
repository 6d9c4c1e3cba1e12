"""Settings of a PyTorch optimizer, as a spec would state them."""

from collections.abc import Callable

import torch

from caedsl.model.settings import Settled, SettledOptimizer
from caedsl.vocabulary.optimizers import OPTIMIZERS

COUNTED = ("momentum", "weight_decay")
"""Options of an optimizer on which findings and advice depend."""


def settings_of(optimizer: torch.optim.Optimizer) -> Callable[[int], Settled]:
    """Return a function from batch size to the settings that a spec would state.

    An optimizer that the language does not have counts as `adamw` or `sgd`. Raise ``ValueError`` for anything else.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ValueError(f"`optimizer` is {optimizer!r:.80}, but must be the torch.optim.Optimizer of the module")
    name = type(optimizer).__name__.lower()
    if name not in OPTIMIZERS:
        name = "adamw" if "betas" in optimizer.param_groups[0] else "sgd"
    known = {option.name for option in OPTIMIZERS[name].own}

    def present(batch: int) -> Settled:
        group = optimizer.param_groups[0]
        options = {option: float(group[option]) for option in COUNTED if option in known & group.keys()}
        return Settled(optimizer=SettledOptimizer(name=name, lr=float(group["lr"]), options=options), batch=batch)

    return present
