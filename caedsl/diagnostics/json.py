"""Findings as JSON, for programs."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from caedsl.diagnostics.finding import Finding, Report, in_order
from caedsl.source import Source, Span


def render_json(reports: Sequence[Report]) -> str:
    """Return ``{"findings": [...]}``, counting from 1 in code points; the end column is exclusive."""
    findings = [_finding(source, finding) for source, finding in in_order(reports)]
    return json.dumps({"findings": findings}, indent=2) + "\n"


def _finding(source: Source, finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "label": finding.primary.text,
        "path": source.path,
        **_place(source, finding.primary.span),
        "notes": list(finding.notes),
        "data": finite(finding.data),
        "help": finding.help,
        "related": [{"message": label.text, **_place(source, label.span)} for label in finding.related],
        "fix": _fix(source, finding),
    }


def finite(value: Any) -> Any:
    """Return a value with None in place of infinity and NaN, which JSON does not have."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): finite(inner) for name, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def _fix(source: Source, finding: Finding) -> dict[str, Any] | None:
    if finding.fix is None:
        return None
    return {
        "title": finding.fix.title,
        "applicability": finding.fix.applicability.value,
        "edits": [{**_place(source, edit.span), "text": edit.text} for edit in finding.fix.edits],
    }


def _place(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(span.end)
    return {"line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column}
