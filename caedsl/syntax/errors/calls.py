"""Explanation of layers that are written as calls or as mappings: ``Conv2D(64, 3, activation='relu')``."""

import re
from collections.abc import Iterator

from caedsl.diagnostics import foreign_layers, foreign_words
from caedsl.diagnostics.finding import Finding
from caedsl.source import Span
from caedsl.syntax.errors.wording import error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.tokens import span_of

_INPUTS_FIRST = re.compile(r"(Conv(Transpose)?[123]d|Linear|Unflatten)$")
"""Layers of PyTorch whose first argument is the number of inputs, which a spec does not repeat."""

_PENALTY = re.compile(r"(?:\w+\.)*(l[12])\((?:l[12]?=)?([\w.+-]+)\)", re.IGNORECASE)
"""Match `regularizers.l2(1e-4)`, a penalty with its weight."""

_KEY = re.compile(r"(\w+)\s*:\s*")
"""Match a key of a mapping with its colon."""

_SIMPLE = re.compile(r"[\w.+-]+%?$")
SHORT = {"kernel": "k", "stride": "s", "dilation": "d", "channel_groups": "g", "times": "x"}
"""Short forms of options, which a number follows."""

_PLACES = {
    "conv": ("", "kernel", "stride", "pad"),
    "deconv": ("", "kernel", "stride", "pad"),
    "maxpool": ("", "stride", "pad"),
    "avgpool": ("", "stride", "pad"),
}
"""Names of the positional arguments of a call; an empty name is the value without a name."""
_ALONE = ("channels", "units", "factor", "rate", "dropout", "shape", "kernel")
_WINDOWED = ("conv", "deconv")
_WITHOUT_VALUE = ("globalpool", "attention", "gdn")
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
    plain = foreign_layers.plain_layer(word)
    known = " " in line or foreign_layers.LAYERS.get(plain) is None or foreign_layers.LAYERS[plain] in _WITHOUT_VALUE
    help_line = f"write {quoted(line)}" if known else "write values without parentheses: `conv 64 k3 relu`"
    note = "" if plain == "activation" and inside else foreign_layers.LAYER_NOTES.get(plain, "")
    return error(
        f"{quoted(fault.text[span.start : span.end])} is written as a call: values follow the word after a space",
        span,
        help=note or help_line,
    )


def optimizer_call(fault: Fault) -> Finding | None:
    """Explain ``optimizer AdamW(lr=1e-3, weight_decay=0.01)``."""
    text = fault.text[fault.span.start : fault.span.end]
    match = re.match(r"optimizer\s*[=:]?\s*([\w.]+)\(", text)
    inside = _inside(fault.text, fault.span.start + match.end() - 1, fault.span.end) if match else None
    if match is None or inside is None:
        return None
    parts = [match[1].rpartition(".")[2].lower()]
    for name, value in _arguments(inside):
        option = name if name == "weight_decay" else foreign_words.OPTIONS.get(name, name)
        betas = value.split("x") if name == "betas" else ()
        parts += [f"beta{place}={beta}" for place, beta in enumerate(betas, 1)]
        if not betas and _SIMPLE.match(value) and not re.search(r"param", value):
            parts.append(f"{option or 'lr'}={value}")
    return error(
        f"{quoted(match[0] + inside + ')')} is written as a call: options follow the word after a space",
        Span(fault.span.start + match.end() - 1, fault.span.start + match.end() + len(inside) + 1),
        help=f"write `optimizer {' '.join(parts)}`",
    )


def bottleneck_call(fault: Fault) -> Finding | None:
    """Explain ``bottleneck nn.Linear(64, 8)``."""
    text = fault.text[fault.span.start : fault.span.end]
    match = re.match(r"bottleneck\s*[=:]?\s*([\w.]+)\(", text)
    inside = _inside(fault.text, fault.span.start + match.end() - 1, fault.span.end) if match else None
    if match is None or inside is None:
        return None
    return error(
        f"{quoted(match[1] + '(' + inside + ')')} is written as a call: values follow the word after a space",
        Span(fault.span.start + match.start(1), fault.span.start + match.end() + len(inside) + 1),
        help=f"write `bottleneck {_line(match[1], inside)}`",
    )


