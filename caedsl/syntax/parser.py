"""From text to tree: Lark's LALR parser, the grammar it reads, and the cache that makes it start quickly."""

import os
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import lark
from lark.exceptions import UnexpectedInput

from caedsl.diagnostics.finding import Finding
from caedsl.source import Source
from caedsl.syntax import limits
from caedsl.syntax.builder import TREE_BUILDER
from caedsl.syntax.tree import Spec

_GRAMMAR = Path("grammars", "cae.lark")
_BYTE_ORDER_MARK = "\ufeff"


def parse(source: Source) -> tuple[Spec, tuple[Finding, ...]]:
    """The tree of ``source`` and its syntax errors; never raises.

    With errors the tree holds what could be read, and ``Spec.complete`` is false.
    """
    text = source.text
    if text.startswith(_BYTE_ORDER_MARK):
        text = " " + text[1:]  # every offset stays what it is
    if limits.is_text(text) and limits.is_moderate(text):
        try:
            return grammar().parse(text, start="spec"), ()  # type: ignore[return-value]  # the builder's Spec
        except UnexpectedInput:
            pass
    from caedsl.syntax.recovery import recover

    return recover(text, grammar())


@cache
def grammar() -> lark.Lark:
    """The parser, built once a process and loaded from the user's cache where that is possible."""
    text = _grammar_text()
    return lark.Lark(
        text,
        parser="lalr",
        lexer="basic",
        start=["spec", "head", "unreadable"],
        maybe_placeholders=False,
        transformer=TREE_BUILDER,
        cache=_cache_file(text) or False,
    )


def _grammar_text() -> str:
    """The grammar, which lies in the package when installed and beside it in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / _GRAMMAR
    return (shipped if shipped.exists() else package.parent / _GRAMMAR).read_text("utf-8")


def _cache_file(grammar_text: str) -> str:
    """Where the analysed grammar is kept, or nothing where no folder can be written.

    Lark rebuilds what it cannot read, so that a damaged file costs time and nothing else.
    """
    if os.name == "nt":
        folder = os.environ.get("LOCALAPPDATA", "")
    else:
        folder = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(folder):
        return ""
    folder = os.path.join(folder, "caedsl")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return ""
    digest = sha256(grammar_text.encode()).hexdigest()[:16]
    return os.path.join(folder, f"grammar-{digest}-lark{lark.__version__}-{sys.implementation.cache_tag}.bin")
