"""Base of ``conv`` and ``deconv``: grouped kernels over feature maps."""

from math import gcd, prod
from typing import Any

from caedsl.vocabulary.kernel_options import WEIGHTS
from caedsl.vocabulary.kind import FINISH, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, joined
from caedsl.vocabulary.window import CHANNEL_GROUPS, DEPTHWISE, DILATION, KERNEL, STRIDE

CHANNELS: LayerOption[int] = LayerOption("channels", Type.COUNT, REQUIRED, "output channels", Written.FIRST, FROM_ONE)
SHARED = (CHANNELS, KERNEL, STRIDE, DILATION, CHANNEL_GROUPS, DEPTHWISE)
FINISHED = (*FINISH, *WEIGHTS)


def group_count(options: Options, in_shape: Shape) -> int:
    """Return the number of groups of channels."""
    return in_shape[0] if options[DEPTHWISE] else options[CHANNEL_GROUPS]


def group_misfit(options: Options, in_shape: Shape) -> Misfit | None:
    """Return why the groups do not divide the channels on both sides, or None."""
    groups = group_count(options, in_shape)
    for side, channels in (("input", in_shape[0]), ("output", options[CHANNELS])):
        if channels % groups:
            return Misfit(
                "groups-do-not-divide",
                f"{groups} groups do not divide the {channels} {side} channels",
                notes=(f"{channels} = {channels // groups} · {groups} + {channels % groups}",),
                help=f"use a number of channels that is a multiple of {groups}"
                if options[DEPTHWISE]
                else f"use a group count that divides both {in_shape[0]} and {options[CHANNELS]}"
                if gcd(in_shape[0], options[CHANNELS]) > 1
                else f"only 1 divides both {in_shape[0]} and {options[CHANNELS]}: remove the groups",
                option=DEPTHWISE.name if options[DEPTHWISE] else CHANNEL_GROUPS.name,
            )
    return None


class Convolution(Kind):
    """Base of both convolutions."""

    role = Role.WEIGHTED
    ranks = (1, 2, 3)

    def weights(self, layer: PlacedLayer) -> int:
        """Return the weights: one kernel for each pair of input and output channels within a group."""
        per_output = layer.in_shape[0] // group_count(layer.options, layer.in_shape) * self.taps(layer)
        return layer.out_shape[0] * per_output

    def taps(self, layer: PlacedLayer) -> int:
        """Return the number of inputs per channel under the kernel."""
        return prod(layer.options[KERNEL])

    def strides(self, layer: PlacedLayer) -> int:
        """Return the product of the strides: inputs per output, or outputs per input."""
        return prod(layer.options[STRIDE])

    def keywords(self, layer: PlacedLayer) -> dict[str, Any]:
        """Return the keyword arguments that both torch classes take, without those at PyTorch's defaults."""
        options = layer.options
        keywords: dict[str, Any] = {"kernel_size": joined(options[KERNEL])}
        for name, steps in (("stride", options[STRIDE]), ("dilation", options[DILATION])):
            if set(steps) != {1}:
                keywords[name] = joined(steps)
        groups = group_count(options, layer.in_shape)
        if groups != 1:
            keywords["groups"] = groups
        return keywords
