"""Colour on a terminal: when to use it, and what each colour means."""

import os
from enum import Enum
from typing import TextIO

from caedsl.diagnostics.finding import Severity


class OutputStyle(Enum):
    """Role of a piece of output; the value is its ANSI code (SGR parameters)."""

    PLAIN = ""
    HEADLINE = "1"
    ERROR = "1;91"
    WARNING = "1;33"
    INFO = "1;96"
    FRAME = "1;94"
    HELP = "1;92"
    REMOVED = "91"
    ADDED = "92"


SEVERITY_STYLES = {
    Severity.ERROR: OutputStyle.ERROR,
    Severity.WARNING: OutputStyle.WARNING,
    Severity.INFO: OutputStyle.INFO,
}


def use_colour(stream: TextIO) -> bool:
    """Return whether to colour what is written to ``stream``.

    ``NO_COLOR`` (https://no-color.org) disables colour, and ``FORCE_COLOR`` other than ``0`` enables it. If neither is
    set, a terminal gets colour unless ``TERM`` is ``dumb``.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, style: OutputStyle, colour: bool) -> str:
    """Return ``text`` in ``style``, or unchanged without colour."""
    return f"\x1b[{style.value}m{text}\x1b[0m" if colour and text and style.value else text
