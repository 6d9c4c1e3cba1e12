"""Explanation of layers that are written as calls: ``Conv2D(64, 3, activation='relu')``."""

import re
from collections.abc import Iterator

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.finding import Finding
from caedsl.source import Span
from caedsl.syntax.errors.wording import error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import span_of

_INPUTS_FIRST = re.compile(r"(Conv(Transpose)?[123]d|Linear|Unflatten)$")
"""Layers of PyTorch whose first argument is the number of inputs, which a spec does not repeat."""

_SIMPLE = re.compile(r"[\w.+-]+%?$")
_SHORT = {"kernel": "k", "stride": "s", "dilation": "d", "channel_groups": "g", "times": "x"}
_PLACES = {
    "conv": ("", "kernel", "stride", "pad"),
    "deconv": ("", "kernel", "stride", "pad"),
    "maxpool": ("", "stride", "pad"),
    "avgpool": ("", "stride", "pad"),
}
"""Names of the positional arguments of a call; an empty name is the value without a name."""
_ALONE = ("channels", "units", "factor", "rate", "dropout", "shape", "kernel")
_WINDOWED = ("conv", "deconv")
_POOLS = ("maxpool", "avgpool")


def call(fault: Fault) -> Finding | None:
    """Explain ``conv(64, 3)``."""
    word, *others = fault.tokens
    if fault.found is None or not others or others[0] != "(" or span_of(others[0]).start != span_of(word).end:
        return None
    start = span_of(others[0]).start
    inside = _inside(fault.text, start, fault.span.end)
    end = start + len(inside) + 2 if inside is not None else span_of(others[0]).end
    if inside is not None and span_of(fault.found).start >= end:
        return None
    span = Span(span_of(word).start, end)
    line = _line(word, inside or "")
    known = " " in line or foreign_words.LAYERS.get(foreign_words.plain_layer(word)) is None
    help_line = f"write {quoted(line)}" if known else "write values without parentheses: `conv 64 k3 relu`"
    return error(
        f"{quoted(fault.text[span.start : span.end])} is written as a call: values follow the word after a space",
        span,
        help=foreign_words.LAYER_NOTES.get(foreign_words.plain_layer(word)) or help_line,
    )


def _inside(text: str, start: int, limit: int) -> str | None:
    """Return the text between the parenthesis at ``start`` and its closing parenthesis."""
    depth = 0
    for place in range(start, limit):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth == 0:
            return text[start + 1 : place]
    return None


def _line(word: str, inside: str) -> str:
    """Return the line of a spec with the meaning of the call, as far as the language has it."""
    plain = foreign_words.plain_layer(word)
    meant = foreign_words.LAYERS.get(plain) or foreign_words.WORDS.get(plain, plain)
    arguments = list(_arguments(inside))
    name = word.rpartition(".")[2]
    if _INPUTS_FIRST.match(name) and len([name for name, _ in arguments if not name]) > 1:
        del arguments[0]
    alone, options = [], []
    places = iter(_PLACES.get(meant, ("",) * len(arguments)))
    for written, value in arguments:
        option = foreign_words.OPTIONS.get(written, written) if written else next(places, "too many")
        if not _SIMPLE.match(value):
            continue
        if not option or (option in _ALONE and not (option == "kernel" and meant in _WINDOWED)):
            alone.append(value)
        elif option in _SHORT:
            options.append(f"{_SHORT[option]}{value}")
        elif option == "activation":
            options.append(foreign_words.WORDS.get(value, value))
        elif option == "pad" and value == "same" and meant in _POOLS:
            options.append("ceil")
        elif option in ("pad", "l2"):
            options.append(f"{option}={value}")
        elif option == "bias" and value == "False":
            options.append("bias=off")
    joined = "x".join(alone) if meant == "reshape" else " ".join(alone)
    return " ".join(part for part in (meant, joined, *options) if part)


def _arguments(inside: str) -> Iterator[tuple[str, str]]:
    """Yield the name, empty if there is none, and the value of each argument; ``(3, 3)`` is ``3``."""
    for argument in re.split(r",(?![^(\[]*[)\]])", inside):
        name, _, value = argument.rpartition("=") if re.match(r"\s*\w+\s*=", argument) else ("", "", argument)
        value = value.strip().strip("\"'")
        sizes = [size.strip() for size in value.strip("()[]").split(",") if size.strip()]
        if value[:1] in ("(", "[") and sizes:
            value = sizes[0] if len(set(sizes)) == 1 else "x".join(sizes)
        if value:
            yield name.strip(), value
