"""Losses that ``torch.nn.functional`` lacks. Emitted training loops carry the source of these functions.

Tensors: x = samples (batch, channels, then one to three axes), x_hat = their reconstructions.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.backends.torch.ssim import contrast_and_ssim, ssim_per_image


def ssim_loss(x_hat: Tensor, x: Tensor, width: float) -> Tensor:
    """Return 1 - SSIM for pixels whose range has this ``width``."""
    return 1 - ssim_per_image(x_hat, x, width).mean()


def ms_ssim_loss(x_hat: Tensor, x: Tensor, width: float) -> Tensor:
    """Return 1 - MS-SSIM (Wang, Simoncelli, Bovik, Asilomar 2003), at as many of its five scales as the images have.

    A scale halves the images, and is used while the window of 11 pixels fits into them. The weights of the scales that
    are used are scaled to the sum 1, and negative contrasts count as 0.
    """
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    scales = max(1, sum(min(x.shape[2:]) >= 11 * 2**scale for scale in range(len(weights))))
    total = sum(weights[:scales])
    product = torch.ones(x.shape[:2], device=x.device)
    for scale in range(scales):
        contrast, similarity = contrast_and_ssim(x_hat, x, width)
        factor = similarity if scale == scales - 1 else contrast
        product = product * factor.clamp(min=1e-6) ** (weights[scale] / total)
        if scale < scales - 1:
            odd = [side % 2 for side in x.shape[2:]]
            halve = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[x.dim() - 3]
            x_hat, x = (halve(image, 2, padding=odd) for image in (x_hat, x))
    return 1 - product.mean()


def charbonnier_loss(x_hat: Tensor, x: Tensor, epsilon: float, reduction: str = "mean") -> Tensor:
    """Return the mean of sqrt(error² + epsilon²) - epsilon (Charbonnier et al., ICIP 1994), 0 for equal images."""
    error = ((x_hat - x).square() + epsilon**2).sqrt() - epsilon
    return error.mean() if reduction == "mean" else error


def logcosh_loss(x_hat: Tensor, x: Tensor, alpha: float, reduction: str = "mean") -> Tensor:
    """Return the mean of log(cosh(alpha * error)) / alpha (Chen, Chen, Xu, ICLR workshop 2019), which Keras has too."""
    error = alpha * (x_hat - x).abs()
    loss = (error + functional.softplus(-2 * error) - math.log(2)) / alpha
    return loss.mean() if reduction == "mean" else loss


def focal_loss(x_hat: Tensor, x: Tensor, gamma: float, reduction: str = "mean") -> Tensor:
    """Return binary cross-entropy weighted by |error|^gamma (Lin et al., ICCV 2017, with targets between 0 and 1)."""
    weight = (x_hat - x).abs() ** gamma
    loss = weight * functional.binary_cross_entropy(x_hat, x, reduction="none")
    return loss.mean() if reduction == "mean" else loss


def gaussian_loss(x_hat: Tensor, x: Tensor, width: float, least: float) -> Tensor:
    """Return the negative log-likelihood of a value under normal noise, above that of an exact reconstruction.

    The variance is the one that makes the batch most likely, its mean squared error (Rybkin et al. 2021, arXiv
    2006.13202), and at least that of the deviation ``least * width``.
    """
    error = (x_hat - x).square().mean()
    floor = (least * width) ** 2
    variance = error.clamp(min=floor)
    return ((variance / floor).log() + error / variance) / 2


def hardest(loss: Tensor, share: float) -> Tensor:
    """Return the ``loss`` of this share of each sample's pixels, those with the largest."""
    flat = loss.flatten(1)
    return flat.topk(max(1, round(share * flat.shape[1])), dim=1).values


def weighted(loss: Tensor, weight: Tensor) -> Tensor:
    """Return the mean over the samples of weight times ``loss``, which has one number per sample or per pixel."""
    return (weight.to(loss.dtype) * loss.reshape(len(loss), -1).mean(1)).mean()


def with_weighted_errors(x_hat: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Return reconstructions whose squared errors are those of ``x_hat`` times the weight of the sample."""
    return x + weight.to(x.dtype).sqrt().view(-1, *[1] * (x.dim() - 1)) * (x_hat - x)
