"""Shares of cases with their intervals, by family."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from benchmarks.faults.cases import Result

_Z = 1.96


class Share(NamedTuple):
    """``hits`` of ``total``."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the 95 % interval of Wilson (1927), which holds near 0 and 1 and for few cases."""
        if not self.total:
            return None
        p, n = self.hits / self.total, self.total
        middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        if self.interval is None or self.value is None:
            return "-"
        low, high = self.interval
        return f"{100 * self.value:5.1f} % ({100 * low:.0f}-{100 * high:.0f}) {self.hits}/{self.total}"


class Scores(NamedTuple):
    """Scores: ``recall`` of the harmful visible faults, ``repair`` of those that a tool could repair.

    ``precision`` is the share of warnings and errors that name the injected fault or a consequence of it.
    """

    recall: Share
    precision: Share
    repair: Share


def scores(results: Sequence[Result], alarms: int = 0) -> Scores:
    """Return the scores of some results; ``alarms`` are warnings of healthy specs, all of them false."""
    counted = [result for result in results if result.case.counted]
    fixable = [result for result in counted if result.case.operator.fixable]
    true, false = sum(len(result.true) for result in results), sum(len(result.false) for result in results)
    return Scores(
        Share(sum(result.found for result in counted), len(counted)),
        Share(true, true + false + alarms),
        Share(sum(result.repaired for result in fixable), len(fixable)),
    )


def by_family(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Return the results of each family, in the order of their first."""
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.case.operator.family, []).append(result)
    return families
