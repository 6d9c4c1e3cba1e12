"""Place the parts of an hourglass before drawing: its rows, and the position of each slab and each text."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from caedsl.figures.columns import COLUMN_GAP, SLAB_GAP, Arrangement, Column, ColumnText
from caedsl.figures.scale import FigureScale
from caedsl.figures.shortcut_levels import Levels
from caedsl.figures.skip_rises import SKIP_NAME, skip_rises
from caedsl.figures.slabs import GroupAround, Hourglass, Skip
from caedsl.model.autoencoder import Autoencoder

MARGIN = 20.0
TITLE_SIZE, HEADING_SIZE = 15.0, 11.0
LABEL_ROW = 20.0
ROW_GAP = 26.0
LEADING = 1.34
SHORTCUT_RISE, SHORTCUT_STEP = 20.0, 17.0
"""Rise of the innermost shortcut over its slabs, and of each further one around it."""


@dataclass
class ColumnRow:
    """Row of columns with the slabs from ``first`` to ``last``; the ys of its headings, labels, axis and end."""

    columns: Sequence[Column]
    first: int
    last: int
    left: float
    right: float
    heading: float = 0.0
    labels_top: float = 0.0
    axis: float = 0.0
    word_tops: list[float] = field(default_factory=list)
    bottom: float = 0.0

    def touches(self, group: GroupAround) -> bool:
        """Return whether a slab of the group is in the row."""
        return self.first <= group.last and group.first <= self.last


@dataclass
class Scene:
    """Rows of a figure, its width, and every slab's left edge and row."""

    model: Autoencoder
    found: Hourglass
    scale: FigureScale
    placed: Arrangement
    width: float
    rows: list[ColumnRow]
    levels: Levels
    lefts: list[float]
    row_of: list[int]
    skip_rises: list[float] = field(default_factory=list)

    def row(self, slab: int) -> ColumnRow:
        """Return the row of a slab."""
        return self.rows[self.row_of[slab]]

    def top(self, slab: int) -> float:
        """Return the y of the upper edge of a slab's front."""
        return self.row(slab).axis - self.scale.height(self.found.slabs[slab].shape) / 2

    def right(self, slab: int) -> float:
        """Return the x of the right edge of a slab's front."""
        return self.lefts[slab] + self.scale.slab_width(self.found.slabs[slab].shape)

    def half_at_break(self, slab: int) -> float:
        """Return half the height of the area between a slab and the next, where a row ends between them."""
        here, there = self.found.slabs[slab], self.found.slabs[slab + 1]
        return (self.scale.height(here.shape) + self.scale.height(there.shape)) / 4

    def rise(self, group: int) -> float:
        """Return how far above the axis a shortcut runs: over its slabs, the one before, and every shortcut inside."""
        around = self.found.groups[group]
        shapes = [slab.shape for slab in self.found.slabs[max(around.first - 1, 0) : around.last + 1]]
        if around.first == 0:
            shapes.append(self.model.input.shape)
        return max(map(self.scale.rise, shapes)) + SHORTCUT_RISE + SHORTCUT_STEP * self.levels.inside[group]


def place(scene: Scene, top: float) -> None:
    """Set the ys of every row, one row below the other starting at ``top``."""
    rises = {group: scene.rise(group) for group in scene.levels.inside}
    scene.skip_rises = skip_rises(scene.found.skips, lambda skip: _height_passed(scene, rises, skip))
    for row in scene.rows:
        row.heading = top + HEADING_SIZE / 2
        row.labels_top = row.heading + HEADING_SIZE / 2 + 8.0
        labels = [g.depth for g in scene.found.groups if g.label and row.touches(g)]
        row.axis = row.labels_top + (1 + max(labels, default=-1)) * LABEL_ROW + 10.0 + _above(scene, rises, row)
        row.word_tops = list(_word_tops(scene, row))
        ends = [y + _height(column.lines) for y, column in zip(row.word_tops, row.columns, strict=True)]
        below = max(scene.scale.height(shape) for shape in _shapes(scene, row)) / 2
        row.bottom = max([row.axis + below, *ends])
        top = row.bottom + ROW_GAP


def stack(lines: Sequence[ColumnText]) -> Iterator[tuple[ColumnText, float]]:
    """Yield each line of text with the y of its middle, counted from the top of the first."""
    y = 0.0
    for number, word in enumerate(lines):
        y += word.size * LEADING + (3.0 if word.apart and number else 0.0)
        yield word, y - word.size * LEADING / 2


