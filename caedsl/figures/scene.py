"""Where the parts of an hourglass lie, known before anything is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from caedsl.figures.caption import size_of_code
from caedsl.figures.columns import DETAIL_SIZE, HEAD_SIZE, SLAB_GAP, Arrangement, Word, arrange, wrapped
from caedsl.figures.drawing import text_width
from caedsl.figures.scale import Scale
from caedsl.figures.slabs import Hourglass, hourglass
from caedsl.model.autoencoder import Autoencoder

MARGIN = 20.0
TITLE_SIZE, HEADING_SIZE = 15.0, 11.0
LABEL_ROW = 20.0
ROOMY = 16
"""Up to so many slabs each has a column to itself; beyond, the slabs of a stage stand side by side over one list."""
SHORTCUT_RISE, SHORTCUT_STEP = 20.0, 17.0
"""How far the innermost shortcut rises over its slabs, and each further one around it."""


@dataclass(frozen=True)
class Scene:
    """The figure's width, the ys of axis, headings and labels, the columns' shift, and every slab's left edge."""

    model: Autoencoder
    found: Hourglass
    scale: Scale
    placed: Arrangement
    width: float
    shift: float
    heading: float
    labels_top: float
    axis: float
    lefts: tuple[float, ...]

    def top(self, slab: int) -> float:
        """The y of a slab's upper edge."""
        return self.axis - self.scale.height(self.found.slabs[slab].shape) / 2

    def right(self, slab: int) -> float:
        """The x of a slab's right edge."""
        return self.lefts[slab] + self.scale.slab_width(self.found.slabs[slab].shape)

    def floor(self, left: float, right: float) -> float:
        """The y of the lowest point of slabs, the ground between them and end boxes from ``left`` to ``right``."""
        outline = [
            p for i in range(len(self.lefts)) for p in ((self.lefts[i], self._low(i)), (self.right(i), self._low(i)))
        ]
        inside = [y for x, y in outline if left <= x <= right]
        for (x0, y0), (x1, y1) in pairwise(outline):
            inside += [y0 + (y1 - y0) * (x - x0) / (x1 - x0) for x in (left, right) if x0 < x < x1]
        for column, shape in ((0, self.model.input.shape), (-1, self.model.out_shape)):
            if left <= self.shift + self.placed.columns[column].middle <= right:
                inside.append(self.axis + self.scale.height(shape) / 2)
        return max(inside)

    def _low(self, slab: int) -> float:
        return 2 * self.axis - self.top(slab)


def scene_of(model: Autoencoder, footer: str) -> Scene:
    """The scene of a model; it is made wide enough for the ``footer``."""
    found = hourglass(model)
    shapes = [model.input.shape, *(slab.shape for slab in found.slabs), model.out_shape]
    scale = Scale(shapes, crowded=len(found.slabs) > ROOMY)
    numbers, comparison = size_of_code(model)
    code = [Word(numbers, HEAD_SIZE, "bottleneck", True), *wrapped(comparison, HEAD_SIZE, 92.0, "bottleneck")]
    ends = (
        [
            Word("input", HEAD_SIZE, "ink"),
            Word(f"in {model.input.range}" if model.input.range.bounded else "real values"),
        ],
        [Word("reconstruction", HEAD_SIZE, "ink")],
    )
    placed = arrange(found, scale, ends, code, max(map(scale.picture_width, (model.input.shape, model.out_shape))))
    needed = max(placed.width, text_width(model.name, TITLE_SIZE, bold=True), text_width(footer, DETAIL_SIZE))
    shift = MARGIN + (needed - placed.width) / 2
    heading = MARGIN + TITLE_SIZE + 16.0 + HEADING_SIZE / 2
    labels_top = heading + HEADING_SIZE / 2 + 8.0
    rows = 1 + max((group.depth for group in found.groups if group.label), default=-1)
    above = max([scale.height(shape) / 2 for shape in shapes] + [rise(found, scale, model, i) for i in added(found)])
    axis = labels_top + rows * LABEL_ROW + 10.0 + above
    lefts = tuple(_lefts(found, scale, placed, shift))
    return Scene(model, found, scale, placed, needed + 2 * MARGIN, shift, heading, labels_top, axis, lefts)


def added(found: Hourglass) -> list[int]:
    """The groups whose input is added to their output, by number."""
    return [i for i, group in enumerate(found.groups) if group.added]


def rise(found: Hourglass, scale: Scale, model: Autoencoder, group: int) -> float:
    """How far over the axis a shortcut runs: over its group's slabs, the one before, and every shortcut inside."""
    around = found.groups[group]
    shapes = [slab.shape for slab in found.slabs[max(around.first - 1, 0) : around.last + 1]]
    if around.first == 0:
        shapes.append(model.input.shape)
    return max(map(scale.height, shapes)) / 2 + SHORTCUT_RISE + SHORTCUT_STEP * _level(found, group)


def _level(found: Hourglass, group: int) -> int:
    """How many shortcuts lie inside one another within this one."""
    around = found.groups[group]
    inside = [i for i in added(found) if i > group and found.groups[i].last <= around.last]
    return 1 + max(_level(found, i) for i in inside) if inside else 0


def _lefts(found: Hourglass, scale: Scale, placed: Arrangement, shift: float) -> Iterator[float]:
    for column in placed.columns:
        widths = [scale.slab_width(found.slabs[i].shape) for i in column.slabs]
        x = shift + column.middle - (sum(widths) + SLAB_GAP * (len(widths) - 1)) / 2
        for width in widths:
            yield x
            x += width + SLAB_GAP
