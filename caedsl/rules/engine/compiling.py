"""Compilation of a text, cached for the most recent texts.

A check compiles the same text several times: rules try a change before they propose it, and verifying the fix makes
that change again.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.bidirectional import bidirectional_controls
from caedsl.syntax.parser import parse
from caedsl.syntax.statements import StatementIndex
from caedsl.syntax.tree import Spec


class CompiledSpec(NamedTuple):
    """Tree of a text, its statements, its model (None if the text was too broken), and the compiler's findings."""

    spec: Spec
    statements: StatementIndex
    model: Autoencoder | None
    findings: tuple[Finding, ...]


@lru_cache(maxsize=8)
def compiled(text: str, path: str) -> CompiledSpec:
    """Compile a text: syntax, then the model; any text gives findings, never an exception."""
    source = Source(text, path)
    spec, syntax_findings = parse(source)
    model, model_findings = resolve(spec, source)
    index = StatementIndex(spec, text)
    faults = _outside_refused_blocks(_not_replaced(syntax_findings, model_findings), model_findings, index)
    model_findings = _outside_errors(faults, model_findings, index)
    return CompiledSpec(spec, index, model, (*faults, *bidirectional_controls(text), *model_findings))


def _not_replaced(faults: Sequence[Finding], findings: Sequence[Finding]) -> list[Finding]:
    """Return the syntax errors that no fix of another finding replaces: `padding='same'` is a single mistake."""
    edits = (edit for finding in findings if finding.fix for edit in finding.fix.edits)
    replaced = sorted(edit.span for edit in edits)

    def is_replaced(fault: Finding) -> bool:
        before = bisect_right(replaced, fault.primary.span)
        return before > 0 and fault.primary.span.start < replaced[before - 1].end

    return [fault for fault in faults if not is_replaced(fault)] if replaced else list(faults)


def _outside_refused_blocks(
    faults: Sequence[Finding], findings: Sequence[Finding], index: StatementIndex
) -> list[Finding]:
    """Return the syntax errors outside braces that their line does not take: `optimizer {lr: 1e-3}`."""
    refused = {finding.primary.span.start for finding in findings if finding.name == "unexpected-block"}
    if not refused:
        return list(faults)
    return [
        fault for fault in faults if not any(span.start in refused for span in index.around(fault.primary.span.start))
    ]


def _outside_errors(
    faults: Sequence[Finding], findings: tuple[Finding, ...], index: StatementIndex
) -> tuple[Finding, ...]:
    """Return the findings outside statements with a syntax error, which must be corrected first."""
    cut = [fault for fault in faults if fault.name == "syntax-error"]
    if not cut or not findings:
        return findings
    places = {index.at(fault.primary.span.start) for fault in cut}
    return tuple(finding for finding in findings if index.at(finding.primary.span.start) not in places)
