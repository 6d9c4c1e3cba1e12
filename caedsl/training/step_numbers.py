"""Numbers that change from step to step: learning rate, share of a step in the average, weights of terms.

A CUDA graph repeats a step with the numbers that it was captured with. Where steps can be captured, a number is
therefore kept on the device, in a place that the graph reads anew each time.
"""

import torch
from torch import Tensor

from caedsl.training.device import captures

Number = float | Tensor


class StepNumbers:
    """The numbers of the next step by name."""

    def __init__(self, device: torch.device) -> None:
        """Keep numbers on ``device`` if steps can be captured there, else as they are."""
        self._device = device
        self._captured = captures(device)
        self._places: dict[str, Tensor] = {}
        self._values: dict[str, float] = {}

    def set(self, name: str, value: float) -> Number:
        """Set a number and return what a step computes with: always the same tensor, or ``value`` itself."""
        if not self._captured:
            return value
        if name not in self._places:
            self._places[name] = torch.zeros((), device=self._device)
        if self._values.get(name) != value:
            self._places[name].fill_(value)
            self._values[name] = value
        return self._places[name]
