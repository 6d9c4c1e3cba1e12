"""Indentation, by which a block is closed whose ``}`` is missing."""

from lark import Token

from caedsl.source import Source
from caedsl.syntax.tokens import span_of
from caedsl.syntax.tree import Statement


def of(source: Source, start: int) -> int | None:
    """Return the column of what starts at ``start``, counted from 0, if it is the first on its line."""
    column = source.position(start).column - 1
    return None if source.text[start - column : start].strip() else column


def has_left(source: Source, brace: Token, first: Statement, column: int, line_closes: bool) -> bool:
    """Return whether a line at ``column`` is outside the block of ``brace``, whose first statement is ``first``.

    ``line_closes`` says that the line starts with a ``}``, which closes a block at its own column.
    """
    line = source.line_text(source.position(span_of(brace).start).line)
    own = len(line) - len(line.lstrip())
    body = of(source, first.span.start)
    # A block on the line of its brace, as in `encoder { conv 8`, has no indentation: no deeper line belongs to it.
    return not ((body is not None and body <= own) or column > own or (line_closes and column == own))