def mapping(word: str, inside: str, span: Span) -> Finding | None:
    """Explain ``conv {filters: 64, kernel: 3}`` and ``{conv: 64, kernel: 3}``; None if ``word`` is not a layer.

    ``inside`` is the text between the braces; the value of a key that is the word itself has no name in a spec.
    """
    if not foreign_layers.is_layer(word):
        return None
    line = _line(word, _KEY.sub(lambda key: "" if key[1] == word else f"{key[1]}=", inside))
    return error(
        f"`{word}` is written with braces: values and options follow the word of a layer after a space",
        span,
        help=f"write {quoted(line)}" if " " in line else "write values without braces: `conv 64 k3 relu`",
    )


def line_of_call(text: str) -> str:
    """Return the line of a spec for the call of a layer that ``text`` starts with, or an empty text."""
    match = re.match(r"([\w.]+)\(", text)
    inside = _inside(text, match.end() - 1, len(text)) if match else None
    return "" if match is None or inside is None or not foreign_layers.is_layer(match[1]) else _line(match[1], inside)


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
    plain = foreign_layers.plain_layer(word)
    meant = foreign_layers.LAYERS.get(plain) or foreign_words.WORDS.get(plain, plain)
    arguments = list(_arguments(inside, whole=meant == "reshape"))
    name = word.rpartition(".")[2]
    if _INPUTS_FIRST.match(name) and len([name for name, _ in arguments if not name]) > 1:
        del arguments[0]
    alone, options = [], []
    places = iter(_PLACES.get(meant, ("",) * len(arguments)))
    for written, value in arguments:
        option = foreign_words.OPTIONS.get(written, written) if written else next(places, "too many")
        is_value = not option or (option in _ALONE and not (option == "kernel" and meant in _WINDOWED))
        if is_value and _SIMPLE.match(value):
            alone.append(value)
        elif not is_value:
            options.append(_option(option, value, meant))
    alone = [] if meant in _WITHOUT_VALUE else alone
    joined = "x".join(alone) if meant == "reshape" else " ".join(alone)
    if plain == "activation" and alone:
        return foreign_words.WORDS.get(alone[0], alone[0])
    return " ".join(part for part in (meant, joined, *options) if part)


def _option(option: str, value: str, layer: str) -> str:
    """Return an option of a call as a line of the spec has it, or an empty text."""
    if option == "l2" and (weight := _PENALTY.fullmatch(value)):
        return f"{weight[1].lower()}={weight[2]}"
    if not _SIMPLE.match(value):
        return ""
    if option in SHORT and value[0].isdigit():
        return f"{SHORT[option]}{value}"
    if option in ("activation", "output", "mode", *SHORT):
        return foreign_words.WORDS.get(value, value)
    if option == "pad" and value == "same" and layer in _POOLS:
        return "ceil"
    if option in ("pad", "output_pad", "l2"):
        return f"{option}={value}"
    return "bias=off" if option == "bias" and value == "False" else ""


def _arguments(inside: str, whole: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the name, empty if there is none, and the value of each argument; ``(3, 3)`` is ``3`` unless ``whole``."""
    for argument in re.split(r",(?![^(\[]*[)\]])", inside):
        name, _, value = argument.rpartition("=") if re.match(r"\s*\w+\s*=", argument) else ("", "", argument)
        value = value.strip().strip("\"'")
        sizes = [size.strip() for size in value.strip("()[]").split(",") if size.strip()]
        if value[:1] in ("(", "[") and sizes:
            value = sizes[0] if len(set(sizes)) == 1 and not whole else "x".join(sizes)
        if value:
            yield name.strip(), value
