"""Positions where the block of a statement opens and closes; the tree only has the position of the head."""

import re

from caedsl.syntax.tree import Statement

TRIVIA = re.compile(r"[ \t]*(?:(?P<comment>#[^\r\n]*)|(?P<line_end>\r\n|\n|\r)|;)")
"""Match one piece of the text between two statements."""


def opening(text: str, statement: Statement) -> int:
    """Return the place of the ``{`` of a statement with a block."""
    return text.index("{", statement.span.end)


def closing(text: str, statement: Statement) -> int:
    """Return the place of the ``}`` of a statement with a block; the end of the text where it is never closed."""
    place = opening(text, statement) + 1
    for child in statement.block or ():
        place = end(text, child)
    while match := TRIVIA.match(text, place):
        place = match.end()
    found = text.find("}", place)
    return len(text) if found < 0 else found


def end(text: str, statement: Statement) -> int:
    """Return the position after a statement and its block."""
    return statement.span.end if statement.block is None else min(closing(text, statement) + 1, len(text))
