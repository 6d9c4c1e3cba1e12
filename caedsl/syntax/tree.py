"""The syntax tree: what a spec says, before anything it says is looked up.

Nodes compare by meaning: spans are left out, so two texts that differ in layout alone have equal trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from caedsl.source import Span


class _Node:
    """Node of the tree; two are equal where they say the same, wherever they stand.

    Its dataclasses generate no comparison of their own: that would take most of the time that a check needs to start.
    """

    def _meaning(self) -> tuple[object, ...]:
        return tuple(value for name, value in vars(self).items() if name not in _BESIDE)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash((type(self), *self._meaning()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


_BESIDE = frozenset({"span", "broken", "complete", "comments"})
"""What a node knows beside its meaning."""


@dataclass(eq=False, repr=False)
class WrittenWord(_Node):
    """A name: a keyword, a layer kind, an activation, a constant, or a short option such as ``k3``."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class Number(_Node):
    """A number as it was written, with its unit: ``500k``, ``1e-3``, ``10%``, ``30min``."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class Size(_Node):
    """Two or more integers joined by ``x``: ``1x28x28``."""

    dims: tuple[int, ...]
    span: Span


@dataclass(eq=False, repr=False)
class QuotedText(_Node):
    """A string in double quotes, without them."""

    value: str
    span: Span


@dataclass(eq=False, repr=False)
class Operation(_Node):
    """``left operator right`` with one of ``+ - * /``.

    ``leaning`` says that a product is written ``8 *3``, with a space on the left of its operator alone, as no person
    writes a product.
    """

    operator: str
    left: "Value"
    right: "Value"
    span: Span
    leaning: bool = False


@dataclass(eq=False, repr=False)
class Parenthesised(_Node):
    """A sum in parentheses, which are part of its span."""

    value: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class Negative(_Node):
    """``-value``."""

    value: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class Divisor(_Node):
    """``/value``: a share of what stands elsewhere (``channels=/2``)."""

    value: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class Range(_Node):
    """``low..high``."""

    low: "Value"
    high: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class ComparisonSign(_Node):
    """A comparison that stands alone: one of ``< <= > >=``."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class WrittenOption(_Node):
    """``name=value``."""

    name: WrittenWord
    value: "Value"
    span: Span


Value = WrittenWord | Number | Size | QuotedText | Operation | Parenthesised | Negative | Divisor | Range
Item = Value | WrittenOption | ComparisonSign


@dataclass(eq=False, repr=False)
class Statement(_Node):
    """A word, its items and, where it has one, its block.

    ``span`` covers the word and its items, not the block. ``broken`` marks a statement of which a syntax error has cut
    something off: what it lacks is then no finding of its own.
    """

    head: WrittenWord
    items: tuple[Item, ...]
    block: "tuple[Statement, ...] | None"
    span: Span
    broken: bool = False

    def walk(self) -> "Iterator[Statement]":
        """Yield this statement and all inside its block, in the order of the text."""
        yield self
        for statement in self.block or ():
            yield from statement.walk()


@dataclass(eq=False, repr=False)
class Comment(_Node):
    """A comment with its ``#``, up to the end of its line."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class Spec(_Node):
    """A whole spec. ``complete`` is false when syntax errors have cost some of the text its meaning.

    ``comments`` are in the order of the text; which statement one speaks of, its ``StatementIndex`` knows.
    """

    statements: tuple[Statement, ...]
    complete: bool = True
    comments: tuple[Comment, ...] = ()

    def walk(self) -> Iterator[Statement]:
        """Every statement, in the order of the text."""
        for statement in self.statements:
            yield from statement.walk()
