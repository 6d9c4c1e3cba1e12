"""What training minimises: the reconstruction loss plus penalties, kept apart so that both can be reported."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from caedsl.backends.torch.lower import Penalty
from caedsl.data.batch_share import Part
from caedsl.model.settings import Loss
from caedsl.training.losses import reconstruction_loss
from caedsl.training.pixel_range import PixelRange


class Objective:
    """The loss of a module on a batch.

    ``penalties`` are those on the weights; ``code_l1`` is the activity penalty on the code, which ``module.encoder``
    returns.
    """

    def __init__(
        self,
        loss: Loss,
        pixels: PixelRange,
        penalties: Sequence[Penalty] = (),
        code_l1: float = 0.0,
    ) -> None:
        self.loss = loss
        self.pixels = pixels
        self.penalties = tuple(penalties)
        self.code_l1 = code_l1
        self._code: Tensor | None = None

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Inside, the code of each forward pass of ``module`` is kept for its penalty."""

        # A hook and not a call of `encode`, so that training calls the module as everybody else does.
        def keep(encoder: nn.Module, inputs: Any, code: Tensor) -> None:
            self._code = code

        handle = module.get_submodule("encoder").register_forward_hook(keep) if self.code_l1 else None
        try:
            yield
        finally:
            if handle is not None:
                handle.remove()
            self._code = None

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The reconstruction loss alone, a scalar."""
        return reconstruction_loss(self.loss, prediction, target, self.pixels)

    def total(self, module: nn.Module, reconstruction: Tensor, part: Part) -> Tensor:
        """The ``reconstruction`` loss of a part, weighted, plus the penalties on the weights and on the code last watched."""
        total = reconstruction
        if self.penalties:
            total = total + weight_penalty(module, self.penalties)
        if self._code is not None:
            total = total + part.weigh(code_penalty(self._code, self.code_l1))
        return total


def weight_penalty(module: nn.Module, penalties: Sequence[Penalty]) -> Tensor:
    """The sum over ``penalties`` of ``l1 * sum|w| + l2 * sum w²``, a scalar: the meaning that Keras gives the two."""
    if not penalties:
        return next(module.parameters()).new_zeros(())
    weights = [module.get_parameter(penalty.parameter) for penalty in penalties]
    total: Tensor = _Penalty.apply(penalties, *weights)  # type: ignore[no-untyped-call]
    return total


class _Penalty(torch.autograd.Function):
    """One node for all weights: as twenty small ones they cost a fiftieth of a step."""

    @staticmethod
    def forward(ctx: Any, penalties: Sequence[Penalty], *weights: Tensor) -> Tensor:
        ctx.penalties = penalties
        ctx.save_for_backward(*weights)
        total = weights[0].new_zeros(())
        for penalty, weight in zip(penalties, weights, strict=True):
            if penalty.l1:
                total += penalty.l1 * weight.abs().sum()
            if penalty.l2:
                total += penalty.l2 * torch.linalg.vector_norm(weight).square()
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gradients = []
        for penalty, weight in zip(ctx.penalties, ctx.saved_tensors, strict=True):
            gradient = weight * (2 * penalty.l2 * grad)
            gradients.append(gradient + weight.sign() * (penalty.l1 * grad) if penalty.l1 else gradient)
        return None, *gradients


def code_penalty(z: Tensor, l1: float) -> Tensor:
    """``l1 * sum|z|``, averaged over the batch, 0 for none: the activity penalty of a sparse autoencoder."""
    if not len(z):
        return z.float().sum()
    with torch.autocast(z.device.type, enabled=False):
        return l1 * z.float().abs().flatten(1).sum(dim=1).mean()
