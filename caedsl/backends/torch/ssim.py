"""Structural similarity: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 13(4), 2004.

Emitted training loops carry the source of these functions, so they use torch alone.
"""

import torch
from torch import Tensor
from torch.nn import functional

WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03


def gaussian_window(size: int, sigma: float) -> Tensor:
    """A Gaussian of ``size`` samples that sum to 1, in 64 bits."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = torch.exp(-x.square() / (2 * sigma**2))
    return weights / weights.sum()


def window_size(height: int, width: int) -> int:
    """The side of the window: 11, or the largest odd number that fits into a smaller image."""
    side = min(height, width, WINDOW)
    return side if side % 2 else side - 1


def blur(x_bchw: Tensor, window: Tensor) -> Tensor:
    """Filter rows, then columns, wherever the whole window lies inside the image."""
    channels = x_bchw.shape[1]
    kernel = window.expand(channels, 1, 1, -1)
    rows = functional.conv2d(x_bchw, kernel, groups=channels)
    return functional.conv2d(rows, kernel.transpose(2, 3), groups=channels)


def ssim_per_image(x_bchw: Tensor, y_bchw: Tensor, data_range: float) -> Tensor:
    """The mean SSIM index of each pair of images, between -1 and 1, as a vector of length B.

    The window is Gaussian, 11x11 with sigma 1.5, at the positions where it lies inside the image, each channel by
    itself. On images smaller than 11 the window is the largest odd one that fits and sigma shrinks in proportion, so
    that its shape stays. ``data_range`` is the distance between the least and the greatest pixel value. The result has
    the images' own precision, and 32 bits at least.
    """
    size = window_size(*x_bchw.shape[-2:])
    dtype = torch.promote_types(x_bchw.dtype, torch.float32)
    window = gaussian_window(size, SIGMA * size / WINDOW).to(x_bchw.device, dtype)
    with torch.autocast(x_bchw.device.type, enabled=False):
        x, y = x_bchw.to(dtype), y_bchw.to(dtype)
        moments = torch.cat((x, y, x * x, y * y, x * y), dim=1)
        mean_x, mean_y, xx, yy, xy = blur(moments, window).chunk(5, dim=1)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x.square() + yy - mean_y.square()
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return (luminance * structure).flatten(1).mean(dim=1)
