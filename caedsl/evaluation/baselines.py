"""Predictors that a model must beat to have earned its layers: the mean image, and PCA at the same code size.

All is computed in 64 bits.
"""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.training.batches import Batches

LARGEST_MATRIX = 4096
"""The largest side of a matrix whose eigenvectors are computed: about half a minute on two cores."""
MOST_PRODUCTS = 500_000_000_000
"""The most multiplications that go into a covariance: about ten seconds on two cores."""
MOST_VALUES = 50_000_000
"""The most values that are copied to find the components of images with more than ``LARGEST_MATRIX``: 400 MB."""
BLOCK = 4096
BLOCK_VALUES = 1 << 26
"""The most images, and the most values, that are summed at a time: 256 MB."""


class Predictor(Protocol):
    """Anything that returns an image for an image."""

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """The prediction, of the shape of its input."""


class MeanImage:
    """Answers every image with the mean of the training images."""

    def __init__(self, train: Batches) -> None:
        size = max(1, min(BLOCK, BLOCK_VALUES // math.prod(train.shape)))
        total = sum((block.double().sum(dim=0) for block in train.in_order(size)), torch.zeros((), dtype=torch.float64))
        self.mean_chw = total / len(train)

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """The same image for each."""
        return self.mean_chw.expand_as(x_bchw)


class PCA:
    """Projects images on the leading principal components of the training images: the best linear autoencoder."""

    def __init__(self, mean_d: Tensor, components_kd: Tensor) -> None:
        self.mean_d = mean_d
        self.components_kd = components_kd

    def __call__(self, x_bchw: Tensor) -> Tensor:
        """The point of the components' plane that is nearest to each image."""
        centred = x_bchw.flatten(1) - self.mean_d
        codes_bk = centred @ self.components_kd.T
        return (codes_bk @ self.components_kd + self.mean_d).view_as(x_bchw)


class Linear(NamedTuple):
    """PCA at a code size, or None with the reason; ``note`` says what a reader of its error must know."""

    predictor: PCA | None
    note: str = ""


def fit_pca(train: Batches, code_size: int) -> Linear:
    """PCA with ``code_size`` components of the training images.

    The components are the leading eigenvectors of the covariance of the pixels or, for images with more than
    ``LARGEST_MATRIX`` values, come from the inner products of the images. Where there are too many images for that,
    those of a fixed sample stand for all.
    """
    values = math.prod(train.shape)
    if code_size >= values:
        return Linear(None, f"PCA with as many numbers as the image ({values:,}) is exact: it returns what it sees")
    mean_d = MeanImage(train).mean_chw.flatten()
    wide = values > LARGEST_MATRIX
    room = min(LARGEST_MATRIX, MOST_VALUES // values) if wide else MOST_PRODUCTS // values**2
    sample = train.spread(room) if room < len(train) else train
    if code_size >= len(sample) and sample is not train:
        return Linear(None, f"PCA is not computed: {code_size:,} components of {values:,} values take too long")
    count = min(code_size, len(sample) - 1)
    components_kd = _from_products(sample, mean_d, count) if wide else _from_covariance(sample, mean_d, count)
    return Linear(PCA(mean_d, components_kd), _note(train, sample, code_size))


def _note(train: Batches, sample: Batches, code_size: int) -> str:
    if sample is not train:
        return f"PCA is fitted on {len(sample):,} of {len(train):,} training images"
    most = len(train) - 1
    return f"PCA has {most:,} components: {len(train):,} training images have no more" if code_size > most else ""


def _from_covariance(train: Batches, mean_d: Tensor, count: int) -> Tensor:
    """The ``count`` leading eigenvectors of the covariance of the pixels, as rows."""
    values = len(mean_d)
    covariance_dd = torch.zeros(values, values, dtype=torch.float64, device=mean_d.device)
    for block in train.in_order(BLOCK):
        x_bd = block.flatten(1) - mean_d
        covariance_dd += x_bd.T @ x_bd
    vectors_dd: Tensor = torch.linalg.eigh(covariance_dd).eigenvectors
    return vectors_dd[:, values - count :].T


def _from_products(train: Batches, mean_d: Tensor, count: int) -> Tensor:
    """The same from the inner products of the images: eigenvectors of those weight the images."""
    x_nd = next(train.in_order(len(train))).flatten(1) - mean_d
    vectors_nn: Tensor = torch.linalg.eigh(x_nd @ x_nd.T).eigenvectors
    components_kd: Tensor = vectors_nn[:, len(train) - count :].T @ x_nd
    return functional.normalize(components_kd, dim=1)
