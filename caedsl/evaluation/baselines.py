"""Baselines that a model should beat: the mean image, and PCA at the same code size.

Everything is computed in 64 bits, except products of bytes, which are exact in 32. n images, d values of an image,
k components.
"""

import math
from typing import NamedTuple, Protocol

import torch
from scipy.linalg import eigh
from torch import Tensor
from torch.nn import functional

from caedsl.diagnostics.text import counted
from caedsl.training.batches import Batches
from caedsl.vocabulary.shape import Sizes, noun, text

LARGEST_MATRIX = 4096
"""Largest side of a matrix whose eigenvectors are computed, which takes about half a minute on two cores."""
MOST_PRODUCTS = 500_000_000_000
"""Largest number of multiplications for a covariance, which takes about ten seconds on two cores."""
MOST_VALUES = 50_000_000
"""Largest number of values in memory when components come from inner products of images: 400 MB."""
BLOCK = 4096
BLOCK_VALUES = 1 << 26
"""Largest number of images, and of values, that are summed at a time."""
STRIPS = 4
"""Number of strips of a symmetric matrix; more are narrower than matrix products need to be fast."""
MIDDLE = 128
EXACT_ROWS = 1024
"""Largest number of rows whose products are summed at a time.

Bytes less 128 are at most 128 in size, so that the sum of 1024 of their products is at most 2^24: exact in 32 bits,
which take half the time of 64.
"""


class Predictor(Protocol):
    """Function from images to images."""

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the prediction for a batch."""


class MeanImage:
    """Predictor that returns the mean of the training images for every image."""

    def __init__(self, mean_chw: Tensor) -> None:
        """Predict ``mean_chw`` for every image."""
        self.mean_chw = mean_chw

    @classmethod
    def of(cls, train: Batches) -> "MeanImage":
        """Compute the mean of the training targets in one pass."""
        blocks = (block.target.double().sum(dim=0) for block in train.in_order(_block(train)))
        return cls(sum(blocks, torch.zeros((), dtype=torch.float64)) / len(train))

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the mean image for each image of a batch."""
        return self.mean_chw.expand(len(x_bchw), *self.mean_chw.shape)


class PCA:
    """Projection onto the leading principal components of the training images, the best linear autoencoder."""

    def __init__(self, mean_d: Tensor, components_kd: Tensor) -> None:
        """Project onto the plane through ``mean_d`` that is spanned by the components."""
        self.mean_d = mean_d
        self.components_kd = components_kd

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """Return the nearest point of the plane for each image."""
        centred = x_bchw.flatten(1) - self.mean_d
        codes_bk = centred @ self.components_kd.T
        return (codes_bk @ self.components_kd + self.mean_d).view_as(x_bchw)


class FittedPCA(NamedTuple):
    """PCA at a code size, or None if it is not computed.

    ``note`` gives the reason for None, or a remark for readers of its error. ``mean`` is the mean image.
    """

    predictor: PCA | None
    note: str
    mean: MeanImage


