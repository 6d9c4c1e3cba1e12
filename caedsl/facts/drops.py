"""Where a model drops features while it trains."""

from typing import NamedTuple

from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import LayerOption


class Drop(NamedTuple):
    """A line with dropout: the part it stands in, its share, and the option that says so."""

    part: str
    layer: Layer
    rate: float
    option: LayerOption[float]


@fact
def drops(model: Autoencoder) -> tuple[Drop, ...]:
    """Every line with dropout, once."""
    found: dict[object, Drop] = {}
    for part, layer in model.layers():
        option = layer.kind.drop_option
        rate = layer.options.get(option, 0.0)
        if rate:
            found.setdefault(layer.span, Drop(part, layer, rate, option))
    return tuple(found.values())
