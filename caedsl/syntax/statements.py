"""Mapping from positions in the text to statements, and from comments to the statements that they apply to."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from caedsl.source import Span
from caedsl.syntax.extent import TRIVIA
from caedsl.syntax.tree import Comment, Spec, Statement

_COMMENT = re.compile(r"#[^\r\n]*")
_LINE_END = re.compile(r"[\r\n]")


class _Ended(NamedTuple):
    """Position after the words of a statement, or after all of it if ``whole``."""

    place: int
    statement: Statement
    whole: bool


class StatementIndex:
    """The statements of a spec by position."""

    def __init__(self, spec: Spec, text: str) -> None:
        self.comments = spec.comments
        self._text = text
        self._statements = sorted(spec.walk(), key=lambda statement: statement.span)
        self._starts = [statement.span.start for statement in self._statements]
        self._parents: dict[Span, Span] = {}
        self._ended: list[_Ended] = []
        for statement in spec.statements:
            self._measure(statement)
        self._ended.sort(key=lambda ended: ended.place)
        self._ends = [ended.place for ended in self._ended]

    def _measure(self, statement: Statement) -> int:
        """Record where the words of a statement end, and where it ends with its block; return the latter."""
        end = statement.span.end
        self._ended.append(_Ended(end, statement, statement.block is None))
        if statement.block is not None:
            inside = max(end, self._text.find("{", end) + 1)
            for child in statement.block:
                self._parents[child.span] = statement.span
                inside = self._measure(child)
            while match := TRIVIA.match(self._text, inside):
                inside = match.end()
            end = max(inside, self._text.find("}", inside) + 1)
            self._ended.append(_Ended(end, statement, True))
        return end

    def at(self, place: int) -> Span | None:
        """Return the words of the statement at ``place``, or of the last one before it."""
        index = bisect_right(self._starts, place) - 1
        return self._statements[index].span if index >= 0 else None

    def around(self, place: int) -> Iterator[Span]:
        """Yield the words of the statement at ``place``, and of every statement whose block it is in."""
        span = self.at(place)
        while span is not None:
            yield span
            span = self._parents.get(span)

    def of_comment(self, comment: Comment) -> frozenset[Span]:
        """Return the words of the statements that a comment applies to.

        A comment after a statement applies to that statement, after a ``}`` to the whole block, and after a ``{`` to
        the words before it. A comment on its own line applies to the statement below it, including its block.
        """
        last = bisect_right(self._ends, comment.span.start) - 1
        if last >= 0 and not _LINE_END.search(self._text, self._ends[last], comment.span.start):
            _, statement, whole = self._ended[last]
            return _words(statement) if whole else frozenset({statement.span})
        following = bisect_left(self._starts, comment.span.end)
        if following == len(self._starts):
            return frozenset()
        between = self._text[comment.span.end : self._starts[following]]
        return frozenset() if "}" in _COMMENT.sub("", between) else _words(self._statements[following])


def _words(statement: Statement) -> frozenset[Span]:
    return frozenset(inner.span for inner in statement.walk())
