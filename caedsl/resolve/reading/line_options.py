"""Options that a line sets, and the defaults of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from caedsl.resolve.reading.misreads import called, is_called_by_its_type
from caedsl.resolve.reading.respelling import example_of
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.option import REQUIRED, Option, Written


@dataclass
class LineOptions:
    """Options of one line: the ``values`` that are written in it, and their ``spans``."""

    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    """Options that are written but could not be read; their defaults are used."""
    faults: list[str] = field(default_factory=list)
    """Names of the findings about this line."""
    lost: bool = False
    """Whether some word of the line has no meaning that could be guessed."""


def filled(
    bound: LineOptions, options: Sequence[Option], statement: tree.Statement, scope: Scope
) -> dict[str, Any] | None:
    """Return all options with defaults filled in, or None and a finding if a required one is missing."""
    values = {option.name: bound.values.get(option.name, option.default) for option in options}
    missing = [option for option in options if values[option.name] is REQUIRED]
    if not missing:
        return values
    for option in () if bound.lost or "unexpected-value" in bound.faults else missing:
        # A word without a meaning probably stands for the value.
        meant = bool(bound.faults) and option.written is Written.FIRST
        if option.name not in bound.failed and not meant and not statement.broken:
            _report_missing(option, statement, scope)
    return None


def _report_missing(option: Option, statement: tree.Statement, scope: Scope) -> None:
    head = statement.head
    example = example_of(option, head.text)
    rest = scope.source.slice(Span(head.span.end, statement.span.end))
    line = f"{head.text} {example}{rest}" if option.written is Written.FIRST else f"{head.text}{rest} {example}"
    what = "a value" if option.name == head.text else called(option)
    needed = option.type.value if is_called_by_its_type(option) else f"{what}: {option.type.value}"
    if option.choices:
        needed = f"one of {', '.join(option.choices)}"
    scope.report("missing-value", statement.span, f"`{head.text}` needs {needed}", help=f"write `{line}`")
