"""Where code and reconstruction get their values, and the part of the images that an output can never reach."""

from collections.abc import Sequence
from math import exp, inf, isinf, pi, sqrt
from typing import NamedTuple

from caedsl.facts.fact import fact
from caedsl.facts.presets import Preset, pixel_range, preset
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer

NOTICEABLE = 0.01
"""The share of the mean image's error that is worth saying that it is out of reach."""

EVEN_GREYS = (1 / 512, *(1 / 256,) * 255, 1 / 512)
"""Greys spread evenly over 0..1, by the trapezoidal rule."""


class Unreachable(NamedTuple):
    """What the output can never reach.

    ``share`` is E[(x - clip(x, low, high))²] over the squared error of the mean image: 1 is as bad as always
    answering with
    that. ``spread`` says how the values x are spread: the name of a measured data set, or ``evenly`` or ``normally``
    where that is assumed. ``low`` and ``high`` bound the output.
    """

    share: float
    spread: str
    low: float
    high: float


def last_valued(layers: Sequence[Layer]) -> Layer | None:
    """Return the layer whose activation the values after ``layers`` have, or a residual whose sum they are."""
    for layer in reversed(layers):
        if layer.kind.role is Role.PASSING or _only_reshapes(layer):
            continue
        if layer.kind.role is Role.GROUPING:
            inner = last_valued(layer.children)
            if inner is None:
                continue
            return inner
        return layer
    return None


def _only_reshapes(layer: Layer) -> bool:
    return layer.kind.role is Role.RESHAPING and layer.norm is None and layer.activation == LINEAR


@fact
def output_layer(model: Autoencoder) -> Layer | None:
    """Return the layer that gives the reconstruction its values; None where the decoder has no such layer."""
    return last_valued((*model.bottleneck.inverse, *model.decoder))


@fact
def code_layer(model: Autoencoder) -> Layer | None:
    """Return the layer that gives the code its values; None where the encoder has no such layer."""
    return last_valued((*model.encoder, *model.bottleneck.layers))


def activation_of(layer: Layer) -> Activation:
    """Return the activation on the layer's line; linear for kinds without one."""
    return layer.activation


@fact
def unreachable(model: Autoencoder) -> Unreachable | None:
    """Return what the output's activation leaves out of the input's range; None where that is nothing or unknown.

    For a measured data set the share is computed from its greys. Otherwise values are taken as spread evenly over the
    declared range (whose variance is width² / 12) or, for an input that is ``real``, as standard normal.
    """
    layer = output_layer(model)
    if layer is None:
        return None
    low, high = activation_of(layer).low, activation_of(layer).high
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
    """Return the share in units of the range's width, and how the values are spread."""
    least, most = (low - first) / (last - first), (high - first) / (last - first)
    if known is None or not known.greys or known.variance is None:
        return 12 * _mean_miss(EVEN_GREYS, least, most), "evenly"
    return _mean_miss(known.greys, least, most) / known.variance, model.data[0].name


def _mean_miss(greys: Sequence[float], low: float, high: float) -> float:
    """E[(u - clip(u, low, high))²] over greys u of 0..1 that are equally far apart and have these shares."""
    top = len(greys) - 1
    return sum(share * _miss(level / top, low, high) for level, share in enumerate(greys))


def _miss(x: float, low: float, high: float) -> float:
    missed = x - min(max(x, low), high)
    return missed * missed


def _normal_share(low: float, high: float) -> float:
    """E[(x - clip(x))²] of a standard normal x, by the midpoint rule on -6..6; its variance is 1."""
    steps = 600
    middles = (-6 + 12 * (i + 0.5) / steps for i in range(steps))
    return sum(_miss(x, low, high) * exp(-x * x / 2) for x in middles) * 12 / steps / sqrt(2 * pi)


def takes_probabilities(model: Autoencoder) -> bool:
    """Whether the loss is one for probabilities: alone or in a sum."""
    return model.train is not None and model.train.loss.probabilities


def wasted_range(model: Autoencoder) -> float:
    """Return the share of a bounded output's range that no pixel has; 0 where the images go beyond it."""
    layer, values = output_layer(model), pixel_range(model)
    if layer is None or values.low is None or values.high is None:
        return 0.0
    low, high = activation_of(layer).low, activation_of(layer).high
    if -inf < low <= values.low and values.high <= high < inf:
        return 1 - (values.high - values.low) / (high - low)
    return 0.0
