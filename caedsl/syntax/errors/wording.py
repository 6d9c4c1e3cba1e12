"""Parts of the messages about statements."""

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label
from caedsl.source import Span

_LONGEST_QUOTE = 40


def error(message: str, span: Span, label: str = "", help: str = "", fix: Fix | None = None) -> Finding:
    """Return a ``syntax-error`` at ``span``."""
    return Finding("syntax-error", message, Label(span, label), help=help, fix=fix)


def proposal(title: str, *edits: Edit) -> Fix:
    """Return a fix that is safe if the statement can be parsed with it."""
    return Fix(title, edits, Applicability.SAFE)


def quoted(text: str) -> str:
    """Return ``text`` between backticks, on one line and shortened."""
    line = " ".join(text.split())
    return f"`{line}`" if len(line) <= _LONGEST_QUOTE else f"`{line[: _LONGEST_QUOTE - 1]}…`"


def as_spec(text: str) -> str:
    """Return ``text`` between backticks, on one line and complete, as it can be copied into a spec."""
    return f"`{' '.join(text.split())}`"
