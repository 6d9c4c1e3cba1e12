"""Explanations of the findings that the compiler reports by itself: one Markdown file a name, in ``explanations/``."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from caedsl.diagnostics.finding import Severity

_FOLDER = Path(__file__).parent / "explanations"
_FENCE = "---\n"


class Explanation(NamedTuple):
    """The code, the severity and the documentation of one finding."""

    code: str
    name: str
    severity: Severity
    documentation: str


@cache
def explained_names() -> tuple[str, ...]:
    """Return the name of every explanation, in alphabetical order; no file is read for it."""
    return tuple(sorted(path.stem for path in _FOLDER.iterdir() if path.suffix == ".md"))


@cache
def explanation(name: str) -> Explanation:
    """Read the explanation of the finding ``name``: a header of ``key: value`` lines, then Markdown."""
    header, _, documentation = (_FOLDER / f"{name}.md").read_text("utf-8").removeprefix(_FENCE).partition(_FENCE)
    fields = dict(line.split(": ", 1) for line in header.splitlines())
    return Explanation(fields["code"], name, Severity(fields["severity"]), documentation.strip())
