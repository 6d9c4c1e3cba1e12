"""Numbers as an array stores them: which of them are allowed, and how they become the input's range."""

from typing import Any, NamedTuple

import numpy as np
import torch

from caedsl.data.sample_format import SampleFormat

_TOPS = {"bool": 1, "uint8": 255, "uint16": 65535}
"""Largest number of a type, where all its numbers are scaled to the input's range."""


class StoredNumbers(NamedTuple):
    """Numbers of one type for an input.

    ``white`` is the declared number that becomes the upper end of the range, or None.
    """

    dtype: np.dtype[Any]
    fit: SampleFormat
    white: int | None

    @property
    def top(self) -> int:
        """Number that becomes the upper end of the range; 0 if numbers are used unchanged."""
        if self.white or self.dtype.name in _TOPS:
            return self.white or _TOPS[self.dtype.name]
        wide = self.fit.range.bounded and self.fit.high - self.fit.low >= 255
        return 0 if self.dtype.kind == "f" or wide else 255

    @property
    def always_allowed(self) -> bool:
        """Whether every number of the type can be scaled to the range. A damaged file can hold other booleans."""
        return self.dtype.name != "bool" and _TOPS.get(self.dtype.name) == self.top

    @property
    def allowed(self) -> tuple[float, float]:
        """Smallest and largest allowed number."""
        if self.top:
            return 0.0, float(self.top)
        return (self.fit.low, self.fit.high) if self.fit.range.bounded else (-torch.inf, torch.inf)

    def outside_message(self, sample: str, value: float) -> str:
        """Return the message about a number of ``sample`` that is not allowed, with what to do for its type."""
        low, high = self.allowed
        place = f"{sample} has the value {value:g}, outside {low:g}..{high:g}"
        kind, word = self.dtype.kind, self.fit.word
        if kind == "b":
            return f"{place}, but booleans are stored as 0 and 1: the file is damaged; save it again"
        if self.fit.trained:
            return f"{place}: scale the values{'' if self.white else ', or give integers of 0..255 (uint8)'}"
        if self.white:
            return f"{place}, the range of `white={self.white}`: raise `white`, or correct the values"
        if kind != "f" and not self.top:
            return f"{place}, the {word}'s range, which integers must not leave: widen `{word} … in {low:g}..{high:g}`"
        if kind == "f" and self.fit.noun != "image":
            return f"{place}, the {word}'s range: scale the values, or write `{word} {self.fit.input} in real`"
        if kind == "f":
            scale = (
                "divide the array by 255 or write `white=255`"
                if self.fit.low == 0 and self.fit.high == 1 and value > 2
                else "scale the array"
            )
            return (
                f"{place}, the {word}'s range: {scale}, save it as integers of 0..255 (uint8), "
                f"or write `{word} {self.fit.input} in real`"
            )
        return (
            f"{place}, the range from which {self.dtype} {self.fit.noun}s are scaled: write `white=` and the "
            f"value of white, or declare the actual range, such as `{word} {self.fit.input} in -1024..3071`"
        )


def sensor_remark(most: int, trained: bool) -> str:
    """Return the remark on a 16-bit image whose largest value is ``most``: sensors often have fewer bits.

    ``trained`` says that it is for a trained network.
    """
    bits = next((bits for bits in (10, 12, 14) if most < 1 << bits), None)
    white = (1 << bits) - 1 if bits else 0
    if not bits:
        return ""
    remedy = "unless the training images were so too, scale them to 0..65535" if trained else f"write `white={white}`"
    return f"with 16 bits, but no value above {white} (for a {bits}-bit sensor, {remedy})"
