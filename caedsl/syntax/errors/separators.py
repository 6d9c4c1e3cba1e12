"""Explanations for commas."""

import re
from collections.abc import Sequence

from lark import Token

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding, Fix
from caedsl.source import Span
from caedsl.syntax.errors.call_lines import SHORT
from caedsl.syntax.errors.wording import candidate_fix, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import SETTINGS
from caedsl.syntax.tokens import span_of

_COMMAS = (
    (
        re.compile(r"(?<=\bin )-?[0-9.]+,[ \t]*-?[0-9]*\.?[0-9]+(?![\w.,])"),
        "..",
        "has a comma between two ends of a range",
    ),
    (
        re.compile(
            r"(?<![\w.,])(?<!only=)(?<!pad=)(?:0,[0-9]+|[0-9]+,[0-9]+(?=%|\.\.))(?:\.\.-?[0-9]+,[0-9]+)?(?![\w,])"
        ),
        ".",
        "has a decimal comma, but numbers have a decimal point",
    ),
    (re.compile(r"(?<![\w.,])[0-9]{1,3}(?:,[0-9]{3})+(?![\w.,])"), "", "has a comma between its digits"),
    (re.compile(r"(?<![\w.,])[ksd][0-9]+(?:,[0-9]+)+(?![\w.,])"), "x", "has a comma between two sizes"),
)
"""Match commas inside one number, with the replacement and the problem."""


def comma(fault: Fault) -> Finding | None:
    """Explain ``conv 64, k3, relu``."""
    found, before = fault.found, fault.before
    if found != ",":
        return None
    if fault.parenthesis is not None:
        return _in_parentheses(fault, found, fault.parenthesis)
    if (joined := _comma_in_number(fault) or _second_constant(fault)) is not None:
        return joined
    commas = [token for token in fault.tokens if token == ","]
    beside = fault.tokens[max(fault.place - 2, 0) : fault.place + 3]
    if fault.tokens[0] == "data" and fault.place + 1 < len(fault.tokens) and "=" not in beside:
        both = candidate_fix("write `else` for the comma", *(Edit(span_of(token), " else") for token in commas))
        return error("sources are separated by a comma, but need `else`", span_of(found), help="write `else`", fix=both)
    following = fault.tokens[fault.place + 1 : fault.place + 3]
    if valued := _decimal(fault) or _second_choice(fault, following):
        return valued
    if fault.place > 2 and fault.tokens[fault.place - 2] == "=" and following and following[0].type != "NAME":
        name = fault.tokens[fault.place - 3]
        if sizes := _sizes(fault, name):
            return sizes
        note = foreign_words.OPTION_NOTES.get(name)
        return error(f"`{name}=` has one value", span_of(found), help=note or f"write `{name}={before}`")
    if _starts_layer(fault, following) or {fault.tokens[0], *following[:1]} <= SETTINGS:
        parts = candidate_fix("write `;` for the comma", Edit(span_of(found), ";"))
        message = "there is a comma between two lines, but a new line or `;` separates them"
        return error(message, span_of(found), help="write `;`", fix=parts)
    if fault.tokens[0] == "loss":
        sum_ = candidate_fix("write `+` for the comma", *(Edit(span_of(token), " + ") for token in commas))
        return error(
            "losses are separated by a comma, but are added with `+`", span_of(found), help="write `+`", fix=sum_
        )
    edits = [Edit(span_of(token), "" if blank_after(fault, token) else " ") for token in commas]
    if before is None and len(fault.tokens) > 1:
        edits[0] = Edit(span_of(commas[0]), ";")
    title = "delete the comma" if len(commas) == 1 else "delete the commas"
    if before is not None:
        message = f"there is a comma after {quoted(before)}, but only spaces separate values"
        return error(message, span_of(found), help=title, fix=candidate_fix(title, *edits))
    return error(
        "there is a comma at the start of a statement, but a new line or `;` separates statements",
        span_of(found),
        help="delete it, or replace it by `;`",
        fix=candidate_fix("replace the comma by `;`" if len(fault.tokens) > 1 else title, *edits),
    )


def _second_choice(fault: Fault, following: Sequence[Token]) -> Finding | None:
    """Explain ``decoder mirror skips=add,concat``: after `decoder mirror`, every word belongs to an option."""
    is_option = fault.place > 2 and fault.tokens[fault.place - 2] == "="
    if not is_option or fault.tokens[0] != "decoder" or not following or "=" in following:
        return None
    name, before = fault.tokens[fault.place - 3], fault.before
    help_line = f"write `{name}={before}` or `{name}={following[0]}`"
    return error(f"`{name}=` has one value", span_of(fault.tokens[fault.place]), help=help_line)


def _in_parentheses(fault: Fault, mark: Token, opening: Token) -> Finding:
    """Explain ``conv 8 (k3, s2)`` and ``betas=(0.9, 0.99)``."""
    message = "parentheses group arithmetic and cannot contain commas"
    inside = fault.tokens[fault.tokens.index(opening) : fault.place]
    if "=" in inside or not any(token.type == "NAME" for token in inside):
        return error(message, span_of(mark), help="give each option one value: `k3x5`, `beta1=0.9`")
    return error(message, span_of(mark), help="remove them", fix=without_parentheses(fault))


