"""Explanations for the notations of other languages: Python's names, C's comments, arrows, lists with dashes."""

import re

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding
from caedsl.diagnostics.foreign_layers import is_layer
from caedsl.source import Span
from caedsl.syntax.errors.wording import candidate_fix, error, quoted, touch
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import FOREIGN_COMMENT, NEGATION, span_of


def comment(fault: Fault) -> Finding | None:
    """Explain ``// …``, ``-- …`` and ``/* … */``."""
    found = fault.found
    if found is None or found.type != FOREIGN_COMMENT:
        return None
    span = span_of(found)
    words = found[2:].removesuffix("*/").strip(" \t*/")
    fix = None
    if found is fault.tokens[-1] and "\n" not in found and "\r" not in found:
        fix = candidate_fix("start the comment with `#`", Edit(span, f"# {words}".rstrip()))
    return error(
        f"comments start with `#`, not with `{found[:2]}`",
        Span(span.start, span.start + 2),
        help="write `# …`: it ends with its line",
        fix=fix,
    )


def arrow(fault: Fault) -> Finding | None:
    """Explain ``conv 64 -> relu`` and ``=>``."""
    sign = next((token for token in fault.tokens[fault.place : fault.place + 2] if token == ">"), None)
    line = fault.tokens[fault.tokens.index(sign) - 1] if sign is not None else None
    if sign is None or line not in ("-", "=") or not touch(line, sign):
        return None
    value = fault.text[span_of(sign).end : fault.span.end].strip()
    if _names_output(fault, value):
        message = f"`{line}> {value}` is not the name of an output: `as` names one"
        fix = candidate_fix(f"write `as {value}`", Edit(span_of(line).to(span_of(sign)), "as"))
        return error(message, span_of(line).to(span_of(sign)), help=f"write `as {value}`", fix=fix)
    help_line = "write one layer per line, starting at the input, with its activation on the same line: `conv 64 relu`"
    if line == "=" and value[:1].isdigit():
        help_line = f"write `{fault.tokens[0]} >= {value}`"
    return error(
        f"`{line}>` has no meaning in a spec",
        span_of(line).to(span_of(sign)),
        help=help_line,
    )


def _names_output(fault: Fault, value: str) -> bool:
    """Return whether a layer is followed by one word that another line reads as the name of an output."""
    is_read = value.isidentifier() and re.search(rf"\b(?:add|concat|multiply)[ \t]+{value}\b", fault.text)
    return bool(is_read) and is_layer(fault.tokens[0])


def dotted(fault: Fault) -> Finding | None:
    """Explain ``loss nn.MSELoss``."""
    found = fault.found
    if (
        found is None
        or not fault.place
        or not all(part.isidentifier() for part in found.split("."))
        or "." not in found
    ):
        return None
    plain = foreign_words.plain_loss(found)
    table = foreign_words.LOSSES if fault.tokens[0] == "loss" else foreign_words.WORDS
    meant = table.get(plain, plain)
    return error(
        f"{quoted(found)} is a name of Python: words of a spec have no dots",
        span_of(found),
        help=f"write `{fault.before} {meant}`" if fault.place == 1 else f"write `{meant}`",
    )


def list_dash(fault: Fault) -> Finding | None:
    """Explain ``- conv 64``."""
    found = fault.found
    if fault.place or found is None or found.type not in ("MINUS", NEGATION, "TIMES", "PLUS") or len(fault.tokens) == 1:
        return None
    if fault.tokens[1].type != "NAME":
        return None
    span = span_of(found)
    delete = Edit(Span(span.start, span_of(fault.tokens[1]).start), "")
    return error(
        f"this line starts with `{found}`: lines of a block need no list mark",
        span,
        help=f"delete the `{found}`",
        fix=candidate_fix(f"delete the `{found}`", delete),
    )


def hyphen(fault: Fault) -> Finding | None:
    """Explain ``weight-decay=0.1`` and ``max-pool 2``."""
    for place, token in enumerate(fault.tokens[: fault.place + 1]):
        parts = fault.tokens[max(place - 1, 0) : place + 2]
        if token == "-" and len(parts) == 3 and touch(parts[0], token) and touch(token, parts[2]):
            is_head, is_option = place == 1, place + 2 == fault.place and fault.found == "="
            if (is_head or is_option) and parts[0].type == parts[2].type == "NAME":
                name = f"{parts[0]}_{parts[2]}"
                start = span_of(parts[0]).to(span_of(parts[2]))
                if is_option and (name != "weight_decay" or is_layer(fault.tokens[0])):
                    name = foreign_words.OPTIONS.get(name, name)
                elif (line := foreign_words.SETTINGS.get(foreign_words.plain_setting(name), ("",))[0]).endswith(" {}"):
                    name = line.removesuffix(" {}")
                return error(
                    f"`{parts[0]}-{parts[2]}` is a difference, because names have no hyphens",
                    start,
                    help=f"write `{name}`",
                    fix=candidate_fix(f"write `{name}`", Edit(start, name)),
                )
    return None
