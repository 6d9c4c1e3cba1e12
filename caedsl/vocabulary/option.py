"""Options of the words of a spec, with name, type, domain, default and one line of documentation.

Layer kinds, the bottleneck, the mirror, data sources and training settings all declare their options in this way. The
reading of a statement, its documentation and "did you mean" follow from the declaration.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Generic, Literal, NamedTuple, TypeVar

Value = TypeVar("Value")
Held = TypeVar("Held", covariant=True)
Fallback = TypeVar("Fallback")


class Type(Enum):
    """Type of an option's value, which determines how it is read."""

    __hash__ = object.__hash__  # that of Enum is slow, and the tables of a line's options are looked up by its options

    COUNT = "a whole number"
    NUMBER = "a number"
    SHARE = "a share such as 10% or 0.1"
    PER_AXIS = "a whole number, or one for each axis such as 5x3"
    SIZE = "a size such as 14x14"
    SHAPE = "a shape such as 2x4x4"
    CHOICE = "one of its words"
    SWITCH = "on or off"
    FLAG = "the bare word"
    PADDING = "same, valid, or the zeros on each side"
    SIDES = "a number for each side, one for each axis such as 1x2, or 0..1 for before and after"
    RANGE = "a range such as 0..1, or real"
    ENDS = "two numbers such as 0..1"
    DURATION = "a duration such as 90s, 30min or 2h"
    NAME = "a name"
    FIELD = "a name, or a text in double quotes"
    PATH = "a path in double quotes"
    TEXT = "a text in double quotes"
    LABEL = "a class number or a class name in double quotes"
    DIVISOR = "a divisor such as /2"
    ACTIVATION = "an activation"


class Written(Enum):
    """Position of an option in its line."""

    __hash__ = object.__hash__

    NAMED = "name=value"
    FIRST = "the value without a name, first in the line"
    SHORT = "a letter and its number, as in k3"
    BARE = "one of its words without a name"
    WORDED = "its name and then the value, as in `to 14x14`"
    REST = "ascending values without a name, any number of them"


class Domain(NamedTuple):
    """Interval of numbers; a bound of None is infinite, ``*_open`` excludes the bound itself."""

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: float) -> bool:
        """Return whether the interval contains ``value``."""
        above = self.low is None or value > self.low or (value == self.low and not self.low_open)
        below = self.high is None or value < self.high or (value == self.high and not self.high_open)
        return above and below

    def __str__(self) -> str:
        low = "" if self.low is None else f"{'above' if self.low_open else 'at least'} {_bound(self.low)}"
        high = "" if self.high is None else f"{'below' if self.high_open else 'at most'} {_bound(self.high)}"
        return " and ".join(part for part in (low, high) if part)


def _bound(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and value < 1e15 else f"{value:g}"


POSITIVE = Domain(low=0, low_open=True)
NOT_NEGATIVE = Domain(low=0)
FROM_ONE = Domain(low=1, high=2**20)
FRACTION = Domain(low=0, high=1, high_open=True)


class Option(NamedTuple):
    """Option of a word.

    ``choices`` are the possible words, for types that have words. ``auto`` states whether the author may write ``auto``
    instead of a number, which caedsl then searches for. ``ranged`` states whether the author may write a range
    instead, such as ``0.1..0.5``, from which each sample draws its own number. ``off`` is a default with which the
    option does nothing.
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
    ranged: bool = False
    off: Any = None


class LayerOption(Option, Generic[Held]):
    """Option of a layer kind: the key of a typed value in a layer's ``Options``."""


class Options:
    """Values of a layer's options. The keys are the options themselves, so a misspelt one is a type error."""

    __slots__ = ("_hash", "_values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._hash: int | None = None

    def __getitem__(self, option: LayerOption[Value]) -> Value:
        value: Value = self._values[option.name]
        return value

    def __contains__(self, option: Option) -> bool:
        return option.name in self._values

    def get(self, option: LayerOption[Value], default: Fallback) -> Value | Fallback:
        """Return the value of ``option``, or ``default`` for a kind without it."""
        value: Value | Fallback = self._values.get(option.name, default)
        return value

    def of_any_type(self, option: Option) -> Any:
        """Return the value of an option whose type is not known statically."""
        return self._values[option.name]

    def changed(self, values: Mapping[Option, Any]) -> "Options":
        """Return a copy with these values changed."""
        return Options({**self._values, **{option.name: value for option, value in values.items()}})

    @property
    def same_on_all_axes(self) -> bool:
        """Whether every option has the same value for each axis."""
        return all(len(set(value)) < 2 for value in self._values.values() if type(value) is tuple)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and dict(self._values) == dict(other._values)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._values.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"Options({dict(self._values)!r})"


Auto = Literal["auto"]
AUTO: Final = "auto"
"""Value of a number that caedsl searches for before training."""

REQUIRED: Any = object()
"""Default of a required option: a line without it is an error."""
