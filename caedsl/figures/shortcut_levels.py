"""Nesting of the shortcuts of residual groups, counted once for the whole figure."""

from dataclasses import dataclass, field

from caedsl.figures.slabs import Hourglass


@dataclass
class Levels:
    """Nesting of each group whose input is added to its output, by number.

    ``inside`` is the depth of the shortcuts nested within it, and ``ending`` the number of those that end at its last
    slab.
    """

    inside: dict[int, int] = field(default_factory=dict)
    ending: dict[int, int] = field(default_factory=dict)


def shortcut_levels(found: Hourglass) -> Levels:
    """Return the levels in one pass over the groups, in which outer groups come before inner ones."""
    levels = Levels()
    around: list[int] = []
    for number, group in enumerate(found.groups):
        if not group.added:
            continue
        while around and found.groups[around[-1]].last < group.first:
            _close(levels, found, around)
        levels.inside[number] = levels.ending[number] = 0
        around.append(number)
    while around:
        _close(levels, found, around)
    return levels


def _close(levels: Levels, found: Hourglass, around: list[int]) -> None:
    """Count the innermost open shortcut in the one around it."""
    inner = around.pop()
    if not around:
        return
    outer = around[-1]
    levels.inside[outer] = max(levels.inside[outer], levels.inside[inner] + 1)
    if found.groups[inner].last == found.groups[outer].last:
        levels.ending[outer] += levels.ending[inner] + 1
