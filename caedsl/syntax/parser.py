"""Parsing of text to a tree: Lark's LALR parser and its tables."""

import re
from collections.abc import Iterator
from functools import cache

import lark

from caedsl.diagnostics.finding import Finding
from caedsl.source import Source, Span
from caedsl.syntax import limits
from caedsl.syntax.builder import TREE_BUILDER
from caedsl.syntax.grammar_tables import DATA, MEMO
from caedsl.syntax.lalr import Automaton
from caedsl.syntax.tree import Comment, Spec

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
        spec = automaton().parse(text)
        if spec is not None:
            return spec, ()
    from caedsl.syntax.recovery import recover

    return recover(text, automaton())


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
