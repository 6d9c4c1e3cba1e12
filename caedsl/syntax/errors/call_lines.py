"""Lines of a spec for calls of Keras and PyTorch; they state the defaults of these calls where a spec has others."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

from caedsl.diagnostics import foreign_layers, foreign_words

SHORT = {"kernel": "k", "stride": "s", "dilation": "d", "channel_groups": "g", "times": "x"}
"""Short forms of options, which a number follows."""

_INPUTS_FIRST = re.compile(r"(Conv(Transpose)?[123]d|Linear|Unflatten)$")
"""Layers of PyTorch whose first argument is the number of inputs, which a spec does not repeat."""

_FUNCTIONAL = re.compile(r"(torch(\.nn\.functional)?|nn\.functional|functional|F|tf(\.nn)?|(keras\.)?ops)$")
"""Packages of functions, whose first argument is a tensor."""

_SIZE_FIRST = ("Upsample", "interpolate")
"""Enlargements of PyTorch, whose first argument is a size and not a factor."""

_PENALTY = re.compile(r"(?:\w+\.)*(l[12])\((?:l[12]?=)?([\w.+-]+)\)", re.IGNORECASE)
"""Match `regularizers.l2(1e-4)`, a penalty with its weight."""

_ACTIVATION = re.compile(r"(?:\w+\.)*(\w+)(?:\((?:\w+\s*=\s*)?([\w.+-]*)\))?$")
"""Match `tf.nn.relu` and `LeakyReLU(alpha=0.2)`."""

_SIMPLE = re.compile(r"[\w.+-]+%?$")
_SIZE = re.compile(r"\d+(?:x\d+)*")
_PLACES = {
    "conv": ("", "kernel", "stride", "pad"),
    "deconv": ("", "kernel", "stride", "pad", "output_pad"),
    "maxpool": ("", "stride", "pad"),
    "avgpool": ("", "stride", "pad"),
}
"""Names of the positional arguments of a call; an empty name is the value without a name."""
_ALONE = ("channels", "units", "factor", "rate", "dropout", "shape", "kernel")
_WINDOWED = ("conv", "deconv")
_POOLS = ("maxpool", "avgpool")
_BORDERS = ("reflect", "replicate", "circular")
WITHOUT_VALUE = ("globalpool", "attention", "gdn")
_WITHOUT_EFFECT = frozenset(
    ("name", "data_format", "input_shape", "input_dim", "dtype", "device", "trainable", "inplace", "return_indices")
)
"""Arguments that change nothing in a spec, which has one order of axes and reads the sizes from the input."""

_DEFAULTS = {"maxpool": "2", "avgpool": "2", "upsample": "2", "dropout": "50%"}
"""Values of calls without arguments."""

_NO_ZEROS = ": Keras and PyTorch add no zeros unless `padding` says so"
_KERAS_SLOPE = ", the slope of Keras; PyTorch's is that of `leaky_relu` alone"
_FAR_EDGE = ", which adds zeros at the far edge only, where Keras may add some at both"


class CallLine(NamedTuple):
    """Line of a spec for a call, and how it differs from what the author may expect."""

    line: str
    note: str = ""


class _Call(NamedTuple):
    """Call of a layer: its values without a name, and the others by the names of the language."""

    package: str
    name: str
    meant: str
    values: list[str]
    options: dict[str, str]

    @property
    def is_foreign(self) -> bool:
        """Whether the name is one of another library, whose defaults apply."""
        return self.name != self.meant


def line_of_call(text: str) -> str:
    """Return the line of a spec for the call of a layer that ``text`` starts with, or an empty text."""
    match = re.match(r"([\w.]+)\(", text)
    within = inside(text, match.end() - 1, len(text)) if match else None
    if match is None or within is None or not foreign_layers.is_layer(match[1]):
        return ""
    return line_for(match[1], within).line


def inside(text: str, start: int, limit: int) -> str | None:
    """Return the text between the parenthesis at ``start`` and its closing parenthesis."""
    depth = 0
    for place in range(start, limit):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth == 0:
            return text[start + 1 : place]
    return None


def line_for(word: str, within: str) -> CallLine:
    """Return the line with the meaning of the call ``word(within)``, as far as the language has it."""
    call = _read(word, within)
    if foreign_layers.plain_layer(word) == "activation" and call.values:
        return CallLine(_activation(call.values[0], call) or "")
    return _SPECIAL.get(call.meant, _layer)(call)


def arguments(within: str, whole: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the name, empty if there is none, and the value of each argument; ``(3, 3)`` is ``3`` unless ``whole``."""
    for argument in _parts(within):
        named = re.match(r"\s*(\w+)\s*=", argument)
        name, value = (named[1], argument[named.end() :]) if named else ("", argument)
        value = value.strip().strip("\"'")
        sizes = [size.strip() for size in value.strip("()[]").split(",") if size.strip()]
        if value[:1] in ("(", "[") and sizes and not re.search(r"[(\[]", value[1:]):
            value = sizes[0] if len(set(sizes)) == 1 and not whole else "x".join(sizes)
        if value:
            yield name, value


