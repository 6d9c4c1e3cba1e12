"""Reconstruction losses, each the mean over the pixels of an image and over the batch, and their weighted terms."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.backends.torch.ssim import ssim_per_image
from caedsl.model.settings import Loss
from caedsl.training.pixel_range import PixelRange


def mse(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """The mean squared error."""
    return functional.mse_loss(prediction, target)


def mae(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """The mean absolute error."""
    return functional.l1_loss(prediction, target)


def huber(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """e²/2 for errors up to 1 and |e| - 1/2 beyond, PyTorch's default (Huber, Ann. Math. Statist. 35(1), 1964)."""
    return functional.huber_loss(prediction, target)


def bce(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """The binary cross-entropy of probabilities, with PyTorch's floor of -100 under each logarithm.

    It is meant for values in 0..1 on both sides. A prediction that is not a number gives a loss that is none: PyTorch's
    kernel would end the process there, on a GPU without a way back.
    """
    probability = prediction.nan_to_num(0.5).clamp(0, 1)
    return functional.binary_cross_entropy(probability, target) + 0 * prediction.mean()


def ssim(prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """1 - SSIM (see ``caedsl.backends.torch.ssim``), so that it falls as the images agree."""
    return 1 - ssim_per_image(prediction, target, pixels.width).mean()


LOSSES: Mapping[str, Callable[[Tensor, Tensor, PixelRange], Tensor]] = {
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "bce": bce,
    "ssim": ssim,
}


def reconstruction_terms(loss: Loss, prediction: Tensor, target: Tensor, pixels: PixelRange) -> dict[str, Tensor]:
    """Return the weighted terms of ``loss`` for a batch by name, in the number format of the target.

    ``reduction`` "mean" averages over the pixels (channels counted) of an image; "sum" is that times their number. The
    terms of no images are 0.
    """
    if not len(target):
        nothing = prediction.to(target.dtype).sum()
        return {term.name: nothing for term in loss.terms}
    terms: dict[str, Tensor] = {}
    factor = target[0].numel() if loss.reduction == "sum" else 1
    with torch.autocast(prediction.device.type, enabled=False):
        prediction = prediction.to(target.dtype)
        for term in loss.terms:
            value = scaled(LOSSES[term.name](prediction, target, pixels), term.weight * factor)
            terms[term.name] = terms[term.name] + value if term.name in terms else value
    return terms


def reconstruction_loss(loss: Loss, prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """Return the sum of the weighted terms of ``loss`` for a batch."""
    return sum_of(list(reconstruction_terms(loss, prediction, target, pixels).values()))


def sum_of(terms: Sequence[Tensor]) -> Tensor:
    """Add terms in their order; a single one is returned as it is."""
    total, *others = terms
    for term in others:
        total = total + term
    return total


def scaled(value: Tensor, factor: float) -> Tensor:
    """Multiply by ``factor``, without a kernel where that is 1."""
    return value if factor == 1 else value * factor
