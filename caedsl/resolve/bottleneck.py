"""The ``bottleneck`` line: the code as it stands, asserted, or made by a convolution or a dense layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from caedsl.diagnostics.finding import Label
from caedsl.model.autoencoder import Bottleneck
from caedsl.resolve.binding import bind
from caedsl.resolve.line_options import LineOptions, filled
from caedsl.resolve.placing import place
from caedsl.resolve.reading import report_idle
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.option import FROM_ONE, NOT_NEGATIVE, Option, Type, Written
from caedsl.vocabulary.shape import Shape, text

CODE_OPTIONS = (
    Option(
        "l1",
        Type.NUMBER,
        0.0,
        "λ of λ·Σ|z| over the code, added to the loss: a sparse autoencoder",
        domain=NOT_NEGATIVE,
    ),
    Option("noise", Type.NUMBER, 0.0, "deviation of Gaussian noise on the code while training", domain=NOT_NEGATIVE),
)
ASSERTED = Option("shape", Type.SHAPE, None, "the code's shape, asserted", Written.FIRST, FROM_ONE)
FORMS = ("conv", "dense")
LATER_FORMS = ("variational", "quantized")
_LATER_ALIASES = {"vae": "variational", "vq": "quantized", "vqvae": "quantized", "quantised": "quantized"}


@dataclass(frozen=True)
class Code:
    """A bottleneck as it is read: its layer's Line, or the shape that is asserted, and what holds for the code."""

    form: str
    line: Line | None
    asserted: Shape | None
    l1: float
    noise: float
    at: Span
    shape_at: Span


def form_options(form: str) -> tuple[Option, ...]:
    """Return the options of this form; a bottleneck's convolution is 1x1 unless told otherwise."""
    if form == "bare":
        return (ASSERTED, *CODE_OPTIONS)
    options = (option for option in KINDS[form].options if option.name != "l1")
    one_by_one = (option._replace(default=(1,)) if option.name == "kernel" else option for option in options)
    return (*one_by_one, *CODE_OPTIONS)


def read_bottleneck(statement: tree.Statement, scope: Scope) -> Code | None:
    """Return the bottleneck that the line describes; None, and a finding, where it cannot be read."""
    form, items = _form(statement, scope)
    if form is None:
        return None
    if form == "bare":
        return _read_bare(statement, items, scope)
    options = form_options(form)
    bound = bind(f"bottleneck {form}", items, options, scope)
    # A convolution that makes a code is 1x1 and linear by itself; a dense one differs from no other dense layer.
    inherited = scope.inherited(form, bound.values.keys() - {"l1"}) if form == "dense" else {}
    head = tree.Word(f"bottleneck {form}", statement.head.span.to(statement.items[0].span))
    given = LineOptions({**inherited, **bound.values}, bound.spans, bound.failed)
    values = filled(given, options, tree.Statement(head, (), None, statement.span, statement.broken), scope)
    if values is None:
        return None
    report_idle(bound, inherited, scope)
    penalty, noise = bound.values.get("l1", 0.0), values.pop("noise")  # `l1=` on this line is a penalty on the code
    line = Line(form, {**values, "l1": inherited.get("l1", 0.0)}, bound.spans, at=statement.span)
    return Code(form, line, None, penalty, noise, statement.span, statement.span)


def _form(statement: tree.Statement, scope: Scope) -> tuple[str | None, Sequence[tree.Item]]:
    items = statement.items
    if not items or not isinstance(items[0], tree.Word):
        return "bare", items
    word = items[0]
    if word.text in FORMS:
        return word.text, items[1:]
    if scope.is_constant(word.text):
        return "bare", items
    later = _LATER_ALIASES.get(word.text.lower(), word.text)
    if later in LATER_FORMS:
        scope.report(
            "not-supported",
            word.span,
            f"`bottleneck {later}` is not yet supported",
            help="use `bottleneck dense 32`, or `bottleneck conv 8`",
        )
        return None, ()
    near = scope.nearest(word.text, FORMS, {"linear": "dense", "fc": "dense"})
    remedy = "write `bottleneck`, `bottleneck conv 8` or `bottleneck dense 64`"
    scope.report("unknown-value", word.span, f'unknown bottleneck "{word.text}"', help=remedy, meant=near)
    return near, items[1:]


def _read_bare(statement: tree.Statement, items: Sequence[tree.Item], scope: Scope) -> Code:
    bound = bind("bottleneck", items, form_options("bare"), scope)
    l1, noise = (bound.values.get(option.name, option.default) for option in CODE_OPTIONS)
    shape_at = bound.spans.get("shape", statement.span)
    asserted = None if bound.faults else bound.values.get("shape")
    return Code("bare", None, asserted, l1, noise, statement.span, shape_at)


def place_bottleneck(code: Code, encoder: Sequence[Layer], in_shape: Shape | None, scope: Scope) -> Bottleneck | None:
    """Return the bottleneck behind ``encoder``, which ends at ``in_shape``; None where the code's shape is unknown."""
    if code.line is not None:
        layer = None if in_shape is None else place(code.line, in_shape, scope)
        if layer is None:
            return None
        return Bottleneck(code.form, layer.out_shape, (layer,), (), code.l1, code.noise, code.at)
    if in_shape is not None and code.asserted is not None and code.asserted != in_shape:
        scope.report(
            "code-shape-mismatch",
            code.shape_at,
            f"the encoder ends at {text(in_shape)}, but the bottleneck asserts {text(code.asserted)}",
            label=f"the code is {text(in_shape)}",
            related=(Label(encoder[-1].span, f"returns {text(in_shape)}"),) if encoder else (),
            notes=_path(encoder),
            help=f"write `bottleneck {text(in_shape)}`, or change the encoder",
        )
    shape = in_shape or code.asserted
    return None if shape is None else Bottleneck("bare", shape, (), (), code.l1, code.noise, code.at)


def _path(encoder: Sequence[Layer]) -> tuple[str, ...]:
    if not encoder:
        return ()
    steps = [text(encoder[0].in_shape), *(text(layer.out_shape) for layer in encoder)]
    return (" → ".join(step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1]),)
