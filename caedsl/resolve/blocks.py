"""Blocks of ``encoder`` and ``decoder``, read with the ``defaults`` above them."""

from caedsl.resolve.reading.lines import read_lines
from caedsl.resolve.scope import Scope
from caedsl.resolve.statement_words import StatementsByWord
from caedsl.vocabulary.line import Line

_EXAMPLES = {
    "encoder": "encoder { conv 16 relu; maxpool 2 }",
    "decoder": "decoder { upsample 2; conv 1 sigmoid }",
}


def read_block(word: str, found: StatementsByWord, scope: Scope) -> tuple[Line, ...] | None:
    """Return the Lines in the block of ``word``, or None if it has none."""
    statement = found.single.get(word)
    if statement is None or statement.block is None:
        return None
    if not statement.block:
        if not statement.broken:
            scope.report(
                "missing-block",
                statement.span,
                f"the {word} has no layers",
                help=f"write `{_EXAMPLES[word]}`",
            )
        return None
    scope.apply_defaults(found.defaults[word])
    return read_lines(statement.block, scope)
