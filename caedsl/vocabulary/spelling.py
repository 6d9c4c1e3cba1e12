"""Conversion of options and layer lines back to the text of a spec, for tables, diagrams and resolved settings."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option, Options, Type, Written
from caedsl.vocabulary.shape import sizes_text, text

_DURATIONS = (("h", 3600), ("min", 60), ("s", 1))
"""Units of durations, and their lengths in seconds."""


def written(option: Option, value: Any, exact: bool = False) -> str:
    """Return the option with this value as a spec writes it: ``k3``, ``relu``, ``l2=0.001``.

    If ``exact``, a number has all of its digits, and a share is a number.
    """
    words = value_text(option, value, exact)
    match option.written:
        case Written.FIRST:
            return words
        case Written.REST:
            return " ".join(map(str, value))
        case Written.SHORT:
            return option.short + words
        case Written.BARE:
            return option.name if option.type is Type.FLAG else words
        case Written.WORDED:
            return f"{option.name} {words}"
        case Written.NAMED:
            return f"{option.name}={words}"


def bare_words(option: Option) -> Iterable[str]:
    """Return the words that set the option without a value."""
    if option.written is not Written.BARE:
        return ()
    if option.type is Type.ACTIVATION:
        return FUNCTIONS
    return (option.name,) if option.type is Type.FLAG else option.choices


def value_text(option: Option, value: Any, exact: bool = False) -> str:
    """Return the value alone: ``3`` for (3, 3), ``10%`` for a share of 0.1, ``30min`` for 1800 seconds."""
    if option.type is Type.ENDS:
        return "..".join(number_text(end, exact) for end in value)
    if option.type is Type.ACTIVATION:
        own = value.function.option
        has_default = own is None or value.value == own.default
        return value.name if has_default else f"{value.name}={value_text(own, value.value, exact)}"
    if isinstance(value, tuple) and option.ranged:
        return "..".join(value_text(option, end, exact) for end in value)
    if isinstance(value, tuple):
        per_axis = (Type.PER_AXIS, Type.PADDING, Type.SIDES)
        return sizes_text(value) if option.type in per_axis else text(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if option.type is Type.SHARE and not exact:
        return f"{100 * value:g}%"
    if option.type is Type.DURATION:
        unit, seconds = next((known for known in _DURATIONS if value % known[1] == 0), _DURATIONS[-1])
        return number_text(value / seconds, exact) + unit
    return number_text(value, exact) if isinstance(value, float) else str(value)


def number_text(value: float, exact: bool = False) -> str:
    """Return the number in its shortest spelling, ``0.001`` or ``1e-8``, with six digits unless ``exact``."""
    digits = repr(float(value)).removesuffix(".0") if exact else f"{value:g}"
    return re.sub(r"e([+-])0*", lambda sign: "e-" if sign[1] == "-" else "e", digits)


def line(layer: Layer) -> str:
    """Return the layer's line with every option that differs from the default of its kind."""
    options = changed(layer.kind.options, layer.options, layer.kind.implied(layer.options))
    words = (written(option, layer.options.of_any_type(option)) for option in options)
    named = ("as", layer.named) if layer.named and layer.kind.has_output else ()
    return " ".join((layer.kind.name, *(word for word in words if word), *named))


def changed(declared: Iterable[Option], options: Options, implied: Mapping[str, Any]) -> tuple[Option, ...]:
    """Return the options that differ from their defaults; ``implied`` are the defaults that follow from others."""
    return tuple(
        option
        for option in declared
        if option in options and not _is_default(options.of_any_type(option), implied.get(option.name, option.default))
    )


def _is_default(value: Any, default: Any) -> bool:
    return bool(value == default) or (_is_one_number(default) and value == default * len(value))


def _is_one_number(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 1
