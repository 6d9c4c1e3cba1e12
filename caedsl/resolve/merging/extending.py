"""``autoencoder NAME extends "base.cae"``: a variant states the differences, the base has the rest."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Label
from caedsl.resolve.merging.merge import NOWHERE, merge, rewritten
from caedsl.resolve.merging.origins import Origins, SourcePlace, WrittenOrigin, words
from caedsl.resolve.statement_words import EXTENDS
from caedsl.source import Source, Span
from caedsl.syntax import tree
from caedsl.syntax.parser import parse
from caedsl.syntax.reading import SourceError, read_source

MOST_BASES = 8
"""Limit a chain of specs that extend each other."""


class Expansion(NamedTuple):
    """Spec with the text of what it extends merged into it.

    Without ``origins`` the spec extends nothing. With ``findings`` it could not be expanded and is unchanged.
    """

    source: Source
    origins: Origins | None = None
    findings: tuple[Finding, ...] = ()


class _Unusable(Exception):
    """Reason why a base cannot be extended, and the remedy."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help


def expand(source: Source) -> Expansion:
    """Return the self-contained text of ``source``; files are read only for a spec that extends another."""
    if EXTENDS not in source.text:
        return Expansion(source)
    spec, findings = parse(source)
    link = _link(spec)
    if link is None:
        return Expansion(source)
    if findings:
        return Expansion(source, findings=findings)
    try:
        return _expanded(source, spec, (os.path.realpath(source.path),))
    except _Unusable as error:
        finding = Finding("unusable-base", error.message, Label(link), help=error.help)
        return Expansion(source, findings=(finding,))


def _link(spec: tree.Spec) -> Span | None:
    """Return the place of ``extends`` and the path after it."""
    for statement in spec.statements:
        if statement.head.text == "autoencoder":
            for item in statement.items[1:]:
                if isinstance(item, tree.WrittenWord) and item.text == EXTENDS:
                    return Span(item.span.start, statement.span.end)
    return None


def _expanded(source: Source, spec: tree.Spec, above: Sequence[str]) -> Expansion:
    """Return ``source`` merged into what it extends; ``above`` are the files that lead to it, itself last."""
    if _link(spec) is None:
        return Expansion(source)
    path = _path(source, spec)
    file = os.path.realpath(path)
    if file in above:
        raise _Unusable(
            f"`{path}` extends itself through this spec", "remove `extends` from the base, or extend another spec"
        )
    if len(above) > MOST_BASES:
        raise _Unusable(f"more than {MOST_BASES} specs extend each other in a row", "extend the first of them directly")
    try:
        base = read_source(path)
    except SourceError as error:
        message, _, help_line = str(error).partition("; ")
        raise _Unusable(message, help_line or "name a spec that can be read") from None
    base_spec, faults = parse(base)
    if faults:
        line, column = base.position(faults[0].primary.span.start)
        where = f"{path}:{line}:{column}"
        raise _Unusable(
            f"the base has a syntax error: {where}: {faults[0].message}", f"correct it: `caedsl check {path}`"
        )
    expanded = _expanded(base, base_spec, (*above, file))
    return combined(expanded, source)


def _path(source: Source, spec: tree.Spec) -> str:
    for statement in spec.statements:
        match statement:
            case tree.Statement(
                tree.WrittenWord("autoencoder"),
                (tree.WrittenWord(), tree.WrittenWord("extends"), tree.QuotedText(path)),
            ) if path:
                joined = os.path.join(os.path.dirname(source.path), path)
                short = os.path.normpath(joined)
                # After a symbolic link, `..` leads elsewhere than the path suggests.
                return short if os.path.realpath(short) == os.path.realpath(joined) else joined
    raise _Unusable("`extends` needs the path of one spec", 'write `autoencoder NAME extends "base.cae"`')


def combined(base: Expansion, variant: Source) -> Expansion:
    """Return the base as the variant changes it, with the origin of every word."""
    shift = len(base.source.text)
    # Padding before the variant's text places its words after those of the base, which tells the two apart.
    changes, _ = parse(Source("\n" * shift + variant.text.removeprefix("\ufeff"), variant.path))
    shift -= len(variant.text) - len(variant.text.removeprefix("\ufeff"))
    spec, _ = parse(base.source)
    whole = merge(spec, replace(changes, statements=tuple(map(_named_alone, changes.statements))))
    text = rewritten(base.source, spec, whole).text

    def written(span: Span) -> SourcePlace:
        if span.start >= len(base.source.text):
            return SourcePlace(variant, Span(span.start - shift, span.end - shift))
        return base.origins.locate(span) if base.origins else SourcePlace(base.source, span)

    result = Source(text, variant.path)
    placed = zip(words(parse(result)[0]), words(whole), strict=True)
    return Expansion(
        result, Origins(variant, text, [WrittenOrigin(span, written(old)) for span, old in placed if old != NOWHERE])
    )


def _named_alone(statement: tree.Statement) -> tree.Statement:
    """Return ``autoencoder NAME`` without ``extends``."""
    return replace(statement, items=statement.items[:1]) if statement.head.text == "autoencoder" else statement
