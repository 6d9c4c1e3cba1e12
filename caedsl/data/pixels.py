"""The samples of a part of a source, as a run gets at them: held in memory, or read when they are wanted.

Samples are batch × channels × one to three axes. What is taken are stored values: bytes where the source has bytes of
the input's size, real numbers in the input's range otherwise. ``finish`` makes samples of them, on whatever device they
are by then, so that bytes are what travels.
"""

from abc import ABC, abstractmethod
from typing import Protocol, Self

import torch
from torch import Tensor

from caedsl.data.fit import ValueScale, channels_last
from caedsl.data.stack import Index, RawSamples
from caedsl.vocabulary.shape import Shape

Span = tuple[float, float]


class Pixels(ABC):
    """Images by their numbers from 0.

    ``scale`` brings stored values to the input's range, None where they are in it.
    """

    scale: ValueScale | None

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The shape of a sample, channels first."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where ``take`` leaves what it takes."""

    @property
    @abstractmethod
    def at_hand(self) -> bool:
        """Whether taking images waits for no file."""

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def take(self, index: Tensor) -> Tensor:
        """Return the stored values of the images of these numbers; several threads may ask at once."""

    @abstractmethod
    def span(self) -> Span:
        """Return the least and the largest value of the images."""

    def finish(self, values: Tensor) -> Tensor:
        """Return stored values as samples: float32 in the input's range, in memory as ``channels_last`` lays them."""
        return channels_last(values if self.scale is None else self.scale(values))

    @abstractmethod
    def only(self, places: Tensor) -> "Pixels":
        """Return the images at these places."""

    def everything(self) -> Tensor:
        """All images in one contiguous tensor, for as many as memory holds in 32 bits."""
        return self.finish(self.take(torch.arange(len(self), device=self.device))).contiguous()


class Held(Pixels):
    """Images in one tensor of stored values; ``span`` is found out where it is not given."""

    def __init__(self, values: Tensor, scale: ValueScale | None = None, span: Span | None = None) -> None:
        self.values = values
        self.scale = scale
        self._span = span
        # Rows are copied whole, and keep the order in memory that they have: channels last then costs nothing.
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
        """Return the same images in the memory of ``device``."""
        return type(self)(self.values.to(device), self.scale, self._span)


class Readable(Protocol):
    """The part of a ``Stack`` that reads samples whenever they are taken."""

    @property
    def scale(self) -> ValueScale:
        """See ``Stack.scale``."""

    def read(self, index: Index) -> RawSamples:
        """See ``Stack.read``."""


class Streamed(Pixels):
    """Images of a stack with the numbers ``index``, read whenever they are taken."""

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
        """See ``Pixels``; a ``DataError`` names a file that was changed, or is no longer there."""
        return self.stack.read(self.index[index.numpy()]).values

    def only(self, places: Tensor) -> Self:
        """See ``Pixels``."""
        return type(self)(self.stack, self.index[places.numpy()], self._shape, self._span)

    def span(self) -> Span:
        """See ``Pixels``."""
        return self._span


def span_of(values: Tensor, scale: ValueScale | None) -> Span:
    """Return the least and the largest of stored values, as they are in images."""
    ends = torch.stack(values.aminmax())
    low, high = (ends if scale is None else scale(ends)).tolist()
    return low, high
