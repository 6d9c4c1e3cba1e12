"""Explanations for characters that no token has: typographic marks, quotation marks, signs of other languages."""

import re
from collections.abc import Callable

from caedsl.diagnostics.finding import Edit, Finding, Fix
from caedsl.source import Span
from caedsl.syntax import characters
from caedsl.syntax.errors.wording import candidate_fix, error, rewritten, touch
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import INVALID, span_of


def _in_quotes(fault: Fault) -> Finding | None:
    """Explain ``'8'`` and ``'relu'``, where no path or reason can be."""
    match = _IN_QUOTES.match(fault.text, span_of(fault.found).start if fault.found else 0)
    if match is None or not fault.place or fault.tokens[0] in ("data", "autoencoder", "allow"):
        return None
    return rewritten(match, match[1], "is in quotation marks, which only paths have")


_IN_QUOTES = re.compile(r"'(\w[\w.+-]*%?)'")


def _other_source(fault: Fault) -> Finding | None:
    """Explain ``data mnist | digits``."""
    if fault.tokens[0] != "data" or fault.found not in ("|", "&"):
        return None
    span = span_of(fault.found)
    fix = candidate_fix("write `else`", Edit(span, "else"))
    return error(f"sources are separated by `{fault.found}`, but need `else`", span, help="write `else`", fix=fix)


def _kernel_after(fault: Fault) -> Finding | None:
    """Explain ``conv 16@3x3``: channels and a kernel."""
    match = _KERNEL_AFTER.match(fault.text, span_of(fault.tokens[fault.place]).start)
    if match is None or fault.before is None or fault.before.type != "NUMBER" or fault.place != 2:
        return None
    if fault.tokens[0] not in ("conv", "deconv"):
        return None
    sides = match[1].split("x")
    kernel = f"k{sides[0] if len({*sides}) == 1 else match[1]}"
    span = Span(*match.span())
    space = "" if fault.text[span.start - 1].isspace() else " "
    fix = candidate_fix(f"write `{kernel}`", Edit(span, space + kernel))
    line = f"{fault.tokens[0]} {fault.before} {kernel}"
    return error("`@` has no meaning in a spec: a kernel starts with `k`", span, help=f"write `{line}`", fix=fix)


_KERNEL_AFTER = re.compile(r"@[ \t]*(\d+(?:x\d+)*)(?![\w.])")


def _space_before_percent(fault: Fault) -> Finding | None:
    """Explain ``10 %``."""
    found, before = fault.found, fault.before
    if found != "%" or before is None or before.type != "NUMBER":
        return None
    fix = candidate_fix("delete the space", Edit(Span(span_of(before).end, span_of(found).start), ""))
    message = f"there is a space between `{before}` and its `%`"
    return error(message, span_of(found), help=f"write `{before}%`", fix=fix)


def _glued_percent(fault: Fault) -> Finding | None:
    """Explain ``dropout10%``."""
    found, before = fault.found, fault.before
    number = _NUMBER_AT_END.search(before) if found == "%" and before is not None else None
    if found is None or before is None or number is None:
        return None
    place = span_of(before).start + number.start()
    fix = candidate_fix("write a space", Edit(Span(place, place), " "))
    return error(f"`{before}%` lacks the space before its number", span_of(before).to(span_of(found)), fix=fix)


_NUMBER_AT_END = re.compile(r"\d+$")


def _typographic(fault: Fault) -> Finding | None:
    """Explain ``×``, ``…`` and invisible spaces."""
    found = fault.found
    meant = characters.meant_by(found.value) if found is not None else None
    if found is None or meant is None:
        return None
    is_visible = bool(meant.meant.strip())
    return error(
        f"{f'`{found}`' if is_visible else characters.in_words(found)} is {meant.name}: {meant.reason}",
        span_of(found),
        help=f"write `{meant.meant}` instead" if is_visible else "type it again",
        fix=_plain_characters(fault),
    )


def _plain_characters(fault: Fault) -> Fix | None:
    """Return edits that replace all such characters of the statement, unless a dash may stand for a range: `1–3`."""
    edits = []
    for token in fault.tokens:
        meant = characters.meant_by(token.value) if token.type == INVALID else None
        if meant is not None:
            start = span_of(token).start
            if meant.meant == "-" and fault.text[start - 1 : start].isdigit():
                return None
            edits.append(Edit(span_of(token), meant.meant))
    return candidate_fix("write plain characters", *edits) if edits else None


def _without_meaning(fault: Fault) -> Finding | None:
    """Explain letters of other alphabets, and signs that no spec has, such as those of ``relu!`` and ``dense 16@5``."""
    found = fault.found
    if found is None:
        return None
    span, called = span_of(found), characters.in_words(found)
    if found.isalpha():
        help_line = "names are made of the letters a to z and A to Z, digits and `_`"
        return error(f"{called} cannot be part of a name", span, help=help_line)
    joined = fault.tokens[fault.place : fault.place + 2]
    is_between = fault.before is not None and len(joined) == 2 and touch(fault.before, found) and touch(*joined)
    help_line = f"delete `{''.join(joined)}`" if is_between and joined[1].type == "NUMBER" else "delete it"
    return error(f"{called} has no meaning in a spec", span, help=help_line)


_EXPLANATIONS: tuple[Callable[[Fault], Finding | None], ...] = (
    _space_before_percent,
    _in_quotes,
    _other_source,
    _glued_percent,
    _kernel_after,
    _typographic,
    _without_meaning,
)


def character(fault: Fault) -> Finding | None:
    """Explain a character that no other token contains; the first explanation is used."""
    if fault.found is None or fault.found.type != INVALID:
        return None
    return next(filter(None, (explanation(fault) for explanation in _EXPLANATIONS)), None)
