"""Values that a sweep varies: names of settings, and the values that each takes."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from caedsl.source import Span


class SweptValue(NamedTuple):
    """One value of a swept name as a spec writes it, and the place of its words."""

    text: str
    span: Span


class Swept(NamedTuple):
    """Swept name such as ``train.optimizer.lr``, its values, and the place of the name."""

    name: str
    values: tuple[SweptValue, ...]
    span: Span


class Sweep(NamedTuple):
    """The swept names in the order of the text, and the place of the statement with its block."""

    names: tuple[Swept, ...]
    span: Span

    @property
    def variants(self) -> int:
        """Number of variants: one for each combination of values."""
        return prod(len(swept.values) for swept in self.names)

    def values(self, number: int) -> dict[str, SweptValue]:
        """Return the values of a variant, counted from 1; the last name changes fastest."""
        rest = number - 1
        chosen: dict[str, SweptValue] = {}
        for swept in reversed(self.names):
            rest, place = divmod(rest, len(swept.values))
            chosen[swept.name] = swept.values[place]
        return dict(reversed(chosen.items()))

    def described(self, number: int) -> str:
        """Return the values of a variant as ``--set`` writes them: ``let.width=16 train.batch=32``."""
        return " ".join(f"{name}={value.text}" for name, value in self.values(number).items())

    def condition(self, numbers: Sequence[int]) -> str:
        """Return the values that distinguish these variants from the others; empty if no set of values does.

        For example ``let.width=32 or 64``.
        """
        taken = [self.values(number) for number in numbers]
        kept = {
            swept.name: [value for value in swept.values if any(values[swept.name] == value for values in taken)]
            for swept in self.names
        }
        if prod(map(len, kept.values())) != len(numbers):
            return ""
        narrowed = {s.name: kept[s.name] for s in self.names if len(kept[s.name]) < len(s.values)}
        return " and ".join(f"{name}={' or '.join(value.text for value in some)}" for name, some in narrowed.items())
