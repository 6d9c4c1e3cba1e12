"""Syntax tree: what a spec says, before any name is resolved.

Nodes compare by meaning: spans are ignored, so two texts that differ only in layout have equal trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from caedsl.source import Span


class _Node:
    """Node of the tree; two nodes are equal if they have the same meaning, wherever they are.

    The dataclasses do not generate a comparison of their own, because that would take most of the start-up time of a
    check.
    """

    def _meaning(self) -> tuple[object, ...]:
        return tuple(value for name, value in vars(self).items() if name not in _WITHOUT_MEANING)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash((type(self), *self._meaning()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


_WITHOUT_MEANING = frozenset({"span", "broken", "complete", "comments"})
"""Fields of a node that are not part of its meaning."""


@dataclass(eq=False, repr=False)
class WrittenWord(_Node):
    """Name: a keyword, a layer kind, an activation, a constant, or a short option such as ``k3``."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class Number(_Node):
    """Number as written, with its unit: ``500k``, ``1e-3``, ``10%``, ``30min``."""

    text: str
    span: Span


@dataclass(eq=False, repr=False)
class Size(_Node):
    """Two or more integers joined by ``x``: ``1x28x28``."""

    dims: tuple[int, ...]
    span: Span


@dataclass(eq=False, repr=False)
class QuotedText(_Node):
    """String in double quotes, without the quotes."""

    value: str
    span: Span


@dataclass(eq=False, repr=False)
class Operation(_Node):
    """Operation ``left operator right`` with one of ``+ - * /``.

    ``space_before_only`` marks a product written ``8 *3``, with a space only before the operator: probably two values.
    """

    operator: str
    left: "Value"
    right: "Value"
    span: Span
    space_before_only: bool = False


@dataclass(eq=False, repr=False)
class Parenthesised(_Node):
    """Expression in parentheses, which are part of its span."""

    value: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class Negative(_Node):
    """``-value``."""

    value: "Value"
    span: Span


@dataclass(eq=False, repr=False)
class Divisor(_Node):
    """``/value``: a fraction of a number elsewhere (``channels=/2``)."""

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
    """Comparison sign without operands: one of ``< <= > >=``."""

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
    """Word, its items and, if it has one, its block.

    ``span`` covers the word and its items, not the block. ``broken`` marks a statement that a syntax error has cut off,
    so what it lacks is not reported separately.
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
    """Whole spec. ``complete`` is false if syntax errors made part of the text unreadable."""

    statements: tuple[Statement, ...]
    complete: bool = True
    comments: tuple[Comment, ...] = ()

    def walk(self) -> Iterator[Statement]:
        """Yield every statement, in the order of the text."""
        for statement in self.statements:
            yield from statement.walk()
