"""The user's own samples, passed as ``caedsl.train(images=…)``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from caedsl.data.array_layout import layout
from caedsl.data.errors import DataError, reason
from caedsl.data.labels import StoredLabels
from caedsl.data.sample_format import SampleFormat
from caedsl.data.sample_weights import as_weights
from caedsl.data.stacks.array_stack import ArrayStack, shape_text
from caedsl.data.stacks.row_file import Rows
from caedsl.data.stacks.stack import Array, Index


class Store:
    """Samples that are read on demand. Override ``__len__`` and ``read``, and the other members as needed."""

    identity = ""
    """Revision or checksum that identifies the samples if they are too large to be hashed (more than 1 GiB)."""
    labels: Sequence[Any] | None = None
    """Class of each sample, as whole numbers or words, or None without classes."""
    weights: Sequence[float] | None = None
    """Weight of each sample in the loss, or None if all are equal."""

    def __len__(self) -> int:
        """Return the number of samples."""
        raise NotImplementedError

    def read(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """Return the samples with these numbers as one array of a fixed type and size, N × space or with channels.

        Several threads may call it at once. An ``OSError`` ends the run like an unreadable file.
        """
        raise NotImplementedError

    def name(self, number: int) -> str:
        """Return the name of a sample, by default its number."""
        return str(number)


class StoreRows(Rows):
    """Samples of a ``Store`` as an array that is read row by row."""

    def __init__(self, store: Store, called: str) -> None:
        self.store, self.called = store, called
        count = len(store)
        if not count:
            raise DataError(f"{called} contains no samples")
        first = self._read(np.arange(1))
        if first.shape[:1] != (1,):
            raise DataError(
                f"{called}: `read` returned an array of shape {first.shape} for one number: return an array with one "
                "sample for each number"
            )
        self.dtype, self.shape = first.dtype, (count, *first.shape[1:])

    def take(self, index: Index) -> Array:
        """See ``Rows.take``."""
        rows = self._read(index)
        expected = (len(index), *self.shape[1:])
        if rows.shape != expected or rows.dtype != self.dtype:
            raise DataError(
                f"{self.called}: `read` returned {shape_text(rows.shape)} values of type {rows.dtype}, not "
                f"{shape_text(expected)} of type {self.dtype}: return all samples in one shape and type"
            )
        return rows

    def _read(self, index: Index) -> Array:
        try:
            return np.asarray(self.store.read(index))
        except OSError as error:
            raise DataError(f"{self.called} cannot be read: {reason(error)}") from error


class StoreStack(ArrayStack):
    """Samples of a ``Store``."""

    def __init__(
        self,
        store: Store,
        fit: SampleFormat,
        called: str,
        labels: StoredLabels,
        declared: str | None = None,
        white: int | None = None,
    ) -> None:
        rows = StoreRows(store, called)
        self._store = store
        weights = store.weights
        kept = None if weights is None else as_weights(np.asarray(weights), len(rows), f"the weights of {called}")
        super().__init__(rows, layout(rows.shape, fit, called, declared), fit, called, labels.numbers, white, kept)

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        return f"{self._store.identity} ".encode("utf-8", "surrogatepass") + super().outline(index)

    def names(self, index: Index) -> Sequence[str]:
        """See ``Stack.names``."""
        return [str(self._store.name(number)) for number in index.tolist()]
