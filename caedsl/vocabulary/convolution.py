"""What ``conv`` and ``deconv`` share: grouped kernels over feature maps."""

from typing import Any

from caedsl.vocabulary.kind import FINISH, WEIGHTS, Kind, Options
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import DEPTHWISE, DILATION, GROUPS, KERNEL, STRIDE, torch_pair

CHANNELS = Option("channels", Type.COUNT, REQUIRED, "output channels", Written.FIRST, FROM_ONE)
SHARED = (CHANNELS, KERNEL, STRIDE, DILATION, GROUPS, DEPTHWISE)
FINISHED = (*FINISH, *WEIGHTS)


def group_count(options: Options, in_shape: Shape) -> int:
    """How many groups the channels are split into."""
    groups: int = in_shape[0] if options["depthwise"] else options["channel_groups"]
    return groups


def group_misfit(options: Options, in_shape: Shape) -> Misfit | None:
    """Why the groups do not divide the channels on both sides, or None."""
    groups = group_count(options, in_shape)
    for side, channels in (("input", in_shape[0]), ("output", options["channels"])):
        if channels % groups:
            return Misfit(
                "groups-do-not-divide",
                f"{groups} groups do not divide the {channels} {side} channels",
                notes=(f"{channels} = {channels // groups} · {groups} + {channels % groups}",),
                help=f"use a number of channels that is a multiple of {groups}"
                if options["depthwise"]
                else f"use a group count that divides both {in_shape[0]} and {options['channels']}",
                option="depthwise" if options["depthwise"] else "channel_groups",
            )
    return None


class Convolution(Kind):
    """The base of both convolutions."""

    def weights(self, layer: Layer) -> int:
        """One kernel for each pair of input and output channels within a group."""
        height, width = layer.options["kernel"]
        per_output = layer.in_shape[0] // group_count(layer.options, layer.in_shape) * height * width
        total: int = layer.out_shape[0] * per_output
        return total

    def keywords(self, layer: Layer) -> dict[str, Any]:
        """The keyword arguments that both torch classes take, those at PyTorch's defaults left out."""
        options = layer.options
        keywords: dict[str, Any] = {"kernel_size": torch_pair(options["kernel"])}
        if options["stride"] != (1, 1):
            keywords["stride"] = torch_pair(options["stride"])
        if options["dilation"] != (1, 1):
            keywords["dilation"] = torch_pair(options["dilation"])
        groups = group_count(options, layer.in_shape)
        if groups != 1:
            keywords["groups"] = groups
        return keywords
