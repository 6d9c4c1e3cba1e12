"""Weights of samples in the loss."""

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError
from caedsl.data.stacks.array_stack import shape_text
from caedsl.data.stacks.row_file import Rows, whole
from caedsl.data.stacks.stack import Array, Weights
from caedsl.diagnostics.text import counted


def as_weights(array: Array | Rows, samples: int, name: str) -> Weights:
    """Return an array of weights, one per sample. Raise a ``DataError`` if it is invalid."""
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise DataError(
            f"{name}: weights are one number per sample, but this array is {shape_text(array.shape)} {array.dtype}"
        )
    if len(array) != samples:
        raise DataError(
            f"{name} has {counted(len(array), 'weight')} for {counted(samples, 'sample')}: give each sample one"
        )
    weights: NDArray[np.float64] = whole(array, name).astype(np.float64)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise DataError(
            f"{name}: sample {wrong[0]} (counted from 0) has the weight {weights[wrong[0]]:g}: write 0 or more"
        )
    return weights
