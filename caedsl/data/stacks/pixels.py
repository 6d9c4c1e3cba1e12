"""Samples of a part of a source, as a run accesses them: in memory, or read on demand.

Samples are batch × channels × one to three axes. ``take`` returns stored values: bytes if the source has bytes of the
input's size, otherwise real numbers in the input's range. ``finish`` converts them to samples on their current device,
so that bytes are transferred.
"""

from abc import ABC, abstractmethod
from typing import Protocol, Self

import torch
from torch import Tensor

from caedsl.data.sample_format import ValueScale, channels_last
from caedsl.data.stacks.stack import Index, RawSamples
from caedsl.vocabulary.shape import Shape

Span = tuple[float, float]


class Pixels(ABC):
    """Samples by their numbers from 0.

    ``scale`` converts stored values to the input's range, and is None if they are in it.
    """

    scale: ValueScale | None

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Shape of a sample, channels first."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Device of what ``take`` returns."""

    @property
    @abstractmethod
    def at_hand(self) -> bool:
        """Whether taking samples never waits for a file."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def take(self, index: Tensor) -> Tensor:
        """Return the stored values of the samples with these numbers; several threads may call it at once."""

    @abstractmethod
    def span(self) -> Span:
        """Return the smallest and the largest value of the samples."""

    def finish(self, values: Tensor) -> Tensor:
        """Return stored values as samples: float32 in the input's range, in the layout of ``channels_last``."""
        return channels_last(values if self.scale is None else self.scale(values))

    @abstractmethod
    def only(self, places: Tensor) -> "Pixels":
        """Return the samples at these positions."""

    def everything(self) -> Tensor:
        """Return all samples as one contiguous tensor, which must fit in memory in 32 bits."""
        return self.finish(self.take(torch.arange(len(self), device=self.device))).contiguous()


class Held(Pixels):
    """Samples in one tensor of stored values; ``span`` is computed if it is not given."""

    def __init__(self, values: Tensor, scale: ValueScale | None = None, span: Span | None = None) -> None:
        self.values = values
        self.scale = scale
        self._span = span
        # Rows are copied whole and keep their order in memory, so channels last costs nothing.
        self._last = values.dim() == 4 and values.shape[1] > 1 and channels_last(values) is values
        self._rows = values.movedim(1, -1) if self._last else values

    @property
    def shape(self) -> Shape:
        """See ``Pixels``."""
        return tuple(self.values.shape[1:])

    @property
    def device(self) -> torch.device:
        """See ``Pixels``."""
        return self.values.device

    @property
    def at_hand(self) -> bool:
        """See ``Pixels``."""
        return True

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Tensor) -> Tensor:
        """See ``Pixels``."""
        rows = self._rows.index_select(0, index)
        return rows.movedim(-1, 1) if self._last else rows

    def span(self) -> Span:
        """See ``Pixels``."""
        if self._span is None:
            self._span = span_of(self.values, self.scale)
        return self._span

    def only(self, places: Tensor) -> "Held":
        """See ``Pixels``."""
        return Held(self.values[places], self.scale)

    def on(self, device: torch.device) -> Self:
        """Return the same samples in the memory of ``device``."""
        return type(self)(self.values.to(device), self.scale, self._span)


class Readable(Protocol):
    """Part of ``Stack`` that reads samples."""

    @property
    def scale(self) -> ValueScale:
        """See ``Stack.scale``."""

    def read(self, index: Index) -> RawSamples:
        """See ``Stack.read``."""


class Streamed(Pixels):
    """Samples of a stack with the numbers ``index``, read on each access."""

    def __init__(self, stack: Readable, index: Index, shape: Shape, span: Span) -> None:
        self.stack = stack
        self.index = index
        self.scale = stack.scale
        self._shape = shape
        self._span = span

    @property
    def shape(self) -> Shape:
        """See ``Pixels``."""
        return self._shape

    @property
    def device(self) -> torch.device:
        """See ``Pixels``."""
        return torch.device("cpu")

    @property
    def at_hand(self) -> bool:
        """See ``Pixels``."""
        return False

    def __len__(self) -> int:
        return len(self.index)

    def take(self, index: Tensor) -> Tensor:
        """See ``Pixels``; raise a ``DataError`` for a file that was changed or deleted."""
        return self.stack.read(self.index[index.numpy()]).values

    def only(self, places: Tensor) -> Self:
        """See ``Pixels``."""
        return type(self)(self.stack, self.index[places.numpy()], self._shape, self._span)

    def span(self) -> Span:
        """See ``Pixels``."""
        return self._span


def span_of(values: Tensor, scale: ValueScale | None) -> Span:
    """Return the smallest and the largest of stored values, in the range of samples."""
    ends = torch.stack(values.aminmax())
    low, high = (ends if scale is None else scale(ends)).tolist()
    return low, high
