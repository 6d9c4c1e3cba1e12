"""Explanations for texts in other formats: JSON, YAML, INI and Python files, patches, and unmerged files."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label
from caedsl.source import Span

_STATEMENTS = "write one statement per line: `autoencoder a`, `input 1x28x28`, `encoder { conv 16 s2 relu }`"
_NEW = f"{_STATEMENTS}; `caedsl new NAME` writes a spec to start from"
_MOST_PLACES = 12


class _Format(NamedTuple):
    """Kind of text: what a finding says about it, the lines by which it is known, and the fewest of these."""

    message: str
    line: re.Pattern[str]
    help: str
    fewest: int = 1
    needs: re.Pattern[str] | None = None
    """Another line that a text of this format has, while it has no braces."""


_FENCE = re.compile(r"^[ \t]*```[^\r\n]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
_FORMATS = (
    _Format(
        "this text has the marks of a merge conflict",
        re.compile(r"^(?:<{7}|={7}|>{7})(?=[ \r\n]|\Z)[^\r\n]*", re.MULTILINE),
        "keep one of the two versions, and delete the lines with the marks",
        fewest=2,
    ),
    _Format(
        "this is a patch, not a spec",
        re.compile(r"^(?:@@ -\d|\+\+\+ \S|--- \S)[^\r\n]*", re.MULTILINE),
        "apply it with `git apply`, and check the file that it changes",
        fewest=2,
    ),
    _Format("this is JSON, not a spec", re.compile(r"""\A\s*(?:\{\s*["'}]|\[\s*[{"'])"""), _NEW),
    _Format("this is a page in HTML or XML, not a spec", re.compile(r"\A\s*<[!?A-Za-z][^\r\n]*"), _NEW),
    _Format(
        "this is Python code, not a spec",
        re.compile(r"^(?:from [\w.]+ import |import [\w.]+|(?:class|def) \w+[^\r\n]*:[ \t]*(?:#|$))", re.MULTILINE),
        f"`caedsl import` writes the spec of a model that Python has built; by hand, {_STATEMENTS}",
    ),
    _Format(
        "a name in brackets opens no section: the lines of a block are in braces",
        re.compile(r"^[ \t]*(\[{1,2}[A-Za-z_][\w. -]*\]{1,2})[ \t]*(?=#|\r|\n|\Z)", re.MULTILINE),
        "write a block as `encoder { conv 16 s2 relu }`, and the lines of other sections without a heading",
    ),
    _Format(
        "the lines of a document are marked by three backticks, which a spec does not have",
        _FENCE,
        "delete the lines with the backticks",
    ),
    _Format(
        "this is YAML, not a spec: a space separates a word from its values, and braces hold a block",
        re.compile(r"^[ \t]*(?:- )?([A-Za-z_]\w*:)(?=[ \t\r\n]|\Z)", re.MULTILINE),
        _STATEMENTS,
        fewest=3,
        needs=re.compile(r"^\w+:[ \t]*\r?$", re.MULTILINE),
    ),
)


def other_format(text: str) -> Finding | None:
    """Return the one finding about a text that is not written as a spec at all, or None."""
    for format_ in _FORMATS:
        matches = list(islice(format_.line.finditer(text), _MOST_PLACES))
        is_complete = format_.needs is None or ("{" not in text and format_.needs.search(text) is not None)
        if len(matches) >= format_.fewest and is_complete:
            first, *others = (Label(Span(*match.span(match.lastindex or 0))) for match in matches)
            edits = tuple(_removals(text)) if format_.line is _FENCE else ()
            fix = Fix("delete these lines", edits, Applicability.SAFE) if edits else None
            return Finding("syntax-error", format_.message, first, tuple(others), help=format_.help, fix=fix)
    return None


def _removals(text: str) -> Iterator[Edit]:
    return (Edit(Span(*match.span()), "") for match in _FENCE.finditer(text))
