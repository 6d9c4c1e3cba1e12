"""Explanations of the compiler's own findings: one Markdown file per name, in ``explanations/``."""

import os
from functools import cache
from typing import NamedTuple

from caedsl.diagnostics.finding import Finding, Severity

_FOLDER = os.path.join(os.path.dirname(__file__), "explanations")
_ENDING = ".md"
_FENCE = "---\n"


class Explanation(NamedTuple):
    """Code, severity and documentation of one finding."""

    code: str
    name: str
    severity: Severity
    documentation: str


@cache
def explained_names() -> tuple[str, ...]:
    """Return the name of every explanation, in alphabetical order, without reading the files."""
    return tuple(sorted(name.removesuffix(_ENDING) for name in os.listdir(_FOLDER) if name.endswith(_ENDING)))


@cache
def explanation(name: str) -> Explanation:
    """Read the explanation of the finding ``name``: a header of ``key: value`` lines, then Markdown."""
    with open(os.path.join(_FOLDER, name + _ENDING), encoding="utf-8") as file:
        header, _, documentation = file.read().removeprefix(_FENCE).partition(_FENCE)
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    return Explanation(fields["code"], name, Severity(fields["severity"]), documentation.strip())


def is_error(finding: Finding) -> bool:
    """Return whether a finding is an error, even if its code and severity are not filled in yet."""
    if not finding.code and finding.name in explained_names():
        return explanation(finding.name).severity is Severity.ERROR
    return finding.severity is Severity.ERROR
