"""An array in a file, read row by row; a row is an image.

Not a memory map: a file that is cut short under a map ends the process without a word, its pages count as the
process's memory, and the system reads more around each page than random rows need.
"""

import math
import os
import weakref
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from caedsl.data.images import DataError

SUPPORTED = hasattr(os, "preadv")


class RowFile:
    """The rows of an array in C order; several threads may read at once.

    ``handle`` is the open file, closed when nobody needs it any more; ``file`` names it in messages.
    """

    def __init__(self, file: str, handle: int, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int = 0) -> None:
        self.file = file
        self.dtype = dtype
        self.shape = shape
        self.size = math.prod(shape)
        self._handle = handle
        self._offset = offset
        self._row_bytes = math.prod(shape[1:]) * dtype.itemsize
        weakref.finalize(self, os.close, handle)
        self._stamp = self._stamp_now()

    @classmethod
    def of(cls, mapped: "np.memmap[Any, np.dtype[Any]]", file: str) -> Self:
        """The rows of a memory-mapped array."""
        handle = os.open(str(mapped.filename), os.O_RDONLY)
        return cls(file, handle, mapped.dtype, mapped.shape, mapped.offset)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """The rows of these numbers, in their order; a ``DataError`` where the file was changed since it was opened."""
        rows: NDArray[Any] = np.empty((len(index), *self.shape[1:]), self.dtype)
        try:
            self._fill(rows.reshape(-1).view(np.uint8).data, index)
            unchanged = self._stamp_now() == self._stamp
        except OSError as error:
            raise DataError(f"{self.file} cannot be read: {(error.strerror or str(error)).lower()}") from error
        if not unchanged:
            raise DataError(f"{self.file} was changed while it was being used: put it back as it was, or begin anew")
        return rows

    def _fill(self, buffer: memoryview, index: NDArray[np.int64]) -> None:
        runs = list(_runs(index))
        if len(runs) > 1 and hasattr(os, "posix_fadvise"):
            # All are asked for before the first is waited for: the disk then works on many at once.
            for _, first, count in runs:
                os.posix_fadvise(
                    self._handle,
                    self._offset + first * self._row_bytes,
                    count * self._row_bytes,
                    os.POSIX_FADV_WILLNEED,
                )
        for place, first, count in runs:
            start, end = place * self._row_bytes, (place + count) * self._row_bytes
            position = self._offset + first * self._row_bytes
            while start < end:
                read = os.preadv(self._handle, [buffer[start:end]], position)
                if not read:
                    raise DataError(f"{self.file} was cut short while it was being used: put it back as it was")
                start, position = start + read, position + read

    def _stamp_now(self) -> tuple[int, int]:
        status = os.fstat(self._handle)
        return status.st_size, status.st_mtime_ns


def _runs(index: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Stretches of consecutive numbers, by number: (place in ``index``, first number, how many)."""
    places = np.flatnonzero(np.diff(index, prepend=index[:1] - 2) != 1)
    counts = np.diff(places, append=len(index))
    order = np.argsort(index[places], kind="stable")
    yield from zip(places[order].tolist(), index[places][order].tolist(), counts[order].tolist(), strict=True)
