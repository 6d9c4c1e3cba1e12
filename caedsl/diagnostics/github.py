"""Findings as GitHub workflow commands, which appear as annotations of a pull request."""

from collections.abc import Sequence

from caedsl.diagnostics.finding import Finding, Report, Severity, in_order
from caedsl.diagnostics.text import safe
from caedsl.source import Source

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(reports: Sequence[Report]) -> str:
    """Return one workflow command per finding.

    Source: "Workflow commands for GitHub Actions", GitHub Docs. Columns are given only if the span stays in one line:
    GitHub ignores an annotation with columns and several lines.
    """
    return "".join(f"{_command(source, finding)}\n" for source, finding in in_order(reports))


def _command(source: Source, finding: Finding) -> str:
    start, end = source.position(finding.primary.span.start), source.position(finding.primary.span.end)
    properties: dict[str, object] = {"title": f"caedsl ({finding.rule})", "file": source.path, "line": start.line}
    if start.line == end.line:
        properties |= {"col": start.column, "endLine": end.line, "endColumn": end.column}
    else:
        properties |= {"endLine": end.line}
    listed = ",".join(f"{name}={_escape_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escape(finding.explanation)}"


def _escape(text: str) -> str:
    """Return ``text`` escaped for a command, without terminal control characters except line ends."""
    return safe(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
