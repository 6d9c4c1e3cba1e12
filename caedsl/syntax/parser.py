"""Parsing of text to a tree: Lark's LALR parser and its tables."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

import lark

from caedsl.diagnostics.finding import Finding
from caedsl.source import Source, Span
from caedsl.syntax import limits
from caedsl.syntax.builder import TREE_BUILDER
from caedsl.syntax.grammar_tables import DATA, MEMO
from caedsl.syntax.lalr import Automaton
from caedsl.syntax.tree import Comment, Spec, Statement

_COMMENT_OR_STRING = re.compile(r'"[^"\r\n]*"?|(?P<comment>#[^\r\n]*)')
_BYTE_ORDER_MARK = "\ufeff"


def parse(source: Source) -> tuple[Spec, tuple[Finding, ...]]:
    """Return the tree of ``source`` and its syntax errors; never raise.

    If there are errors, the tree contains what could be read, and ``Spec.complete`` is false.
    """
    text = source.text
    if text.startswith(_BYTE_ORDER_MARK):
        text = " " + text[1:]  # keeps every offset unchanged
    spec, findings = _parsed(text)
    spec.comments = tuple(_comments(text)) if "#" in text else ()
    return spec, findings


def _parsed(text: str) -> tuple[Spec, tuple[Finding, ...]]:
    if limits.is_text(text) and limits.is_moderate(text):
        recent = _recent()
        spec: Spec | None = recent.continued(text) or automaton().parse(text)
        if spec is not None:
            if len(spec.statements) > 1:  # not the single statement that a variant changes
                recent.parsed = text, spec.statements
            return spec, ()
    from caedsl.syntax.recovery import recover

    return recover(text, automaton())


class _Recent:
    """Text that was parsed last, with its statements.

    A fix and a variant of a sweep change one place of a text; what is above that is not parsed again.
    """

    def __init__(self) -> None:
        self.parsed: tuple[str, tuple[Statement, ...]] = "", ()

    def continued(self, text: str) -> Spec | None:
        """Return the tree of a text that begins like the last one; None if it does not, or has a syntax error.

        A statement is the same if the text is up to the start of the next one.
        """
        known, statements = self.parsed
        starts = [statement.span.start for statement in statements[1:]]
        same = bisect_left(starts, True, key=lambda start: not text.startswith(known[:start]))
        rest = automaton().parse(text, starts[same - 1]) if same else None
        return None if rest is None else Spec((*statements[:same], *rest.statements))


@cache
def _recent() -> _Recent:
    return _Recent()


def _comments(text: str) -> Iterator[Comment]:
    """Yield every comment; a ``#`` inside a string starts none."""
    for match in _COMMENT_OR_STRING.finditer(text):
        if match["comment"]:
            words = match[0].rstrip(" \t")
            yield Comment(words, Span(match.start(), match.start() + len(words)))


@cache
def automaton() -> Automaton:
    """Return the tables of the parser, converted once per process."""
    return Automaton(grammar())


@cache
def grammar() -> lark.Lark:
    """Return the parser, loaded once per process from the tables in the package."""
    return lark.Lark._load_from_dict(DATA, MEMO, transformer=TREE_BUILDER)  # type: ignore[no-untyped-call, no-any-return]
