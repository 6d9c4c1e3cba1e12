"""Draw skips: a line over the figure from the slab whose output has a name to the slab that reads it, with that name.

``shortcuts`` draws the other kind of path past layers, that of residual groups.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from caedsl.figures.caption import shape_text
from caedsl.figures.columns import DETAIL_SIZE
from caedsl.figures.drawing import Mark, MarkGroup, Point, Polyline, TextMark, shorten
from caedsl.figures.scene import ColumnRow, Scene
from caedsl.figures.shortcuts import CORNER
from caedsl.figures.skip_rises import SKIP_NAME
from caedsl.figures.slabs import FROM_INPUT, Skip

LINE_WIDTH = 1.1
ARRIVES, LEAVES = 0.36, 0.64
"""Positions where a skip ends and starts, as shares of the width of a slab."""
CLEARANCE = 4.0
"""Distance between a name and the lines to its left and right."""


def skips(scene: Scene) -> Iterator[MarkGroup]:
    """Yield one group per skip: its line and its name, one piece for each row that it runs through."""
    for number, skip in enumerate(scene.found.skips):
        rows = range(_first_row(scene, skip), scene.row_of[skip.end] + 1)
        marks = [mark for place in rows for mark in _piece(scene, number, place)]
        yield MarkGroup(f"skip-{number + 1}", _title(skip), tuple(marks))


def _piece(scene: Scene, number: int, place: int) -> Iterator[Mark]:
    """Yield the line of a skip in one row, and as much of its name as fits over the line."""
    skip, row = scene.found.skips[number], scene.rows[place]
    y = row.axis - scene.skip_rises[number]
    points: list[Point] = [(row.left, y), (row.right, y)]
    if place == _first_row(scene, skip):
        start = _start(scene, skip)
        points[:1] = [start, (start[0], y)]
    arrives = place == scene.row_of[skip.end]
    if arrives:
        end = _end(scene, skip)
        points[-1:] = [(end[0], y), end]
    yield Polyline(tuple(points), "shortcut", LINE_WIDTH, arrow=arrives, radius=CORNER)
    left, right = _room(scene, number, row, points)
    if name := shorten(skip.name, DETAIL_SIZE, right - left):
        yield TextMark((left + right) / 2, y - SKIP_NAME / 2, name, DETAIL_SIZE, "shortcut")


def summary(found: Sequence[Skip]) -> str:
    """Return a sentence that names the skips; empty if there are none."""
    return f" Skips: {'; '.join(map(_title, found))}." if found else ""


def _title(skip: Skip) -> str:
    return f"{skip.reader} reads {shape_text(skip.shape)}"


def passes(scene: Scene, first: int, last: int) -> bool:
    """Return whether a skip runs over all or some of the slabs from ``first`` to ``last``."""
    return any(skip.start < last and first < skip.end for skip in scene.found.skips)


def _room(scene: Scene, number: int, row: ColumnRow, points: Sequence[Point]) -> tuple[float, float]:
    """Return the widest stretch of a skip's level line that no line to or from a higher skip crosses."""
    rise = scene.skip_rises[number]
    level = [x for x, y in points if y == row.axis - rise]
    crossing = [
        x
        for other, skip in enumerate(scene.found.skips)
        if scene.skip_rises[other] > rise
        for place, x in (
            (_first_row(scene, skip), _start(scene, skip)[0]),
            (scene.row_of[skip.end], _end(scene, skip)[0]),
        )
        if scene.rows[place] is row and level[0] < x < level[-1]
    ]
    left, right = max(pairwise(sorted((level[0], *crossing, level[-1]))), key=lambda gap: gap[1] - gap[0])
    return left + CLEARANCE, right - CLEARANCE


def _first_row(scene: Scene, skip: Skip) -> int:
    return scene.row_of[max(skip.start, 0)]


def _start(scene: Scene, skip: Skip) -> Point:
    """Return the upper edge of the slab that a skip comes from, or of the input."""
    if skip.start == FROM_INPUT:
        shape = scene.model.input.shape
        return scene.placed.columns[0].middle, scene.rows[0].axis - scene.scale.rise(shape)
    return _on_top(scene, skip.start, LEAVES)


def _end(scene: Scene, skip: Skip) -> Point:
    """Return the upper edge of the slab that reads, to the right of a sum drawn over it."""
    under_sum = any(scene.found.groups[group].last == skip.end for group in scene.levels.inside)
    x, y = _on_top(scene, skip.end, LEAVES if under_sum else ARRIVES)
    return x, y - 1.5


def _on_top(scene: Scene, slab: int, share: float) -> Point:
    """Return a point on the upper edge of a slab."""
    left, right = scene.lefts[slab], scene.right(slab)
    depth = scene.scale.depth(scene.found.slabs[slab].shape)
    return left + share * (right - left) + depth.right, scene.top(slab) - depth.up
