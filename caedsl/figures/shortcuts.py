"""Draw shortcuts: a line over a residual group from its input to the sum ⊕ over its last slab."""

from collections.abc import Iterator

from caedsl.figures.drawing import Mark, MarkGroup, Point, Polyline, Sum
from caedsl.figures.scene import SHORTCUT_STEP, Scene

RADIUS = 4.5
CORNER = 7.0


def shortcuts(scene: Scene) -> Iterator[MarkGroup]:
    """Yield one group per residual, the outer ones first."""
    for number, ending in scene.levels.ending.items():
        last = scene.found.groups[number].last
        depth = scene.scale.depth(scene.found.slabs[last].shape)
        roof = scene.top(last) - depth.up
        x = scene.lefts[last] + 0.3 * (scene.right(last) - scene.lefts[last]) + 7.0 * ending + depth.right
        y = roof - 8.0 - SHORTCUT_STEP * ending
        marks: list[Mark] = [
            Polyline(points, "shortcut", 1.3, radius=CORNER) for points in _over(scene, number, (x, y - RADIUS))
        ]
        marks += [Polyline(((x, y + RADIUS), (x, roof)), "shortcut", 1.3), Sum(x, y, RADIUS, "shortcut")]
        yield MarkGroup(f"shortcut-{number + 1}", "the input is added to the output", tuple(marks))


def _over(scene: Scene, number: int, end: Point) -> Iterator[tuple[Point, ...]]:
    """Yield the line from the input of a group to ``end``, one piece for each row that it runs through."""
    group, rise = scene.found.groups[number], scene.rise(number)
    start_row, end_row = scene.row_of[max(group.first - 1, 0)], scene.row_of[group.last]
    for place in range(start_row, end_row + 1):
        row = scene.rows[place]
        peak = row.axis - rise
        before, after = (row.left, peak), (row.right, peak)
        points: list[Point] = [before, after]
        if place == start_row:
            start = _start(scene, group.first)
            points[:1] = [start, (start[0], peak)]
        if place == end_row:
            points[-1:] = [(end[0], peak), end]
        yield tuple(points)


def _start(scene: Scene, first: int) -> Point:
    """Return where the input of slab ``first`` is taken from: the right end of the upper edge of what precedes it."""
    if first:
        depth = scene.scale.depth(scene.found.slabs[first - 1].shape)
        return scene.right(first - 1) - 3.6 + depth.right, scene.top(first - 1) - depth.up
    shape = scene.model.input.shape
    depth, width = scene.scale.depth(shape), scene.scale.picture_width(shape)
    right = scene.placed.columns[0].middle + (width + depth.right) / 2
    return right - 3.6, scene.rows[0].axis - scene.scale.rise(shape)
