"""Explanations for the notations of other languages: YAML's colons, Python's calls and tuples, C's comments."""

import re
from collections.abc import Sequence

from lark import Token

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding, Fix
from caedsl.source import Span
from caedsl.syntax import characters
from caedsl.syntax.errors.separators import blank_after
from caedsl.syntax.errors.wording import error, proposal, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import FOREIGN_COMMENT, INVALID, NEGATION, span_of

_INTEGERS = re.compile(r"[(\[]\s*([0-9]+(?:\s*,\s*[0-9]+)+)\s*,?\s*[)\]]")

_NUMBERS = re.compile(r"\[\s*([\w.+%-]+(?:(?:\s*,\s*|\s+)[\w.+%-]+)*)\s*,?\s*\]")

_BLOCKS = ("encoder", "bottleneck", "decoder", "train", "sweep", "require")
"""Statements that a brace opens."""

_WITH_A_WORD = ("autoencoder", "input", "target", "data", "defaults", "loss", "optimizer", "schedule")
"""Statements and settings whose value may begin with a word."""

_LIMITS = re.compile(r"[\[(]\s*(-?[0-9.]+)\s*,\s*(-?[0-9.]+)\s*[\])]")

_LIST = "is a list; values are separated by spaces"


def comment(fault: Fault) -> Finding | None:
    """Explain ``// …`` and ``/* … */``."""
    found = fault.found
    if found is None or found.type != FOREIGN_COMMENT:
        return None
    span = span_of(found)
    words = found[2:].removesuffix("*/").strip(" \t*/")
    fix = None
    if found is fault.tokens[-1] and "\n" not in found and "\r" not in found:
        fix = proposal("start the comment with `#`", Edit(span, f"# {words}".rstrip()))
    return error(
        f"comments start with `#`, not with `{found[:2]}`",
        Span(span.start, span.start + 2),
        help="write `# …`: it ends with its line",
        fix=fix,
    )


def sequence(fault: Fault) -> Finding | None:
    """Explain ``[1, 28, 28]`` and ``(1, 28, 28)``."""
    opening = fault.found if fault.found == "[" else fault.parenthesis
    if opening is None or _follows_word(fault, opening):
        return None
    start = span_of(opening).start
    if (limits := _LIMITS.match(fault.text, start)) and _precedes(fault, opening, "in"):
        written = f"{limits[1]}..{limits[2]}"
        return _rewritten(limits, written, f"is not a range; ranges are written as `{written}`")
    if match := _INTEGERS.match(fault.text, start):
        numbers = [number.strip() for number in match[1].split(",")]
        return _integers(fault, opening, match, numbers)
    return _bracket(fault, opening, start) if opening == "[" else None


def _integers(fault: Fault, opening: Token, match: re.Match[str], numbers: Sequence[str]) -> Finding:
    """Explain integers in brackets: the values of a setting, channels and kernel of a layer, or else a size."""
    word = fault.tokens[0]
    if opening == "[" and (word == "schedule" or "." in word):
        return _rewritten(match, " ".join(numbers), _LIST)
    if word in ("conv", "deconv") and fault.tokens[1] is opening:
        channels, *kernel = numbers
        return _rewritten(match, f"{channels} k{'x'.join(kernel)}", _LIST)
    size = "x".join(numbers)
    return _rewritten(match, size, f"is not a size; sizes are written as `{size}`")


def _bracket(fault: Fault, opening: Token, start: int) -> Finding:
    """Explain a bracket around anything but integers."""
    if fault.tokens[0] in _BLOCKS and fault.place == 1:
        return error("a bracket does not open a block; a brace does", span_of(opening), help="write `{` and `}`")
    if numbers := _NUMBERS.match(fault.text, start):
        return _rewritten(numbers, " ".join(numbers[1].replace(",", " ").split()), _LIST)
    return error(
        "brackets have no meaning in a spec",
        span_of(opening),
        help="write sizes as `1x28x28` and several values with spaces between them",
    )


