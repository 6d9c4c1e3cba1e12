"""Layer lines to layers: kinds looked up, options bound, repeats written out, every shape computed."""

from collections.abc import Mapping, Sequence
from typing import Any

from caedsl.resolve.binding import Bound, bind, filled
from caedsl.resolve.scope import Defaults, Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.kind import Kind, Line
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.residual import Residual
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape

MOST_LAYERS = 2000
"""More layers than this are taken for a mistake in a repeat; the deepest published convolutional nets have about 1,000."""

TIMES = Option(
    "times", Type.COUNT, 1, "repeats the line, each copy with weights of its own", Written.SHORT, FROM_ONE, short="x"
)

FOREIGN_KINDS = {
    "conv2d": "conv",
    "convolution": "conv",
    "convtranspose": "deconv",
    "convtranspose2d": "deconv",
    "conv2dtranspose": "deconv",
    "upconv": "deconv",
    "linear": "dense",
    "fc": "dense",
    "maxpooling2d": "maxpool",
    "averagepooling2d": "avgpool",
    "pool": "maxpool",
    "upsampling2d": "upsample",
    "unpool": "upsample",
    "resblock": "residual",
}
"""What other libraries call a layer kind."""


class Placed:
    """A run of layers; ``out_shape`` is None where a layer had no shape, and the layers end before it."""

    def __init__(self, in_shape: Shape) -> None:
        self.layers: list[Layer] = []
        self.out_shape: Shape | None = in_shape

    def add(self, layer: Layer | None) -> None:
        """Appends a layer; None ends the run."""
        if layer is None or self.out_shape is None:
            self.out_shape = None
        else:
            self.layers.append(layer)
            self.out_shape = layer.out_shape


def options_of(kind: Kind) -> tuple[Option, ...]:
    """What a line of this kind may say."""
    return kind.options if kind.block else (*kind.options, TIMES)


def place_block(statements: Sequence[tree.Statement], in_shape: Shape, scope: Scope) -> Placed:
    """The layers of a block, each fed by the one before it."""
    placed = Placed(in_shape)
    for statement in statements:
        _place_statement(statement, placed, scope)
    return placed


def find_kind(head: tree.Word, scope: Scope) -> Kind | None:
    """The kind of that name; a near miss is reported and taken for what was meant, so that the shapes can go on."""
    kind = KINDS.get(head.text)
    if kind is not None:
        return kind
    near = FOREIGN_KINDS.get(head.text.lower()) or scope.nearest(head.text, tuple(KINDS))
    help_line = f"layers are {', '.join(KINDS)}"
    scope.report("unknown-layer", head.span, f'unknown layer "{head.text}"', help=help_line, meant=near)
    return KINDS[near] if near else None


def _place_statement(statement: tree.Statement, placed: Placed, scope: Scope) -> None:
    kind = find_kind(statement.head, scope)
    if kind is None or not _block_agrees(statement, kind, scope):
        placed.out_shape = None
        return
    bound, options = read_options(statement, kind, scope)
    if options is None:
        placed.out_shape = None
        return
    if kind.block:
        _place_group(statement, kind, options, bound, placed, scope)
        return
    for _ in range(options.pop(TIMES.name)):
        if placed.out_shape is None or not _room_left(statement, scope):
            placed.out_shape = None
            return
        placed.add(place(kind, options, placed.out_shape, statement.span, bound.spans, scope))


def _block_agrees(statement: tree.Statement, kind: Kind, scope: Scope) -> bool:
    if kind.block and not statement.block:
        if not statement.broken:
            scope.report(
                "missing-block",
                statement.span,
                f"`{kind.name}` needs layers in braces",
                help=f"write `{kind.example}`",
            )
        return False
    if not kind.block and statement.block is not None:
        scope.report(
            "unexpected-block",
            statement.span,
            f"`{kind.name}` is one layer and takes no block",
            help="remove the braces, or use `stage NAME { ... }` for a group",
        )
    return True


def read_options(
    statement: tree.Statement, kind: Kind, scope: Scope, items: Sequence[tree.Item] | None = None
) -> tuple[Bound, dict[str, Any] | None]:
    """The options of a layer line over the ``defaults`` of its kind; None where a required one is missing."""
    declared = options_of(kind)
    bound = bind(kind.name, statement.items if items is None else items, declared, scope)
    _report_idle(bound, kind, scope)
    defaults = scope.defaults.get(kind.name)
    given = Bound({**(defaults.values if defaults else {}), **bound.values}, bound.spans, bound.failed)
    options = filled(given, declared, statement, scope)
    return bound, None if options is None else settle(kind, options)


