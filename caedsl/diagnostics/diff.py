"""Show what a command would change as a unified diff."""

import re

from caedsl.diagnostics.colour import OutputStyle, paint
from caedsl.diagnostics.text import printable, safe

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def unified_diff(before: str, after: str, path: str, colour: bool = False) -> str:
    """Return the change from ``before`` to ``after`` as ``patch`` reads it; empty if they are equal."""
    if before == after:
        return ""
    from difflib import unified_diff as compare

    lines = compare(_LINE.findall(before), _LINE.findall(after), printable(path), printable(path))
    return "".join(_draw(place, line, colour) for place, line in enumerate(lines))


def _draw(place: int, line: str, colour: bool) -> str:
    body = safe(line.removesuffix("\n"))
    if place < 2:
        style = OutputStyle.HEADLINE
    else:
        style = {"@": OutputStyle.INFO, "-": OutputStyle.REMOVED, "+": OutputStyle.ADDED}.get(
            line[0], OutputStyle.PLAIN
        )
    ending = "\n" if line.endswith("\n") else "\n\\ No newline at end of file\n"
    return paint(body, style, colour) + ending
