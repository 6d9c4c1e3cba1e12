"""The last line of output: the number of findings, and of those that can be fixed."""

from collections.abc import Sequence

from caedsl.diagnostics.finding import Applicability, Report, Severity
from caedsl.diagnostics.text import counted


def summary(reports: Sequence[Report], checked: int) -> str:
    """Return one sentence about the findings of ``checked`` specs."""
    findings = [finding for report in reports for finding in report.findings]
    if not findings:
        return {0: "No spec was checked.", 1: "The spec is fine."}.get(checked, f"All {checked} specs are fine.")
    counts = [(sum(finding.severity is severity for finding in findings), severity.value) for severity in Severity]
    found = ", ".join(counted(count, word) for count, word in counts if count)
    fixes = [finding.fix.applicability for finding in findings if finding.fix]
    safe, unsafe = fixes.count(Applicability.SAFE), fixes.count(Applicability.UNSAFE)
    ways = [f"{safe} fixable with --fix"] if safe else []
    if unsafe:
        ways.append(f"{unsafe} {'more' if safe else 'fixable'} with --fix --unsafe-fixes")
    return f"Found {found} ({', '.join(ways)})." if ways else f"Found {found}."