def fit_pca(train: Batches, code_size: int) -> FittedPCA:
    """Fit PCA with ``code_size`` components to the training images, reading them once.

    The components are the leading eigenvectors of the covariance of the values. If there are fewer images than values,
    or the covariance is larger than ``LARGEST_MATRIX``, they are computed from the inner products of the images. If
    there are too many images for either, a fixed sample of them is used, which is read again.
    """
    values = math.prod(train.shape)
    if code_size >= values:
        exact = f"PCA with as many numbers as the {noun(train.shape)} ({values:,}) is exact: it returns its input"
        return FittedPCA(None, exact, MeanImage.of(train))
    by_images = values > LARGEST_MATRIX or len(train) < values
    room = min(LARGEST_MATRIX, MOST_VALUES // values) if by_images else MOST_PRODUCTS // values**2
    if room >= len(train):
        find = _by_images if by_images else _by_values
        mean_chw, components_kd = find(train, min(code_size, len(train) - 1), None)
        note = _few(train, code_size)
    else:
        mean_chw, sample = MeanImage.of(train).mean_chw, train.spread(room)
        if code_size >= room:
            slow = f"PCA is not computed: {counted(code_size, 'component')} of {counted(values, 'value')} take too long"
            return FittedPCA(None, slow, MeanImage(mean_chw))
        find = _by_images if by_images else _by_values
        _, components_kd = find(sample, min(code_size, len(sample) - 1), mean_chw.flatten())
        note = f"PCA is fitted on {len(sample):,} of {len(train):,} training {noun(train.shape)}s"
    return FittedPCA(PCA(mean_chw.flatten(), components_kd), note, MeanImage(mean_chw))


def no_pca(train: Batches) -> FittedPCA:
    """Return only the mean image, for targets whose shape differs from that of the images."""
    name, wanted = noun(train.shape), text(train.target_shape)
    note = f"PCA is not computed: it maps {name}s to their own shape, and targets are {wanted}"
    return FittedPCA(None, note, MeanImage.of(train))


def at_size(x: Tensor, size: Sizes) -> Tensor:
    """Resize samples: images with bicubic interpolation, signals and volumes with linear interpolation."""
    if x.shape[2:] == size:
        return x
    mode = {3: "linear", 4: "bicubic", 5: "trilinear"}[x.dim()]
    return functional.interpolate(x, size, mode=mode, align_corners=False)


def _few(train: Batches, code_size: int) -> str:
    most, name = len(train) - 1, noun(train.shape)
    return (
        f"PCA has {counted(most, 'component')}: {counted(len(train), f'training {name}')} allow no more"
        if code_size > most
        else ""
    )


def _block(train: Batches) -> int:
    return max(1, min(BLOCK, BLOCK_VALUES // math.prod(train.shape)))


def _by_values(train: Batches, count: int, mean_d: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the mean image, and ``count`` leading eigenvectors of the covariance about ``mean_d`` as rows.

    By default ``mean_d`` is the mean of ``train``. Values are summed as bytes if they are stored as bytes, and relative
    to the middle byte or to the mean of the first block, which avoids cancellation in the covariance about the mean.
    """
    values, scale = math.prod(train.shape), train.wanted.scale
    scale = scale if scale is not None and scale.top else None  # numbers that are used unchanged need no scale
    low, step = (0.0, 1.0) if scale is None else (scale.fit.low, (scale.fit.high - scale.fit.low) / scale.top)
    near_d, sum_d, products_dd = torch.zeros(()), torch.zeros(()), torch.zeros(())
    for stored in train.stored(_block(train)):
        x_bd = stored.flatten(1)
        x_bd = x_bd.float() if x_bd.dtype == torch.uint8 else (x_bd.double() - low) / step
        if not near_d.dim():
            near_d = x_bd.mean(dim=0).double() if scale is None else x_bd.new_full((values,), MIDDLE).double()
            sum_d, products_dd = near_d.new_zeros(values), near_d.new_zeros(values, values)
        x_bd -= near_d.to(x_bd)
        sum_d += x_bd.sum(dim=0, dtype=torch.float64)
        _add_products(x_bd, products_dd)
    offset_d = sum_d / len(train)
    from_d = offset_d if mean_d is None else (mean_d - low) / step - near_d
    # About the mean m = o + f of values that were summed about o: Σ(x-m)(x-m)' = Σ(x-o)(x-o)' - n(sf' + fs' - ff').
    crossed_dd = torch.outer(offset_d, from_d)
    products_dd -= len(train) * (crossed_dd + crossed_dd.T - torch.outer(from_d, from_d))
    return (low + step * (near_d + offset_d)).view(train.shape), _leading(products_dd, count)


def _add_products(x_bd: Tensor, products_dd: Tensor) -> None:
    """Add the upper triangle of ``x_bd.T @ x_bd`` in strips, which takes 5/8 of the multiplications of the square."""
    width = -(-x_bd.shape[1] // STRIPS)
    for rows in torch.split(x_bd, EXACT_ROWS):
        for first in range(0, x_bd.shape[1], width):
            products_dd[first : first + width, first:] += rows[:, first : first + width].T @ rows[:, first:]


def _by_images(train: Batches, count: int, mean_d: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the same as ``_by_values``, computed from the eigenvectors of the inner products of the images."""
    x_nd = torch.cat([block.target.double().flatten(1) for block in train.in_order(_block(train))])
    found_d = x_nd.mean(dim=0)
    x_nd -= found_d if mean_d is None else mean_d
    products_nn = x_nd.new_zeros(len(x_nd), len(x_nd))
    _add_products(x_nd.T, products_nn)
    components_kd = _leading(products_nn, count) @ x_nd
    return found_d.view(train.shape), functional.normalize(components_kd, dim=1)


def _leading(matrix: Tensor, count: int) -> Tensor:
    """Return the eigenvectors of the ``count`` largest eigenvalues of a symmetric matrix, as rows.

    Only its upper triangle is read.
    """
    if not count:
        return matrix.new_empty(0, len(matrix))
    last = len(matrix) - 1
    _, vectors = eigh(matrix.cpu().numpy(), lower=False, subset_by_index=[last - count + 1, last])
    return torch.from_numpy(vectors).to(matrix).T
