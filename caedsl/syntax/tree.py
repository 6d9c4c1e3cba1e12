"""The syntax tree: what a spec says, before anything it says is looked up.

Nodes compare by meaning: spans are left out, so two texts that differ in layout alone have equal trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from caedsl.source import Span


@dataclass(frozen=True)
class Word:
    """A name: a keyword, a layer kind, an activation, a constant, or a short option such as ``k3``."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Number:
    """A number as it was written, with its unit: ``500k``, ``1e-3``, ``10%``, ``30min``."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Size:
    """Two or more integers joined by ``x``: ``1x28x28``."""

    dims: tuple[int, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Text:
    """A string in double quotes, without them."""

    value: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Operation:
    """``left operator right`` with one of ``+ - * /``.

    ``leaning`` says that a product is written ``8 *3``, with a space on the left of its operator alone, as no person
    writes a product.
    """

    operator: str
    left: "Value"
    right: "Value"
    span: Span = field(compare=False)
    leaning: bool = False


@dataclass(frozen=True)
class Group:
    """A sum in parentheses, which are part of its span."""

    value: "Value"
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Negative:
    """``-value``."""

    value: "Value"
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Divisor:
    """``/value``: a share of what stands elsewhere (``channels=/2``)."""

    value: "Value"
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Range:
    """``low..high``."""

    low: "Value"
    high: "Value"
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Sign:
    """A comparison that stands alone: one of ``< <= > >=``."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True)
class Option:
    """``name=value``."""

    name: Word
    value: "Value"
    span: Span = field(compare=False)


Value = Word | Number | Size | Text | Operation | Group | Negative | Divisor | Range
Item = Value | Option | Sign


@dataclass(frozen=True)
class Statement:
    """A word, its items and, where it has one, its block.

    ``span`` covers the word and its items, not the block. ``broken`` marks a statement of which a syntax error has cut
    something off: what it lacks is then no finding of its own.
    """

    head: Word
    items: tuple[Item, ...]
    block: "tuple[Statement, ...] | None"
    span: Span = field(compare=False)
    broken: bool = field(default=False, compare=False)

    def walk(self) -> "Iterator[Statement]":
        """Yield this statement and all inside its block, in the order of the text."""
        yield self
        for statement in self.block or ():
            yield from statement.walk()


@dataclass(frozen=True)
class Spec:
    """A whole spec. ``complete`` is false when syntax errors have cost some of the text its meaning."""

    statements: tuple[Statement, ...]
    complete: bool = field(default=True, compare=False)

    def walk(self) -> Iterator[Statement]:
        """Every statement, in the order of the text."""
        for statement in self.statements:
            yield from statement.walk()
