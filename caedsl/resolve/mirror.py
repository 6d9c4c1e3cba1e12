"""``decoder mirror``: the decoder that undoes the encoder, layer by layer and size by size."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from caedsl.model.data import InputRange
from caedsl.resolve.placing import Placed, group, place_lines
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.activations import LINEAR, Activation, fitting
from caedsl.vocabulary.kind import Line
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.residual import Residual
from caedsl.vocabulary.norms import BELONGS_TO, has
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, text

OPTIONS = (
    Option("mode", Type.CHOICE, REQUIRED, "how the decoder is made", Written.FIRST, choices=("mirror",)),
    Option(
        "output", Type.ACTIVATION, None, "activation of the last layer; by default the one that fits the input's range"
    ),
    Option(
        "upsample",
        Type.CHOICE,
        "nearest",
        "what undoes a pool",
        choices=("nearest", "bilinear", "deconv", "pixelshuffle"),
    ),
    Option(
        "norm",
        Type.CHOICE,
        None,
        "normalisation of every layer but the last; by default that of its twin",
        choices=("none", "batch", "instance", "layer", "group"),
    ),
    Option(
        "channels",
        Type.DIVISOR,
        1,
        "divides the channels of every layer but the last",
        domain=Domain(low=1, high=2**10),
    ),
)


class Plan(NamedTuple):
    """The options of a mirror, and where the ``decoder`` line stands."""

    output: Activation
    upsample: str
    norm: str | None
    divisor: int
    span: Span


def plan(values: dict[str, Any], input_range: InputRange, span: Span) -> Plan:
    """The options of the line, with the output activation that reaches the input's range and no further."""
    output = values["output"] or _output_for(input_range)
    return Plan(Activation(output), values["upsample"], values["norm"], values["channels"], span)


def _output_for(input_range: InputRange) -> str:
    return fitting(input_range.low, input_range.high).name


def mirror(encoder: Sequence[Layer], in_shape: Shape, plan: Plan, scope: Scope) -> Placed:
    """The twins of ``encoder`` in reverse order, from the code's shape ``in_shape`` back to the input's.

    Each twin takes the activation of the map that it restores. The twin of the first layer, where that layer has channels of
    its own, is the output layer; otherwise one 3x3 convolution back to the input's channels follows.
    """
    placed = Placed(in_shape)
    image = encoder[0].in_shape if encoder else in_shape
    output_made = bool(encoder) and "channels" in _first(encoder[0]).options
    _undo_all(encoder, LINEAR, plan, placed, scope, output_made)
    if placed.out_shape is not None and not output_made:
        closing = Line("conv", {"channels": image[0], "activation": plan.output})
        _extend(placed, place_lines([closing], placed.out_shape, plan.span, scope))
    return placed


def _first(layer: Layer) -> Layer:
    return _first(layer.children[0]) if layer.kind.name == "stage" else layer


def _undo_all(
    layers: Sequence[Layer], input_activation: Activation, plan: Plan, placed: Placed, scope: Scope, ends: bool
) -> None:
    """Undoes ``layers``, whose input has ``input_activation``; ``ends`` says that the last twin is the output layer."""
    for i in range(len(layers) - 1, -1, -1):
        activation = activation_of(layers[:i]) if i else input_activation
        _undo(layers[i], activation, plan, placed, scope, ends and i == 0)


def activation_of(encoder: Sequence[Layer]) -> Activation:
    """The activation of the map that these layers end with; linear where none has one."""
    for layer in reversed(encoder):
        for inner in reversed(list(layer.walk())):
            if "activation" in inner.options and (inner.options["activation"] != LINEAR or not inner.children):
                activation: Activation = inner.options["activation"]
                return activation
    return LINEAR


def _undo(layer: Layer, activation: Activation, plan: Plan, placed: Placed, scope: Scope, last: bool) -> None:
    if placed.out_shape is None:
        return
    if layer.children:
        _undo_group(layer, activation, plan, placed, scope, last)
        return
    lines = _twin(layer, placed.out_shape, plan, scope)
    if lines is not None and "channels" in layer.options:
        lines = _divided(lines, layer, plan, scope, last)
    if lines is None:
        placed.out_shape = None
        return
    if "init" in layer.options:
        lines = (_finish(lines[0], plan.output if last else activation, plan, last), *lines[1:])
    _extend(placed, place_lines(lines, placed.out_shape, plan.span, scope, layer))


