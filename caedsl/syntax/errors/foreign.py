"""Explanations for the notations of other languages: Python's tuples and names, C's comments, lists with dashes."""

import re
from collections.abc import Sequence

from lark import Token

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding, Fix
from caedsl.diagnostics.foreign_layers import is_layer
from caedsl.source import Span
from caedsl.syntax import characters
from caedsl.syntax.errors.wording import candidate_fix, error, quoted, size_text
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import HOLDERS
from caedsl.syntax.tokens import FOREIGN_COMMENT, INVALID, NEGATION, span_of

_INTEGERS = re.compile(r"[(\[]\s*([0-9]+(?:\s*,\s*[0-9]+)+)\s*,?\s*[)\]]")

_NUMBERS = re.compile(r"\[\s*([\w.+%-]+(?:(?:\s*,\s*|\s+)[\w.+%-]+)*)\s*,?\s*\]")

_WORDS = re.compile(r"\[\s*([a-z]+(?:\s*,\s*[a-z]+)+)\s*\]")

_LIMITS = re.compile(r"[\[(]\s*(-?[0-9.]+)\s*,\s*(-?[0-9.]+)\s*[\])]")

_LIST = "is a list; values are separated by spaces"


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


def sequence(fault: Fault) -> Finding | None:
    """Explain ``[1, 28, 28]`` and ``(1, 28, 28)``."""
    opening = fault.found if fault.found == "[" else fault.parenthesis
    if opening is None or _follows_word(fault, opening):
        return None
    start = span_of(opening).start
    if (limits := _LIMITS.match(fault.text, start)) and _takes_range(fault, opening):
        option = "gaussian=" if _name_before(fault, opening) == "corrupt" else ""
        written = f"{option}{limits[1]}..{limits[2]}"
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
    size = size_text(numbers, is_input=word in ("input", "target"))
    return _rewritten(match, size, f"is not a size; sizes are written as `{size}`")


def _bracket(fault: Fault, opening: Token, start: int) -> Finding:
    """Explain a bracket around anything but integers."""
    if fault.tokens[0] in HOLDERS and fault.place == 1:
        return error("a bracket does not open a block; a brace does", span_of(opening), help="write `{` and `}`")
    if note := foreign_words.OPTION_NOTES.get(_name_before(fault, opening)):
        return error("brackets have no meaning in a spec", span_of(opening), help=note)
    if fault.tokens[0] == "decoder" and (choices := _WORDS.match(fault.text, start)):
        name = _name_before(fault, opening)
        help_line = "write " + " or ".join(f"`{name}={word.strip()}`" for word in choices[1].split(","))
        return error(f"`{name}=` has one value", Span(*choices.span()), help=help_line)
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
    fix = candidate_fix(f"write {quoted(text)}", Edit(span, text))
    return error(f"{quoted(match[0])} {why}", span, help=f"write `{text}`", fix=fix)


def _name_before(fault: Fault, opening: Token) -> str:
    """Return the word that ``opening`` follows, directly or after ``=``."""
    place = next(place for place, other in enumerate(fault.tokens) if other is opening)
    return fault.tokens[place - 2 if place > 1 and fault.tokens[place - 1] == "=" else place - 1] if place else ""


def _takes_range(fault: Fault, opening: Token) -> bool:
    """Return whether the word before ``opening`` has a range as its value: ``in``, ``clip``, a corruption."""
    name = _name_before(fault, opening)
    return name in ("in", "clip") or fault.tokens[0] == "corrupt"


def arrow(fault: Fault) -> Finding | None:
    """Explain ``conv 64 -> relu`` and ``=>``."""
    sign = next((token for token in fault.tokens[fault.place : fault.place + 2] if token == ">"), None)
    line = fault.tokens[fault.tokens.index(sign) - 1] if sign is not None else None
    if sign is None or line not in ("-", "=") or not _touch(line, sign):
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
        if token == "-" and len(parts) == 3 and _touch(parts[0], token) and _touch(token, parts[2]):
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


