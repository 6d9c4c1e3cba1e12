"""The 1,797 handwritten digits of 8x8 pixels in scikit-learn (UCI, Alpaydin and Kaynak 1998)."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from caedsl.data.array_layout import layout
from caedsl.data.readers.source_reader import Request, UnreadImages
from caedsl.data.stacks.array_stack import ArrayStack

_TABLE = "datasets/data/digits.csv.gz"
"""File in scikit-learn's folder with one line per digit: its 64 pixels, from 0 to 16, and its class."""


def read(request: Request) -> UnreadImages:
    """Return the digits; there is no test part, so all are for training and validation."""
    table = _table()
    pixels, labels = table[:, :-1].reshape(-1, 8, 8).astype(np.uint8), table[:, -1].astype(np.int64)
    return UnreadImages(
        ArrayStack(pixels, layout(pixels.shape, request.fit, "digits"), request.fit, "digits", labels, white=16),
        class_names=tuple(str(digit) for digit in range(10)),
    )


def _table() -> NDArray[np.float64]:
    """Return the lines of the table.

    The file is read directly where it is found, since importing scikit-learn takes most of a second.
    """
    installed = find_spec("sklearn")
    for folder in (installed and installed.submodule_search_locations) or ():
        if (path := Path(folder, _TABLE)).is_file():
            with gzip.open(path) as file:
                return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    return np.column_stack(load_digits(return_X_y=True))
