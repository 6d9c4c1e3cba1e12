"""Findings as SARIF 2.1.0, the OASIS format for results of static analysis."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Report, RuleText, Severity, in_order
from caedsl.source import Source, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(reports: Sequence[Report], rules: Mapping[str, RuleText], version: str = "") -> str:
    """Return a SARIF log with one run; ``rules`` are by name, and ``version`` is caedsl's, if it is known."""
    driver: dict[str, Any] = {"name": "caedsl", "rules": [_rule(rule) for rule in rules.values()]}
    if version:
        driver["version"] = version
    places = {name: place for place, name in enumerate(rules)}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(source, finding, places) for source, finding in in_order(reports)],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: RuleText) -> dict[str, Any]:
    described = {
        "id": rule.code or rule.name,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _first_paragraph(rule)},
        "help": {"text": rule.documentation, "markdown": rule.documentation},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }
    return {**described, "helpUri": rule.url} if rule.url else described


def _first_paragraph(rule: RuleText) -> str:
    """Return the first paragraph of the documentation that is not a heading: viewers show it next to a result."""
    for paragraph in rule.documentation.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if not line.startswith("#")]
        if any(lines):
            return " ".join(lines).strip()
    return rule.summary


def _result(source: Source, finding: Finding, places: Mapping[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code or finding.name,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.explanation},
        "locations": [{"physicalLocation": _location(source, finding.primary.span)}],
    }
    if finding.name in places:
        result["ruleIndex"] = places[finding.name]
    if finding.related:
        result["relatedLocations"] = [_related(source, label, place) for place, label in enumerate(finding.related)]
    if finding.fix and finding.fix.applicability is not Applicability.DISPLAY:
        result["fixes"] = [_fix(source, finding.fix)]
    return result


def _related(source: Source, label: Label, place: int) -> dict[str, Any]:
    location = {"id": place, "physicalLocation": _location(source, label.span)}
    return {**location, "message": {"text": label.text}} if label.text else location


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(source, edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits
    ]
    return {
        "description": {"text": fix.title},
        "artifactChanges": [{"artifactLocation": {"uri": _uri(source.path)}, "replacements": replacements}],
        "properties": {"applicability": fix.applicability.value},
    }


def _location(source: Source, span: Span) -> dict[str, Any]:
    return {"artifactLocation": {"uri": _uri(source.path)}, "region": _region(source, span)}


def _region(source: Source, span: Span) -> dict[str, int]:
    start, end = source.position(span.start), source.position(span.end)
    return {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _uri(path: str) -> str:
    """Return ``path`` as a URI relative to the working directory, which viewers take for the root of the code."""
    relative = os.path.relpath(path) if os.path.isabs(path) else os.path.normpath(path)
    return quote(relative.replace(os.sep, "/"), safe="/", errors="replace")
