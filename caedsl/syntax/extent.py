"""Positions where the block of a statement opens and closes; the tree only has the position of the head."""

import re

from caedsl.syntax.tree import Statement

_COMMENT, _LINE_END = r"#[^\r\n]*", r"\r\n|\n|\r"
TRIVIA = re.compile(rf"[ \t]*(?:(?P<comment>{_COMMENT})|(?P<line_end>{_LINE_END})|;)")
"""Match one piece of the text between two statements."""

_OPENING = re.compile(rf"(?:[ \t]*(?:{_COMMENT}|{_LINE_END}|;))*[ \t]*\{{")


def opening(text: str, statement: Statement) -> int:
    """Return the place of the ``{`` of a statement with a block; that of its last character if there is none."""
    found = _OPENING.match(text, statement.span.end)
    return (found.end() if found else statement.span.end) - 1


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
    """Return the position after a statement and its block, whose ``{`` may be missing."""
    if statement.block is None:
        return statement.span.end
    if opening(text, statement) < statement.span.end:
        return end(text, statement.block[-1]) if statement.block else statement.span.end
    return min(closing(text, statement) + 1, len(text))
