"""Placing of Lines: repeats expanded, defaults filled in, every shape computed, up to a maximum of layers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from caedsl.resolve.outputs import AS, Outputs, fitted, join, named, with_new_name
from caedsl.resolve.reading.lines import BLOCK
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION, LINEAR, Activation
from caedsl.vocabulary.code_kinds import PLACEABLE
from caedsl.vocabulary.joining import INPUT, Join
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.activation import ActivationLine
from caedsl.vocabulary.layers.maxpool import MaxPool
from caedsl.vocabulary.layers.norm import NormLine
from caedsl.vocabulary.layers.repeat import TIMES, Repeat
from caedsl.vocabulary.layers.residual import Residual
from caedsl.vocabulary.layers.shortcut import Shortcut
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.norms import BELONGS_TO, NORM
from caedsl.vocabulary.shape import Shape, text, without_single_places
from caedsl.vocabulary.window import KERNEL, TOO_LARGE

MOST_LAYERS = 2000
"""Limit the layers of a spec. More are a mistake in a repeat: the deepest published networks have about 1,000."""


class Placed:
    """Sequence of layers; ``out_shape`` is None if a layer had no shape, and the layers end before it."""

    def __init__(self, in_shape: Shape | None, outputs: Outputs) -> None:
        self.outputs = outputs
        self.layers: list[Layer] = []
        self.out_shape: Shape | None = in_shape

    def add(self, layer: Layer | None) -> None:
        """Append a layer; None ends the sequence."""
        if layer is None or self.out_shape is None:
            self.out_shape = None
        else:
            self.layers.append(layer)
            self.out_shape = layer.out_shape
            self.outputs.last = layer
            self.outputs.at_code &= layer.mirrors is not None  # the inverse of a dense code stands for it
            self.outputs.at_fork = False


@dataclass(frozen=True)
class _Rest:
    """Lines from ``first`` on, then those ``after`` them. Nothing is copied, because every layer has its own rest."""

    lines: Sequence[Line]
    first: int
    after: Iterable[Line]

    def __iter__(self) -> Iterator[Line]:
        for place in range(self.first, len(self.lines)):
            yield self.lines[place]
        yield from self.after


def place_lines(
    lines: Sequence[Line], in_shape: Shape | None, outputs: Outputs, scope: Scope, after: Iterable[Line] = ()
) -> Placed:
    """Return the layers of ``lines``, each with the output of the one before as input; report and stop at a misfit.

    ``after`` are the lines that follow.
    """
    placed = Placed(in_shape, outputs)
    _extend(placed, lines, scope, after)
    return placed


def place_block(lines: Sequence[Line] | None, in_shape: Shape | None, outputs: Outputs, scope: Scope) -> Placed:
    """Return the layers of ``lines``, or an empty sequence without a shape if there are no lines."""
    return Placed(None, outputs) if lines is None else place_lines(lines, in_shape, outputs, scope)


def place(line: Line, in_shape: Shape, outputs: Outputs, scope: Scope) -> Layer | None:
    """Return the layer of a line without a block, or None and a finding if it does not fit its input."""
    kind = PLACEABLE[line.kind]
    if isinstance(kind, Join):
        return join(kind, line, in_shape, outputs, scope)
    fit = kind.fit(line.options, in_shape)
    if isinstance(fit, Misfit):
        _report_misfit(_of_flat_input(fit, line, outputs.known[INPUT].shape), line, scope)
        return None
    return fitted(kind, fit, line, in_shape)


def _extend(placed: Placed, lines: Sequence[Line], scope: Scope, after: Iterable[Line] = ()) -> None:
    for i, line in enumerate(lines):
        rest = _Rest(lines, i + 1, after)
        if line.broken or placed.out_shape is None:
            placed.add(None)
            return
        if isinstance(PLACEABLE[line.kind], Repeat):
            _repeat(placed, line, scope, rest)
            continue
        if isinstance(PLACEABLE[line.kind], Shortcut):
            _refuse_shortcut(line, "`shortcut` belongs directly inside `residual { ... }`", scope)
            placed.add(None)
        elif not _affordable(line, scope):
            placed.add(None)
        elif PLACEABLE[line.kind].block:
            placed.add(_group(line, placed.out_shape, placed.outputs, scope, rest))
        else:
            layer = place(line, placed.out_shape, placed.outputs, scope)
            if layer is not None and INIT in layer.options and layer.activation == LINEAR:
                layer = replace(layer, followed_by=_activation_of(rest))
            if layer is not None and placed.outputs.names_pools and _has_places(layer, line):
                layer = with_new_name(layer, "pool", placed.outputs, scope.output_names)
            placed.add(layer)
        _name_last(placed, line, scope)


def _has_places(layer: Layer, line: Line) -> bool:
    """Return whether the layer finds the positions of maxima, and the line does not name it."""
    return isinstance(layer.kind, MaxPool) and not line.named


def _activation_of(lines: Iterable[Line]) -> Activation:
    """Return the activation that these lines begin with, after normalisations and reshapes; linear without one."""
    for line in _opened(lines):
        kind = PLACEABLE[line.kind]
        if isinstance(kind, ActivationLine):
            return kind.completed(line.options)[ACTIVATION]
        if not isinstance(kind, NormLine) and kind.role is not Role.RESHAPING:
            break
    return LINEAR


def _opened(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield lines in the order of computation, with repeats and stages expanded; stop at a broken line."""
    for line in lines:
        if line.broken:
            return
        if isinstance(PLACEABLE[line.kind], Repeat) or PLACEABLE[line.kind].role is Role.GROUPING:
            yield from _opened(line.children)
        else:
            yield line


