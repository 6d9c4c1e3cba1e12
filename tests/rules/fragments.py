"""Fragments of specs, as the documentation of the rules shows them, and what is found in them."""

import re

from caedsl.diagnostics import Applicability, Finding
from caedsl.diagnostics.edits import apply_edits
from caedsl.rules.checking import Checked, check_source
from caedsl.source import Source

_BEFORE = {"autoencoder": "autoencoder example", "input": "input 1x28x28"}
_AFTER = {
    "encoder": "encoder { conv 8 relu; maxpool 2 }",
    "bottleneck": "bottleneck dense 16",
    "decoder": "decoder mirror",
}


def completed(fragment: str) -> str:
    """``fragment`` with the statements that it lacks; one that begins with `autoencoder` is whole."""
    if fragment.lstrip().startswith("autoencoder"):
        return fragment
    lacking = {word for word in (*_BEFORE, *_AFTER) if not re.search(rf"^[ \t]*{word}\b", fragment, re.M)}
    before = [line for word, line in _BEFORE.items() if word in lacking]
    after = [line for word, line in _AFTER.items() if word in lacking]
    return "\n".join([*before, fragment.strip("\n"), *after, ""])


def checked(fragment: str) -> Checked:
    return check_source(Source(completed(fragment)))


def found(fragment: str, name: str) -> list[Finding]:
    """The findings of that name."""
    return [finding for finding in checked(fragment).findings if finding.name == name]


def the(fragment: str, name: str) -> Finding:
    """The one finding of that name."""
    (finding,) = found(fragment, name)
    return finding


def place(fragment: str, finding: Finding) -> str:
    """The text that the finding points at."""
    return Source(completed(fragment)).slice(finding.primary.span)


def fixed(fragment: str, name: str, applicability: Applicability = Applicability.UNSAFE) -> str:
    """The text after the fix of the one finding of that name, which the fix must cure."""
    finding = the(fragment, name)
    assert finding.fix is not None
    assert finding.fix.applicability is applicability
    text = apply_edits(completed(fragment), finding.fix.edits)
    after = check_source(Source(text))
    assert name not in {other.name for other in after.findings}
    assert not after.has_errors
    return text
