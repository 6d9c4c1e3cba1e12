"""Numbers that change from step to step: learning rate, share of a step in the weight average, weights of terms.

A CUDA graph replays a step with the constants that it was captured with. If steps can be captured, these numbers are
therefore kept in tensors on the device, which the graph reads at each replay.
"""

import torch
from torch import Tensor

from caedsl.training.device import captures

Number = float | Tensor


class StepNumbers:
    """Numbers of the next step by name."""

    def __init__(self, device: torch.device) -> None:
        """Keep numbers on ``device`` if steps can be captured there, otherwise as Python floats."""
        self._device = device
        self._captured = captures(device)
        self._places: dict[str, Tensor] = {}
        self._values: dict[str, float] = {}

    def set(self, name: str, value: float) -> Number:
        """Set a number, and return the form for a step: always the same tensor, or ``value`` itself."""
        if not self._captured:
            return value
        if name not in self._places:
            kind = torch.int64 if isinstance(value, int) else torch.float32
            self._places[name] = torch.zeros((), dtype=kind, device=self._device)
        if self._values.get(name) != value:
            self._places[name].fill_(value)
            self._values[name] = value
        return self._places[name]
