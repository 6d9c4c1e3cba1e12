"""Findings of a spec as Python and notebooks show them."""

from collections.abc import Iterable, Sequence
from html import escape

from caedsl.diagnostics.finding import Finding, Report, Severity
from caedsl.diagnostics.full import render_full
from caedsl.diagnostics.text import counted

_COLOURS = {Severity.ERROR: "#c5283d", Severity.WARNING: "#b07800", Severity.INFO: "#0072b2"}
_FRAME = "margin: 0 0 8px; padding: 6px 12px; overflow-x: auto; border-left: 4px solid"


class Findings(tuple[Finding, ...]):
    """Findings of a spec, as a tuple: a notebook shows each in a frame, and ``print`` prints what ``check`` prints."""

    reports: tuple[Report, ...]

    def __new__(cls, findings: Iterable[Finding], reports: Sequence[Report]) -> "Findings":
        """Hold ``findings``; ``reports`` has the same findings by the file that they are in."""
        made = super().__new__(cls, findings)
        made.reports = tuple(reports)
        return made

    def __repr__(self) -> str:
        counts = [(sum(finding.severity is severity for finding in self), severity.value) for severity in Severity]
        said = ", ".join(counted(count, word) for count, word in counts if count)
        return f"<findings: {said or 'none'}>"

    def __str__(self) -> str:
        return render_full(self.reports, colour=False)

    def _repr_html_(self) -> str:
        frames = [
            f'<pre style="{_FRAME} {_COLOURS[finding.severity]}">'
            f"{escape(render_full([Report(report.source, (finding,))], colour=False).strip())}</pre>"
            for report in self.reports
            for finding in report.findings
        ]
        return f"<div>{''.join(frames) or 'no findings'}</div>"
