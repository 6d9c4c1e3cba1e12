"""Words that open blocks, by which a block is recognised although its ``{`` is missing."""

from collections.abc import Sequence

from lark import Token

from caedsl.syntax.keywords import BLOCKS, HOLDERS, STATEMENTS
from caedsl.syntax.tokens import NAME, OPEN
from caedsl.syntax.tree import Statement

_OPENERS = (*(word for word in HOLDERS if word != "bottleneck"), "residual", "shortcut")
_WITH_A_VALUE = ("stage", "repeat")
_NAMED_OPENERS = ("block", *_WITH_A_VALUE)
_WITHOUT_BLOCK = frozenset(STATEMENTS) - BLOCKS.keys()


def has_no_block(statement: Statement) -> bool:
    """Return whether a complete statement cannot have a block."""
    word = statement.head.text
    return word in _WITHOUT_BLOCK or (word in BLOCKS and BLOCKS[word] is None and bool(statement.items))


def opens_block(statement: Statement) -> bool:
    """Return whether a statement can only be the beginning of a block."""
    word = statement.head.text
    return word in _NAMED_OPENERS or (word in _OPENERS and not statement.items)


def opening_words(tokens: Sequence[Token], following: Sequence[Token]) -> int:
    """Return how many tokens of a statement open a block that its other tokens are the first line of.

    ``following`` is the token after the statement, if there is one.
    """
    word, count = tokens[0], 2 if tokens[0] in _WITH_A_VALUE else 1
    if len(tokens) <= count or tokens[count].type != NAME or tokens[count] == "mirror":
        return 0
    if word in HOLDERS:
        return count if word in _OPENERS else 0
    opens = any(token.type == OPEN for token in following)
    return 0 if opens or word not in (*_OPENERS, *_WITH_A_VALUE) else count
