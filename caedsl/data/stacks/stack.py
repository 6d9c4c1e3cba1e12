"""Samples of a source, read in blocks in any order and fitted to the input."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from caedsl.data.sample_format import ValueScale
from caedsl.vocabulary.shape import Sizes

Array = NDArray[Any]
Index = NDArray[np.int64]
Labels = NDArray[np.int64]
Weights = NDArray[np.float64]

LARGE_BYTES = 1 << 30
"""Do not read all samples before the first step if they have more stored bytes than this."""


class RawSamples(NamedTuple):
    """Samples as read from a source.

    ``values`` are b × the input's shape: uint8 for ``ValueScale`` to convert to its range, or float32 in it. ``stored``
    contributes to the checksum of the source. ``remarks`` are notes on single samples, ``sizes`` their original sizes,
    or empty if unknown.
    """

    values: Tensor
    stored: bytes | memoryview
    remarks: tuple[str, ...] = ()
    sizes: tuple[Sizes, ...] = ()


class Stack(Protocol):
    """Samples that can be read in any order, by several threads at once, with no more memory than the requested ones.

    A sample is bit-identical whichever others are read with it.
    """

    labels: Labels | None
    weights: Weights | None
    """Weight of each sample in the loss, or None if all are equal."""

    @property
    def scale(self) -> ValueScale:
        """Conversion of its bytes to the input's range."""

    @property
    def value_bytes(self) -> int:
        """Bytes per value of a sample in memory; reading may find samples that take 4."""

    @property
    def read_bytes(self) -> int:
        """Bytes of memory to read one sample, if known before reading; otherwise 0."""

    @property
    def ready(self) -> bool:
        """Whether samples are stored as they are used, so that reading is mere copying."""

    def is_large(self, index: Index) -> bool:
        """Return whether reading all samples with these numbers would delay the first step by more than seconds.

        Only the samples determine this, so that a run is the same on another machine.
        """

    def outline(self, index: Index) -> bytes:
        """Return a description of the samples that is known before reading: the names of files, or shapes."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def read(self, index: Index) -> RawSamples:
        """Return the samples with these numbers.

        Raise a ``DataError`` if they cannot be used, or have changed since the last time.
        """

    def names(self, index: Index) -> Sequence[str] | None:
        """Return the names of the samples with these numbers, or None if they only have numbers."""

    def conclude(self, remarks: Counter[str], images: int) -> tuple[str, ...]:
        """Return the notes on this many samples with these remarks.

        Raise a ``DataError`` if they do not fit together.
        """
