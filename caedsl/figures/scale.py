"""Sizes of shapes in a figure: the height is the resolution, the width the channels, both on a log scale.

A shape with three spatial axes has a depth as well. Everything here depends only on the shape, so that signals
``(channels, length)``, images, volumes and vectors ``(units,)`` may appear in one figure.
"""

from collections.abc import Iterable
from math import log2, prod
from typing import NamedTuple

from caedsl.figures.caption import shape_text
from caedsl.figures.drawing import text_width
from caedsl.vocabulary.shape import Shape, is_map

LABEL_SIZE = 9.5
TALLEST_OCTAVE, ALL_OCTAVES = 54.0, 210.0
FLATTENED = 0.3
"""Factor of the differences in height in figures of several rows."""
LOWEST_MAP, LOWEST_VECTOR = 56.0, 44.0
THIN_LEAST, THIN_STEP = 15.0, 1.5
"""Width of one channel, and of each doubling, in crowded figures and for signals."""
LEAST_DEPTH, DEPTH_STEP, DEEPEST = 5.0, 1.8, 20.0
SLANT = 0.6
"""Slope of a receding edge: its rise over its run."""


class Depth(NamedTuple):
    """Offset of the back of a volume: to the right, and up."""

    right: float
    up: float


class FigureScale:
    """Sizes of one figure: a doubling of the resolution is the same step everywhere, and every label fits in.

    The resolution is the geometric mean of the spatial axes. ``crowded`` figures have thin slabs, ``flat`` figures low
    slabs.
    """

    def __init__(self, shapes: Iterable[Shape], crowded: bool, flat: bool = False) -> None:
        self.crowded = crowded
        given = set(shapes)
        maps, vectors = ({shape for shape in given if is_map(shape)}, {s for s in given if not is_map(s)})
        octaves = [_octave(shape) for shape in maps] or [0.0]
        self._least, span = min(octaves), max(octaves) - min(octaves)
        self._step = (FLATTENED if flat else 1.0) * min(TALLEST_OCTAVE, ALL_OCTAVES / span) if span else 0.0
        self._lowest_map = max([LOWEST_MAP, *map(_label_length, maps)])
        self._lowest_vector = max([LOWEST_VECTOR, *map(_label_length, vectors)])
        self._fewest = min((shape[0] for shape in vectors), default=1)

    def height(self, shape: Shape) -> float:
        """Return the height of the front of a slab of this shape."""
        if is_map(shape):
            return self._lowest_map + self._step * (_octave(shape) - self._least)
        return self._lowest_vector + 6.0 * log2(shape[0] / self._fewest)

    def slab_width(self, shape: Shape) -> float:
        """Return the width of a slab's front: wider with every doubling of the channels, thin for a signal."""
        if not is_map(shape):
            return THIN_LEAST if self.crowded else 20.0
        thin = self.crowded or len(shape) == 2
        least, step = (THIN_LEAST, THIN_STEP) if thin else (20.0, 4.0)
        return least + step * log2(shape[0])

    def depth(self, shape: Shape) -> Depth:
        """Return the offset of a volume's back: larger with every doubling of its first spatial axis."""
        if len(shape) < 4:
            return Depth(0.0, 0.0)
        right = min(LEAST_DEPTH + DEPTH_STEP * log2(shape[1]), DEEPEST)
        return Depth(right, SLANT * right)

    def extent(self, shape: Shape) -> float:
        """Return the width of a slab including its depth."""
        return self.slab_width(shape) + self.depth(shape).right

    def rise(self, shape: Shape) -> float:
        """Return how far a slab extends above the axis, including its depth."""
        return self.height(shape) / 2 + self.depth(shape).up

    def picture_width(self, shape: Shape) -> float:
        """Return the width of the box of a sample: wider for a wide image, narrow for a signal."""
        if len(shape) < 3:
            return 24.0
        return min(max(0.3 * self.height(shape) * shape[-1] / shape[-2], 28.0), 72.0)


def _octave(shape: Shape) -> float:
    return log2(prod(shape[1:])) / (len(shape) - 1)


def _label_length(shape: Shape) -> float:
    return text_width(shape_text(shape), LABEL_SIZE) + 12.0
