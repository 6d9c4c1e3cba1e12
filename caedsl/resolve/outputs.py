"""Named outputs: `conv 32 relu as fine` names one; `concat`, `add`, `multiply`, `unpool` and `from` read it."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from caedsl.diagnostics.finding import Label
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.joining import FROM, INPUT, Join
from caedsl.vocabulary.kind import FittedOptions, Kind, Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Type, Written
from caedsl.vocabulary.shape import Shape, text

AS: LayerOption[str | None] = LayerOption(
    "as", Type.NAME, None, "names the output, so that other layers can read it", Written.WORDED
)


class ReadableOutput(NamedTuple):
    """Output that can be read: its layer (None for the network's input) and its shape.

    ``repeated`` says that its line stands for several outputs, each of which can be read only where it is made.
    """

    layer: Layer | None
    shape: Shape
    at: Span
    repeated: bool = False


class Outputs:
    """Outputs of a network by name.

    ``last`` is the layer that was placed last; None before the first. ``at_code`` says that the next line reads the
    code, and ``at_fork`` that it reads the input of a residual, whose other path reads it too. ``dropped`` are the
    outputs before a `from` that no line has read so far, and the places of these lines. ``names_pools`` says that each
    `maxpool` without a name gets one.
    """

    def __init__(self, shape: Shape, at: Span, names_pools: bool = False) -> None:
        self.known = {INPUT: ReadableOutput(None, shape, at)}
        self.last: Layer | None = None
        self.at_code = False
        self.at_fork = False
        self.dropped: dict[str, Span] = {}
        self.names_pools = names_pools

    def end_copy(self, before: Mapping[str, ReadableOutput]) -> None:
        """Mark the names that a copy of repeated lines took over from the copy ``before`` it."""
        for name, output in self.known.items():
            if before.get(name, output) is not output:
                self.known[name] = output._replace(repeated=True)


def named(layer: Layer, name: str, at: Span, outputs: Outputs, scope: Scope) -> Layer:
    """Return the layer with a name, which is written ``at`` that place; report a name that cannot be used."""
    if name in outputs.known and outputs.known[name].at != at:
        message = f"`{name}` names two outputs" if name != INPUT else "`input` is the name of the network's input"
        scope.report("duplicate-statement", at, message, help="use another name")
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
    guessed = output is None
    if output is None:
        name = _reported_unknown(name, at, outputs, scope)
        if name not in outputs.known:
            return None
        output = outputs.known[name]
        scope.unread_outputs.pop(name, None)
    if output.repeated:
        made = Label(output.at, "this line is repeated")
        message = f"`{name}` names several outputs, one for each copy of its line"
        help_line = "read it inside the repeated lines, or write the lines out and give each output its own name"
        scope.report("duplicate-statement", at, message, related=(made,), help=help_line)
        return None
    if kind.starts_branch and not _note_dropped(line, output, outputs, scope):
        return None
    if kind.reads_values:
        outputs.dropped.pop(name, None)
    read = kind.source(name, output.layer, output.shape)
    fit = read if isinstance(read, Misfit) else kind.fit({**line.options, **read}, in_shape)
    if isinstance(fit, Misfit):
        if not guessed:
            made = Label(output.at, f"`{name}` is {text(output.shape)}")
            help_line = fit.help if line.mirrors is None else "write an explicit decoder: `decoder { ... }`"
            if name == INPUT and scope.uses:
                help_line = "begin the block with `as x` and read `x`: `input` is the input of the network"
            scope.report(fit.name, at, fit.message, related=(made,), help=help_line)
        return None
    return fitted(kind, fit, line, in_shape, _producer(output.layer))


def fitted(kind: Kind, fit: FittedOptions, line: Line, in_shape: Shape, source: Layer | None = None) -> Layer:
    """Return the layer of a line whose options fit its input."""
    return Layer(
        kind,
        fit.options,
        in_shape,
        fit.out_shape,
        line.at,
        line.spans,
        mirrors=line.mirrors,
        source=source,
        copies=line.copies,
    )


def _note_dropped(line: Line, output: ReadableOutput, outputs: Outputs, scope: Scope) -> bool:
    """Note the output before a `from`; return False, with a finding, if it has no name or is the one that is read."""
    last, name = outputs.last, line.options[FROM.name]
    if outputs.at_fork:
        return True
    if outputs.at_code:
        report_code_dropped(line.at, name, scope)
        return False
    if _producer(last) is _producer(output.layer):
        message = f"`from {name}` has no effect: `{name}` is the output of the line before"
        scope.report("misplaced-statement", line.at, message, help="remove this line")
        return False
    dropped = INPUT if last is None else output_name(last)
    if last is not None and not dropped:
        if AS.name in last.spans:  # a name that was refused is a finding of its own
            return False
        message = f"`from {name}` drops the output of the line before, which has no name to read it by"
        help_line = "name it, as in `conv 32 relu as other`, and read it further down: `concat other` or `add other`"
        scope.report("dropped-output", line.at, message, related=(Label(last.span, "this output"),), help=help_line)
        return False
    outputs.dropped[dropped] = line.at
    return True


def _producer(layer: Layer | None) -> Layer | None:
    """Return the layer that makes the output of ``layer``: the last one inside, if it is a stage."""
    while layer is not None and layer.kind.role is Role.GROUPING and layer.children:
        layer = layer.children[-1]
    return layer


def report_code_dropped(at: Span, name: str, scope: Scope) -> None:
    """Report a `from` where the code must be read."""
    message = f"`from {name}` drops the code, so the decoder does not depend on it"
    help_line = "write the layers that read the code first, name the last of them, and join it: `concat` or `add`"
    scope.report("dropped-output", at, message, help=help_line)


def report_dropped(outputs: Outputs, scope: Scope) -> None:
    """Report outputs before a `from` that no line reads."""
    for name, at in outputs.dropped.items():
        named_there = Label(outputs.known[name].at, "named here")
        message = f"no line reads `{name}`, so the lines that lead to it have no effect"
        scope.report(
            "dropped-output",
            at,
            message,
            related=(named_there,),
            help=f"join it further down, `concat {name}` or `add {name}`, or remove the lines that only it needs",
        )


def _reported_unknown(name: str, at: Span, outputs: Outputs, scope: Scope) -> str:
    """Report a name that no output above has; return the closest name, which is read instead, or an empty text."""
    if name in scope.output_names:
        if not scope.findings:
            message = f"`{name}` is named below this line, but lines are computed in order"
            scope.report("unknown-name", at, message, help="read the output of a line above")
        return ""
    near = scope.nearest(name, tuple(outputs.known))
    message = f'no output has the name "{name}"'
    scope.report("unknown-name", at, message, help=f"name one: `conv 32 relu as {name}`", meant=near)
    return near or ""


def report_unread(scope: Scope) -> None:
    """Report names of outputs that no line reads."""
    for name, at in scope.unread_outputs.items():
        message = f"no line reads the output `{name}`"
        scope.report("unused-output", at, message, help=f"read it with `concat {name}`, or remove the name")


def with_new_name(layer: Layer, start: str, outputs: Outputs, taken: Container[str] = ()) -> Layer:
    """Return the layer with a name that no output has: ``start`` and a number. Those of ``taken`` are not used."""
    names = (f"{start}{number}" for number in count(1))
    name = next(name for name in names if name not in outputs.known and name not in taken)
    layer = replace(layer, named=name)
    outputs.known[layer.named] = ReadableOutput(layer, layer.out_shape, layer.span)
    return layer


def name_skips(layers: list[Layer], outputs: Outputs) -> list[Layer]:
    """Return the layers with a name for each map before a smaller one, if the author gave none."""
    return _with_named_skips(layers, False, outputs)


def _with_named_skips(layers: Sequence[Layer], wanted: bool, outputs: Outputs) -> list[Layer]:
    """Return the layers with names for their skips; ``wanted`` says that a smaller map follows the last one."""
    return [_named_skip(layer, _resizes_first(layers[i + 1 :], wanted), outputs) for i, layer in enumerate(layers)]


def _named_skip(layer: Layer, wanted: bool, outputs: Outputs) -> Layer:
    if layer.children and layer.kind.role is Role.GROUPING:
        return replace(layer, children=tuple(_with_named_skips(layer.children, wanted, outputs)))
    if layer.named or not wanted:
        return layer
    return with_new_name(layer, "skip", outputs)


def _resizes_first(layers: Sequence[Layer], wanted: bool = False) -> bool:
    """Return whether the first layer that computes something changes the size; ``wanted`` if there is none."""
    for layer in layers:
        if layer.kind.role is not Role.GROUPING:
            return layer.resizes
        if layer.children:
            return _resizes_first(layer.children, wanted)
    return wanted


def output_name(layer: Layer) -> str:
    """Return the name of the layer's output; a stage also has the name of its last layer."""
    if layer.named or layer.kind.role is not Role.GROUPING or not layer.children:
        return layer.named
    return output_name(layer.children[-1])
