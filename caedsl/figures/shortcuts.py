"""Shortcuts of residual groups: a line over the group from what goes into it to the sum ⊕ over its last slab."""

from collections.abc import Iterator

from caedsl.figures.drawing import Group, Line, Sum
from caedsl.figures.scene import SHORTCUT_STEP, Scene, added, rise

RADIUS = 4.5


def shortcuts(scene: Scene) -> Iterator[Group]:
    """One group a residual, the outer ones first."""
    found = scene.found
    for number in added(found):
        group = found.groups[number]
        ending_inside = sum(1 for i in added(found) if i > number and found.groups[i].last == group.last)
        x = scene.lefts[group.last] + 0.3 * (scene.right(group.last) - scene.lefts[group.last]) + 7.0 * ending_inside
        y = scene.top(group.last) - 8.0 - SHORTCUT_STEP * ending_inside
        start_x, start_y = _start(scene, group.first)
        peak = scene.axis - rise(found, scene.scale, scene.model, number)
        over = Line(((start_x, start_y), (start_x, peak), (x, peak), (x, y - RADIUS)), "shortcut", 1.3, radius=7.0)
        into = Line(((x, y + RADIUS), (x, scene.top(group.last))), "shortcut", 1.3)
        sign = Sum(x, y, RADIUS, "shortcut")
        yield Group(f"shortcut-{number + 1}", "the input is added to the output", (over, into, sign))


def _start(scene: Scene, first: int) -> tuple[float, float]:
    """Where the input of slab ``first`` is taken from: the right end of the upper edge of what stands before it."""
    if first:
        return scene.right(first - 1) - 3.6, scene.top(first - 1)
    shape = scene.model.input.shape
    right = scene.shift + scene.placed.columns[0].middle + scene.scale.picture_width(shape) / 2
    return right - 3.6, scene.axis - scene.scale.height(shape) / 2
