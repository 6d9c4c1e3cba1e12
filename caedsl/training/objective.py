"""What training minimises: the named terms of the reconstruction loss, of the code and of the weights."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from caedsl.backends.torch.lower import Penalty
from caedsl.model.settings import Loss
from caedsl.training.losses import reconstruction_loss, reconstruction_terms, scaled, sum_of
from caedsl.training.pixel_range import PixelRange
from caedsl.training.sample import Sample

CODE, WEIGHTS = "code penalty", "weight penalty"
"""The names of the penalties among the terms."""


class Losses(NamedTuple):
    """The losses of a batch, scalars on its device.

    ``total`` is minimised: the ``reconstruction`` loss plus penalties. ``terms`` are its parts by name, weights included.
    """

    total: Tensor
    reconstruction: Tensor
    terms: Mapping[str, Tensor]

    def plus(self, other: Self) -> "Losses":
        """Add the losses of another part of the same step."""
        names = dict.fromkeys((*self.terms, *other.terms))
        terms = {
            name: sum_of([losses.terms[name] for losses in (self, other) if name in losses.terms]) for name in names
        }
        return Losses(self.total + other.total, self.reconstruction + other.reconstruction, terms)

    def detached(self) -> "Losses":
        """Return the same numbers without what is needed for gradients."""
        terms = {name: value.detach() for name, value in self.terms.items()}
        return Losses(self.total.detach(), self.reconstruction.detach(), terms)


class Objective:
    """The loss of a module on a batch.

    ``penalties`` are those on the weights; ``code_l1`` is the activity penalty on the code, which ``module.bottleneck``
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

    @property
    def names(self) -> Sequence[str]:
        """The names of the terms, in the order in which they are added up."""
        penalties = [*([WEIGHTS] if self.penalties else []), *([CODE] if self.code_l1 else [])]
        return [*dict.fromkeys(term.name for term in self.loss.terms), *penalties]

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Keep, inside, the code of each forward pass of ``module`` for its penalty."""

        # A hook and not a call of `encode`, so that training calls the module as everybody else does.
        def keep(bottleneck: nn.Module, inputs: Any, code: Tensor) -> None:
            self._code = code

        handle = module.get_submodule("bottleneck").register_forward_hook(keep) if self.code_l1 else None
        try:
            yield
        finally:
            if handle is not None:
                handle.remove()
            self._code = None

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the reconstruction loss alone."""
        return reconstruction_loss(self.loss, prediction, target, self.pixels)

    def __call__(
        self, module: nn.Module, prediction: Tensor, sample: Sample, share: float = 1.0, weights_too: bool = True
    ) -> Losses:
        """Compute the losses of a sample, which is ``share`` of the images of a step.

        The penalty on the weights is added where ``weights_too``: once a step.
        """
        factor = sample.weight * share
        terms = {
            name: scaled(value, factor)
            for name, value in reconstruction_terms(self.loss, prediction, sample.target, self.pixels).items()
        }
        reconstruction = total = sum_of(list(terms.values()))
        if self.penalties and weights_too:
            terms[WEIGHTS] = weight_penalty(module, self.penalties)
            total = total + terms[WEIGHTS]
        if self._code is not None:
            terms[CODE] = scaled(code_penalty(self._code, self.code_l1), factor)
            total = total + terms[CODE]
        return Losses(total, reconstruction, terms)


def weight_penalty(module: nn.Module, penalties: Sequence[Penalty]) -> Tensor:
    """Return the sum over ``penalties`` of ``l1 * sum|w| + l2 * sum w²``, the meaning that Keras gives the two."""
    if not penalties:
        return next(module.parameters()).new_zeros(())
    weights = [module.get_parameter(penalty.parameter) for penalty in penalties]
    total: Tensor = _Penalty.apply(penalties, *weights)  # type: ignore[no-untyped-call]
    return total


class _Penalty(torch.autograd.Function):
    """One node for all weights: twenty small ones would take a fiftieth of a step."""

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
    """Return ``l1 * sum|z|``, averaged over the batch, 0 for none: the activity penalty of a sparse autoencoder."""
    if not len(z):
        return z.float().sum()
    with torch.autocast(z.device.type, enabled=False):
        return l1 * z.float().abs().flatten(1).sum(dim=1).mean()
