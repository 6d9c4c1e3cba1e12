"""Colour on a terminal: when it is wanted, and which colour means what."""

import os
from enum import Enum
from typing import TextIO

from caedsl.diagnostics.finding import Severity


class OutputStyle(Enum):
    """What a piece of output is; the value is its ANSI code (SGR parameters)."""

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
    """Whether to colour what is written to ``stream``.

    ``NO_COLOR`` (https://no-color.org) forbids it, ``FORCE_COLOR`` other than ``0`` asks for it, and where neither is
    set a terminal gets colour unless ``TERM`` is ``dumb``.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, style: OutputStyle, colour: bool) -> str:
    """``text`` in ``style``, or as it is where there is no colour."""
    return f"\x1b[{style.value}m{text}\x1b[0m" if colour and text and style.value else text
