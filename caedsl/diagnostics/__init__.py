"""Findings and their output formats: one renderer per file, each a pure function from reports to text.

Rendered text ends with a line break, or is empty if there is nothing to report.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from caedsl.diagnostics.finding import (
    Applicability,
    Edit,
    Finding,
    Fix,
    Label,
    Report,
    RuleText,
    Severity,
    in_order,
)

__all__ = [
    "FORMATS",
    "Applicability",
    "Edit",
    "Finding",
    "Fix",
    "Label",
    "RenderSettings",
    "Report",
    "RuleText",
    "Severity",
    "in_order",
]


class RenderSettings(NamedTuple):
    """Settings of a renderer: ``colour`` and ``width`` of the terminal, the rules by name, caedsl's version."""

    colour: bool = False
    width: int = 100
    rules: Mapping[str, RuleText] = {}
    version: str = ""


def _full(reports: Sequence[Report], settings: RenderSettings) -> str:
    from caedsl.diagnostics.full import render_full

    return render_full(reports, settings.colour, settings.width)


def _concise(reports: Sequence[Report], settings: RenderSettings) -> str:
    from caedsl.diagnostics.concise import render_concise

    return render_concise(reports)


def _json(reports: Sequence[Report], settings: RenderSettings) -> str:
    from caedsl.diagnostics.json import render_json

    return render_json(reports)


def _sarif(reports: Sequence[Report], settings: RenderSettings) -> str:
    from caedsl.diagnostics.sarif import render_sarif

    return render_sarif(reports, settings.rules, settings.version)


def _github(reports: Sequence[Report], settings: RenderSettings) -> str:
    from caedsl.diagnostics.github import render_github

    return render_github(reports)


FORMATS: Mapping[str, Callable[[Sequence[Report], RenderSettings], str]] = {
    "full": _full,
    "concise": _concise,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}
"""Every output format by name; a renderer is imported on first use."""
