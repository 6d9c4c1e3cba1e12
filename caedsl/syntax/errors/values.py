"""Explanations for values that are missing, incomplete or in the wrong place."""

import re
from dataclasses import replace

from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.finding import Edit, Finding, Fix, Label
from caedsl.source import Span
from caedsl.syntax.errors.separators import without_parentheses
from caedsl.syntax.errors.wording import as_spec, candidate_fix, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import END, NEGATION, OPERATORS, span_of

_COPIES_FIRST = re.compile(r"(\d+)\s*[x*]\s+(\w.*)")
"""Match `3x conv 16`."""

_COUNT_FIRST = re.compile(r"(\d+)\s+([A-Za-z]\w*)\b(.*)", re.DOTALL)
"""Match `16 conv k3`."""
_NUMBERED = re.compile(r"\d+[.)]\s+([A-Za-z]\w*\b.*)", re.DOTALL)
"""Match `1. conv 16`."""
_DOCSTRING = re.compile(r"(\"\"\"|''')([^\r\n]*?)\1")

_LAST_WORD = re.compile(r"(?:^|[\n;{])[ \t]*([a-z]\w*)[ \t]*(?:#[^\n]*)?\n\s*\Z")
"""Match a line of a single word at the end of a text."""
_NEAR = 200

_RANGE_HELP = "write `LOW..HIGH`: `0..1`"
_WANT_VALUE = OPERATORS | {"EQUAL", NEGATION, "LPAR"}


def line_end_in_parentheses(fault: Fault) -> Finding | None:
    """Explain ``(1 +`` with the rest on the next line."""
    opening, found = fault.parenthesis, fault.found
    if opening is None or found is None or found.type != END:
        return None
    label = "opened here, closed on a later line"
    message = "this parenthesis is not closed on its line"
    return error(message, span_of(opening), label, "write it on one line", _on_one_line(fault))


def line_end(fault: Fault) -> Finding | None:
    """Explain ``let`` and ``loss mse +`` with the rest on the next line."""
    found = fault.found
    if found is None or found.type != END:
        return None
    start = Span(fault.span.start, span_of(fault.tokens[fault.place - 1]).end)
    message = f"{quoted(fault.text[slice(*start)])} continues on the next line, but a statement ends with its line"
    return error(message, start, help="write it on one line", fix=_on_one_line(fault))


def _on_one_line(fault: Fault) -> Fix | None:
    """Return the fix that joins the lines, or None if there is a comment between them."""
    ends = [token for token in fault.tokens if token.type == END]
    if any("#" in token for token in ends):
        return None
    edits = (Edit(span_of(end), "" if _is_tight(fault.text[: span_of(end).start]) else " ") for end in ends)
    return candidate_fix("write it on one line", *edits)


def _is_tight(text: str) -> bool:
    """Return whether ``text`` ends with an option such as ``lr=``, which no space separates from its value."""
    return text.endswith("=") and not text[-2:-1].isspace()


def start(fault: Fault) -> Finding | None:
    """Explain a statement that starts with anything but a word."""
    found = fault.found
    if fault.place or found is None:
        return None
    message = f"a statement must start with a word, not with {quoted(found)}"
    if copies := _COPIES_FIRST.match(fault.text[fault.span.start : fault.span.end]):
        line = f"{copies[2]} x{copies[1]}"
        if foreign_layers.is_layer(copies[2].split()[0]):
            return error(message, span_of(found), help=f"write {as_spec(line)}")
    if swapped := _COUNT_FIRST.match(fault.text[fault.span.start : fault.span.end]):
        line = f"{swapped[2]} {swapped[1]}{swapped[3]}"
        if foreign_layers.is_layer(swapped[2]):
            fix = candidate_fix(f"write `{line}`", Edit(fault.span, line))
            return error(message, span_of(found), help=f"write {as_spec(line)}", fix=fix)
    if numbered := _NUMBERED.match(fault.text[fault.span.start : fault.span.end]):
        line = numbered[1]
        fix = candidate_fix(f"write `{line}`", Edit(fault.span, line))
        return error("lines have no numbers before them", span_of(found), help=f"write {as_spec(line)}", fix=fix)
    if note := _DOCSTRING.match(fault.text, fault.span.start):
        return error("comments start with `#`", Span(*note.span()), help=f"write `# {note[2].strip()}`")
    if found.type in OPERATORS or found in ("=", "..", ")"):
        return error(message, span_of(found), help="a statement ends with its line: write it on one line")
    if word := _LAST_WORD.search(fault.text, max(fault.span.start - _NEAR, 0), fault.span.start):
        line = f"{word[1]} {fault.text[fault.span.start : fault.span.end]}{' { … }' if fault.opens_block else ''}"
        return error(message, span_of(found), help=f"write {as_spec(line)} on one line")
    return error(
        message, span_of(found), help="start with the word of the line: `conv 64`, `input 1x28x28`, `loss mse`"
    )


def operator_after_word(fault: Fault) -> Finding | None:
    """Explain ``epochs + 3``."""
    found = fault.found
    if fault.place != 1 or found is None or not (found.type in OPERATORS or found == ".."):
        return None
    joined = "".join(fault.tokens[:3])
    if found == "-" and len(fault.tokens) > 2 and foreign_layers.is_layer(joined.replace("-", "_")):
        return error(
            f"{quoted(joined)} is a difference, because names have no hyphens",
            span_of(fault.tokens[0]).to(span_of(fault.tokens[2])),
            help=f"write `{fault.before}`",
        )
    message = f"there is a `{found}` after `{fault.before}`, which is the word of the statement and not a value"
    help_line = _RANGE_HELP if found == ".." else f"write a value between them: `{fault.before} 1 {found} …`"
    return error(message, span_of(found), help=help_line)


