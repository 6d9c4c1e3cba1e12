"""Options and layer lines back in the words of the language: for tables, diagrams and resolved settings."""

import re
from typing import Any

from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.norms import norm_of
from caedsl.vocabulary.option import Option, Type, Written


def written(option: Option, value: Any) -> str:
    """The option with this value as a spec writes it: ``k3``, ``relu``, ``l2=0.001``."""
    words = value_text(option, value)
    match option.written:
        case Written.FIRST:
            return words
        case Written.SHORT:
            return option.short + words
        case Written.BARE:
            return option.name if option.type is Type.FLAG else words
        case Written.WORDED:
            return f"{option.name} {words}"
        case Written.NAMED:
            return f"{option.name}={words}"


def value_text(option: Option, value: Any) -> str:
    """The value alone: ``3`` for (3, 3) of a pair, ``10%`` for a share of 0.1."""
    if isinstance(value, tuple) and option.type is not Type.ACTIVATION:
        one = len(set(value)) == 1 and option.type in (Type.PAIR, Type.PADDING)
        return str(value[0]) if one else "x".join(map(str, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    if option.type is Type.SHARE:
        return f"{100 * value:g}%"
    return number_text(value) if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """The number in its shortest spelling: ``0.001``, ``1e-8``."""
    return re.sub(r"e([+-])0*", lambda sign: "e-" if sign[1] == "-" else "e", f"{value:g}")


def line(layer: Layer) -> str:
    """The layer's line with every option that differs from the default of its kind."""
    settled = _settled(layer)
    words = [
        written(option, layer.options[option.name])
        for option in layer.kind.options
        if option.name in layer.options and layer.options[option.name] != settled.get(option.name, option.default)
    ]
    return " ".join((layer.kind.name, *(word for word in words if word)))


def _settled(layer: Layer) -> dict[str, Any]:
    """The defaults that follow from other options: these go without saying too."""
    follows: dict[str, Any] = {}
    if "bias" in layer.options:
        follows["bias"] = norm_of(layer.options) is None
    if layer.kind.name in ("maxpool", "avgpool"):
        follows["stride"] = layer.options["kernel"]
    return follows
