"""A source text, spans in it, and its lines and columns."""

import re
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

_LINE_ENDING = re.compile(r"\r\n|\n|\r")


class Span(NamedTuple):
    """The half-open range ``start..end`` of a source text, in code points."""

    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """Return the smallest span that covers this one and ``other``."""
        return Span(min(self.start, other.start), max(self.end, other.end))


class Position(NamedTuple):
    """Place as editors show it: line and column, both counted from 1."""

    line: int
    column: int


class Source:
    """Text of one spec and its path.

    The text is used as it was read: line endings are kept, and ``\\r\\n``, ``\\n`` and ``\\r`` each end a line.
    """

    def __init__(self, text: str, path: str = "<spec>") -> None:
        self.text = text
        self.path = path

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(ending.end() for ending in _LINE_ENDING.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """Return the line and column of ``offset``; the end of the text is a valid offset."""
        line = bisect_right(self._line_starts, offset) - 1
        return Position(line + 1, offset - self._line_starts[line] + 1)

    def line_text(self, line: int) -> str:
        """Return the text of line ``line`` (counted from 1) without its line ending."""
        start = self._line_starts[line - 1]
        end = self._line_starts[line] if line < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def slice(self, span: Span) -> str:
        """Return the text that ``span`` covers."""
        return self.text[span.start : span.end]
