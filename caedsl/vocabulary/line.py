"""Layer line, as an author or the compiler writes it, before any shape is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from caedsl.source import Span
from caedsl.vocabulary.layer import Layer

_NOWHERE = Span(0, 0)


@dataclass(frozen=True, eq=False)
class Line:
    """Layer line, read once and placed as many times as it is repeated.

    ``kind`` is the name of a layer kind. ``options`` contains the options that the line or its ``defaults`` set; the
    kind's own defaults are filled in when the line is placed. ``spans`` are the places of the options written on the
    line, and ``at`` is the place of the line itself. ``children`` are the lines of its block. ``mirrors`` is the
    encoder layer that the line inverts. ``named`` is the name of its output. ``copies`` is how many times the line is
    placed in a row. ``broken`` marks a line that could not be read: no layer after it can be placed.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    spans: Mapping[str, Span] = field(default_factory=dict)
    children: tuple["Line", ...] = ()
    at: Span = _NOWHERE
    mirrors: Layer | None = None
    broken: bool = False
    named: str = ""
    copies: int = 1
