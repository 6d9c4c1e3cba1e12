"""Averages of weights. Emitted training loops carry the source of this class."""

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of the weights of ``module`` and of the running statistics of its normalisations.

    The decay of the first updates is at most (1 + t) / (10 + t), as in TensorFlow's ``ExponentialMovingAverage``, so
    that the random weights of the start are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.values = [value for value in module.state_dict(keep_vars=True).values() if value.is_floating_point()]
        self.averages = [value.detach().clone() for value in self.values]

    def share(self) -> float:
        """Count a step, and return the share of its values in the averages."""
        self.updates += 1
        return 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))

    @torch.no_grad()
    def update(self) -> None:
        """Include the values after a step."""
        torch._foreach_lerp_(self.averages, self.values, self.share())

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the module's values and the averages."""
        for value, average in zip(self.values, self.averages, strict=True):
            kept = value.clone()
            value.copy_(average)
            average.copy_(kept)