def power(fault: Fault) -> Finding | None:
    """Explain ``10^-3`` and ``2**4``."""
    if fault.found not in ("^", "*"):
        return None
    place = span_of(fault.found).start
    if (size := _power_of_size(fault, place)) is not None:
        return size
    powers = (match for match in _POWERS.finditer(fault.text, fault.span.start) if match.end() > place)
    match = next(powers, None)
    if match is None or match.start() > place:
        return None
    factor, base, exponent = match[1] or "1", int(match[2]), int(match[3])
    if base != 10 and (match[1] or exponent < 0 or exponent * base.bit_length() > _LARGEST_POWER):
        return None
    written = f"{factor}e{exponent}" if base == 10 else str(base**exponent)
    return _rewritten(match, written, f"is a power; write the number, `{written}`")


def _power_of_size(fault: Fault, place: int) -> Finding | None:
    """Explain ``1x16^3``: a side with the number of axes as its power."""
    of_input = fault.tokens[0] in ("input", "target")
    for match in _POWERS_IN_SIZES.finditer(fault.text, fault.span.start, fault.span.end):
        if match.start() < place < match.end() and (match[1] or of_input):
            sides = [*filter(None, match[1].split("x")), *[match[2]] * int(match[3])]
            size = size_text(sides, is_input=of_input)
            return _rewritten(match, size, "has a power; write each side of the size")
    return None


_POWERS_IN_SIZES = re.compile(r"(?<![\w.])((?:\d{1,7}x){0,4})(\d{1,7})[ \t]*(?:\^|\*\*)[ \t]*([23])(?![\w.])")
"""Match ``1x16^3``: channels, and a side with the number of axes."""
_POWERS = re.compile(
    r"(?:(\d+(?:\.\d+)?)[ \t]*\*[ \t]*)?(?<![\w.])(\d{1,4})[ \t]*(?:\^|\*\*)[ \t]*(-?\d{1,2})(?![\w.])"
)
_LARGEST_POWER = 60
"""Largest number of bits of a power that is written as one number."""


def _in_quotes(fault: Fault) -> Finding | None:
    """Explain ``'8'`` and ``'relu'``, where no path or reason can be."""
    match = _IN_QUOTES.match(fault.text, span_of(fault.found).start if fault.found else 0)
    if match is None or not fault.place or fault.tokens[0] in ("data", "autoencoder", "allow"):
        return None
    return _rewritten(match, match[1], "is in quotation marks, which only paths have")


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
_NUMBER_AT_END = re.compile(r"\d+$")


def character(fault: Fault) -> Finding | None:
    """Explain typographic marks, invisible spaces, and letters of other alphabets."""
    found = fault.found
    if found is None or found.type != INVALID:
        return None
    span = span_of(found)
    before = fault.before
    if found == "%" and before is not None and before.type == "NUMBER":
        joined = Edit(Span(span_of(before).end, span.start), "")
        fix = candidate_fix("delete the space", joined)
        return error(f"there is a space between `{before}` and its `%`", span, help=f"write `{before}%`", fix=fix)
    if (rewritten := _in_quotes(fault) or _other_source(fault)) is not None:
        return rewritten
    if found == "%" and before is not None and (number := _NUMBER_AT_END.search(before)):
        place = span_of(before).start + number.start()
        fix = candidate_fix("write a space", Edit(Span(place, place), " "))
        return error(f"`{before}%` lacks the space before its number", span_of(before).to(span), fix=fix)
    meant = characters.meant_by(found.value)
    if found == "@" and (kernel := _kernel_after(fault)) is not None:
        return kernel
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
    return candidate_fix("write plain characters", *edits) if edits else None


def _follows_word(fault: Fault, opening: Token) -> bool:
    """Return whether ``opening`` directly follows the statement's word, as in a call."""
    return len(fault.tokens) > 1 and fault.tokens[1] is opening and _touch(fault.tokens[0], opening)


def _touch(one: Token, other: Token) -> bool:
    return span_of(one).end == span_of(other).start
