"""Bounds of the values before each layer, as far as activations, pools and reshapes determine them."""

from collections.abc import Iterable, Mapping
from math import inf

from caedsl.facts.fact import network_fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.activation import ActivationLine

Bounds = tuple[float, float]
ANY = (-inf, inf)


@network_fact
def bounds_before(model: Autoencoder) -> Mapping[Layer, Bounds]:
    """Return bounds of the input of each layer. The input of each part and of the layers in a residual has none."""
    before: dict[Layer, Bounds] = {}
    for _, layers in model.parts:
        _follow(layers, ANY, before)
    return before


def bounds_after(layer: Layer, before: Bounds) -> Bounds:
    """Return bounds of the output of a layer, without its dropout, for an input with the bounds ``before``."""
    activation = layer.activation
    if isinstance(layer.kind, ActivationLine):
        return activation.bounds(*before)
    if not layer.kind.has_line or layer.norm is not None:
        return activation.bounds(*ANY)
    match layer.kind.role:
        case Role.RESHAPING:
            return activation.bounds(*before)
        case Role.PASSING:  # a margin, a padded pool and an unpooling add zeros
            return min(before[0], 0.0), max(before[1], 0.0)
        case _:
            return activation.bounds(*ANY)


def _follow(layers: Iterable[Layer], bounds: Bounds, before: dict[Layer, Bounds]) -> Bounds:
    """Record the bounds before each of ``layers``, and return those after the last."""
    for layer in layers:
        before[layer] = bounds
        if layer.kind.role is Role.GROUPING:
            bounds = _follow(layer.children, bounds, before)
            continue
        _follow(layer.children, ANY, before)
        _follow(layer.shortcut, ANY, before)
        bounds = bounds_after(layer, bounds)
        kept = 1 - layer.options.get(layer.kind.drop_option, 0.0)
        bounds = min(bounds[0] / kept, bounds[0]), max(bounds[1] / kept, bounds[1])
    return bounds
