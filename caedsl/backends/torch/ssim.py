"""Structural similarity: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004.

Emitted training loops carry the source of these functions, so they use only torch.
"""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
BANDED_SIDE = 64
"""Side up to which a CPU filters with matrix products, which take up to five times less time than convolutions."""


def gaussian_window(size: int, sigma: float, device: torch.device) -> Tensor:
    """Return a Gaussian of ``size`` samples that sum to 1, in 64 bits."""
    # Made on the device: a copy from main memory would make every step wait.
    x = torch.arange(size, dtype=torch.float64, device=device) - (size - 1) / 2
    weights = torch.exp(-x.square() / (2 * sigma**2))
    return weights / weights.sum()


def window_size(*sides: int) -> int:
    """Return the side of the window: 11, or the largest odd number that fits into a smaller image."""
    side = min(*sides, WINDOW)
    return side if side % 2 else side - 1


def is_banded(x: Tensor) -> bool:
    """Return whether matrix products filter faster than convolutions."""
    return x.device.type == "cpu" and max(x.shape[2:]) <= BANDED_SIDE


def blur(x: Tensor, window: Tensor) -> Tensor:
    """Filter along each axis in turn, wherever the whole window lies inside the image."""
    if is_banded(x):
        return banded_products(x, window)
    for axis in reversed(range(2, x.dim())):
        x = convolution(x, window, axis)
    return x


def banded_products(x: Tensor, window: Tensor) -> Tensor:
    """Filter along each axis, as products with matrices whose rows are the shifted ``window``."""
    for side in reversed(x.shape[2:]):
        one_hot = torch.eye(side, dtype=x.dtype, device=x.device)
        band = functional.conv1d(one_hot.unsqueeze(1), window.view(1, 1, -1)).squeeze(1)
        # The last axis becomes the first, so that the product has long rows and the next axis is the last.
        x = (band.T @ x.flatten(0, -2).T).view(-1, *x.shape[:-1])
    return x.movedim((-2, -1), (0, 1))


def convolution(x: Tensor, window: Tensor, axis: int) -> Tensor:
    """Filter along ``axis``, as a convolution of each channel."""
    channels, dims = x.shape[1], x.dim()
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 3]
    shape = [len(window) if dim == axis else 1 for dim in range(dims)]
    return convolve(x, window.view(shape).expand(channels, *shape[1:]), groups=channels)


def contrast_and_ssim(x: Tensor, y: Tensor, data_range: float) -> tuple[Tensor, Tensor]:
    """Return the means of contrast times structure, and of SSIM, for each sample and channel.

    The window is Gaussian, 11 wide with sigma 1.5, at the positions where it lies inside the image, each channel by
    itself. On images smaller than 11 the window is the largest odd one that fits and sigma shrinks in proportion, so
    that its shape stays. ``data_range`` is the distance between the least and the greatest pixel value. The result has
    the images' own precision, and 32 bits at least.
    """
    size = window_size(*x.shape[2:])
    dtype = torch.promote_types(x.dtype, torch.float32)
    window = gaussian_window(size, SIGMA * size / WINDOW, x.device).to(dtype)
    with torch.autocast(x.device.type, enabled=False):
        # Variances do not depend on the level. Near zero their digits survive the subtraction of squares.
        level = y.to(dtype).flatten(2).mean(dim=2).detach().view(*y.shape[:2], *[1] * (y.dim() - 2))
        x, y = x.to(dtype) - level, y.to(dtype) - level
        # Products move samples to the end of the memory layout, where the four parts are then contiguous.
        axis = 0 if is_banded(x) else 1
        moments = torch.cat((x, y, x * x + y * y, x * y), dim=axis)
        mean_x, mean_y, squares, xy = blur(moments, window).chunk(4, dim=axis)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    covariance = xy - mean_x * mean_y
    variances = squares - mean_x.square() - mean_y.square()
    mean_x, mean_y = mean_x + level, mean_y + level
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    contrast = (2 * covariance + c2) / (variances + c2)
    return contrast.flatten(2).mean(dim=2), (luminance * contrast).flatten(2).mean(dim=2)


def ssim_per_image(x: Tensor, y: Tensor, data_range: float) -> Tensor:
    """Return the mean SSIM index of each pair of images, between -1 and 1 (see ``contrast_and_ssim``)."""
    return contrast_and_ssim(x, y, data_range)[1].mean(dim=1)
