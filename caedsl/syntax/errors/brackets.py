"""Explanations for brackets: Python's tuples and lists, as sizes, ranges and several values."""

import re
from collections.abc import Iterator, Sequence

from lark import Token

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Edit, Finding
from caedsl.source import Span
from caedsl.syntax.errors.wording import error, rewritten, size_text, touch
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import HOLDERS
from caedsl.syntax.tokens import span_of

_INTEGERS = re.compile(r"[(\[]\s*([0-9]+(?:\s*,\s*[0-9]+)+)\s*,?\s*[)\]]")

_NUMBERS = re.compile(r"\[\s*([\w.+%-]+(?:(?:\s*,\s*|\s+)[\w.+%-]+)*)\s*,?\s*\]")

_WORDS = re.compile(r"\[\s*([a-z]+(?:\s*,\s*[a-z]+)+)\s*\]")

_LIMITS = re.compile(r"[\[(]\s*(-?[0-9.]+)\s*,\s*(-?[0-9.]+)\s*[\])]")

_LIST = "is a list; values are separated by spaces"


def sequence(fault: Fault) -> Finding | None:
    """Explain ``[1, 28, 28]`` and ``(1, 28, 28)``."""
    opening = fault.found if fault.found == "[" else fault.parenthesis
    if opening is None or _follows_word(fault, opening):
        return None
    start = span_of(opening).start
    if (limits := _LIMITS.match(fault.text, start)) and _takes_range(fault, opening):
        option = "gaussian=" if _name_before(fault, opening) == "corrupt" else ""
        written = f"{option}{limits[1]}..{limits[2]}"
        return rewritten(limits, written, f"is not a range; ranges are written as `{written}`", *_joined_size(fault))
    if match := _INTEGERS.match(fault.text, start):
        numbers = [number.strip() for number in match[1].split(",")]
        return _integers(fault, opening, match, numbers)
    return _bracket(fault, opening, start) if opening == "[" else None


def _joined_size(fault: Fault) -> Iterator[Edit]:
    """Yield the edit that joins the numbers of ``input 1 28 28``, whose range is the mistake that was found first."""
    if spaced := _SPACED_SIZE.match(fault.text, fault.span.start):
        yield Edit(Span(*spaced.span(1)), size_text(spaced[1].split(), is_input=True))


def _ranges_after(fault: Fault, start: int) -> Iterator[Edit]:
    """Yield the edit that writes ``in [0, 1]`` after a size in brackets, which is the mistake that was found first."""
    if limits := _IN_LIMITS.match(fault.text, start):
        yield Edit(Span(limits.start(1), limits.end()), f"{limits[2]}..{limits[3]}")


_IN_LIMITS = re.compile(rf"[ \t]+in[ \t]+({_LIMITS.pattern})")
_SPACED_SIZE = re.compile(r"(?:input|target)[ \t]+(\d+(?:[ \t]+\d+)+)")


def _integers(fault: Fault, opening: Token, match: re.Match[str], numbers: Sequence[str]) -> Finding:
    """Explain integers in brackets: the values of a setting, channels and kernel of a layer, or else a size."""
    word = fault.tokens[0]
    if opening == "[" and (word == "schedule" or "." in word):
        return rewritten(match, " ".join(numbers), _LIST)
    if word in ("conv", "deconv") and fault.tokens[1] is opening:
        channels, *kernel = numbers
        return rewritten(match, f"{channels} k{'x'.join(kernel)}", _LIST)
    size = size_text(numbers, is_input=word in ("input", "target"))
    ranges = _ranges_after(fault, match.end())
    return rewritten(match, size, f"is not a size; sizes are written as `{size}`", *ranges)


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
        return rewritten(numbers, " ".join(numbers[1].replace(",", " ").split()), _LIST)
    return error(
        "brackets have no meaning in a spec",
        span_of(opening),
        help="write sizes as `1x28x28` and several values with spaces between them",
    )


def _name_before(fault: Fault, opening: Token) -> str:
    """Return the word that ``opening`` follows, directly or after ``=``."""
    place = next(place for place, other in enumerate(fault.tokens) if other is opening)
    return fault.tokens[place - 2 if place > 1 and fault.tokens[place - 1] == "=" else place - 1] if place else ""


def _takes_range(fault: Fault, opening: Token) -> bool:
    """Return whether the word before ``opening`` has a range as its value: ``in``, ``clip``, a corruption."""
    name = _name_before(fault, opening)
    return name in ("in", "clip") or fault.tokens[0] == "corrupt"


def _follows_word(fault: Fault, opening: Token) -> bool:
    """Return whether ``opening`` directly follows the statement's word, as in a call."""
    return len(fault.tokens) > 1 and fault.tokens[1] is opening and touch(fault.tokens[0], opening)
