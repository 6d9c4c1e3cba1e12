"""What is known while a spec is resolved: its constants, its defaults, and the findings so far."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Finding, Fix, Label
from caedsl.source import Source, Span


class Constant(NamedTuple):
    """The value of a ``let`` and the place of its name."""

    value: Fraction
    span: Span


class Defaults(NamedTuple):
    """The options of a ``defaults`` line and where each is written."""

    values: Mapping[str, Any]
    spans: Mapping[str, Span]


class Scope:
    """The state of one resolution; findings are collected here so that every step can go on with its best result."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.constants: dict[str, Constant] = {}
        self.used: set[str] = set()
        self.defaults: dict[str, Defaults] = {}
        self.findings: list[Finding] = []
        self.layers_placed = 0

    def report(
        self,
        name: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",
        fix: Fix | None = None,
    ) -> None:
        """Adds a finding of the rule ``name`` at ``span``."""
        self.findings.append(Finding(name, message, Label(span, label), related, notes, help, fix))
