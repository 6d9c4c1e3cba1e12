"""Layer lines that name no constant, so that they have the same numbers in every variant."""

from caedsl.rules.edits.settings import words
from caedsl.source import Span
from caedsl.syntax.tree import Spec, Statement, WrittenOption, WrittenWord

_LAYERS = ("encoder", "bottleneck", "decoder", "block")


def plain_lines(spec: Spec) -> dict[Span, Statement]:
    """Return the layer statements that name no constant and no parameter of a block, by their places."""
    names = set()
    for statement in spec.statements:
        for item in statement.items if statement.head.text in ("let", "block") else ():
            match item:
                case WrittenWord(text=name) | WrittenOption(name=WrittenWord(text=name)):
                    names.add(name)
    return {
        statement.span: statement
        for top in spec.statements
        if top.head.text in _LAYERS
        for statement in top.walk()
        if not any(word.text in names for item in statement.items for word in words(item))
    }
