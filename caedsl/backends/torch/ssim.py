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
"""Side up to which a CPU filters with a matrix product, which takes up to three times less time than a convolution."""


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


def blur(x: Tensor, window: Tensor) -> Tensor:
    """Filter along each axis in turn, wherever the whole window lies inside the image."""
    for axis in reversed(range(2, x.dim())):
        banded = x.device.type == "cpu" and x.shape[axis] <= BANDED_SIDE
        x = banded_product(x, window, axis) if banded else convolution(x, window, axis)
    return x


def banded_product(x: Tensor, window: Tensor, axis: int) -> Tensor:
    """Filter along ``axis``, as a product with a matrix whose columns are the shifted ``window``."""
    one_hot = torch.eye(x.shape[axis], dtype=x.dtype, device=x.device)
    band = functional.conv1d(one_hot.unsqueeze(1), window.view(1, 1, -1)).squeeze(1)
    return (x.transpose(axis, -1) @ band).transpose(axis, -1)


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
        moments = torch.cat((x, y, x * x + y * y, x * y), dim=1)
        mean_x, mean_y, squares, xy = blur(moments, window).chunk(4, dim=1)
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
