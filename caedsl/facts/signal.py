"""How much of the image is left in each layer before training: the gain of the signal's power by depth.

A layer of random weights multiplies the variance of its input by fan_in·Var(w), and its activation by a factor of its
own (He et al. 2015, arXiv 1502.01852): PyTorch's default, Var(w) = 1/(3·fan_in), and a ReLU together keep 1/6 per
layer.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf, isinf, log10, prod
from typing import NamedTuple

from caedsl.facts.connections import without_stages
from caedsl.facts.fact import network_fact
from caedsl.facts.outputs import output_layer
from caedsl.facts.sizes import decoder_path, encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.joining import Join, Joining
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.kind import Role, Window
from caedsl.vocabulary.layer import Layer, once_per_fit
from caedsl.vocabulary.layer_initialisation import variance
from caedsl.vocabulary.layers.conv import BORDERS
from caedsl.vocabulary.shape import elements
from caedsl.vocabulary.window import PAD, axes, share_inside

_FAINT = -1.0
"""Power of ten of the signal below which a function is approximated by its slope at 0."""

FAINTEST = 1e-300
"""Gains beyond this and its inverse are not distinguished."""


class Gain(NamedTuple):
    """Signal after ``layer``: the layer's own gain and the total gain since the input, as powers of ten."""

    layer: Layer
    own: float
    total: float


@network_fact
def signal_path(model: Autoencoder) -> tuple[Gain, ...]:
    """Return the gain after each layer from input to output, without the output's own activation.

    A residual is one step, and the powers of its two paths are added. A normalisation resets the gain to 1.
    """
    path: list[Gain] = []
    known = _Powers(output_layer(model), {})
    power = 0.0
    for _, layers in model.parts:
        for layer in without_stages(layers):
            before, power = power, _after(layer, power, known)
            path.append(Gain(layer, power - before, power))
    return tuple(path)


class _Powers(NamedTuple):
    """Output layer, and the power after each layer so far, by ``id(layer)``."""

    output: Layer | None
    after: dict[int, float]


def _after(layer: Layer, power: float, known: _Powers) -> float:
    """Return the power after a layer whose input has ``power``."""
    if isinstance(layer.kind, Join):
        power = _joined(layer, layer.kind, power, known.after.get(id(layer.source), 0.0))
    else:
        power = _computed(layer, power, known)
    known.after[id(layer)] = power
    return power


def _computed(layer: Layer, power: float, known: _Powers) -> float:
    if layer.kind.role is Role.SUMMING:
        body = _through(layer.children, power, known)
        power = _sum(_through(layer.shortcut, power, known), body)
    elif INIT in layer.options:
        power += _kernel_gain(layer)
    else:
        power += log10(max(layer.kind.power(layer.options), FAINTEST))
    if layer.norm is not None:
        power = 0.0
    activation = layer.activation
    if layer is known.output:
        return power
    ceiling = inf if isinf(activation.ceiling) else log10(activation.ceiling)
    passed = activation.faint if power < _FAINT else activation.passed
    return min(power + log10(passed), ceiling)


@once_per_fit
def _kernel_gain(layer: Layer) -> float:
    """Return the gain of a layer with weights without its activation, as a power of ten."""
    return log10(max(layer.kind.fans(layer)[0] * inside(layer) * variance(layer), FAINTEST))


def inside(layer: Layer) -> float:
    """Return the average share of a convolution's kernel that lies on the map and not on its zero padding."""
    if layer.kind.window is not Window.CONVOLUTION or layer.options[PAD] in BORDERS:
        return 1.0
    sides = zip(axes(layer.options, layer.in_shape), layer.out_shape[1:], strict=True)
    return prod(share_inside(axis, count) for axis, count in sides)


def _through(layers: Sequence[Layer], power: float, known: _Powers) -> float:
    for layer in without_stages(layers):
        power = _after(layer, power, known)
    return power


def _joined(layer: Layer, kind: Join, one: float, other: float) -> float:
    """Return the power of a sum or a product, or the mean power of concatenated channels or of values among zeros.

    ``one`` is the power of the layer before, and ``other`` that of the named output.
    """
    if kind.starts_branch:
        return other
    if not kind.reads_values:
        return one + log10(elements(layer.in_shape) / elements(layer.out_shape))
    if kind.joining(layer) is Joining.PRODUCT:
        return one + other
    if layer.in_shape == layer.out_shape:
        return _sum(one, other)
    share = layer.in_shape[0] / layer.out_shape[0]
    return _sum(one + log10(share), other + log10(1 - share))


def _sum(one: float, other: float) -> float:
    larger, smaller = max(one, other), min(one, other)
    return larger + log10(1 + 10 ** (smaller - larger))


@network_fact
def weighted_layers(model: Autoencoder) -> tuple[Layer, ...]:
    """Return the layers with a kernel on the way from input to output, without shortcuts."""
    return tuple(layer for layer in (*encoder_path(model), *decoder_path(model)) if INIT in layer.options)


def hidden(layers: Sequence[Layer], output: Layer | None) -> list[Layer]:
    """Return the layers with an activation that are not the output."""
    return [layer for layer in layers if ACTIVATION in layer.options and layer is not output]


@network_fact
def saturating_sides(model: Autoencoder) -> dict[str, list[Layer]]:
    """Return the hidden layers that make gradients vanish: two or more on one side, without a normalisation.

    The slope of a sigmoid is at most 1/4, so that n in a row leave at most 1/4ⁿ of a gradient.
    """
    sides = {"encoder": encoder_path(model), "decoder": decoder_path(model)}
    found = {name: _unnormalised(hidden(layers, output_layer(model)), fading) for name, layers in sides.items()}
    return {name: layers for name, layers in found.items() if len(layers) > 1}


@network_fact
def saturating_stack(model: Autoencoder) -> list[Layer]:
    """Return the hidden saturating layers of the whole model that have a steep middle and no normalisation."""
    return _unnormalised(
        hidden((*encoder_path(model), *decoder_path(model)), output_layer(model)),
        lambda activation: not fading(activation),
    )


def fading(activation: Activation) -> bool:
    """Return whether a saturating activation scales gradients down everywhere, as a sigmoid does."""
    return activation.slope < 1


def _unnormalised(layers: Iterable[Layer], wanted: Callable[[Activation], bool]) -> list[Layer]:
    """Return the layers without a normalisation whose activation saturates and satisfies ``wanted``."""
    return [
        layer
        for layer in layers
        if layer.activation.function.saturates and wanted(layer.activation) and layer.norm is None
    ]


def is_linear(model: Autoencoder) -> bool:
    """Return whether all before the output's activation is one linear map, as trained batch normalisation is."""
    return not any(_is_nonlinear(layer) for _, layer in model.layers() if layer is not output_layer(model))


def _is_nonlinear(layer: Layer) -> bool:
    norm = layer.norm
    return layer.activation != LINEAR or not layer.kind.linear or not (norm is None or norm.linear)
