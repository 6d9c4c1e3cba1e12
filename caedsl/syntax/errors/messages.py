"""Messages for a statement that cannot be parsed: what was probably meant, and what to write instead.

Each explanation inspects the fault and returns a finding or None; the first finding is used. Its fix is a candidate,
which is kept only if the statement can be parsed with it.
"""

from collections.abc import Callable

from caedsl.diagnostics.finding import Edit, Finding, Label
from caedsl.source import Span
from caedsl.syntax.errors import assignments as assignment_messages
from caedsl.syntax.errors import blocks as block_messages
from caedsl.syntax.errors import brackets as bracket_messages
from caedsl.syntax.errors import calls as call_messages
from caedsl.syntax.errors import characters as character_messages
from caedsl.syntax.errors import foreign as foreign_messages
from caedsl.syntax.errors import paths as path_messages
from caedsl.syntax.errors import powers as power_messages
from caedsl.syntax.errors import separators as separator_messages
from caedsl.syntax.errors import values as value_messages
from caedsl.syntax.errors.wording import candidate_fix, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import OVERLONG, UNCLOSED, span_of

_LONGEST_HELP = 80


def explain(fault: Fault) -> Finding:
    """Return the one finding for a statement with a fault."""
    for explanation in _EXPLANATIONS:
        if finding := explanation(fault):
            return finding
    return _unexpected(fault)


def help_with(text: str) -> str:
    """Return the help line for a statement whose correction is ``text``, or an empty text if that would not help."""
    text = " ".join(text.strip("; \t").split())
    return f"write `{text}`" if text and len(text) <= _LONGEST_HELP else ""


def _unclosed_string(fault: Fault) -> Finding | None:
    found = fault.found
    if found is None or found.type != UNCLOSED:
        return None
    start = span_of(found).start
    written = found.rstrip()
    if written == '"':
        return _unopened_string(fault)
    end = start + len(written)
    one_word = not any(mark in written for mark in " \t;{}#")
    return Finding(
        "unclosed-string",
        "this string is not closed on its line",
        Label(Span(start, end), "opened here"),
        help='write `"` at the end of the path',
        fix=candidate_fix("close the string", Edit(Span(end, end), '"')) if one_word else None,
    )


def _unopened_string(fault: Fault) -> Finding:
    """Explain a quote with nothing after it, which most likely closes the text before it."""
    end = fault.tokens[fault.place].start_pos or 0
    line = fault.text[fault.span.start : end]
    start = end - len(line.split()[-1]) if line.split() and not line[-1:].isspace() else end
    return Finding(
        "unclosed-string",
        "this quotation mark is not paired on its line",
        Label(Span(end, end + 1)),
        help='write paths between two quotation marks: `"photos/"`',
        fix=candidate_fix("open the string", Edit(Span(start, start), '"')) if start < end else None,
    )


def _overlong(fault: Fault) -> Finding | None:
    found = fault.found
    if found is None or found.type != OVERLONG:
        return None
    return error(
        f"this number has {len(found):,} characters",
        span_of(found),
        help="write numbers in fewer than 40 characters, large ones with a unit or an exponent: `500k`, `1e12`",
    )


def _unexpected(fault: Fault) -> Finding:
    found, before = fault.found, fault.before
    if found is None:
        return error(f"{quoted(fault.text[slice(*fault.span)])} is incomplete", fault.span)
    after = f" after {quoted(before)}" if before is not None else ""
    return error(
        f"{quoted(found)} is unexpected{after}",
        span_of(found),
        help="a statement is a word, values and name=value options, separated by spaces: `conv 64 k3 relu l2=1e-3`",
    )


_EXPLANATIONS: tuple[Callable[[Fault], Finding | None], ...] = (
    _unclosed_string,
    _overlong,
    path_messages.path,
    foreign_messages.comment,
    block_messages.parameters,
    call_messages.call,
    call_messages.setting_call,
    call_messages.bottleneck_call,
    bracket_messages.sequence,
    separator_messages.comma,
    assignment_messages.colon,
    foreign_messages.arrow,
    foreign_messages.hyphen,
    assignment_messages.equals,
    foreign_messages.list_dash,
    power_messages.power,
    character_messages.character,
    foreign_messages.dotted,
    value_messages.line_end_in_parentheses,
    value_messages.line_end,
    value_messages.start,
    value_messages.operator_after_word,
    value_messages.minus,
    value_messages.missing,
    value_messages.parentheses,
    value_messages.second_range,
    value_messages.not_a_value,
)
