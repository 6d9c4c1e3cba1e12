"""Weights that stand still from the first number that is not finite on.

Losses are read now and then only. Until then the weights that made such a loss must not be moved by it, and not by later
batches either: they are what shows where it came from.

Of processes that train together each knows the loss of its own part of a batch alone. What all know is the mean of their
gradients: one that has noticed something makes that of one weight NaN, so that all stand still in the same step.
"""

import torch
from torch import Tensor


class Standstill:
    """Lets ``optimizer`` step until it has noticed a number that is not finite; nothing here waits for the device.

    Fused optimizers are told by ``found_inf``, as ``torch.amp.GradScaler`` tells them: a step that finds 1 there does
    nothing. For others the gradients are set to 0, which leaves what momentum there was. In fp16 the ``GradScaler``
    itself skips such steps, and this does nothing.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, device: torch.device, active: bool, together: bool = False
    ) -> None:
        """``together`` where other processes train the same weights."""
        self.optimizer = optimizer
        self.active = active
        self.begun = torch.zeros((), device=device)
        """1 once it has begun, else 0."""
        # The last weight, by custom the bias of the last layer, has a finite gradient wherever the loss is finite.
        weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
        self._told_by = weights[-1] if active and together else None
        self._fused = bool(optimizer.defaults.get("fused"))
        if active and self._fused:
            optimizer.found_inf = self.begun  # type: ignore[attr-defined]

    @torch.no_grad()
    def notice(self, value: Tensor) -> None:
        """Begin if ``value``, a scalar, is not finite."""
        if self.active:
            self.begun.add_(value.isfinite().logical_not()).clamp_(max=1)

    def telling(self, total: Tensor) -> Tensor:
        """``total``, with a gradient that tells the other processes whether it has begun in this one."""
        if self._told_by is None:
            return total
        told: Tensor = total + torch.where(self.begun.bool(), torch.nan, 0.0) * self._told_by.sum()
        return told

    def marked(self, loss: Tensor) -> Tensor:
        """``loss``, or NaN once it has begun: so that a gradient that is not finite shows where losses are read."""
        return torch.where(self.begun.bool(), torch.nan, loss) if self.active else loss

    @torch.no_grad()
    def before_step(self) -> None:
        """To be called when the gradients are complete."""
        if self._told_by is not None and self._told_by.grad is not None:
            self.notice(torch.where(self._told_by.grad.isfinite().all(), 0.0, torch.nan))
        if self.active and not self._fused:
            for group in self.optimizer.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        weight.grad.masked_fill_(self.begun.bool(), 0)