def without_parentheses(fault: Fault) -> Fix:
    """Return the fix that removes the parentheses and commas of a statement."""
    marks = [token for token in fault.tokens if token in ("(", ",", ")")]
    return candidate_fix("remove them", *(space_for(token, fault.text) for token in marks))


def _second_constant(fault: Fault) -> Finding | None:
    """Explain ``let width = 8, depth = 2``."""
    found = fault.found
    if found is None or fault.tokens[0] != "let" or "=" not in fault.tokens[fault.place :]:
        return None
    constants = fault.text[slice(*fault.span)].removeprefix("let").split(",")
    help_line = f"write `{'; '.join(f'let {constant.strip()}' for constant in constants)}`"
    return error("`let` defines one constant, so a comma has no meaning in it", span_of(found), help=help_line)


def _sizes(fault: Fault, name: Token) -> Finding | None:
    """Explain ``k=3,5`` and ``stride=2,2``: a size for each axis."""
    option = foreign_words.OPTIONS.get(name, name)
    match = _SIZES.match(fault.text, span_of(name).end)
    if match is None or option not in (*SHORT, *SHORT.values(), *_OTHER_SIZES):
        return None
    sizes = re.findall(r"\d+", match[0])
    size = sizes[0] if len({*sizes}) == 1 else "x".join(sizes)
    short = SHORT.get(option, option if option in SHORT.values() else "")
    written = f"{short}{size}" if short else f"{option}={size}"
    span = Span(span_of(name).start, match.end())
    fix = candidate_fix(f"write `{written}`", Edit(span, written))
    message = f"`{name}=` has a comma between two sizes, which are joined by x"
    return error(message, span, help=f"write `{written}`", fix=fix)


def _decimal(fault: Fault) -> Finding | None:
    """Explain ``clip 1,5`` and ``lr=1,5e-3``: a comma in a number, and not between two sizes or labels."""
    place = fault.place
    if place > 2 and fault.tokens[place - 2] == "=":
        name = fault.tokens[place - 3]
        option = foreign_words.OPTIONS.get(name, name)
        if option in (*SHORT, *SHORT.values(), *_OTHER_SIZES, "only", "at", "milestones", "betas"):
            return None
    elif place != 2 or fault.tokens[0] not in _WITH_A_DECIMAL:
        return None
    before = fault.tokens[place - 1]
    match = _DECIMAL.match(fault.text, span_of(before).start)
    if match is None:
        return None
    written = match[0].replace(",", ".")
    fix = candidate_fix(f"write `{written}`", Edit(Span(*match.span()), written))
    message = f"`{match[0]}` has a decimal comma, but numbers have a decimal point"
    return error(message, Span(*match.span()), help=f"write `{written}`", fix=fix)


_DECIMAL = re.compile(r"\d+,\d+(?:e[+-]?\d+)?%?(?![\w.,])")
_WITH_A_DECIMAL = ("clip", "ema", "validation", "loss", "scale", "dropout", "leaky_relu", "elu", "tanh", "softcap")
"""Words whose first value may be a fraction."""

_SIZES = re.compile(r"\s*=\s*\d+(?:\s*,\s*\d+)+")
_OTHER_SIZES = ("pad", "output_pad")


def _starts_layer(fault: Fault, following: Sequence[Token]) -> bool:
    """Return whether a layer follows the comma: a word that is not an option, and its number."""
    if len(following) < 2 or following[0].type != "NAME" or not following[1][:1].isdigit():
        return False
    options = {*foreign_words.OPTIONS, *foreign_words.OPTIONS.values()}
    layer = fault.place > 1 and fault.tokens[1][:1].isdigit()
    return layer and following[0].lower() not in options and len(following[0]) > 1


def _comma_in_number(fault: Fault) -> Finding | None:
    """Explain ``1,000`` and ``k3,5``."""
    for pattern, between, what in _COMMAS:
        for match in pattern.finditer(fault.text, fault.span.start, fault.span.end):
            span = Span(*match.span())
            if fault.found is not None and span.start < span_of(fault.found).start < span.end:
                written = re.sub(r",[ \t]*", between, match[0])
                fix = candidate_fix(f"write `{written}`", Edit(span, written))
                return error(f"`{match[0]}` {what}", span, help=f"write `{written}`", fix=fix)
    return None


def space_for(mark: Token, text: str) -> Edit:
    """Return the edit that leaves one space for a parenthesis or a comma between two values."""
    span = span_of(mark)
    return Edit(span, "" if mark == ")" or text[span.end : span.end + 1].isspace() else " ")


def blank_after(fault: Fault, token: Token) -> bool:
    """Return whether a blank or the end of the line follows ``token``."""
    end = span_of(token).end
    return fault.text[end : end + 1] in ("", " ", "\t", "\r", "\n")
