"""Samples that are read from their files at first use, and kept as long as there is space."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from caedsl.data.errors import BrokenImagesError, DataError
from caedsl.data.sample_format import ValueScale
from caedsl.data.stacks.pixels import Held, Pixels, Span, Streamed
from caedsl.data.stacks.stack import Index, RawSamples, Stack


class CachedRows(Protocol):
    """Storage for preprocessed samples by position; several threads may use it at once."""

    def put(self, places: Index, values: Tensor) -> bool:
        """Store the samples of these positions; return False if they cannot be stored."""

    def get(self, places: Index) -> Tensor:
        """Return the samples of these positions, all of which were stored."""


class RowsInMemory:
    """Storage in memory: ``values``, into which samples are written."""

    def __init__(self, values: Tensor, scale: ValueScale) -> None:
        self._scale = scale
        self._held = Held(values)

    def put(self, places: Index, values: Tensor) -> bool:
        """See ``CachedRows``."""
        kept = self._held.values
        if kept.dtype == torch.float32:
            values = self._scale(values)
        if values.dtype != kept.dtype:
            return False
        kept[torch.from_numpy(places)] = values
        return True

    def get(self, places: Index) -> Tensor:
        """See ``CachedRows``."""
        return self._held.take(torch.from_numpy(places))

    def held(self, span: Span) -> Held:
        """Return all samples, whose values have this ``span``."""
        return Held(self._held.values, self._scale, span)


class CachedStack:
    """Samples of ``stack`` with the numbers ``index``, by position in it.

    A sample that was read is stored in ``rows``, if there are any, and is not read from its file again.
    """

    def __init__(self, stack: Stack, index: Index, rows: CachedRows | None) -> None:
        self.scale = stack.scale
        self._stack, self._index, self._rows = stack, index, rows
        self._there = np.zeros(len(index), np.bool_)
        self._placed: Pixels | None = None

    def __len__(self) -> int:
        return len(self._index)

    @property
    def in_memory(self) -> bool:
        """Whether all samples are in memory."""
        return isinstance(self._rows, RowsInMemory) and bool(self._there.all())

    def placed(self, span: Span, place: Callable[[Held], Pixels]) -> Pixels | None:
        """Return all samples where ``place`` has put them, once they are in memory, and None before; put them once."""
        if self._placed is None and isinstance(self._rows, RowsInMemory) and self.in_memory:
            self._placed = place(self._rows.held(span))
        return self._placed

    def put(self, places: Index, values: Tensor) -> bool:
        """Store samples that were read; return False if they cannot be stored."""
        if self._rows is None or not self._rows.put(places, values):
            return False
        self._there[places] = True
        return True

    def read(self, places: Index) -> RawSamples:
        """Return the samples at these positions; raise a ``DataError`` that names unusable files."""
        there = self._there[places]
        if self._rows is not None and there.all():
            return RawSamples(self._rows.get(places), b"")
        fresh = self._fresh(places[~there])
        if self._rows is None or not there.any():
            self.put(places, fresh)
            return RawSamples(fresh, b"")
        if self.put(places[~there], fresh):
            return RawSamples(self._rows.get(places), b"")
        known = self.scale(self._rows.get(places[there]))
        values = known.new_empty(len(places), *known.shape[1:])
        values[torch.from_numpy(there)], values[torch.from_numpy(~there)] = known, self.scale(fresh)
        return RawSamples(values, b"")

    def _fresh(self, places: Index) -> Tensor:
        try:
            return self._stack.read(self._index[places]).values
        except BrokenImagesError as error:
            raise DataError(
                error, "to skip such files, add `skip=broken` to the source; all files are then read before training"
            ) from error


class Cached(Streamed):
    """Images of a ``CachedStack``."""

    stack: CachedStack

    @property
    def at_hand(self) -> bool:
        """See ``Pixels``."""
        return self.stack.in_memory

    def placed(self, place: Callable[[Held], Pixels]) -> Pixels:
        """Return the result of ``place`` for the images once all are in memory; before that, return the images."""
        whole = len(self.index) == len(self.stack)
        return (self.stack.placed(self.span(), place) if whole else None) or self
