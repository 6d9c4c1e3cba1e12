"""Array in a file, read row by row; a row is a sample.

This is not a memory map: a file that is truncated while it is mapped kills the process, mapped pages count as memory of
the process, and the system reads more around each page than random rows need.
"""

import math
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from caedsl.data.errors import DataError

SUPPORTED = hasattr(os, "preadv")


class Rows(ABC):
    """Array of samples that is read row by row."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    columns_first = False
    """Whether the values of a row are not contiguous, so that reading a few rows is slow."""

    @property
    def ndim(self) -> int:
        """Number of dimensions of the array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values of the array."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def take(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows with these numbers, in their order; several threads may call it at once."""


class RowFile(Rows):
    """Rows of an array; several threads may read at once.

    ``handle`` is the open file, closed with the object; ``file`` is its name in messages. With ``columns_first`` the
    array is in Fortran order: the values of a row are not contiguous, and reading a few rows is slow.
    """

    def __init__(
        self,
        file: str,
        handle: int,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        offset: int = 0,
        columns_first: bool = False,
    ) -> None:
        self.file = file
        self.dtype = dtype
        self.shape = shape
        self.columns_first = columns_first and self.size != len(self)
        self._handle = handle
        self._offset = offset
        self._row_bytes = math.prod(shape[1:]) * dtype.itemsize
        weakref.finalize(self, os.close, handle)
        self._stamp = self._stamp_now()

    def take(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows with these numbers, in their order.

        Raise a ``DataError`` if the file was changed after it was opened.
        """
        try:
            rows = self._columns(index) if self.columns_first else self._rows(index)
            unchanged = self._stamp_now() == self._stamp
        except OSError as error:
            raise DataError(f"{self.file} cannot be read: {(error.strerror or str(error)).lower()}") from error
        if not unchanged:
            raise DataError(f"{self.file} was changed while it was in use: restore it, or run the command again")
        return rows

    def _columns(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """Read each column of a Fortran-order array, from the first to the last requested row, and select the rows."""
        first, last = int(index.min()), int(index.max())
        columns, item = self.size // len(self), self.dtype.itemsize
        whole: NDArray[Any] = np.empty((columns, len(index)), self.dtype)
        column: NDArray[Any] = np.empty(last - first + 1, self.dtype)
        for number in range(columns):
            self._read(column.view(np.uint8).data, self._offset + (number * len(self) + first) * item)
            whole[number] = column[index - first]
        return whole.reshape(*reversed(self.shape[1:]), len(index)).transpose()

    def _rows(self, index: NDArray[np.int64]) -> NDArray[Any]:
        rows: NDArray[Any] = np.empty((len(index), *self.shape[1:]), self.dtype)
        if not rows.size:
            return rows
        buffer, stretches = rows.reshape(-1).view(np.uint8).data, list(runs(index))
        if len(stretches) > 1 and hasattr(os, "posix_fadvise"):
            # All ranges are requested before the first is read, so that the disk works on many at once.
            for _, first, count in stretches:
                os.posix_fadvise(
                    self._handle,
                    self._offset + first * self._row_bytes,
                    count * self._row_bytes,
                    os.POSIX_FADV_WILLNEED,
                )
        for place, first, count in stretches:
            start, end = place * self._row_bytes, (place + count) * self._row_bytes
            self._read(buffer[start:end], self._offset + first * self._row_bytes)
        return rows

    def _read(self, buffer: memoryview, position: int) -> None:
        if not read_at(self._handle, buffer, position):
            raise DataError(f"{self.file} was truncated while it was in use: restore it")

    def _stamp_now(self) -> tuple[int, int]:
        status = os.fstat(self._handle)
        return status.st_size, status.st_mtime_ns


def read_at(handle: int, buffer: memoryview, position: int) -> bool:
    """Fill ``buffer`` from an open file; return False if the file ends before."""
    while buffer:
        read = os.preadv(handle, [buffer], position)
        if not read:
            return False
        buffer, position = buffer[read:], position + read
    return True


def rows_of(
    file: BinaryIO, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], columns_first: bool = False
) -> "RowFile | NDArray[Any]":
    """Return the array at the position of ``file``, with rows read on demand; messages call the file ``name``.

    Raise a ``DataError`` if the file ends before the array.
    """
    offset, there = file.tell(), os.fstat(file.fileno()).st_size
    needed = math.prod(shape) * dtype.itemsize
    if there < offset + needed:
        raise DataError(
            f"{name} is damaged: it has {there:,} bytes, but its array needs {offset + needed:,}; save the array again"
        )
    if not needed:
        return without_values(name, dtype, shape)
    if SUPPORTED:
        return RowFile(name, os.dup(file.fileno()), dtype, shape, offset, columns_first)
    return np.memmap(file, dtype, "r", offset, shape, "F" if columns_first else "C")


def without_values(name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array with a side of 0; raise a ``DataError`` if numpy does not allow that shape."""
    try:
        return np.empty(shape, dtype)
    except ValueError as error:
        raise DataError(f"{name} is damaged: its shape is {' x '.join(map(str, shape))}") from error


def whole(array: "Rows | NDArray[Any]", name: str) -> NDArray[Any]:
    """Return the array in memory, reading it if it is in a file; messages call it ``name``.

    Raise a ``DataError`` if a boolean is stored as neither 0 nor 1.
    """
    values = array.take(np.arange(len(array))) if isinstance(array, Rows) else array
    if values.dtype.kind == "b" and (most := values.view(np.uint8).max(initial=0)) > 1:
        raise DataError(
            f"{name} has the value {most}, but booleans are stored as 0 and 1: the file is damaged; save it again"
        )
    return values


def runs(index: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield ranges of consecutive numbers: (position in ``index``, first number, length)."""
    places = np.flatnonzero(np.diff(index, prepend=index[:1] - 2) != 1)
    counts = np.diff(places, append=len(index))
    order = np.argsort(index[places], kind="stable")
    yield from zip(places[order].tolist(), index[places][order].tolist(), counts[order].tolist(), strict=True)
