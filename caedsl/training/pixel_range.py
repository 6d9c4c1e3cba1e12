"""The values that pixels take, and the scale 0..1 on which runs of any range are compared."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from caedsl.data.pixels import Pixels, span_of
from caedsl.model.data import InputRange


@dataclass(frozen=True)
class PixelRange:
    """The values ``low..high`` of the pixels.

    ``bounded`` tells whether the spec guarantees them. For ``real`` input they are what the training images span, so
    that the metrics that need a range (PSNR, SSIM) have one, fixed before training.
    """

    low: float
    high: float
    bounded: bool = True

    @classmethod
    def of(cls, declared: InputRange, images: Tensor | Pixels) -> Self:
        """Return the declared range, or for ``real`` the one that ``images`` span (of width 1 if all are equal)."""
        if declared.low is not None and declared.high is not None:
            return cls(declared.low, declared.high)
        low, high = span_of(images, None) if isinstance(images, Tensor) else images.span()
        return cls(low, high if high > low else low + 1.0, bounded=False)

    @property
    def width(self) -> float:
        """The distance between the ends."""
        return self.high - self.low

    def to_unit(self, x: Tensor) -> Tensor:
        """``x`` on the scale where ``low`` is 0 and ``high`` is 1; nothing is clipped."""
        return x if (self.low, self.high) == (0.0, 1.0) else (x - self.low) / self.width

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"