def _rewritten(match: re.Match[str], text: str, why: str) -> Finding:
    """Return the finding about what ``match`` found, with the fix that writes ``text`` in its place."""
    span = Span(*match.span())
    fix = proposal(f"write {quoted(text)}", Edit(span, text))
    return error(f"{quoted(match[0])} {why}", span, help=f"write `{text}`", fix=fix)


def _precedes(fault: Fault, token: Token, word: str) -> bool:
    """Return whether ``word`` is directly before ``token``."""
    place = next(place for place, other in enumerate(fault.tokens) if other is token)
    return place > 0 and fault.tokens[place - 1] == word


def colon(fault: Fault) -> Finding | None:
    """Explain ``conv: 64``, ``kernel: 3`` and ``encoder:``."""
    found, before = fault.found, fault.before
    if found != ":" or before is None:
        return None
    span = span_of(found)
    following = fault.tokens[fault.place + 1] if fault.place + 1 < len(fault.tokens) else None
    delete = proposal("delete the colon", Edit(span, "" if blank_after(fault, found) else " "))
    if following is None:
        return error(
            "a colon does not open a block; a brace does",
            span,
            help="replace the colon by `{`, and write `}` after the last line of the block",
            fix=delete if fault.opens_block else None,
        )
    if (before.type != "NAME" and fault.place != 1) or following == "=":
        return error("`:` has no meaning in a spec", span, help="write options as name=value: `l2=1e-3`")
    if fault.place == 1:
        message = f"there is a colon after `{before}`, but a space separates a word from its values"
        value = fault.text[span.end : fault.span.end].strip()
        if setting := foreign_words.SETTINGS.get(foreign_words.plain_setting(before)):
            return error(message, span, help=f"write `{setting[0].format(value)}`")
        if before == "bottleneck" and value.isdecimal():  # a number alone would assert a shape
            return error(message, span, help=f"write `bottleneck dense {value}`")
        if before in _BLOCKS and not fault.opens_block and before not in ("bottleneck", "decoder"):
            return error(message, span, help=f"write `{before} {{ {value} }}`")
        return error(message, span, help="delete the colon", fix=delete)
    end = span_of(following).start
    return error(
        f"there is a colon between `{before}` and its value, but options are written with `=`",
        span,
        help=f"write `{before}={following}`",
        fix=proposal("replace the colon by `=`", Edit(Span(span_of(before).end, end), "=")),
    )


def arrow(fault: Fault) -> Finding | None:
    """Explain ``conv 64 -> relu`` and ``=>``."""
    sign = next((token for token in fault.tokens[fault.place : fault.place + 2] if token == ">"), None)
    line = fault.tokens[fault.tokens.index(sign) - 1] if sign is not None else None
    if sign is None or line not in ("-", "=") or not _touch(line, sign):
        return None
    value = fault.text[span_of(sign).end : fault.span.end].strip()
    help_line = "write one layer per line, starting at the input, with its activation on the same line: `conv 64 relu`"
    if line == "=" and value[:1].isdigit():
        help_line = f"write `{fault.tokens[0]} >= {value}`"
    return error(
        f"`{line}>` has no meaning in a spec",
        span_of(line).to(span_of(sign)),
        help=help_line,
    )


def equals(fault: Fault) -> Finding | None:
    """Explain ``kernel == 3`` and ``batch = 128``."""
    found, before = fault.found, fault.before
    if found != "=" or before is None or fault.parenthesis is not None:
        return None
    if before == "=":
        span = span_of(before).to(span_of(found))
        fix = proposal("write `=`", Edit(span, "="))
        return error("`==` is not an assignment: options are written with one `=`", span, help="write `=`", fix=fix)
    if fault.place == 1:
        return _assignment(fault, before, found)
    return error(
        f"there is a `=` after {quoted(before)}, which is not the name of an option",
        span_of(found),
        help="write options as name=value: `l2=1e-3`",
    )


