"""Limits of what is read as a spec: files that are not text, and nesting that is too deep."""

import re

MAX_DEPTH = 32
"""Limit the nesting of blocks and of parentheses."""

MAX_OPERATORS = 100
"""Limit the operators in one statement: a long sum is as deep a tree as nested parentheses."""

MAX_FINDINGS = 20
"""Show at most this many syntax errors per text; more would add nothing new."""

_LONG_LINE = 2 * MAX_OPERATORS
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SAMPLE = 4096
_STRAY = 2  # control characters that may be typed by mistake


def is_text(text: str) -> bool:
    """Return whether ``text`` can be written by a person: no NUL, and hardly any control characters at its start."""
    sample = text[:_SAMPLE]
    control = len(_CONTROL.findall(sample))
    return "\0" not in text and (control <= _STRAY or 20 * control <= len(sample))


def is_moderate(text: str) -> bool:
    """Return whether a quick look shows that ``text`` keeps the limits; if not, each statement is measured.

    The operators of a statement are on one line, with something between every two of them.
    """
    return (
        text.count("{") <= MAX_DEPTH
        and text.count("(") <= MAX_DEPTH
        and max(map(len, text.split("\n")), default=0) <= _LONG_LINE
    )
