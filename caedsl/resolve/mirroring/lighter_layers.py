"""Layers with fewer channels, which a mirror with ``channels=/N`` restores."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.resolve.scope import Scope
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import Shape, elements


def lighter_layers(
    layers: Sequence[Layer], in_shape: Shape, mirror_options: MirrorOptions, scope: Scope
) -> tuple[Layer, ...] | None:
    """Return the layers with the shapes that ``channels=/N`` restores, or None if N does not divide them."""
    if mirror_options.divisor == 1:
        return tuple(layers)
    lighter: list[Layer] = []
    for layer in layers:
        children = lighter_layers(layer.children, in_shape, mirror_options, scope)
        out_shape = _out_shape(layer, in_shape, children, mirror_options, scope)
        if children is None or out_shape is None:
            return None
        lighter.append(replace(layer, in_shape=in_shape, out_shape=out_shape, children=children))
        in_shape = out_shape
    return tuple(lighter)


def _out_shape(
    layer: Layer, in_shape: Shape, children: tuple[Layer, ...] | None, mirror_options: MirrorOptions, scope: Scope
) -> Shape | None:
    if children:
        return children[-1].out_shape
    if CHANNELS in layer.options:
        return _divided(layer.out_shape, mirror_options, scope)
    if layer.kind.role is Role.WEIGHTED:
        return layer.out_shape  # the outputs of a dense layer are not channels
    share = Fraction(elements(in_shape), elements(layer.in_shape))
    return _scaled(layer.out_shape, share, mirror_options, scope)


def _divided(shape: Shape, mirror_options: MirrorOptions, scope: Scope) -> Shape | None:
    """Return the shape with its channels divided; a vector has none and stays the same."""
    return shape if len(shape) == 1 else _scaled(shape, Fraction(1, mirror_options.divisor), mirror_options, scope)


def _scaled(shape: Shape, share: Fraction, mirror_options: MirrorOptions, scope: Scope) -> Shape | None:
    channels = shape[0] * share
    if channels.denominator == 1:
        return (int(channels), *shape[1:])
    scope.report(
        "no-mirror",
        mirror_options.at,
        f"`channels=/{mirror_options.divisor}` does not divide the {shape[0]} channels that the decoder restores here",
        help="use a common divisor of all numbers of channels in the encoder",
    )
    return None
