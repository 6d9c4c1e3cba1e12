"""Reconstruction losses, averaged over the pixels of an image and over the batch, and their weighted terms."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.backends.torch import losses
from caedsl.model.settings import Loss, LossTerm
from caedsl.vocabulary.losses import LossKind


def reconstruction_terms(
    loss: Loss, prediction: Tensor, target: Tensor, width: Any, weight: Tensor | None = None
) -> dict[str, Tensor]:
    """Return the weighted terms of ``loss`` for a batch by name, in the dtype of the target.

    ``reduction`` "mean" averages over the pixels of an image, counting each channel; "sum" multiplies that mean by the
    number of pixels that count. ``width`` is the width of the range of values, ``weight`` the weight of each sample.
    The terms of an empty batch are 0.
    """
    if not len(target):
        nothing = prediction.to(target.dtype).sum()
        return {term.name: nothing for term in loss.terms}
    factor = target[0].numel() * (loss.worst or 1.0) if loss.reduction == "sum" else 1
    with torch.autocast(prediction.device.type, enabled=False):
        prediction = prediction.to(target.dtype)
        return {
            term.name: scaled(_mean(term, loss.worst, prediction, target, width, weight), term.weight * factor)
            for term in loss.terms
        }


def _mean(
    term: LossTerm, worst: float | None, prediction: Tensor, target: Tensor, width: Any, weight: Tensor | None
) -> Tensor:
    """Return the mean of a loss over the pixels that count and over the weighted samples."""
    call = term.kind.torch(term.options, width)
    function: Any = getattr(losses, call.name, None) or getattr(functional, call.name)
    seen = prediction
    if term.kind.probabilities:
        # Values outside 0..1 make PyTorch's kernels raise, and on a GPU leave the process unusable. Targets may be
        # outside if they are normalised by the range of other samples.
        seen, target = prediction.nan_to_num(0.5).clamp(0, 1), target.clamp(0, 1)
    keywords = dict(call.kwargs)
    mean: Tensor
    if weight is not None:
        mean = _weighted(partial(function, **keywords), call.args, term.kind, worst, seen, target, weight)
    elif worst is None:
        mean = function(seen, target, *call.args, **keywords)
    else:
        mean = losses.hardest(function(seen, target, *call.args, **keywords, reduction="none"), worst).mean()
    return mean + 0 * prediction.mean() if term.kind.probabilities else mean


def _weighted(
    function: Callable[..., Tensor],
    options: Sequence[Any],
    kind: LossKind,
    worst: float | None,
    seen: Tensor,
    target: Tensor,
    weight: Tensor,
) -> Tensor:
    """Return the mean over the samples of weight times loss."""
    if kind.of_batch:
        # The loss depends only on the squared errors of all samples together.
        return function(losses.with_weighted_errors(seen, target, weight), target, *options)
    if kind.pixelwise:
        each = function(seen, target, *options, reduction="none")
        each = each if worst is None else losses.hardest(each, worst)
    else:
        each = torch.vmap(lambda one, other: function(one[None], other[None], *options))(seen, target)
    return losses.weighted(each, weight)


def sum_of(terms: Sequence[Tensor]) -> Tensor:
    """Add the terms in order; a single term is returned unchanged."""
    total, *others = terms
    for term in others:
        total = total + term
    return total


def scaled(value: Tensor, factor: float | Tensor) -> Tensor:
    """Multiply by ``factor``; a factor known to be 1 launches no kernel."""
    return value if not isinstance(factor, Tensor) and factor == 1 else value * factor
