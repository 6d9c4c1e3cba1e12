"""The images of a part of a source, as a run gets at them: held in memory, or read when they are wanted.

Images are b×C×H×W. What is taken are stored values: bytes where the source has bytes of the input's size, real numbers
in the input's range otherwise. ``finish`` makes images of them, on whatever device they are by then, so that bytes
are what travels.
"""

from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

from caedsl.data.fit import Scale
from caedsl.data.stack import Index, Stack

Span = tuple[float, float]


class Pixels(ABC):
    """Images by their numbers from 0; ``scale`` brings stored values to the input's range, None where they are in it."""

    scale: Scale | None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """C×H×W."""

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
        """The stored values of the images of these numbers; several threads may ask at once."""

    @abstractmethod
    def span(self) -> Span:
        """The least and the largest value of the images."""

    def finish(self, values: Tensor) -> Tensor:
        """Stored values as images: float32 in the input's range, the channels last in memory."""
        x_bchw = values if self.scale is None else self.scale(values)
        return x_bchw.contiguous(memory_format=torch.channels_last)

    def everything(self) -> Tensor:
        """All images in one contiguous tensor N×C×H×W, for as many as memory holds in 32 bits."""
        return self.finish(self.take(torch.arange(len(self), device=self.device))).contiguous()


class Held(Pixels):
    """Images in one tensor N×C×H×W of stored values; ``span`` is found out where it is not given."""

    def __init__(self, values: Tensor, scale: Scale | None = None, span: Span | None = None) -> None:
        self.values = values
        self.scale = scale
        self._span = span
        # Rows are copied whole, and keep the order in memory that they have: channels last then costs nothing.
        self._last = values.shape[1] > 1 and values.is_contiguous(memory_format=torch.channels_last)
        self._rows = values.permute(0, 2, 3, 1) if self._last else values

    @property
    def shape(self) -> tuple[int, int, int]:
        """See ``Pixels``."""
        channels, height, width = self.values.shape[1:]
        return channels, height, width

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
        return rows.permute(0, 3, 1, 2) if self._last else rows

    def span(self) -> Span:
        """See ``Pixels``."""
        if self._span is None:
            self._span = span_of(self.values, self.scale)
        return self._span

    def on(self, device: torch.device) -> Self:
        """The same images in the memory of ``device``."""
        return type(self)(self.values.to(device), self.scale, self._span)


class Streamed(Pixels):
    """The images of a stack with the numbers ``index``, all read once before, and read again whenever they are taken."""

    def __init__(self, stack: Stack, index: Index, shape: tuple[int, int, int], span: Span) -> None:
        self.stack = stack
        self.index = index
        self.scale = stack.scale
        self._shape = shape
        self._span = span

    @property
    def shape(self) -> tuple[int, int, int]:
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

    def span(self) -> Span:
        """See ``Pixels``."""
        return self._span


def span_of(values: Tensor, scale: Scale | None) -> Span:
    """The least and the largest of stored values, as they are in images."""
    ends = torch.stack(values.aminmax())
    low, high = (ends if scale is None else scale(ends)).tolist()
    return low, high