def make_rows(broken: Sequence[Sequence[Column]], left: float, width: float) -> list[ColumnRow]:
    """Return the rows of these columns, which are moved to their xs between ``left`` and ``left + width``.

    A single row is centred; of several rows, all but the last are justified.
    """
    rows = []
    for number, columns in enumerate(broken, 1):
        spare = width - sum(column.width for column in columns)
        x = left + (spare / 2 if len(broken) == 1 else 0.0)
        for column in columns:
            column.width += spare / len(columns) if number < len(broken) else 0.0
            column.x = x
            x += column.width
        slabs = [i for column in columns for i in column.slabs]
        rows.append(ColumnRow(columns, slabs[0], slabs[-1], left, x))
    return rows


def left_edges(found: Hourglass, scale: FigureScale, columns: Sequence[Column]) -> Iterator[float]:
    """Yield the left edge of every slab; the slabs of a column are side by side around its middle."""
    for column in columns:
        widths = [scale.extent(found.slabs[i].shape) for i in column.slabs]
        x = column.middle - (sum(widths) + SLAB_GAP * (len(widths) - 1)) / 2
        for width in widths:
            yield x
            x += width + SLAB_GAP


def _shapes(scene: Scene, row: ColumnRow) -> Iterator[tuple[int, ...]]:
    for column in row.columns:
        yield from (scene.found.slabs[i].shape for i in column.slabs)
        if not column.slabs:
            yield _end_shape(scene, column)


def _end_shape(scene: Scene, column: Column) -> tuple[int, ...]:
    return scene.model.input.shape if column.part == "input" else scene.model.out_shape


def _above(scene: Scene, rises: Mapping[int, float], row: ColumnRow) -> float:
    """Return how far the contents of a row extend above its axis: slabs, shortcuts, and skips with their names."""
    groups, found = scene.found.groups, scene.found
    ways = [(groups[i].first - 1, groups[i].last, rise) for i, rise in rises.items()]
    ways += [(s.start, s.end, rise + SKIP_NAME) for s, rise in zip(found.skips, scene.skip_rises, strict=True)]
    through = (rise for start, end, rise in ways if row.first <= end and max(start, 0) <= row.last)
    return max([*(scene.scale.rise(shape) for shape in _shapes(scene, row)), *through])


def _height_passed(scene: Scene, rises: Mapping[int, float], skip: Skip) -> float:
    """Return how far what a skip passes extends above the axis: slabs with their depth, the input, and shortcuts."""
    shapes = [slab.shape for slab in scene.found.slabs[max(skip.start, 0) : skip.end + 1]]
    if skip.start < 0:
        shapes.append(scene.model.input.shape)
    groups = scene.found.groups
    passed = (rise for i, rise in rises.items() if groups[i].first - 1 <= skip.end and skip.start <= groups[i].last)
    return max([*map(scene.scale.rise, shapes), *passed])


def _word_tops(scene: Scene, row: ColumnRow) -> Iterator[float]:
    """Yield where the text of each column begins: at one height under all slabs of a height."""
    outline = _outline(scene, row)
    floors: list[tuple[float, float]] = []
    lowest: dict[float, float] = {}
    for column in row.columns:
        shapes = [scene.found.slabs[i].shape for i in column.slabs] or [_end_shape(scene, column)]
        height = round(max(map(scene.scale.height, shapes)), 3)
        half = max((word.width for word in column.lines), default=0.0) / 2
        floor = max(_floor(outline, column.middle - half, column.middle + half), row.axis + height / 2)
        floors.append((height, floor))
        lowest[height] = max(floor, lowest.get(height, 0.0))
    yield from (lowest[height] + 7.0 for height, _ in floors)


def _outline(scene: Scene, row: ColumnRow) -> list[tuple[float, float]]:
    """Return the lower edge of slabs and of the areas between them, from left to right."""
    points = []
    if row.first:
        points.append((row.left, row.axis + scene.half_at_break(row.first - 1)))
    for i in range(row.first, row.last + 1):
        low = 2 * row.axis - scene.top(i)
        points += [(scene.lefts[i], low), (scene.right(i), low)]
    if row.last < len(scene.found.slabs) - 1:
        points.append((row.right, row.axis + scene.half_at_break(row.last)))
    return points


def _floor(outline: Sequence[tuple[float, float]], left: float, right: float) -> float:
    """Return the lowest point (the largest y) of the outline from ``left`` to ``right``."""
    first, last = bisect_left(outline, (left, 0.0)), bisect_right(outline, (right, float("inf")))
    inside = [y for _, y in outline[first:last]]
    for (x0, y0), (x1, y1) in pairwise(outline[max(first - 1, 0) : last + 1]):
        inside += [y0 + (y1 - y0) * (x - x0) / (x1 - x0) for x in (left, right) if x0 < x < x1]
    return max(inside, default=0.0)


def _height(lines: Sequence[ColumnText]) -> float:
    return max((y + word.size * LEADING / 2 for word, y in stack(lines)), default=0.0) + COLUMN_GAP / 4