def settle(kind: Kind, options: dict[str, Any]) -> dict[str, Any]:
    """Decides the defaults that depend on other options: a bias before a normalisation, a pool's stride."""
    if "bias" in options and options["bias"] is None:
        options["bias"] = options["norm"] == "none"
    if "stride" in options and options["stride"] is None:
        options["stride"] = options["kernel"]
    return options


def _report_idle(bound: Bound, kind: Kind, scope: Scope) -> None:
    norm = bound.values.get("norm") or (scope.defaults.get(kind.name) or Defaults({}, {})).values.get("norm", "none")
    for option, owner in normalisation.BELONGS_TO.items():
        if option in bound.spans and not normalisation.has(norm, option) and "norm" not in bound.failed:
            scope.report(
                "option-without-effect",
                bound.spans[option],
                f"`{option}=` has no effect on this line: it belongs to "
                + ("a normalisation" if owner is None else f"`norm={owner}`"),
                help=f"add `norm={owner or 'batch'}`, or leave `{option}=` out"
                + ("; for a grouped convolution write `g8`" if option == "groups" else ""),
            )


def _place_group(
    statement: tree.Statement, kind: Kind, options: dict[str, Any], bound: Bound, placed: Placed, scope: Scope
) -> None:
    assert statement.block is not None
    for _ in range(options.pop("times", 1)):
        if placed.out_shape is None or not _room_left(statement, scope):
            placed.out_shape = None
            return
        before = len(scope.findings)
        inner = place_block(statement.block, placed.out_shape, scope)
        if kind.name == "repeat":
            for layer in inner.layers:
                placed.add(layer)
            placed.out_shape = inner.out_shape
        else:
            placed.add(group(kind, options, placed.out_shape, inner, statement.span, bound.spans, scope))
        if len(scope.findings) > before:
            # Later copies would repeat the findings of this one word for word.
            options["times"] = 0
            if placed.out_shape is None:
                return


def group(
    kind: Kind,
    options: Mapping[str, Any],
    in_shape: Shape,
    inner: Placed,
    span: Span,
    spans: Mapping[str, Span],
    scope: Scope,
    mirrors: Layer | None = None,
) -> Layer | None:
    """A group layer around layers that are placed already, with the shortcut that a residual needs."""
    if inner.out_shape is None:
        return None
    shortcut: tuple[Layer, ...] = ()
    if isinstance(kind, Residual):
        lines = kind.shortcut(in_shape, inner.out_shape)
        if isinstance(lines, Misfit):
            report_misfit(lines, span, spans, scope)
            return None
        path = place_lines(lines, in_shape, span, scope)
        shortcut = tuple(path.layers)
    return Layer(kind, options, in_shape, inner.out_shape, span, spans, tuple(inner.layers), shortcut, mirrors)


def place_lines(
    lines: Sequence[Line], in_shape: Shape, span: Span, scope: Scope, mirrors: Layer | None = None
) -> Placed:
    """Layers that the compiler writes itself; they point at ``span``."""
    placed = Placed(in_shape)
    for line in lines:
        if placed.out_shape is None:
            break
        kind = KINDS[line.kind]
        options = {option.name: option.default for option in kind.options} | dict(line.options)
        placed.add(place(kind, settle(kind, options), placed.out_shape, span, {}, scope, mirrors))
    return placed


def place(
    kind: Kind,
    options: Mapping[str, Any],
    in_shape: Shape,
    span: Span,
    spans: Mapping[str, Span],
    scope: Scope,
    mirrors: Layer | None = None,
) -> Layer | None:
    """One layer with its output shape; None, and a finding, where it does not fit its input."""
    assert REQUIRED not in options.values()
    shape = kind.out_shape(options, in_shape)
    if isinstance(shape, Misfit):
        report_misfit(shape, span, spans, scope)
        return None
    scope.layers_placed += 1
    return Layer(kind, options, in_shape, shape, span, spans, mirrors=mirrors)


def report_misfit(misfit: Misfit, span: Span, spans: Mapping[str, Span], scope: Scope) -> None:
    """A misfit as a finding, at the option that it blames."""
    place = spans.get(misfit.option, span)
    scope.report(misfit.name, place, misfit.message, notes=misfit.notes, help=misfit.help)


def _room_left(statement: tree.Statement, scope: Scope) -> bool:
    if scope.layers_placed < MOST_LAYERS:
        return True
    if not any(finding.name == "too-many-layers" for finding in scope.findings):
        scope.report(
            "too-many-layers",
            statement.span,
            f"the spec has more than {MOST_LAYERS} layers",
            help="lower the number of repeats",
        )
    return False
