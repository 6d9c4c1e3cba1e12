"""What is not read as a spec: what is no text, and nesting that neither a reader nor a recursion would survive."""

import re

MAX_DEPTH = 32
"""Blocks in blocks, and parentheses in parentheses."""

MAX_OPERATORS = 100
"""Operators in one statement: a long sum is as deep a tree as nested parentheses."""

_LONG_LINE = 2 * MAX_OPERATORS
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SAMPLE = 4096
_STRAY = 2  # control characters that a slip of the keyboard may leave


def is_text(text: str) -> bool:
    """Whether ``text`` can have been written by a person: no NUL, and next to no control characters at its start."""
    sample = text[:_SAMPLE]
    control = len(_CONTROL.findall(sample))
    return "\0" not in text and (control <= _STRAY or 20 * control <= len(sample))


def is_moderate(text: str) -> bool:
    """Whether ``text`` is certain to keep the limits, at a glance; where it is not, each statement is measured.

    The operators of a statement stand on one line, with something between each two of them.
    """
    return (
        text.count("{") <= MAX_DEPTH
        and text.count("(") <= MAX_DEPTH
        and max(map(len, text.split("\n")), default=0) <= _LONG_LINE
    )
