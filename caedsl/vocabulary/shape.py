"""Shapes without the batch: ``(channels, *space)`` for a feature map, ``(units,)`` for a vector."""

import re
from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]
Sizes = tuple[int, ...]
"""One number per spatial axis, or a single number for all of them."""


@dataclass(frozen=True)
class Sides:
    """Numbers before and after every spatial axis."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.before}..{self.after}"


AXES = ((), ("length",), ("height", "width"), ("depth", "height", "width"))
"""Names of the spatial axes, by rank."""
MOST_AXES = 3
NOUNS = ("vector", "signal", "image", "volume")
"""Noun for a sample, by rank."""


def rank(shape: Shape) -> int:
    """Return the number of spatial axes: 0 for a vector, 2 for an image."""
    return len(shape) - 1


def is_map(shape: Shape) -> bool:
    """Return whether this is a feature map, which has at least one spatial axis."""
    return len(shape) > 1


def axis_names(shape: Shape) -> tuple[str, ...]:
    """Return the names of the spatial axes."""
    return AXES[rank(shape)]


def axes_text(rank: int) -> str:
    """Return the names of the axes for a sentence: ``depth, height and width``."""
    names = AXES[rank]
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def noun(shape: Shape) -> str:
    """Return the noun for a sample of this shape."""
    return NOUNS[rank(shape)]


def a_sample(shape: Shape) -> str:
    """Return the noun for a sample of this shape, with its article."""
    return f"{'an' if noun(shape)[0] in 'aeiou' else 'a'} {noun(shape)}"


def places(shape: Shape) -> str:
    """Return the noun for the numbers of one channel: pixels for an image."""
    return ("numbers", "values", "pixels", "voxels")[rank(shape)]


def without_single_places(shape: Shape) -> Shape | None:
    """Return a map without its axes of one place, as ``1x288`` for ``1x288x1``; None if it has none, or no others."""
    sides = tuple(side for side in shape[1:] if side > 1)
    return (shape[0], *sides) if 0 < len(sides) < rank(shape) else None


ADDRESSABLE = 2**63 - 1
"""Largest number of elements that a tensor's 64-bit index can address."""


def text(shape: Shape) -> str:
    """Return the shape as a spec writes it: ``32x14x14``."""
    return "x".join(map(str, shape))


def shape_in(text: str) -> Shape | None:
    """Return the shape of a sample written as a spec writes it; None for any other text."""
    stated = re.fullmatch(r"[1-9]\d{0,6}(x[1-9]\d{0,6}){0,3}", text, re.ASCII)
    return tuple(map(int, text.split("x"))) if stated else None


def elements(shape: Shape) -> int:
    """Return the number of elements of a tensor of this shape."""
    return prod(shape)


def joined(sizes: Sizes) -> int | Sizes:
    """Return a single number if all axes have the same, as PyTorch code is usually written."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


def sizes_text(sizes: Sizes) -> str:
    """Return the numbers as a spec writes them: ``3`` for (3, 3), ``5x3`` for (5, 3)."""
    return str(sizes[0]) if len(set(sizes)) == 1 else text(sizes)
