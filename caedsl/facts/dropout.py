"""Lines with dropout."""

from typing import NamedTuple

from caedsl.facts.fact import network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import LayerOption


class Drop(NamedTuple):
    """Line with dropout: its part of the model, its first layer, the share dropped, and the option that sets it."""

    part: str
    layer: Layer
    rate: float
    option: LayerOption[float]


@network_fact
def drops(model: Autoencoder) -> tuple[Drop, ...]:
    """Return every line with dropout, once."""
    found: dict[object, Drop] = {}
    for part, layer in model.layers():
        option = layer.kind.drop_option
        rate = layer.options.get(option, 0.0)
        if rate:
            found.setdefault(layer.span, Drop(part, layer, rate, option))
    return tuple(found.values())
