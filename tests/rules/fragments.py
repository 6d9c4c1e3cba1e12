"""Fragments of specs, as in the documentation of the rules, and their findings."""

from caedsl.diagnostics import Applicability, Finding
from caedsl.diagnostics.edits import apply_edits
from caedsl.rules.engine.checking import Checked, check_source
from caedsl.rules.engine.example import whole_spec
from caedsl.source import Source


def checked(fragment: str) -> Checked:
    return check_source(Source(whole_spec(fragment)))


def found(fragment: str, name: str) -> list[Finding]:
    """Return the findings of that name."""
    return [finding for finding in checked(fragment).findings if finding.name == name]


def the(fragment: str, name: str) -> Finding:
    """Return the one finding of that name."""
    (finding,) = found(fragment, name)
    return finding


def place(fragment: str, finding: Finding) -> str:
    """Return the text that the finding points at."""
    return Source(whole_spec(fragment)).slice(finding.primary.span)


def fixed(fragment: str, name: str, applicability: Applicability = Applicability.UNSAFE) -> str:
    """Return the text after fixing the one finding of that name, which the fix must remove."""
    finding = the(fragment, name)
    assert finding.fix is not None
    assert finding.fix.applicability is applicability
    text = apply_edits(whole_spec(fragment), finding.fix.edits)
    after = check_source(Source(text))
    assert name not in {other.name for other in after.findings}
    assert not after.has_errors
    return text
