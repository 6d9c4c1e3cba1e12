"""Conversion of options and layer lines back to the text of a spec, for tables, diagrams and resolved settings."""

import re
from typing import Any

from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import Option, Type, Written
from caedsl.vocabulary.shape import sizes_text, text


def written(option: Option, value: Any) -> str:
    """Return the option with this value as a spec writes it: ``k3``, ``relu``, ``l2=0.001``."""
    words = value_text(option, value)
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


def value_text(option: Option, value: Any) -> str:
    """Return the value alone: ``3`` for (3, 3), ``10%`` for a share of 0.1."""
    if option.type is Type.ENDS:
        return "..".join(f"{end:g}" for end in value)
    if isinstance(value, tuple) and option.type is not Type.ACTIVATION:
        per_axis = (Type.PER_AXIS, Type.PADDING, Type.SIDES)
        return sizes_text(value) if option.type in per_axis else text(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if option.type is Type.SHARE:
        return f"{100 * value:g}%"
    return number_text(value) if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """Return the number in its shortest spelling: ``0.001``, ``1e-8``."""
    return re.sub(r"e([+-])0*", lambda sign: "e-" if sign[1] == "-" else "e", f"{value:g}")


def line(layer: Layer) -> str:
    """Return the layer's line with every option that differs from the default of its kind."""
    words = [
        written(option, layer.options.of_any_type(option))
        for option in layer.kind.options
        if not is_default(layer, option)
    ]
    named = ("as", layer.named) if layer.named else ()
    return " ".join((layer.kind.name, *(word for word in words if word), *named))


def is_default(layer: Layer, option: Option) -> bool:
    """Return whether the option has its kind's default value."""
    value = layer.options.of_any_type(option)
    implied = layer.kind.implied(layer.options).get(option.name, option.default)
    return bool(value == implied) or (_is_one_number(implied) and value == implied * len(value))


def _is_one_number(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 1
