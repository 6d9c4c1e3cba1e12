"""The objective of training: named terms of the reconstruction loss, the code and the weights."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from caedsl.backends.torch.modules import Normalise, SampleNormalise
from caedsl.backends.torch.program import CODE, Penalty
from caedsl.data.sample import Sample
from caedsl.model.settings import Loss
from caedsl.training.losses import reconstruction_terms, scaled, sum_of
from caedsl.training.pixel_range import PixelRange
from caedsl.training.step_numbers import Number, StepNumbers
from caedsl.vocabulary.term import Term

WEIGHTS = "weight penalty"
"""Name of the term for penalties on weights."""


class Losses(NamedTuple):
    """Losses of a batch, as scalars on its device.

    ``total`` is minimised: the ``reconstruction`` loss plus penalties. ``terms`` are its weighted terms by name.
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
        """Return the same losses, detached from the autograd graph."""
        terms = {name: value.detach() for name, value in self.terms.items()}
        return Losses(self.total.detach(), self.reconstruction.detach(), terms)


class Objective:
    """Loss of a module on a batch.

    ``penalties`` are the penalties on weights; ``code`` are the terms that the code adds. With ``normalise``,
    predictions and targets are normalised before they are compared.
    """

    def __init__(
        self,
        loss: Loss,
        pixels: PixelRange,
        penalties: Sequence[Penalty] = (),
        code: Sequence[Term] = (),
        normalise: Normalise | SampleNormalise | None = None,
    ) -> None:
        self.normalise = normalise
        self.loss = loss
        self.pixels = pixels
        self.penalties = tuple(penalties)
        self.code = tuple(code)
        self._seen: dict[str, Tensor] = {}
        self._factors: dict[str, Number] = {term.name: 1.0 for term in self.code}

    def begin(self, step: int, steps: int, numbers: StepNumbers) -> None:
        """Set the weights of the terms at ``step`` (counted from 0) of ``steps``; with a warm-up they rise from 0."""
        for term in self.code:
            if term.warmup:
                self._factors[term.name] = numbers.set(f"weight of {term.name}", term.factor(step, steps))

    @property
    def names(self) -> Sequence[str]:
        """Names of the terms, in the order in which they are added."""
        penalties = [*([WEIGHTS] if self.penalties else []), *(term.name for term in self.code)]
        return [*dict.fromkeys(term.name for term in self.loss.terms), *penalties]

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Compute the terms of the code in each forward pass of ``module`` within the block."""

        # Hooks instead of a call of `encode`, so that training calls the module as any other user does.
        def keep(term: Term, source: nn.Module, inputs: tuple[Tensor], code: Tensor) -> None:
            computed: Callable[[Tensor], Tensor] = getattr(source, term.method, lambda seen: activity(code))
            self._seen[term.name] = computed(inputs[0])

        handles = [module.get_submodule(term.source).register_forward_hook(partial(keep, term)) for term in self.code]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._seen.clear()

    def reconstruction(self, prediction: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the reconstruction loss alone; ``weight`` is the weight of each sample."""
        return sum_of(list(self._terms(prediction, target, weight).values()))

    def _terms(self, prediction: Tensor, target: Tensor, weight: Tensor | None) -> Mapping[str, Tensor]:
        if self.normalise is None:
            return reconstruction_terms(self.loss, prediction, target, self.pixels.width, weight)
        prediction = prediction.to(target.dtype)
        wanted = self.normalise(target)
        if isinstance(self.normalise, SampleNormalise):
            return reconstruction_terms(self.loss, self.normalise(prediction, target), wanted, 1.0, weight)
        width = self.pixels.width / self.normalise.scale.mean()
        return reconstruction_terms(self.loss, self.normalise(prediction), wanted, width, weight)

    def __call__(
        self, module: nn.Module, prediction: Tensor, sample: Sample, share: float = 1.0, weights_too: bool = True
    ) -> Losses:
        """Compute the losses of a sample that holds ``share`` of the images of a step.

        The penalty on the weights is added if ``weights_too``, which is True for one part of each step.
        """
        factor = sample.share * share
        terms = {
            name: scaled(value, factor) for name, value in self._terms(prediction, sample.target, sample.weight).items()
        }
        reconstruction = total = sum_of(list(terms.values()))
        if self.penalties and weights_too:
            terms[WEIGHTS] = weight_penalty(module, self.penalties)
            total = total + terms[WEIGHTS]
        for term in self.code if self._seen else ():
            terms[term.name] = self._code_term(term, sample.target, factor, self._factors[term.name])
            total = total + terms[term.name]
        self._seen.clear()  # later forward passes do not belong to this batch
        return Losses(total, reconstruction, terms)

    def code_loss(self, target: Tensor) -> Tensor:
        """Return the sum of the code's terms in the last forward pass, at their final weights."""
        return sum_of([self._code_term(term, target, 1.0, 1.0) for term in self.code])

    def _code_term(self, term: Term, target: Tensor, factor: float, rising: Number) -> Tensor:
        """Return a term of the code in the last forward pass, times ``factor``."""
        seen, weight = self._seen[term.name], self._weight(term, target)
        if term.capacity:
            return scaled((seen - term.capacity * rising).abs(), factor * weight)
        return scaled(seen, factor * (weight * rising))

    def _weight(self, term: Term, target: Tensor) -> float:
        """Return the weight of a term of the code, averaged or summed over a sample's values as the loss is."""
        averaged = self.loss.reduction == "mean"
        if term.source == CODE or term.averaged == averaged:
            return term.weight
        values = math.prod(target.shape[1:])
        return term.weight / values if averaged else term.weight * values


def weight_penalty(module: nn.Module, penalties: Sequence[Penalty]) -> Tensor:
    """Return the sum over ``penalties`` of ``l1 * sum|w| + l2 * sum w²``, as in Keras."""
    if not penalties:
        return next(module.parameters()).new_zeros(())
    weights = [module.get_parameter(penalty.parameter) for penalty in penalties]
    total: Tensor = _Penalty.apply(penalties, *weights)  # type: ignore[no-untyped-call]
    return total


class _Penalty(torch.autograd.Function):
    """Penalty as one autograd node for all weights; twenty small nodes would take a fiftieth of a step."""

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


def activity(z: Tensor) -> Tensor:
    """Return the activity of a sparse code: ``sum|z|``, averaged over the batch; 0 for an empty batch."""
    if not len(z):
        return z.float().sum()
    with torch.autocast(z.device.type, enabled=False):
        return z.float().abs().flatten(1).sum(dim=1).mean()
