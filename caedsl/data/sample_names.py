"""Names of the samples of a source: the file of each, or its number."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from caedsl.data.stacks.stack import Index, Stack


class SampleNames(Sequence[str]):
    """Names of the samples of a stack with the numbers ``index``, created on demand."""

    def __init__(self, stack: Stack, index: Index) -> None:
        self._stack = stack
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        names = sample_names(self._stack, np.atleast_1d(self._index[place]))
        return names if isinstance(place, slice) else names[0]


def sample_names(stack: Stack, index: Index) -> list[str]:
    """Return the names of the samples with these numbers: those of the stack, or numbers from 0."""
    names = stack.names(index)
    return list(map(str, index.tolist())) if names is None else list(names)


def names_of(stack: Stack, index: Index) -> SampleNames | None:
    """Return the names of the samples with these numbers, or None if the stack has none."""
    return None if stack.names(index[:0]) is None else SampleNames(stack, index)