def minus(fault: Fault) -> Finding | None:
    """Explain a minus directly before a number, where it should subtract or cannot be a sign."""
    found, before = fault.found, fault.before
    if found is None or found.type != NEGATION or before is None:
        return None
    span = span_of(found)
    number = fault.tokens[fault.place + 1] if fault.place + 1 < len(fault.tokens) else "1"
    if before.type in OPERATORS:
        return error(
            f"the sign of `-{number}` follows `{before}`",
            span_of(before).to(span),
            help=f"put the negative value in parentheses: `(-{number})`",
        )
    if fault.parenthesis is None:
        return None
    return error(
        f"`-{number}` is a negative value, not a difference, because the minus has a space only on its left",
        span,
        help=f"write `- {number}` for a difference",
        fix=candidate_fix("write a space after the minus", Edit(Span(span.end, span.end), " ")),
    )


def missing(fault: Fault) -> Finding | None:
    """Explain ``kernel=``, ``0..`` and ``2 +`` without a valid value after them."""
    found, before = fault.found, fault.before
    if before is None or not (before.type in _WANT_VALUE or before == ".."):
        return None
    if found is not None and found.type not in OPERATORS and found not in ("=", "..", ")"):
        return None
    place = span_of(before)
    gap = "" if found is None else f" before {quoted(found)}"
    match before.type:
        case "EQUAL":
            name = fault.tokens[fault.place - 2]
            help_line = f"write the value after the `=`, or remove `{name}=`"
            return error(f"`{name}=` has no value{gap}", span_of(name).to(place), help=help_line)
        case "LPAR" if found is not None and found == ")":
            return _empty_parentheses(fault, place.to(span_of(found)))
        case "LPAR" if found is None:
            return _unclosed_parenthesis(fault)
        case "LPAR":
            message = f"a value is missing between `(` and {quoted(found or '')}"
            return error(message, place, help=f"write a value before {quoted(found or '')}, or remove the `(`")
        case kind if kind in OPERATORS or kind == NEGATION:
            between = f"a value is missing between {quoted(before)} and {quoted(found)}" if found is not None else ""
            message = between or f"`{before}` has no value after it"
            return error(message, place, help="write the whole expression on one line: a statement ends with its line")
    low = fault.tokens[fault.place - 2]
    return error(
        f"the range `{low}..` has no upper end{gap}",
        span_of(low).to(place),
        help=f"write both ends: `{low}..N`; a one-sided bound is `>= {low}`",
    )


def _empty_parentheses(fault: Fault, span: Span) -> Finding:
    """Explain ``relu()`` and ``( )``."""
    word = fault.tokens[fault.place - 2] if fault.place > 1 else None
    if word is None or word.type != "NAME" or span_of(word).end != span.start:
        return error("these parentheses are empty", span, help="write a value between them")
    plain = foreign_words.plain_loss(word)
    table = foreign_words.LOSSES if fault.tokens[0] == "loss" else foreign_words.WORDS
    meant = table.get(plain, plain)
    fix = candidate_fix(f"write `{meant}`", Edit(span_of(word).to(span), meant))
    help_line = f"write `{meant}`"
    return error(f"`{word}()` is written as a call: write the word only", span, help=help_line, fix=fix)


def parentheses(fault: Fault) -> Finding | None:
    """Explain a parenthesis that is never closed, closes nothing, or contains two values."""
    found, before, opening = fault.found, fault.before, fault.parenthesis
    if opening is None:
        if found == ")":
            return error("this `)` closes nothing", span_of(found), help="delete it, or open it with `(`")
        return None
    if found is None:
        return _unclosed_parenthesis(fault)
    if found == "=":
        message = f"`{before}=` is in parentheses, but only spaces separate options"
        fix = without_parentheses(fault)
        return error(
            message, span_of(found), help="write options without parentheses: `optimizer adam lr=1e-3`", fix=fix
        )
    if before is None or found.type in OPERATORS:
        return None
    return error(
        f"{quoted(found)} follows {quoted(before)} in parentheses without an operator between them",
        span_of(found),
        help="parentheses contain one value: close them with `)`, or write `+`, `-`, `*` or `/` between the two",
    )


def second_range(fault: Fault) -> Finding | None:
    """Explain ``1..2..3``, and ``..`` after something that is not a number."""
    if fault.found != ".." or fault.before is None:
        return None
    if any(token == ".." for token in fault.tokens[: fault.place]):
        return error("a range has two ends, but this is a third one", span_of(fault.found), help=_RANGE_HELP)
    return error(f"a range cannot start with {quoted(fault.before)}", span_of(fault.found), help=_RANGE_HELP)


def not_a_value(fault: Fault) -> Finding | None:
    """Explain anything else instead of a value."""
    found, before = fault.found, fault.before
    if found is None or before is None or not (before.type in _WANT_VALUE or before == ".."):
        return None
    return error(
        f"{quoted(found)} is not a value, but {quoted(before)} needs one",
        span_of(found),
        help="write a number, a size, a word or a path in quotes",
    )


def _unclosed_parenthesis(fault: Fault) -> Finding:
    opening = fault.parenthesis
    assert opening is not None
    finding = error("this `(` is never closed", span_of(opening), help="write `)` where the expression ends")
    end = Label(Span(fault.span.end, fault.span.end), "the statement ends here")
    return replace(finding, related=(end,))
