"""Reconstruction losses, each the mean over the pixels of an image and over the batch, and their weighted sum."""

from collections.abc import Callable, Mapping

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


def reconstruction_loss(loss: Loss, prediction: Tensor, target: Tensor, pixels: PixelRange) -> Tensor:
    """The weighted sum of ``loss`` for a batch, in the number format of the target whatever that of the prediction.

    ``reduction`` "mean" averages over the pixels (channels counted) of an image; "sum" is that times their number. The
    loss of no images is 0.
    """
    if not len(target):
        return prediction.to(target.dtype).sum()
    with torch.autocast(prediction.device.type, enabled=False):
        prediction = prediction.to(target.dtype)
        total = sum(
            (term.weight * LOSSES[term.name](prediction, target, pixels) for term in loss.terms),
            prediction.new_zeros(()),
        )
    return total * target[0].numel() if loss.reduction == "sum" else total
