"""Normalisation as an option of a layer, between its convolution and its activation."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, POSITIVE, Domain, Option, Type
from caedsl.vocabulary.shape import Shape, elements, is_map, text

EPSILON = 1e-5
"""PyTorch's default for every normalisation."""
MOMENTUM = 0.1
"""PyTorch's default. Keras counts the other way round: its ``momentum=0.99`` is 0.01 here."""

OPTIONS = (
    Option("norm", Type.CHOICE, "none", "normalisation", choices=("none", "batch", "instance", "layer", "group")),
    Option("groups", Type.COUNT, 8, "groups of `norm=group`", domain=FROM_ONE),
    Option("affine", Type.SWITCH, True, "whether the normalisation learns a scale and a shift"),
    Option("eps", Type.NUMBER, EPSILON, "added to the variance under the root", domain=POSITIVE),
    Option(
        "momentum",
        Type.NUMBER,
        MOMENTUM,
        "share of each batch in the running averages of `norm=batch`",
        domain=Domain(low=0, high=1, low_open=True),
    ),
)

BELONGS_TO = {"affine": None, "eps": None, "groups": "group", "momentum": "batch"}
"""The options of a normalisation, and which one has them; None where all have."""


def has(norm: str, option: str) -> bool:
    """Whether ``norm`` has ``option``, one of a normalisation."""
    owner = BELONGS_TO[option]
    return norm != "none" if owner is None else norm == owner


def misfit(options: Mapping[str, Any], shape: Shape) -> Misfit | None:
    """Why the normalisation cannot follow an output of ``shape``, or None."""
    norm, channels = options["norm"], shape[0]
    if norm == "instance" and not is_map(shape):
        return Misfit(
            "needs-a-map",
            f"`norm=instance` needs a feature map, but this layer returns {text(shape)}",
            help="use `norm=layer` or `norm=batch` on a vector",
            option="norm",
        )
    if norm == "group" and channels % options["groups"]:
        return Misfit(
            "groups-do-not-divide",
            f"`norm=group` splits channels into {options['groups']} groups, and {channels} channels do not divide so",
            help=f"use `groups={_largest_divisor(channels, options['groups'])}`",
            option="groups",
        )
    if _taken_together(options, shape) == 1:
        others = "`norm=layer` or `norm=batch`" if elements(shape) > 1 else "`norm=batch`"
        return Misfit(
            "needs-a-map",
            f"`norm={norm}` on {text(shape)} subtracts every number from itself: nothing is left",
            help=f"use {others} here, or leave the normalisation out",
            option="norm",
        )
    return None


def _taken_together(options: Mapping[str, Any], shape: Shape) -> int | None:
    """How many numbers of one image share a mean; None where other images share it too."""
    groups = {"instance": shape[0], "group": options["groups"], "layer": 1}.get(options["norm"])
    return None if groups is None else elements(shape) // groups


def _largest_divisor(number: int, at_most: int) -> int:
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)


def parameters(options: Mapping[str, Any], shape: Shape) -> int:
    """A scale and a shift a channel, where they are learned."""
    return 2 * shape[0] if options["norm"] != "none" and options["affine"] else 0


def calls(options: Mapping[str, Any], shape: Shape) -> tuple[Call, ...]:
    """The module that normalises an output of ``shape``; ``layer`` on a map is one group over all channels."""
    norm, channels, affine = options["norm"], shape[0], options["affine"]
    eps = {} if options["eps"] == EPSILON else {"eps": options["eps"]}
    switched_off = {} if affine else {"affine": False}
    if norm == "batch":
        momentum = {} if options["momentum"] == MOMENTUM else {"momentum": options["momentum"]}
        return (call("BatchNorm2d" if is_map(shape) else "BatchNorm1d", channels, **eps, **momentum, **switched_off),)
    if norm == "instance":
        return (call("InstanceNorm2d", channels, **eps, **({"affine": True} if affine else {})),)
    if norm == "group":
        return (call("GroupNorm", options["groups"], channels, **eps, **switched_off),)
    if norm == "layer" and is_map(shape):
        return (call("GroupNorm", 1, channels, **eps, **switched_off),)
    if norm == "layer":
        return (call("LayerNorm", channels, **eps, **({} if affine else {"elementwise_affine": False})),)
    return ()
