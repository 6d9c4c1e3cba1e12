"""The range of pixel values, and the scale 0..1 on which runs of any range are compared."""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from caedsl.data.loading import DARK
from caedsl.data.stacks.pixels import Pixels, span_of
from caedsl.model.data import InputRange


@dataclass(frozen=True)
class PixelRange:
    """Range ``low..high`` of pixel values.

    ``bounded`` is True if the spec guarantees it. For ``real`` input it is the range of the training images, so that
    metrics that need a range (PSNR, SSIM) have one that is fixed before training.
    """

    low: float
    high: float
    bounded: bool = True

    @classmethod
    def of(cls, declared: InputRange, images: Tensor | Pixels) -> Self:
        """Return the declared range, or for ``real`` the range of ``images`` (of width 1 if all values are equal)."""
        if declared.low is not None and declared.high is not None:
            return cls(declared.low, declared.high)
        low, high = span_of(images, None) if isinstance(images, Tensor) else images.span()
        return cls(low, high if high > low else low + 1.0, bounded=False)

    @property
    def width(self) -> float:
        """Width of the range."""
        return self.high - self.low

    def to_unit(self, x: Tensor) -> Tensor:
        """Map ``x`` linearly so that ``low`` becomes 0 and ``high`` becomes 1, without clipping."""
        return x if (self.low, self.high) == (0.0, 1.0) else (x - self.low) / self.width

    def seen(self, brightest: float) -> Self:
        """Return the range in which to draw samples with this largest value: dark ones would be black in the whole."""
        dark = self.low < brightest < self.low + DARK * self.width
        return replace(self, high=brightest) if dark else self

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"
