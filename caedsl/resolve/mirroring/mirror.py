"""``decoder mirror``: its options, and the Lines of the decoder that they describe."""

from collections.abc import Sequence
from typing import Any

from caedsl.model.data import InputRange
from caedsl.resolve.mirroring.enlarging import UPSAMPLE_CHOICES
from caedsl.resolve.mirroring.inversion import ending_activation, output_twin, undo
from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.resolve.mirroring.own_lines import without_input_names
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation, fitting
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kind import written
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.upsample import MODE, TO
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.norms import NAMES
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, text

MIRROR = Option("mode", Type.CHOICE, REQUIRED, "how the decoder is made", Written.FIRST, choices=("mirror",))
OUTPUT = Option(
    "output", Type.ACTIVATION, None, "activation of the last layer; by default the one that fits the input's range"
)
UPSAMPLE = Option("upsample", Type.CHOICE, "nearest", "the inverse of a pool", choices=UPSAMPLE_CHOICES)
MIRROR_NORM = Option(
    "norm",
    Type.CHOICE,
    None,
    "normalisation of every layer but the last; by default that of the mirrored layer",
    choices=NAMES,
)
DIVISOR = Option(
    "channels",
    Type.DIVISOR,
    1,
    "divides the channels of every layer but the last",
    domain=Domain(low=1, high=2**10),
)
SKIPS = Option(
    "skips",
    Type.CHOICE,
    "none",
    "how the decoder reads each map of the encoder before a reduction: concatenated (U-Net) or added",
    choices=("none", "concat", "add"),
)
OPTIONS = (MIRROR, OUTPUT, UPSAMPLE, MIRROR_NORM, DIVISOR, SKIPS)


def mirror_options(values: dict[str, Any], input_range: InputRange, span: Span) -> MirrorOptions:
    """Return the options that the line states, with an output activation that covers the input's range."""
    output = Activation(values[OUTPUT.name] or _output_for(input_range))
    skips = "" if values[SKIPS.name] == SKIPS.default else values[SKIPS.name]
    return MirrorOptions(span, values[UPSAMPLE.name], values[MIRROR_NORM.name], values[DIVISOR.name], output, skips)


def _output_for(input_range: InputRange) -> str:
    return fitting(input_range.low, input_range.high).name


def mirror(
    encoder: Sequence[Layer], code: Sequence[Layer], mirror_options: MirrorOptions, target: Shape, scope: Scope
) -> tuple[Line, ...] | None:
    """Return the Lines that lead from the code to the target, or None if a layer cannot be inverted.

    ``code`` are the layers of the bottleneck. The mirror of the encoder's first layer with weights is the output layer.
    If that layer comes after a pool or is inside a residual, a 3x3 convolution to the input's channels follows. If the
    target has another number of channels, that output layer returns them. If the target is larger, the mirror of the
    first layer keeps the width and the activation of that layer, and `upsample` and an output layer follow.
    """
    encoder, code = without_input_names(encoder), without_input_names(code)
    output = output_twin(encoder)
    start = encoder[0].in_shape if encoder else target
    if start != target and not _reaches(start, target, output, mirror_options, scope):
        return None
    larger = start[1:] != target[1:]
    last = mirror_options._replace(code=code)
    if output is not None and start != target:
        last = (
            last._replace(channels=output.out_shape[0], output=ending_activation([output]))
            if larger
            else last._replace(channels=target[0])
        )
    lines = undo((*encoder, *code), LINEAR, last, scope, output)
    if lines is None or not encoder or (output is not None and not larger):
        return lines
    mode = mirror_options.upsample if mirror_options.upsample in MODE.choices else MODE.choices[0]
    enlarging = [Line("upsample", written({TO: target[1:], MODE: mode}), at=mirror_options.at)] if larger else []
    closing = written({CHANNELS: target[0], ACTIVATION: mirror_options.output})
    return (*lines, *enlarging, Line("conv", closing, at=mirror_options.at))


def _reaches(start: Shape, target: Shape, output: Layer | None, mirror_options: MirrorOptions, scope: Scope) -> bool:
    """Return whether a mirror can end at a target that differs from the input; report if it cannot."""
    if any(wanted < side for side, wanted in zip(start[1:], target[1:], strict=True)):
        why = f"`decoder mirror` returns to the input's {text(start[1:])}, but the target is {text(target[1:])}"
    elif output is not None and CHANNELS not in output.options:
        why = f"`decoder mirror` cannot return {text(target)} by mirroring `{output.kind.name}`"
    else:
        return True
    scope.report("no-mirror", mirror_options.at, why, help="write an explicit decoder: `decoder { ... }`")
    return False
