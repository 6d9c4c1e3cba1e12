"""Named outputs: `conv 32 relu as fine` names one; `concat fine`, `add fine` and `unpool fine` read it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from caedsl.diagnostics.finding import Label
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.joining import FROM, INPUT, Join
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.maxpool import MaxPool
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Type, Written
from caedsl.vocabulary.shape import Shape, text

AS: LayerOption[str | None] = LayerOption(
    "as", Type.NAME, None, "names the output, so that other layers can read it", Written.WORDED
)


class ReadableOutput(NamedTuple):
    """Output that can be read: its layer (None for the network's input) and its shape."""

    layer: Layer | None
    shape: Shape
    at: Span


class Outputs:
    """Outputs of a network by name, and the current depth of residuals, where no output can be named or read."""

    def __init__(self, shape: Shape, at: Span) -> None:
        self.known = {INPUT: ReadableOutput(None, shape, at)}
        self.residuals = 0


def named(layer: Layer, name: str, outputs: Outputs, scope: Scope) -> Layer:
    """Return the layer with a name; report a name that cannot be used."""
    at = layer.spans.get(AS.name, layer.span)
    if outputs.residuals:
        message = f"`{name}` is inside `residual`, whose layers cannot be read from outside"
        scope.report("misplaced-statement", at, message, help=f"name the residual: `residual as {name} {{ ... }}`")
        return layer
    if name in outputs.known:
        message = f"`{name}` names two outputs" if name != INPUT else "`input` is the name of the network's input"
        scope.report("duplicate-statement", at, message, help="use another name; a repeated line has only one output")
        return layer
    layer = replace(layer, named=name)
    scope.unread_outputs[name] = at
    outputs.known[name] = ReadableOutput(layer, layer.out_shape, at)
    return layer


def join(kind: Join, line: Line, in_shape: Shape, outputs: Outputs, scope: Scope) -> Layer | None:
    """Return a layer that reads a named output, or None and a finding if it cannot."""
    name = line.options[FROM.name]
    at = line.spans.get(FROM.name, line.at)
    scope.unread_outputs.pop(name, None)
    output = outputs.known.get(name)
    if outputs.residuals:
        message = f"`{kind.name} {name}` is inside `residual`, where outputs from outside cannot be read"
        scope.report("misplaced-statement", at, message, help="move it before or after the residual")
        return None
    if output is None:
        _report_unknown(name, at, outputs, scope)
        return None
    read = kind.source(name, output.layer, output.shape)
    fit = read if isinstance(read, Misfit) else kind.fit({**line.options, **read}, in_shape)
    if isinstance(fit, Misfit):
        made = Label(output.at, f"`{name}` is {text(output.shape)}")
        help_line = fit.help if line.mirrors is None else "write an explicit decoder: `decoder { ... }`"
        scope.report(fit.name, at, fit.message, related=(made,), help=help_line)
        return None
    return Layer(
        kind, fit.options, in_shape, fit.out_shape, line.at, line.spans, mirrors=line.mirrors, source=output.layer
    )


def _report_unknown(name: str, at: Span, outputs: Outputs, scope: Scope) -> None:
    if name in scope.output_names:
        if not scope.findings:
            message = f"`{name}` is named below this line, but lines are computed in order"
            scope.report("unknown-name", at, message, help="read the output of a line above")
        return
    near = scope.nearest(name, tuple(outputs.known))
    message = f'no output has the name "{name}"'
    scope.report("unknown-name", at, message, help=f"name one: `conv 32 relu as {name}`", meant=near)


def report_unread(scope: Scope) -> None:
    """Report names of outputs that no line reads."""
    for name, at in scope.unread_outputs.items():
        message = f"no line reads the output `{name}`"
        scope.report("unused-output", at, message, help=f"read it with `concat {name}`, or remove the name")


def name_pools(layers: Sequence[Layer], outputs: Outputs) -> list[Layer]:
    """Return the layers with a name for each ``maxpool`` outside of residuals, if the author gave none."""
    named: list[Layer] = []
    for layer in layers:
        if layer.kind.role is Role.GROUPING:
            layer = replace(layer, children=tuple(name_pools(layer.children, outputs)))
        elif isinstance(layer.kind, MaxPool) and not layer.named:
            layer = _with_new_name(layer, "pool", outputs)
        named.append(layer)
    return named


def _with_new_name(layer: Layer, start: str, outputs: Outputs) -> Layer:
    number = next(n for n in range(1, len(outputs.known) + 2) if f"{start}{n}" not in outputs.known)
    layer = replace(layer, named=f"{start}{number}")
    outputs.known[layer.named] = ReadableOutput(layer, layer.out_shape, layer.span)
    return layer


def name_twins(layers: list[Layer], outputs: Outputs) -> list[Layer]:
    """Return the layers with a name for each map before a smaller one, if the author gave none."""
    return [
        _named_twin(layer, _resizes_first(layers[i + 1]) if i + 1 < len(layers) else False, outputs)
        for i, layer in enumerate(layers)
    ]


def _named_twin(layer: Layer, wanted: bool, outputs: Outputs) -> Layer:
    if layer.kind.role is Role.GROUPING:
        children = [*layer.children]
        inside = [
            _named_twin(child, _resizes_first(children[i + 1]) if i + 1 < len(children) else wanted, outputs)
            for i, child in enumerate(children)
        ]
        return replace(layer, children=tuple(inside))
    if layer.named or not wanted:
        return layer
    return _with_new_name(layer, "skip", outputs)


def _resizes_first(layer: Layer) -> bool:
    if layer.kind.role is Role.GROUPING and layer.children:
        return _resizes_first(layer.children[0])
    return layer.resizes


def output_name(layer: Layer) -> str:
    """Return the name of the layer's output; a stage also has the name of its last layer."""
    if layer.named or layer.kind.role is not Role.GROUPING or not layer.children:
        return layer.named
    return output_name(layer.children[-1])
