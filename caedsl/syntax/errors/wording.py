"""Parts of the messages about statements."""

import re
from collections.abc import Sequence

from lark import Token

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label
from caedsl.source import Span

_LONGEST_QUOTE = 40


def error(message: str, span: Span, label: str = "", help: str = "", fix: Fix | None = None) -> Finding:
    """Return a ``syntax-error`` at ``span``."""
    return Finding("syntax-error", message, Label(span, label), help=help, fix=fix)


def candidate_fix(title: str, *edits: Edit) -> Fix:
    """Return a fix that is safe if the statement can be parsed with it."""
    return Fix(title, edits, Applicability.SAFE)


def quoted(text: str) -> str:
    """Return ``text`` between backticks, on one line and shortened."""
    line = " ".join(text.split())
    return f"`{line}`" if len(line) <= _LONGEST_QUOTE else f"`{line[: _LONGEST_QUOTE - 1]}…`"


def rewritten(match: re.Match[str], text: str, why: str, *others: Edit) -> Finding:
    """Return the finding about what ``match`` found, with the fix that writes ``text`` there and makes ``others``."""
    span = Span(*match.span())
    fix = candidate_fix(f"write {quoted(text)}", *sorted((*others, Edit(span, text))))
    return error(f"{quoted(match[0])} {why}", span, help=f"write `{text}`", fix=fix)


def as_spec(text: str) -> str:
    """Return ``text`` between backticks, on one line and complete, as it can be copied into a spec."""
    return f"`{' '.join(text.split())}`"


def before_pattern(path: str, file: str = "") -> str:
    """Return the folder in which the pattern ``photos/*.png`` starts, or a ``file`` in it."""
    return re.sub(r"[^/]*\*.*", file, path) or "."


def is_used(word: str, text: str) -> bool:
    """Return whether a line of ``text`` has ``word`` as a value, and not as its first word or as an option's name."""
    return re.search(rf"\w[ =]{word}(?![\w.]|[ \t]*[=:])", text) is not None


def is_line_head(word: str, text: str) -> bool:
    """Return whether a line of ``text`` starts with ``word``."""
    return re.search(rf"(?:^|[\n;{{])[ \t]*{word}\b", text) is not None


def touch(one: Token, other: Token) -> bool:
    """Return whether nothing is between two tokens."""
    return one.end_pos == other.start_pos


def input_size(value: str) -> str:
    """Return ``(28, 28, 1)`` and ``28 x 28 x 1`` as the size of an input, channels first; else an empty text."""
    match = _SIZES.fullmatch(value.strip())
    return size_text(re.findall(r"\d+", match[0]), is_input=True) if match else ""


def size_text(numbers: Sequence[str], is_input: bool) -> str:
    """Return numbers as one size; those of an input have the channels first, and one if there are only equal sides."""
    if is_input and len(numbers) == 2 and numbers[0] == numbers[1]:  # the sides of an image
        numbers = ("1", *numbers)
    channels_last = is_input and len(numbers) == 3 and numbers[2] in ("1", "3") and int(numbers[0]) > 4
    return "x".join((numbers[2], *numbers[:2]) if channels_last else numbers)


_SIZES = re.compile(r"[(\[]?\s*\d{1,9}(?:\s*[,x*]\s*\d{1,9})+\s*,?\s*[)\]]?")
