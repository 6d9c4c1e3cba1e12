"""Samples in one array, in memory or in a file."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.data.finite import not_finite
from caedsl.data.sample_format import SampleFormat, ValueScale, resized, scale_, to_gray
from caedsl.data.stacks.row_file import Rows
from caedsl.data.stacks.stack import LARGE_BYTES, Array, Index, Labels, RawSamples, Weights
from caedsl.data.stacks.stored_numbers import StoredNumbers, sensor_remark
from caedsl.diagnostics.text import counted
from caedsl.vocabulary.shape import Sizes, places

Layout = Literal["none", "first", "last"]
"""Position of the channels of an array: N × space, N × C × space or N × space × C."""


@dataclass
class ArrayStack:
    """Samples in one array, which is read row by row if it is in a file.

    Integers are scaled from 0..``white`` to the input's range; by default booleans from 0..1, uint16 from 0..65535, and
    all others from 0..255. Floats must be in the range. So must integers of other types if the range is at least 255
    wide. Messages call the array ``file``.
    """

    pixels: Array | Rows
    layout: Layout
    fit: SampleFormat
    file: str
    labels: Labels | None = None
    white: int | None = None
    weights: Weights | None = None

    def __post_init__(self) -> None:
        if self.pixels.dtype.kind not in "biuf":
            raise DataError(
                f"{self.file} has values of type {self.pixels.dtype}, but {self.fit.noun}s are integers or real numbers"
            )
        if len(self.pixels) and not self.pixels.size:
            raise DataError(
                f"{self.file} has {self.fit.noun}s without {places(self.fit.shape)}: its shape is "
                f"{shape_text(self.pixels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def space(self) -> Sizes:
        """Length of each axis of the stored samples."""
        first = 2 if self.layout == "first" else 1
        return self.pixels.shape[first : first + len(self.fit.space)]

    @property
    def scale(self) -> ValueScale:
        """See ``Stack.scale``."""
        return ValueScale(self._numbers.top, self.fit)

    @property
    def read_bytes(self) -> int:
        """See ``Stack.read_bytes``: stored values, and as real numbers."""
        return math.prod(self.pixels.shape[1:]) * (4 + self.pixels.dtype.itemsize)

    @property
    def value_bytes(self) -> int:
        """See ``Stack.value_bytes``: 1 for bytes of the input's size and channels."""
        return 1 if self.pixels.dtype.name in ("uint8", "bool") and self._fits else 4

    @property
    def ready(self) -> bool:
        """See ``Stack.ready``; an array in memory cannot be read from elsewhere."""
        in_order = not self.pixels.columns_first if isinstance(self.pixels, Rows) else True
        return self._fits and in_order and not isinstance(self.pixels, np.memmap)

    def is_large(self, index: Index) -> bool:
        """See ``Stack.is_large``."""
        return len(index) * math.prod(self.pixels.shape[1:]) * self.pixels.dtype.itemsize > LARGE_BYTES

    def outline(self, index: Index) -> bytes:
        """See ``Stack.outline``."""
        return f"{self.pixels.dtype} {shape_text((len(index), *self.pixels.shape[1:]))}".encode()

    def read(self, index: Index) -> RawSamples:
        """See ``Stack.read``; values outside the range, NaN and infinity are a ``DataError``."""
        self.fit.check_patch(self.space, f"each sample of {self.file} ")
        block = np.ascontiguousarray(self._take(index))
        if not block.flags.writeable:
            block = block.copy()
        stored = block.reshape(-1).view(np.uint8)
        # torch does not support every type and byte order.
        x = torch.from_numpy(
            stored.reshape(block.shape) if block.itemsize == 1 and block.dtype.kind != "i" else _to_float32(block)
        )
        self._check(x, index)
        remarks, sizes = self._sensors(x), (self.space,) * len(index)
        if self.value_bytes == 1:
            return RawSamples(_channels_first(x, self.layout), stored.data, remarks, sizes)
        x = x.float()
        if top := self._numbers.top:
            scale_(x, top, self.fit)
        x = _channels_first(x, self.layout)
        if self._made_grey:
            x = to_gray(x)
        return RawSamples(resized(x, self.fit), stored.data, remarks, sizes)

    def names(self, index: Index) -> Sequence[str] | None:
        """See ``Stack.names``."""
        return None

    def called(self, number: int) -> str:
        """Return the words for a sample in messages."""
        return f"{self.file}: {self.fit.noun} {number} (counted from 0)"

    def conclude(self, remarks: Counter[str], images: int) -> tuple[str, ...]:
        """Return the notes on size, range and colours, if they differ from the input's."""
        notes = []
        if self.space != self.fit.space:
            notes.append(self.fit.resizing_note(self.space))
        if self._made_grey:
            notes.append("colours converted to grey (ITU-R 601 luma)")
        if self.pixels.dtype.name == "uint16" and not self.white:
            notes.append("16-bit integers scaled from 0..65535")
        elif self.pixels.dtype.kind in "iu" and not self._numbers.top:
            notes.append(f"{self.pixels.dtype} values used unchanged, in {self.fit.range}")
        return (*notes, *(f"{count} of {counted(images, self.fit.noun)} {remark}" for remark, count in remarks.items()))

    @property
    def _fits(self) -> bool:
        return self.space == self.fit.space and not self._made_grey

    @property
    def _made_grey(self) -> bool:
        coloured = self.layout != "none" and self.pixels.shape[1 if self.layout == "first" else -1] == 3
        return self.fit.gray and coloured

    @property
    def _numbers(self) -> StoredNumbers:
        return StoredNumbers(self.pixels.dtype, self.fit, self.white)

    def _sensors(self, x: Tensor) -> tuple[str, ...]:
        if self.pixels.dtype.name != "uint16" or self.white or not self.pixels.size:
            return ()
        remarks = (sensor_remark(int(most), self.fit.trained) for most in x.flatten(1).amax(1).tolist())
        return tuple(remark for remark in remarks if remark)

    def _take(self, index: Index) -> Array:
        if isinstance(self.pixels, Rows):
            return self.pixels.take(index)
        first, last = int(index[0]), int(index[-1])
        consecutive = last - first + 1 == len(index) and bool((np.diff(index) == 1).all())
        return self.pixels[first : last + 1] if consecutive else self.pixels[index]

    def _check(self, x: Tensor, index: Index) -> None:
        numbers = self._numbers
        if numbers.always_allowed:
            return
        low, high = numbers.allowed
        least, most = x.aminmax()
        if low <= least and most <= high and bool(torch.isfinite(least) & torch.isfinite(most)):
            return
        if not bool(torch.isfinite(x).all()):
            raise DataError(self._not_finite())
        outside = (x < low) | (x > high)
        image = int(outside.flatten(1).any(1).nonzero()[0])
        value = x[image][outside[image]][0].item()
        raise DataError(numbers.outside_message(self.called(int(index[image])), value))

    def _not_finite(self) -> str:
        bad = [start + int(i) for start, block in self._blocks() for i in np.flatnonzero(_has_bad_number(block))]
        return not_finite(self.file, bad, len(self), self.fit.noun)

    def _blocks(self, images: int = 1024) -> Iterator[tuple[int, Array]]:
        for start in range(0, len(self), images):
            yield start, self._take(np.arange(start, min(start + images, len(self))))


def _channels_first(x: Tensor, layout: Layout) -> Tensor:
    if layout == "last" and x.shape[-1] == 1:
        # With one channel both layouts are the same in memory, but kernels are chosen by strides: use contiguous ones.
        x, layout = x.squeeze(-1), "none"
    if layout == "none":
        return x.unsqueeze(1)
    return x.movedim(-1, 1) if layout == "last" else x


def _to_float32(block: Array) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return block.astype(np.float32)


def _has_bad_number(block: Array) -> NDArray[np.bool_]:
    finite = np.isfinite(_to_float32(block)).reshape(len(block), -1)
    bad: NDArray[np.bool_] = np.logical_not(finite.all(axis=1))
    return bad


def shape_text(shape: tuple[int, ...]) -> str:
    """Return an array's shape in common notation: ``100 x 28 x 28``."""
    return " x ".join(map(str, shape))
