"""What a word of a spec may be given: its name, its type and domain, its default and one line about it.

Layer kinds, the bottleneck, the mirror, data sources and training settings all declare their options in this one way;
reading a statement, its documentation and "did you mean" follow from the declaration.
"""

from enum import Enum
from typing import Any, Final, Literal, NamedTuple


class Type(Enum):
    """How the value of an option is read."""

    COUNT = "a whole number"
    NUMBER = "a number"
    SHARE = "a share such as 10% or 0.1"
    PAIR = "a whole number, or two such as 5x3"
    SIZE = "a size such as 14x14"
    SHAPE = "a shape such as 2x4x4"
    CHOICE = "one of its words"
    SWITCH = "on or off"
    FLAG = "the bare word"
    PADDING = "same, valid, reflect, or the zeros on each side"
    RANGE = "a range such as 0..1, or real"
    DURATION = "a duration such as 90s, 30min or 2h"
    NAME = "a name"
    PATH = "a path in double quotes"
    LABEL = "a class number or a class name in double quotes"
    DIVISOR = "a divisor such as /2"
    ACTIVATION = "an activation"


class Written(Enum):
    """Where an option stands in its line."""

    NAMED = "name=value"
    FIRST = "the value alone, first in the line"
    SHORT = "a letter and its number, as in k3"
    BARE = "one of its words alone"
    WORDED = "its name and then the value, as in `to 14x14`"


class Domain(NamedTuple):
    """An interval of numbers; a bound of None is open to infinity, ``*_open`` leaves the bound itself out."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies in the interval."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below

    def __str__(self) -> str:
        low = "" if self.low is None else f"{'above' if self.low_open else 'at least'} {_bound(self.low)}"
        high = "" if self.high is None else f"{'below' if self.high_open else 'at most'} {_bound(self.high)}"
        return " and ".join(part for part in (low, high) if part)


def _bound(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


POSITIVE = Domain(low=0, low_open=True)
NOT_NEGATIVE = Domain(low=0)
FROM_ONE = Domain(low=1, high=2**20)
FRACTION = Domain(low=0, high=1, high_open=True)


class Option(NamedTuple):
    """One option: ``name`` in its canonical spelling; ``choices`` for the types that have words of their own.

    ``auto`` is whether the number may be left to be found: its value is then ``AUTO``.
    """

    name: str
    type: Type
    default: Any
    about: str
    written: Written = Written.NAMED
    domain: Domain = Domain()
    choices: tuple[str, ...] = ()
    short: str = ""
    auto: bool = False


Auto = Literal["auto"]
AUTO: Final = "auto"
"""Stands for a number that is found by trying, before training begins."""

REQUIRED: Any = object()
"""The default of an option that has none: a line without it is an error."""