def _name_last(placed: Placed, line: Line, scope: Scope) -> None:
    """Give the last layer the name of the line, unless the last line of a block has given it one."""
    if not line.named or placed.out_shape is None:
        return
    at, last = line.spans.get(AS.name, line.at), placed.layers[-1]
    if last.named in scope.output_names and last.named != line.named:
        message = f"`{line.named}` is a second name of the output that the block names `{last.named}`"
        scope.report("duplicate-statement", at, message, help=f"read `{last.named}`, or remove one of the names")
        return
    placed.outputs.last = placed.layers[-1] = named(last, line.named, at, placed.outputs, scope)


def _repeat(placed: Placed, line: Line, scope: Scope, after: Iterable[Line]) -> None:
    uses = [line.at] if BLOCK in line.options else []
    scope.uses += uses
    times = line.options[TIMES.name]
    for copy in range(1, times + 1):
        known = dict(placed.outputs.known)
        _extend(placed, line.children, scope, after if copy == times else line.children)
        placed.outputs.end_copy(known)
        if placed.out_shape is None:
            break
    del scope.uses[len(scope.uses) - len(uses) :]
    _name_last(placed, line, scope)


def _group(line: Line, in_shape: Shape, outputs: Outputs, scope: Scope, after: Iterable[Line] = ()) -> Layer | None:
    """Return a group around its children, with the shortcut that a residual needs."""
    kind = PLACEABLE[line.kind]
    own = [child for child in line.children if isinstance(kind, Residual) and child.kind == Shortcut.name]
    children = [child for child in line.children if child not in own]
    after_group = after if kind.role is Role.GROUPING else ()
    before, outputs.at_fork = outputs.last, outputs.at_fork or isinstance(kind, Residual)
    inner = place_lines(children, in_shape, outputs, scope, after_group)
    if inner.out_shape is None:
        return None
    shortcut: tuple[Layer, ...] | None = ()
    if isinstance(kind, Residual):
        outputs.last, outputs.at_fork = before, True
        shortcut = (
            _own_shortcut(kind, own, inner, in_shape, scope) if own else _shortcut(kind, line, inner, in_shape, scope)
        )
    if shortcut is None:
        return None
    options = kind.completed(line.options)
    layers = tuple(inner.layers)
    return Layer(kind, options, in_shape, inner.out_shape, line.at, line.spans, layers, shortcut, line.mirrors)


def _shortcut(kind: Residual, line: Line, body: Placed, in_shape: Shape, scope: Scope) -> tuple[Layer, ...] | None:
    assert body.out_shape is not None
    lines = kind.shortcut(in_shape, body.out_shape)
    if isinstance(lines, Misfit):
        _report_misfit(lines, line, scope)
        return None
    path = Placed(in_shape, body.outputs)
    for draft in lines:
        assert path.out_shape is not None
        path.add(place(Line(draft.kind, draft.options, at=line.at), path.out_shape, body.outputs, scope))
    return tuple(path.layers)


def _own_shortcut(
    kind: Residual, lines: Sequence[Line], body: Placed, in_shape: Shape, scope: Scope
) -> tuple[Layer, ...] | None:
    """Return the layers of an explicit shortcut, or None and a finding if its shape differs from the body's."""
    if len(lines) > 1:
        _refuse_shortcut(lines[1], "this residual has a second `shortcut`", scope)
        return None
    path = place_block(None if lines[0].broken else lines[0].children, in_shape, body.outputs, scope)
    if path.out_shape is None:
        return None
    if not body.layers or path.out_shape != body.out_shape:
        body_shape = body.out_shape or in_shape
        _report_misfit(kind.unequal(body_shape, path.out_shape), lines[0], scope)
        return None
    return tuple(path.layers)


def _refuse_shortcut(line: Line, message: str, scope: Scope) -> None:
    scope.report(
        "misplaced-statement", line.at, message, help="write `residual { conv 32 s2; shortcut { conv 32 k1 s2 } }`"
    )


def _of_flat_input(misfit: Misfit, line: Line, in_shape: Shape) -> Misfit:
    """Return a misfit of a window with its remedy at the input, if that is a signal written as an image."""
    lower = without_single_places(in_shape)
    is_square = len(line.options.get(KERNEL.name, KERNEL.default)) == 1
    if lower is None or misfit.name != TOO_LARGE or not is_square:
        return misfit
    return misfit._replace(help=f"write `input {text(lower)}`, without the axis of 1")


def _report_misfit(misfit: Misfit, line: Line, scope: Scope) -> None:
    """Report a misfit at the option that causes it; on a line of the mirror, with a remedy for the mirror."""
    place: Span = line.spans.get(misfit.option, line.at)
    help_line = misfit.help
    if line.mirrors is not None:
        by_norm = misfit.option == NORM.name or misfit.option in BELONGS_TO
        help_line = (
            "choose another normalisation: `norm=batch` fits here"
            if by_norm
            else "write an explicit decoder: `decoder { ... }`"
        )
    scope.report(misfit.name, place, misfit.message, notes=misfit.notes, help=help_line, data=misfit.data)


def _affordable(line: Line, scope: Scope) -> bool:
    """Count a layer; return False, with one finding, once the spec has too many. Mirrored layers do not count."""
    if line.mirrors is not None:
        return True
    scope.layers_placed += 1
    if scope.layers_placed <= MOST_LAYERS:
        return True
    if scope.layers_placed == MOST_LAYERS + 1:
        scope.report(
            "too-many-layers",
            line.at,
            f"the spec has more than {MOST_LAYERS} layers",
            help="lower the number of repeats",
        )
    return False