def _parts(within: str) -> Iterator[str]:
    """Yield the arguments between commas that no bracket holds."""
    depth = start = 0
    for place, mark in enumerate(within):
        depth += (mark in "([") - (mark in ")]")
        if mark == "," and depth == 0:
            yield within[start:place]
            start = place + 1
    yield within[start:]


def _read(word: str, within: str) -> _Call:
    package, _, name = word.rpartition(".")
    plain = foreign_layers.plain_layer(word)
    meant = foreign_layers.LAYERS.get(plain) or foreign_words.WORDS.get(plain, plain)
    call = _Call(package, name, meant, [], {})
    given = list(arguments(within, whole=meant == "reshape"))
    unnamed = [value for written, value in given if not written]
    skipped = bool(_FUNCTIONAL.match(package)) or (bool(_INPUTS_FIRST.match(name)) and len(unnamed) > 1)
    places = ("to",) if name in _SIZE_FIRST else _PLACES.get(meant, ())
    for place, value in zip_longest(places, unnamed[skipped:], fillvalue=""):
        if place and value:
            call.options[place] = value
        elif value:
            call.values.append(value)
    for written, value in given:
        if written == "size" and name in _SIZE_FIRST:
            call.options["to"] = value
        elif written:
            call.options[foreign_words.OPTIONS.get(written, written)] = value
    for option in _ALONE:
        if option in call.options and not (option == "kernel" and meant in _WINDOWED):
            call.values.append(call.options.pop(option))
    return call


def _layer(call: _Call) -> CallLine:
    """Return the line of a layer whose value and options have counterparts by name."""
    values = [] if call.meant in WITHOUT_VALUE else [value for value in call.values if _SIMPLE.match(value)]
    if not values and call.is_foreign:
        values = [_DEFAULTS[call.meant]] if call.meant in _DEFAULTS else []
    return _with_options(call, [call.meant, *values])


def _with_options(call: _Call, parts: list[str]) -> CallLine:
    """Return the line of these parts with the options of the call, and a note on those that have no counterpart."""
    note = ""
    if _pads_nothing(call):
        call.options["pad"], note = "valid", _NO_ZEROS
    written = {option: _option(option, value, call) for option, value in call.options.items()}
    if call.meant in _POOLS and written.get("pad") == "ceil" and call.values[:1] != ["2"]:
        note = _FAR_EDGE
    lost = ", ".join(f"`{option}=`" for option, text in written.items() if text is None)
    note += f"; the language has no {lost}" if lost else ""
    return CallLine(" ".join(part for part in (*parts, *written.values()) if part), note)


def _pads_nothing(call: _Call) -> bool:
    """Return whether the layer has no padding by its library's default, where that differs from the language's."""
    if call.meant not in _WINDOWED or not call.is_foreign or "pad" in call.options:
        return False
    kernel = call.options.get("kernel")
    return kernel != "1" and not (call.meant == "deconv" and kernel == call.options.get("stride"))


def _option(option: str, value: str, call: _Call) -> str | None:
    """Return an option of a call as a line of the spec has it: empty if it needs none, None if it has none."""
    if option in _WITHOUT_EFFECT or (value in ("None", "False") and option != "bias"):
        return ""
    if option == "l2" and (weight := _PENALTY.fullmatch(value)):
        return f"{weight[1].lower()}={weight[2]}"
    if option in ("activation", "output"):
        return _activation(value, call)
    if not _SIMPLE.match(value):
        return None
    if option in SHORT and value[0].isdigit():
        return f"{SHORT[option]}{value}"
    if option == "pad":
        return _padding(value, call)
    if option in ("mode", *SHORT):
        return foreign_words.WORDS.get(value, value)
    if option == "init":
        return f"init={foreign_words.VALUES.get(value.lower(), (value,))[0]}"
    if option == "bias":
        return "bias=off" if value == "False" else ""
    if option in ("ceil_mode", "align_corners"):
        return option.removesuffix("_mode")
    return f"{option}={value}" if option in ("output_pad", "l2") or not call.is_foreign else None


