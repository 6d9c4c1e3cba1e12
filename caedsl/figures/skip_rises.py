"""Heights of skips over the figure: every skip runs over what it passes, and over the skips inside it."""

from collections.abc import Callable, Sequence

from caedsl.figures.slabs import Skip

SKIP_RISE, SKIP_STEP = 15.0, 17.0
"""Rise of a skip over what it passes, and over a skip that shares part of its way."""
SKIP_NAME = 14.0
"""Height over a skip that its name takes."""


def skip_rises(skips: Sequence[Skip], height_below: Callable[[Skip], float]) -> list[float]:
    """Return the rise of each skip above the axis; ``height_below`` returns that of what a skip passes."""
    rises = [0.0] * len(skips)
    placed: list[int] = []
    for number in sorted(range(len(skips)), key=lambda number: skips[number].end - skips[number].start):
        skip = skips[number]
        below = [rises[other] for other in placed if _share(skip, skips[other])]
        rises[number] = max(height_below(skip) + SKIP_RISE, max(below, default=0.0) + SKIP_STEP)
        placed.append(number)
    return rises


def _share(one: Skip, other: Skip) -> bool:
    """Return whether the two run over a common slab."""
    return one.start < other.end and other.start < one.end
