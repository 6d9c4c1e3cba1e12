"""Find samples of two parts that are nearly equal: one picture that was saved, scaled or compressed once more.

Thumbnails are compared first, then the samples themselves. Tensors: x_bc… = batch, channels, then one to three axes.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

_SIDES = {1: 64, 2: 8, 3: 4}
"""Values of a thumbnail along each axis, by the number of axes."""
_NEAR = 0.25
"""Share of the usual distance between neighbours below which two thumbnails are those of one picture."""
_DIFFERENCE = 0.1
"""Most difference of two samples that are nearly equal, as a share of how much one varies."""
_USUAL = 500
"""Samples from which the usual distance between neighbours is found."""
_MOST_PAIRS = 2_000_000_000
"""Pairs of thumbnails that are compared in some ten seconds."""
_MOST_CANDIDATES = 200
_BLOCK = 256

Thumbnails = NDArray[np.float32]


def thumbnails(x: Tensor) -> Thumbnails:
    """Return a few values of each sample, B × values: its channels averaged and made small."""
    grey = x.mean(dim=1, keepdim=True)
    side = _SIDES[grey.dim() - 2]
    pool = (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d)
    small: Tensor = pool[grey.dim() - 3](grey, side)
    return small.flatten(1).float().cpu().numpy()


def too_many(first: Thumbnails, second: Thumbnails) -> bool:
    """Return whether two parts have more pairs than are compared."""
    return len(first) * len(second) > _MOST_PAIRS


def nearly_equal(
    first: Thumbnails, second: Thumbnails, usual: float, sample: Callable[[int, int], tuple[Tensor, Tensor]]
) -> Iterator[tuple[int, int]]:
    """Yield the places of a sample of ``second`` and of its nearest in ``first`` that are nearly equal, not equal.

    ``usual`` is the usual distance between neighbours, and ``sample`` returns both samples of two places.
    """
    distances, places = _nearest(second, first)
    candidates = np.flatnonzero(distances < _NEAR * usual)
    for place in candidates[np.argsort(distances[candidates])][:_MOST_CANDIDATES].tolist():
        nearest = int(places[place])
        a, b = sample(nearest, place)
        difference, spread = (a - b).square().mean().sqrt(), (a - a.mean()).square().mean().sqrt()
        if 0 < difference < _DIFFERENCE * spread:
            yield nearest, place


def usual_distance(of: Thumbnails) -> float:
    """Return the median distance of a thumbnail to its nearest neighbour in the same part."""
    chosen = np.unique(np.linspace(0, len(of) - 1, min(_USUAL, len(of))).round().astype(np.int64))
    if len(of) < 2:
        return 0.0
    distances, _ = _nearest(of[chosen], of, own=chosen)
    return float(np.median(distances))


def _nearest(
    of: Thumbnails, among: Thumbnails, own: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the distance and the place of the nearest of ``among``; ``own`` are the places that do not count."""
    y = torch.from_numpy(among)
    distances, places = [], []
    for start in range(0, len(of), _BLOCK):
        apart = torch.cdist(torch.from_numpy(of[start : start + _BLOCK]), y)
        if own is not None:
            rows = torch.arange(len(apart))
            apart[rows, torch.from_numpy(own[start : start + _BLOCK])] = torch.inf
        least = apart.min(dim=1)
        distances.append(least.values.numpy())
        places.append(least.indices.numpy())
    return np.concatenate(distances), np.concatenate(places)
