"""Reconstruction losses, each the mean over the pixels of an image and over the batch, and their weighted terms."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.backends.torch import losses
from caedsl.model.settings import Loss, LossTerm


def reconstruction_terms(loss: Loss, prediction: Tensor, target: Tensor, width: Any) -> dict[str, Tensor]:
    """Return the weighted terms of ``loss`` for a batch by name, in the number format of the target.

    ``reduction`` "mean" averages over the pixels (channels counted) of an image; "sum" is that times their number, of
    those that count. ``width`` is that of the range of values. The terms of no images are 0.
    """
    if not len(target):
        nothing = prediction.to(target.dtype).sum()
        return {term.name: nothing for term in loss.terms}
    factor = target[0].numel() * (loss.worst or 1.0) if loss.reduction == "sum" else 1
    with torch.autocast(prediction.device.type, enabled=False):
        prediction = prediction.to(target.dtype)
        return {
            term.name: scaled(_mean(term, loss.worst, prediction, target, width), term.weight * factor)
            for term in loss.terms
        }


def _mean(term: LossTerm, worst: float | None, prediction: Tensor, target: Tensor, width: Any) -> Tensor:
    """Return the mean of a loss over the pixels that count."""
    call = term.kind.torch(term.options, width)
    function: Any = getattr(losses, call.name, None) or getattr(functional, call.name)
    seen = prediction
    if term.kind.probabilities:
        # PyTorch's kernels end the process at a value that is not in 0..1, on a GPU without a way back.
        seen = prediction.nan_to_num(0.5).clamp(0, 1)
    keywords = dict(call.kwargs)
    if worst is None:
        mean: Tensor = function(seen, target, *call.args, **keywords)
    else:
        mean = losses.hardest(function(seen, target, *call.args, **keywords, reduction="none"), worst)
    return mean + 0 * prediction.mean() if term.kind.probabilities else mean


def sum_of(terms: Sequence[Tensor]) -> Tensor:
    """Add terms in their order; a single one is returned as it is."""
    total, *others = terms
    for term in others:
        total = total + term
    return total


def scaled(value: Tensor, factor: float | Tensor) -> Tensor:
    """Multiply by ``factor``, without a kernel where that is known to be 1."""
    return value if not isinstance(factor, Tensor) and factor == 1 else value * factor