def _undo_group(layer: Layer, activation: Activation, plan: Plan, placed: Placed, scope: Scope, last: bool) -> None:
    assert placed.out_shape is not None
    inner = Placed(placed.out_shape)
    # The last layer inside a residual is summed before any activation, as in the encoder.
    ending = LINEAR if isinstance(layer.kind, Residual) else activation
    _undo_all(layer.children, ending, plan, inner, scope, last and layer.kind.name == "stage")
    if not inner.layers and inner.out_shape is not None:
        return  # nothing inside has a shape to undo
    options = dict(layer.options)
    if options.get("activation", LINEAR) != LINEAR:
        options["activation"] = activation
    placed.add(group(layer.kind, options, placed.out_shape, inner, plan.span, {}, scope, layer))


def _twin(layer: Layer, in_shape: Shape, plan: Plan, scope: Scope) -> tuple[Line, ...] | None:
    lines = layer.kind.twin(layer)
    if lines is None:
        scope.report(
            "no-mirror",
            layer.span,
            f"`decoder mirror` cannot undo this `{layer.kind.name}`",
            help="write the decoder out: `decoder { ... }`",
        )
        return None
    enlarging = len(lines) == 1 and lines[0].kind == "upsample" and layer.kind.name != "upsample"
    return _enlarge(layer, in_shape, plan, scope) if enlarging else lines


def _enlarge(layer: Layer, in_shape: Shape, plan: Plan, scope: Scope) -> tuple[Line, ...] | None:
    """What undoes a pool, in the manner that ``upsample=`` asks for."""
    size = layer.in_shape[1:]
    if plan.upsample in ("nearest", "bilinear"):
        return (Line("upsample", {"to": size, "mode": plan.upsample}),)
    stride = layer.options["stride"]
    if plan.upsample == "deconv":
        rest = tuple(s - (o - 1) * f - f for s, o, f in zip(size, layer.out_shape[1:], stride, strict=True))
        if all(0 <= r < f for r, f in zip(rest, stride, strict=True)):
            window = {"kernel": stride, "stride": stride, "pad": "valid", "output_pad": rest}
            return (Line("deconv", {"channels": in_shape[0], **window}),)
    factor = stride[0]
    exact = stride == (factor, factor) and all(o * factor == s for o, s in zip(layer.out_shape[1:], size, strict=True))
    if plan.upsample == "pixelshuffle" and exact:
        widen = Line("conv", {"channels": in_shape[0] * factor**2})
        return (widen, Line("pixelshuffle", {"factor": factor}))
    scope.report(
        "no-mirror",
        plan.span,
        f"`upsample={plan.upsample}` cannot return {text(size)} from {text(layer.out_shape[1:])}",
        help="use `upsample=nearest`, which returns any size",
    )
    return None


def _finish(line: Line, activation: Activation, plan: Plan, last: bool) -> Line:
    """The line with the activation and the normalisation of its place."""
    options = {**line.options, "activation": activation}
    norm = "none" if last else plan.norm or options["norm"]
    if norm != options["norm"]:
        # The bias depends on the normalisation, and is decided anew; options that the other one lacks go with this one.
        kept = {name: value for name, value in options.items() if name not in BELONGS_TO or has(norm, name)}
        options = {**kept, "norm": norm, "bias": None}
    return Line(line.kind, options)


def _divided(lines: tuple[Line, ...], layer: Layer, plan: Plan, scope: Scope, last: bool) -> tuple[Line, ...] | None:
    """The lines with their channels divided as ``channels=/N`` asks; None, and a finding, where they do not divide."""
    if plan.divisor == 1 or last:
        return lines
    channels, rest = divmod(layer.in_shape[0], plan.divisor)
    if rest:
        scope.report(
            "no-mirror",
            plan.span,
            f"`channels=/{plan.divisor}` does not divide the {layer.in_shape[0]} channels that the decoder restores here",
            help="use a number that divides every number of channels in the encoder",
        )
        return None
    return tuple(Line(line.kind, {**line.options, "channels": channels}) for line in lines)


def _extend(placed: Placed, more: Placed) -> None:
    for layer in more.layers:
        placed.add(layer)
    if more.out_shape is None:
        placed.out_shape = None
