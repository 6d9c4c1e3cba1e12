"""Conversion of a sample to the input's size, channels and range.

Shapes: b samples, c channels, then one to three axes: a signal has length, an image height and width, a volume also
depth.
"""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from caedsl.data.errors import DataError
from caedsl.data.patches import Patches
from caedsl.model.data import InputRange
from caedsl.vocabulary.shape import Shape, Sizes, elements, noun, text

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey, of ITU-R BT.601, which Pillow uses too."""

PATCH = "patch"
"""``SampleFormat.resize`` of a source with ``patches=``."""

ELONGATED = 64
"""From this ratio of the proportions of a sample and of the input on, the sample is cut or shrunk first.

Otherwise an image of one by a million pixels would become one of billions before its middle is taken.
"""


class Resizing(NamedTuple):
    """Part of a sample, starting at ``start`` and ``part`` long, and the sizes to scale it to successively.

    Each has one number per axis.
    """

    start: Sizes
    part: Sizes
    sizes: tuple[Sizes, ...]


class VisiblePart(NamedTuple):
    """Part of a stored sample that an input shows (``part`` long, from ``start``), and its position in the input.

    The position starts at ``offset`` and is ``size`` long. Each has one number per axis.
    """

    start: Sizes
    part: Sizes
    offset: Sizes
    size: Sizes


@dataclass(frozen=True)
class SampleFormat:
    """Common format of all samples: ``shape``, which is channels × space, in ``range``.

    ``resize`` is ``stretch`` (all sides to the input's), ``fit`` (the whole sample with its proportions, padded with
    the lower end of the range: 0 for ``real``) or ``crop`` (the middle of the sample with its proportions); or
    ``patch`` (a part at the stored scale, the middle unless the source draws ``patches``). ``word`` is the line that
    states this: ``input`` or ``target``. ``declared`` is false for targets without such a line, whose format is the
    input's. ``trained`` is true for samples of a trained network, whose remedies must not change the spec.
    """

    shape: Shape
    range: InputRange
    gray: bool
    resize: str
    word: str = "input"
    declared: bool = True
    patches: Patches | None = None
    trained: bool = False

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.shape[0]

    @property
    def space(self) -> Sizes:
        """Length of each axis."""
        return self.shape[1:]

    @property
    def values(self) -> int:
        """Number of values of a sample."""
        return elements(self.shape)

    @property
    def noun(self) -> str:
        """Noun for a sample."""
        return noun(self.shape) if self.patches is None else "sample"

    @property
    def low(self) -> float:
        """Value of black: the lower end of the range, 0 for ``real``."""
        return 0.0 if self.range.low is None else self.range.low

    @property
    def high(self) -> float:
        """Value of white: the upper end of the range, 1 for ``real``."""
        return 1.0 if self.range.high is None else self.range.high

    @property
    def input(self) -> str:
        """Input size as a spec writes it."""
        return text(self.shape)

    def input_of(self, channels: int) -> str:
        """Return the input with this number of channels, as a spec writes it."""
        return text((channels, *self.space))

    def scaled_size(self, stored: Sizes) -> Sizes:
        """Return the size to which a sample is scaled before padding or cropping."""
        if self.resize == "stretch":
            return self.space
        if self.resize == PATCH:
            return stored
        scales = [own / side for own, side in zip(self.space, stored, strict=True)]
        scale = min(scales) if self.resize == "fit" else max(scales)
        return tuple(max(1, round(side * scale)) for side in stored)

    def resizing(self, stored: Sizes) -> Resizing:
        """Return how to scale a sample with memory proportional to the sample and the input."""
        part = stored
        if self.resize == PATCH:
            return Resizing((0,) * len(stored), stored, ())
        if self.resize == "crop":
            sides = zip(stored, self.space, self.scaled_size(stored), strict=True)
            part = tuple(_middle(side, ELONGATED * own / scaled) for side, own, scaled in sides)
        scaled = self.scaled_size(part)
        changes = [new / side for new, side in zip(scaled, part, strict=True)]
        sizes = (scaled,) if max(changes) <= ELONGATED * min(changes) else (tuple(map(min, part, scaled)), scaled)
        return Resizing(tuple((side - taken) // 2 for side, taken in zip(stored, part, strict=True)), part, sizes)

    def resizing_note(self, stored: Sizes) -> str:
        """Return a note on samples of another size."""
        if self.resize == PATCH:
            return f"cut: the middle {text(self.space)} of {text(stored)}"
        return f"resized from {text(stored)} to {text(self.space)} ({self.resize})"

    def check_patch(self, stored: Sizes, name: str = "") -> None:
        """Raise a ``DataError`` that begins with ``name`` if a patch is larger than a sample of the size ``stored``."""
        if self.resize == PATCH and any(side < own for side, own in zip(stored, self.space, strict=True)):
            raise DataError(
                f"{name}is {text(stored)}, smaller than the patches of {text(self.space)}: use larger images"
                + ("" if self.trained else f", or a smaller `{self.word}`")
            )

    def shown(self, stored: Sizes) -> VisiblePart:
        """Return which part of a sample the input shows, and where: all of it, except for ``crop`` and ``patch``."""
        if self.resize == PATCH:
            # Rounded as in ``centred``.
            middle = tuple(-((own - side) // 2) for own, side in zip(self.space, stored, strict=True))
            return VisiblePart(middle, self.space, (0,) * len(stored), self.space)
        start, part, _ = self.resizing(stored)
        inner = self.scaled_size(part)
        if self.resize == "crop":
            # The input is the middle of the scaled sample; its share of each side gives the part of the stored one.
            sides = zip(part, self.space, inner, strict=True)
            part = tuple(max(1, min(side, round(side * own / scaled))) for side, own, scaled in sides)
            start = tuple((side - taken) // 2 for side, taken in zip(stored, part, strict=True))
            return VisiblePart(start, part, (0,) * len(part), self.space)
        offset = tuple((own - side) // 2 for own, side in zip(self.space, inner, strict=True))
        return VisiblePart(start, part, offset, inner)


def _middle(length: int, share: float) -> int:
    """Return the length of the middle part of a side with ``share`` of it; both ends are cut equally."""
    return length if share >= 1 else length - (length - ceil(length * share)) // 2 * 2


def scale_(x: Tensor, top: int, fit: SampleFormat) -> Tensor:
    """Scale float samples of 0..``top`` to the input's range, in place.

    Bytes are not changed if the range is 0..255.
    """
    width = fit.high - fit.low
    if width != top:
        # Dividing by top / width would differ from the usual x / 255 in the last bit for 0..1. The divisor is a tensor,
        # since CUDA multiplies by the inverse of a Python number, which differs in the last bit too.
        (x.mul_(width) if width != 1 else x).div_(x.new_full((), top))
    if (fit.low, fit.high) == (0, 1):
        return x
    return x.add_(fit.low).clamp_(fit.low, fit.high)


@dataclass(frozen=True)
class ValueScale:
    """Conversion of stored values: bytes of 0..``top`` to the range of ``fit``; float32 is already in it."""

    top: int
    fit: SampleFormat

    def __call__(self, values: Tensor) -> Tensor:
        """Return float32; each value depends on its byte alone, identically on every device."""
        return values if values.dtype == torch.float32 else scale_(values.float(), self.top, self.fit)


def channels_last(x: Tensor) -> Tensor:
    """Return images in channels-last layout, and other samples contiguous, as their layers compute fastest."""
    return x.contiguous(memory_format=torch.channels_last if x.dim() == 4 else torch.contiguous_format)


def blank(count: int, fit: SampleFormat, dtype: torch.dtype) -> Tensor:
    """Return uninitialised samples in the layout of ``channels_last``."""
    if fit.channels == 1 or len(fit.space) != 2:
        return torch.empty(count, *fit.shape, dtype=dtype)
    return torch.empty(count, *fit.space, fit.channels, dtype=dtype).movedim(-1, 1)


def to_gray(x_bchw: Tensor) -> Tensor:
    """Return one channel from three, with the luma weights of ITU-R BT.601."""
    weights = torch.tensor(LUMA, dtype=x_bchw.dtype).view(1, 3, *[1] * (x_bchw.dim() - 2))
    return (x_bchw * weights).sum(1, keepdim=True)


def interpolated(x: Tensor, size: Sizes) -> Tensor:
    """Return the samples at another size, interpolated linearly along each axis and smoothed before shrinking.

    PyTorch smooths only images: a signal is an image of one row, and a volume is scaled plane by plane, then in depth.
    """
    if len(size) == 1:
        return interpolated(x.unsqueeze(2), (1, *size)).squeeze(2)
    if len(size) == 3:
        depth, *plane = size
        samples, channels, stored = x.shape[:3]
        planes = interpolated(x.flatten(1, 2), tuple(plane)).view(samples, channels, stored, -1)
        return interpolated(planes, (depth, plane[0] * plane[1])).view(samples, channels, *size)
    return functional.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)


def resized(x: Tensor, fit: SampleFormat) -> Tensor:
    """Return the samples at the input's size (see ``interpolated``); values stay within those of the sample."""
    stored = tuple(x.shape[2:])
    if stored == fit.space:
        return x
    axes = tuple(range(1, x.dim()))
    low, high = x.amin(axes, keepdim=True), x.amax(axes, keepdim=True)
    start, part, sizes = fit.resizing(stored)
    scaled = x
    for axis, (first, length) in enumerate(zip(start, part, strict=True), 2):
        scaled = scaled.narrow(axis, first, length)
    for size in sizes:
        scaled = interpolated(scaled, size)
    # The weights of the interpolation sum to one only up to rounding.
    return centred(scaled.clamp_(low, high), fit.space, fit.low)


def unresized(x: Tensor, shown: VisiblePart) -> Tensor:
    """Return what samples of the input's size show of the stored ones, at the stored size; undoes ``resized``."""
    for axis, (first, length) in enumerate(zip(shown.offset, shown.size, strict=True), 2):
        x = x.narrow(axis, first, length)
    return x if tuple(x.shape[2:]) == shown.part else interpolated(x, shown.part)


def centred(x: Tensor, space: Sizes, fill: float) -> Tensor:
    """Return the middle of ``x``, with its last axes as long as ``space``; values outside ``x`` are ``fill``."""
    margins: list[int] = []
    for side, own in zip(reversed(x.shape), reversed(space), strict=False):
        before = (own - side) // 2
        margins += [before, own - side - before]
    return functional.pad(x, margins, value=fill) if any(margins) else x
