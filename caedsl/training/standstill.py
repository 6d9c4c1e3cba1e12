"""Weights that stand still from the first number that is not finite on.

Losses are read now and then only. Until then the weights that made such a loss must not be moved by it, and not by later
batches either: they are what shows where it came from.
"""

import torch
from torch import Tensor


class Standstill:
    """Lets ``optimizer`` step until it has noticed a number that is not finite; nothing here waits for the device.

    Fused optimizers are told by ``found_inf``, as ``torch.amp.GradScaler`` tells them: a step that finds 1 there does
    nothing. For others the gradients are set to 0, which leaves what momentum there was. In fp16 the ``GradScaler``
    itself skips such steps, and this does nothing.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, device: torch.device, active: bool) -> None:
        self.optimizer = optimizer
        self.active = active
        self.begun = torch.zeros((), device=device)
        """1 once it has begun, else 0."""
        self._fused = bool(optimizer.defaults.get("fused"))
        if active and self._fused:
            optimizer.found_inf = self.begun  # type: ignore[attr-defined]

    @torch.no_grad()
    def notice(self, value: Tensor) -> None:
        """Begin if ``value``, a scalar, is not finite."""
        if self.active:
            self.begun.add_(value.isfinite().logical_not()).clamp_(max=1)

    def marked(self, loss: Tensor) -> Tensor:
        """``loss``, or NaN once it has begun: so that a gradient that is not finite shows where losses are read."""
        return torch.where(self.begun.bool(), torch.nan, loss) if self.active else loss

    @torch.no_grad()
    def before_step(self) -> None:
        """To be called when the gradients are complete."""
        if self.active and not self._fused:
            for group in self.optimizer.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        weight.grad.masked_fill_(self.begun.bool(), 0)