def _assignment(fault: Fault, name: Token, sign: Token) -> Finding:
    """``batch = 128`` and ``x = conv 64``."""
    value = fault.text[span_of(sign).start : fault.span.end].strip("= \t") or "…"
    rest = fault.tokens[fault.place + 1 :]
    if fault.opens_block and not rest:
        return error(
            f"there is a `=` after `{name}`, but a brace opens its block", span_of(sign), help=f"write `{name} {{`"
        )
    if name == "bottleneck" and value.isdecimal():
        value = f"dense {value}"  # a number alone would assert a shape
    if name in (*_BLOCKS, *_WITH_A_WORD):
        message = f"there is a `=` after `{name}`, but a space separates a statement from its value"
        return error(message, span_of(sign), help=f"write `{name} {value}`")
    if len(rest) > 1 and rest[0].type == "NAME":
        message = f"`{name} =` gives this line a name, but each line simply takes the output of the line before"
        return error(message, span_of(name).to(span_of(sign)), help=f"write {quoted(value)}")
    if name == "let":
        return error("`let` names a constant before its value", span_of(sign), help=f"write `let width = {value}`")
    line, _ = foreign_words.SETTINGS.get(foreign_words.plain_setting(name), (f"{name} {{}}", ""))
    constant = "; a constant is defined by `let width = 32`" if value[:1].isdigit() else ""
    return error(
        f"there is a `=` after `{name}`, but a space separates a statement from its value",
        span_of(sign),
        help=f"write `{line.format(value)}`{constant}",
    )


def dotted(fault: Fault) -> Finding | None:
    """``loss nn.MSELoss``."""
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
    if fault.place or found is None or found.type not in ("MINUS", NEGATION, "TIMES") or len(fault.tokens) == 1:
        return None
    if fault.tokens[1].type != "NAME":
        return None
    span = span_of(found)
    delete = Edit(Span(span.start, span_of(fault.tokens[1]).start), "")
    return error(
        f"this line starts with `{found}`: lines of a block need no list mark",
        span,
        help=f"delete the `{found}`",
        fix=proposal(f"delete the `{found}`", delete),
    )


def hyphen(fault: Fault) -> Finding | None:
    """Explain ``weight-decay=0.1`` and ``max-pool 2``."""
    for place, token in enumerate(fault.tokens[: fault.place + 1]):
        parts = fault.tokens[max(place - 1, 0) : place + 2]
        if token == "-" and len(parts) == 3 and _touch(parts[0], token) and _touch(token, parts[2]):
            is_head, is_option = place == 1, place + 2 == fault.place and fault.found == "="
            if (is_head or is_option) and parts[0].type == parts[2].type == "NAME":
                name = f"{parts[0]}_{parts[2]}"
                return error(
                    f"`{parts[0]}-{parts[2]}` is a difference, because names have no hyphens",
                    span_of(parts[0]).to(span_of(parts[2])),
                    help=f"write `{name}`",
                    fix=proposal(f"write `{name}`", Edit(span_of(token), "_")),
                )
    return None


def character(fault: Fault) -> Finding | None:
    """Explain typographic marks, invisible spaces, and letters of other alphabets."""
    found = fault.found
    if found is None or found.type != INVALID:
        return None
    span = span_of(found)
    meant = characters.meant_by(found.value)
    if meant is None:
        letter = found.isalpha()
        return error(
            f"{characters.in_words(found)} {'cannot be part of a name' if letter else 'has no meaning in a spec'}",
            span,
            help="names are made of the letters a to z and A to Z, digits and `_`" if letter else "delete it",
        )
    shown = f"`{found}`" if meant.meant.strip() else characters.in_words(found)
    return error(
        f"{shown} is {meant.name}: {meant.reason}",
        span,
        help=f"write `{meant.meant}` instead" if meant.meant.strip() else "type it again",
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
    return proposal("write plain characters", *edits) if edits else None


def _follows_word(fault: Fault, opening: Token) -> bool:
    """Return whether ``opening`` directly follows the statement's word, as in a call."""
    return len(fault.tokens) > 1 and fault.tokens[1] is opening and _touch(fault.tokens[0], opening)


def _touch(one: Token, other: Token) -> bool:
    return span_of(one).end == span_of(other).start
