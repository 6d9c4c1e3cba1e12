"""Break the columns of a figure that is too wide into rows, like the lines of a text."""

from collections.abc import Sequence

from caedsl.figures.columns import Column
from caedsl.figures.slabs import Hourglass

GROUP_COST = 0.25
"""Cost of a break inside a group; an empty row costs 1."""


def break_columns(columns: Sequence[Column], found: Hourglass, available: float) -> list[list[Column]]:
    """Return the columns in as few rows as fit into ``available``, evenly filled and broken between groups.

    The input stays next to the first column and the reconstruction next to the last. A row is wider than ``available``
    only if a single such unit is.
    """
    units = _units(columns)
    widths = [sum(column.width for column in unit) for unit in units]
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    """For the first n units: the number of rows, the cost, and where the last row starts."""
    for end in range(1, len(units) + 1):
        candidates = []
        filled = 0.0
        for start in range(end - 1, -1, -1):
            filled += widths[start]
            if filled > available and start < end - 1:
                break
            rows, cost, _ = best[start]
            slack = max(0.0, 1 - filled / available)
            broken = GROUP_COST * _shared_groups(units, found, start) if start else 0.0
            candidates.append((rows + 1, cost + slack * slack + broken, start))
        best.append(min(candidates))
    return _collected(units, best)


def widest_unit(columns: Sequence[Column]) -> float:
    """Return the least width into which every row can be broken."""
    return max(sum(column.width for column in unit) for unit in _units(columns))


def _units(columns: Sequence[Column]) -> list[list[Column]]:
    inner = [[column] for column in columns[1:-1]]
    inner[0].insert(0, columns[0])
    inner[-1].append(columns[-1])
    return inner


def _shared_groups(units: Sequence[Sequence[Column]], found: Hourglass, start: int) -> int:
    """Return how many groups a break before the unit ``start`` cuts."""
    before = next(column for column in reversed(units[start - 1]) if column.slabs)
    after = next(column for column in units[start] if column.slabs)
    return len({*found.slabs[before.slabs[-1]].groups} & {*found.slabs[after.slabs[0]].groups})


def _collected(units: Sequence[list[Column]], best: Sequence[tuple[int, float, int]]) -> list[list[Column]]:
    rows: list[list[Column]] = []
    end = len(units)
    while end:
        start = best[end][2]
        rows.append([column for unit in units[start:end] for column in unit])
        end = start
    return rows[::-1]
