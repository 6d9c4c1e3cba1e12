"""How tall and how wide shapes are drawn: the height is the resolution, the width the channels, both on a log scale."""

from collections.abc import Iterable
from math import log2

from caedsl.figures.caption import shape_text
from caedsl.figures.drawing import text_width
from caedsl.vocabulary.shape import Shape, is_map

LABEL_SIZE = 9.5
TALLEST_OCTAVE, ALL_OCTAVES = 54.0, 210.0
LOWEST_MAP, LOWEST_VECTOR = 56.0, 44.0


class Scale:
    """The heights of one figure: a doubling of the resolution is the same step everywhere, and every label fits in.

    The resolution of a map that is not square is the geometric mean of its sides. ``crowded`` figures have thin slabs.
    """

    def __init__(self, shapes: Iterable[Shape], crowded: bool) -> None:
        self.crowded = crowded
        given = set(shapes)
        maps, vectors = ({shape for shape in given if is_map(shape)}, {shape for shape in given if not is_map(shape)})
        octaves = [_octave(shape) for shape in maps] or [0.0]
        self._least, span = min(octaves), max(octaves) - min(octaves)
        self._step = min(TALLEST_OCTAVE, ALL_OCTAVES / span) if span else 0.0
        self._lowest_map = max([LOWEST_MAP, *map(_label_length, maps)])
        self._lowest_vector = max([LOWEST_VECTOR, *map(_label_length, vectors)])
        self._fewest = min((shape[0] for shape in vectors), default=1)

    def height(self, shape: Shape) -> float:
        """How tall a slab of this shape is."""
        if is_map(shape):
            return self._lowest_map + self._step * (_octave(shape) - self._least)
        return self._lowest_vector + 6.0 * log2(shape[0] / self._fewest)

    def slab_width(self, shape: Shape) -> float:
        """Wider with every doubling of the channels; a vector is a thin bar."""
        least, step = (15.0, 1.5) if self.crowded else (20.0, 4.0)
        return least + step * log2(shape[0]) if is_map(shape) else least

    def picture_width(self, shape: Shape) -> float:
        """The width of the box that stands for an image, seen from the side: wider for a wide image."""
        aspect = shape[2] / shape[1] if is_map(shape) else 0.0
        return min(max(0.3 * self.height(shape) * aspect, 28.0), 72.0)


def _octave(shape: Shape) -> float:
    return log2(shape[1] * shape[2]) / 2


def _label_length(shape: Shape) -> float:
    return text_width(shape_text(shape), LABEL_SIZE) + 12.0
