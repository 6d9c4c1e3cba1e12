"""Origin of the values of code and reconstruction, and the part of the images that an output can never reach."""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, inf, isinf, pi, sqrt
from typing import NamedTuple

from caedsl.facts.fact import fact, network_fact
from caedsl.facts.presets import pixel_range, preset
from caedsl.facts.value_bounds import ANY, bounds_after, bounds_before
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.presets import Preset

NOTICEABLE = 0.01
"""Report unreachable error above this share of the mean image's error."""

EVEN_GREYS = (1 / 512, *(1 / 256,) * 255, 1 / 512)
"""Greys spread evenly over 0..1, by the trapezoidal rule."""


class Unreachable(NamedTuple):
    """Values that the output can never reach.

    ``share`` is E[(x - clip(x, low, high))²] over the squared error of the mean image: 1 is as bad as always returning
    that image. ``spread`` says how the values x are distributed: the name of a measured dataset, or ``evenly`` or
    ``normally`` if that is assumed. ``low`` and ``high`` bound the output.
    """

    share: float
    spread: str
    low: float
    high: float


def last_valued(layers: Sequence[Layer]) -> Layer | None:
    """Return the layer whose activation determines the values after ``layers``, or the residual whose sum they are."""
    for layer in reversed(layers):
        if layer.kind.role is Role.PASSING or _only_reshapes(layer):
            continue
        if layer.kind.role is Role.GROUPING:
            inner = last_valued(layer.children)
            if inner is None:
                continue
            return inner
        if layer.kind.starts_branch:
            return None if layer.source is None else last_valued((layer.source,))
        return layer
    return None


def _only_reshapes(layer: Layer) -> bool:
    return layer.kind.role is Role.RESHAPING and layer.norm is None and layer.activation == LINEAR


@network_fact
def output_layer(model: Autoencoder) -> Layer | None:
    """Return the layer that gives the reconstruction its values; None if the decoder has no such layer."""
    return last_valued((*model.bottleneck.inverse, *model.decoder))


@network_fact
def code_layer(model: Autoencoder) -> Layer | None:
    """Return the layer that gives the code its values; None if the encoder has no such layer."""
    return last_valued((*model.encoder, *model.bottleneck.layers))


@network_fact
def output_bounds(model: Autoencoder) -> tuple[float, float]:
    """Return bounds of the reconstruction: those of the last activation, for the inputs that it can have."""
    layer = output_layer(model)
    return ANY if layer is None else bounds_after(layer, bounds_before(model).get(layer, ANY))


@network_fact
def limiting_layer(model: Autoencoder) -> Layer | None:
    """Return the layer before the output's activation whose own activation leaves it only a part of its range."""
    output = output_layer(model)
    if output is None or output_bounds(model) == (output.activation.low, output.activation.high):
        return None
    layers = [layer for _, layer in model.layers()]
    before = reversed(layers[: layers.index(output)])
    return next((layer for layer in before if layer.activation != LINEAR), None)


@fact
def unreachable(model: Autoencoder) -> Unreachable | None:
    """Return the part of the input's range that the output's activation misses; None if there is none or it is unknown.

    For a measured dataset the share is computed from its greys. Otherwise values are assumed to be uniform over the
    declared range (whose variance is width² / 12) or, for a ``real`` input, standard normal.
    """
    layer = output_layer(model)
    if layer is None:
        return None
    low, high = output_bounds(model)
    values, known = pixel_range(model), preset(model)
    if isinf(low) and isinf(high):
        return None
    if values.low is None or values.high is None:
        share, spread = _normal_share(low, high), "normally"
    elif values.high == values.low:
        return None
    else:
        share, spread = _share_of_width(model, known, values.low, values.high, low, high)
    return Unreachable(share, spread, low, high) if share > 0 else None


def _share_of_width(
    model: Autoencoder, known: Preset | None, first: float, last: float, low: float, high: float
) -> tuple[float, str]:
    """Return the share in units of the range's width, and how the values are distributed."""
    least, most = (low - first) / (last - first), (high - first) / (last - first)
    if known is None or not known.greys or known.variance is None:
        return 12 * _mean_miss(EVEN_GREYS, least, most), "evenly"
    return _mean_miss(known.greys, least, most) / known.variance, model.data[0].name


@lru_cache(maxsize=64)
def _mean_miss(greys: tuple[float, ...], low: float, high: float) -> float:
    """Return E[(u - clip(u, low, high))²] over equally spaced greys u of 0..1 with these shares."""
    top = len(greys) - 1
    return sum(share * _miss(level / top, low, high) for level, share in enumerate(greys))


def _miss(x: float, low: float, high: float) -> float:
    missed = x - min(max(x, low), high)
    return missed * missed


def _normal_share(low: float, high: float) -> float:
    """Return E[(x - clip(x))²] of a standard normal x, by the midpoint rule on -6..6; its variance is 1."""
    steps = 600
    middles = (-6 + 12 * (i + 0.5) / steps for i in range(steps))
    return sum(_miss(x, low, high) * exp(-x * x / 2) for x in middles) * 12 / steps / sqrt(2 * pi)


def takes_probabilities(model: Autoencoder) -> bool:
    """Return whether the loss, or a term of it, needs probabilities."""
    return model.train is not None and model.train.loss.probabilities


def wasted_range(model: Autoencoder) -> float:
    """Return the share of a bounded output's range that no pixel has; 0 if the images go beyond it."""
    layer, values = output_layer(model), pixel_range(model)
    if layer is None or values.low is None or values.high is None:
        return 0.0
    low, high = output_bounds(model)
    if -inf < low <= values.low and values.high <= high < inf:
        return 1 - (values.high - values.low) / (high - low)
    return 0.0
