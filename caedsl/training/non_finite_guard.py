"""A guard that freezes the weights once a non-finite number appears.

Losses are read only at intervals. Until then neither the non-finite loss nor later batches may change the weights,
since the weights show where the loss came from.

If several processes train together, each knows only the loss of its own part of a batch, but all know the mean of their
gradients. A process that notices a non-finite number makes the gradient of one weight NaN, so that all freeze in the
same step.
"""

from typing import Any

import torch
from torch import Tensor


class NonFiniteGuard:
    """Guard that lets ``optimizer`` step until a non-finite number appears, without waiting for the device.

    Fused optimizers read ``found_inf``, as they do for ``torch.amp.GradScaler``: if it is 1, a step changes nothing.
    With other optimizers the weights are restored after the step. In fp16 the ``GradScaler`` itself skips such steps,
    and the guard is not ``active``.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, device: torch.device, active: bool, together: bool = False
    ) -> None:
        """Guard ``optimizer``; ``together`` is True if other processes train the same weights."""
        self.optimizer = optimizer
        self.active = active
        self.frozen = torch.zeros((), device=device)
        """1 once the weights are frozen, else 0."""
        # The last weight, usually the bias of the last layer, has a finite gradient whenever the loss is finite.
        weights = [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
        self._signal_weight = weights[-1] if active and together else None
        self._fused = bool(optimizer.defaults.get("fused"))
        if active and self._fused:
            optimizer.found_inf = self.frozen  # type: ignore[attr-defined]
        elif active:
            self._weights, self._kept = weights, list[Tensor]()
            optimizer.register_step_pre_hook(self._keep)
            optimizer.register_step_post_hook(self._put_back)

    @torch.no_grad()
    def notice(self, value: Tensor) -> None:
        """Freeze the weights if the scalar ``value`` is not finite."""
        if self.active:
            self.frozen.add_(value.isfinite().logical_not()).clamp_(max=1)

    def signalling(self, total: Tensor) -> Tensor:
        """Return ``total`` with a gradient that is NaN once this process has frozen, which the others notice."""
        if self._signal_weight is None:
            return total
        signalled: Tensor = total + torch.where(self.frozen.bool(), torch.nan, 0.0) * self._signal_weight.sum()
        return signalled

    def marked(self, loss: Tensor) -> Tensor:
        """Return ``loss``, or NaN once frozen, so that a non-finite gradient shows when losses are read."""
        return torch.where(self.frozen.bool(), torch.nan, loss) if self.active else loss

    @torch.no_grad()
    def before_step(self) -> None:
        """Check whether another process has frozen; call this once the gradients are complete."""
        if self._signal_weight is not None and self._signal_weight.grad is not None:
            self.notice(torch.where(self._signal_weight.grad.isfinite().all(), 0.0, torch.nan))

    @torch.no_grad()
    def _keep(self, *call: Any) -> None:
        self._kept = [weight.detach().clone() for weight in self._weights]

    @torch.no_grad()
    def _put_back(self, *call: Any) -> None:
        """Undo the step if a non-finite number was noticed before it."""
        for weight, kept in zip(self._weights, self._kept, strict=True):
            weight.copy_(torch.where(self.frozen.bool(), kept, weight))