def _padding(value: str, call: _Call) -> str:
    """Return the padding; in TensorFlow, `same` adds an odd zero at the end, which matters with a stride."""
    kernel, stride = call.options.get("kernel", ""), call.options.get("stride", "")
    if call.meant in _POOLS:
        window = call.values[0] if call.values else ""
        if value == "same" and stride == "1" and window.isdigit() and int(window) % 2:
            return f"pad={int(window) // 2}"
        return {"same": "ceil", "valid": ""}.get(value, f"pad={value}")
    if value == "same" and call.is_foreign and stride not in ("", "1"):
        return "pad=same_upper"
    mode = call.options.get("padding_mode")
    if mode in _BORDERS and value.isdigit() and kernel == str(2 * int(value) + 1):
        call.options["padding_mode"] = "None"
        return f"pad={mode}"
    return f"pad={value}"


def _activation(value: str, call: _Call) -> str | None:
    """Return the activation of ``activation='relu'`` and ``activation=layers.LeakyReLU(0.2)``."""
    match = _ACTIVATION.match(value)
    if match is None:
        return None
    plain = match[1].lower()
    if plain in ("none", "linear"):
        return ""
    name = foreign_words.WORDS.get(plain, plain)
    slope = match[2] or ("0.2" if name == "leaky_relu" and call.is_foreign else "")
    return f"{name}={slope}" if slope else name


def _upsample(call: _Call) -> CallLine:
    """Return the enlargement by a factor or to a size."""
    size = call.options.pop("to", "")
    if not _SIZE.fullmatch(size):
        return _layer(call)
    return _with_options(call, ["upsample to", size if "x" in size else f"{size}x{size}"])


def _reshape(call: _Call) -> CallLine:
    """Return the shape with the channels first, which Keras has last; sizes of a batch (-1) are left out."""
    sizes = [size for value in call.values for size in value.split("x") if size.isdigit()]
    if call.name == "Reshape" and len(set(sizes)) > 1:
        return CallLine(f"reshape {'x'.join((sizes[-1], *sizes[:-1]))}", ", with the channels first")
    return CallLine(f"reshape {'x'.join(sizes)}" if sizes else "reshape")


def _margin(call: _Call) -> CallLine:
    """Return a margin: one for all sides, one for each axis, or what comes before and after on every axis."""
    sides = [re.findall(r"\d+", value) for value in call.values]
    numbers = sides[0] if sides else []
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False)) if len(numbers) > 2 else []
    if len(set(pairs)) == 1 and pairs[0][0] != pairs[0][1]:
        return CallLine(f"{call.meant} {'..'.join(pairs[0])}")
    if pairs and any(before != after for before, after in pairs):
        return CallLine(f"{call.meant} 0..1", f", where `{call.meant}` treats every axis alike")
    sizes = [before for before, _ in (pairs[::-1] if "Pad2d" in call.name else pairs)] or numbers
    size = sizes[0] if len(set(sizes)) == 1 else "x".join(sizes)
    return CallLine(f"{call.meant} {size or 1}")


def _rectifier(call: _Call) -> CallLine:
    """Return an activation on a line of its own with its number."""
    number = next((call.options[name] for name in ("alpha", "negative_slope") if name in call.options), "")
    number = number or next((value for value in call.values if _SIMPLE.match(value)), "")
    if call.meant == "leaky_relu" and not number and call.package not in ("nn", "torch.nn"):
        return CallLine("leaky_relu 0.3", _KERAS_SLOPE)
    return CallLine(f"{call.meant} {number}".strip())


def _clipped(call: _Call) -> CallLine:
    """Return `clip 0..6` for ``ReLU(max_value=6)``, and `clip 0..1` for ``Hardtanh(0, 1)``."""
    ends = [call.options.get("min_val", ""), call.options.get("max_val", call.options.get("max_value", ""))]
    if call.meant == "hardtanh" and len(call.values) == len(ends):
        ends = call.values
    if call.meant == "relu" and not ends[1]:
        ends[1] = next((value for value in call.values if re.fullmatch(r"[\d.]+", value)), "")
    if not ends[1]:
        return CallLine(call.meant)
    return CallLine(f"clip {ends[0] or '0'}..{ends[1]}")


_SPECIAL: Mapping[str, Callable[[_Call], CallLine]] = {
    "upsample": _upsample,
    "reshape": _reshape,
    "pad": _margin,
    "crop": _margin,
    "leaky_relu": _rectifier,
    "elu": _rectifier,
    "relu": _clipped,
    "hardtanh": _clipped,
}
