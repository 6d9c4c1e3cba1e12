"""Blocks without braces: ``encoder`` on a line of its own, and its layers on the lines after it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.diagnostics.foreign_layers import is_layer
from caedsl.resolve.scope import Scope
from caedsl.resolve.settings_table import SETTINGS
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end
from caedsl.vocabulary.layers import KINDS


def with_braces(
    statements: Sequence[tree.Statement], words: Sequence[str], blocks: Sequence[str], scope: Scope
) -> Iterator[tree.Statement]:
    """Yield ``statements``, where one of ``blocks`` without braces has the lines up to the next of ``words`` inside."""
    place = 0
    while place < len(statements):
        statement, place = statements[place], place + 1
        inside: list[tree.Statement] = []
        if _lacks_block(statement, words, blocks, scope):
            while place < len(statements) and _belongs_inside(statements[place], words, scope):
                inside.append(statements[place])
                place += 1
        if inside:
            if not statement.broken and (statement.head.text in words or statement.items or inside[0].block is None):
                _report(statement, inside[-1], scope)
            # Variants are made from the tree, where the sweep has no lines.
            block = () if statement.head.text == "sweep" else tuple(inside)
            statement = replace(statement, block=block, broken=True)
        yield statement


def _lacks_block(statement: tree.Statement, words: Sequence[str], blocks: Sequence[str], scope: Scope) -> bool:
    word = statement.head.text
    if statement.block is not None or (statement.items and word != "block"):
        return False
    return word in blocks or (word not in words and scope.nearest(word, words, foreign_words.STATEMENTS) in blocks)


def _belongs_inside(statement: tree.Statement, words: Sequence[str], scope: Scope) -> bool:
    """Return whether a line after a block's word is a layer or a setting, and not a misspelt statement."""
    word = statement.head.text
    if word in words or word in foreign_words.STATEMENT_LINES:
        return False
    if word in KINDS or word in SETTINGS or word in scope.blocks or is_layer(word) or "." in word:
        return True
    return scope.nearest(word, words, foreign_words.STATEMENTS) is None


def _report(statement: tree.Statement, last: tree.Statement, scope: Scope) -> None:
    text, start = scope.source.text, statement.span.end
    last_end = end(text, last)
    line_end = last_end + len(text[last_end:].partition("\n")[0].rstrip("\r"))
    edits = (Edit(Span(start, start), " {"), Edit(Span(line_end, line_end), "\n}"))
    scope.report(
        "missing-block",
        statement.span,
        f"the lines after `{statement.head.text}` belong in braces",
        help=f"write `{scope.source.slice(statement.span)} {{`, and `}}` after the last of these lines",
        fix=Fix("write the braces", edits, Applicability.SAFE),
    )
