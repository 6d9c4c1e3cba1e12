"""The ``bottleneck`` line: the code as it stands, asserted, or made by a convolution or a dense layer."""

from collections.abc import Sequence
from typing import Any

from caedsl.diagnostics.finding import Label
from caedsl.model.autoencoder import Bottleneck
from caedsl.resolve.binding import Bound, bind, filled
from caedsl.resolve.mirror import activation_of
from caedsl.resolve.placing import Placed, place, place_lines, settle
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.activations import LINEAR, Activation
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
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


def form_options(form: str) -> tuple[Option, ...]:
    """What the line may say in this form; a bottleneck's convolution is 1x1 unless told otherwise."""
    if form == "bare":
        return (ASSERTED, *CODE_OPTIONS)
    options = (option for option in KINDS[form].options if option.name != "l1")
    one_by_one = (option._replace(default=(1, 1)) if option.name == "kernel" else option for option in options)
    return (*one_by_one, *CODE_OPTIONS)


def read_bottleneck(
    statement: tree.Statement, encoder: Sequence[Layer], in_shape: Shape | None, scope: Scope
) -> tuple[Bottleneck | None, Shape | None]:
    """The bottleneck behind ``encoder``, and the shape that the decoder starts from (None where it is unknown)."""
    form, items = _form(statement, scope)
    if form is None:
        return None, None
    if form == "bare":
        return _bare(statement, items, encoder, in_shape, scope)
    options = form_options(form)
    bound = bind(f"bottleneck {form}", items, options, scope)
    head = tree.Word(f"bottleneck {form}", statement.head.span)
    values = filled(bound, options, tree.Statement(head, (), None, statement.span, statement.broken), scope)
    if values is None or in_shape is None:
        return None, None
    return _made(KINDS[form], values, bound, statement, encoder, in_shape, scope)


def _form(statement: tree.Statement, scope: Scope) -> tuple[str | None, Sequence[tree.Item]]:
    items = statement.items
    if not items or not isinstance(items[0], tree.Word) or items[0].text in scope.constants:
        return "bare", items
    word = items[0]
    if word.text in FORMS:
        return word.text, items[1:]
    if word.text in LATER_FORMS:
        scope.report(
            "not-supported",
            word.span,
            f"`bottleneck {word.text}` is not yet supported",
            help="use `bottleneck dense 32`, or `bottleneck conv 8`",
        )
        return None, ()
    near = scope.nearest(word.text, FORMS, {"linear": "dense", "fc": "dense", "vae": "variational"})
    remedy = "write `bottleneck`, `bottleneck conv 8` or `bottleneck dense 64`"
    scope.report("unknown-value", word.span, f'unknown bottleneck "{word.text}"', help=remedy, meant=near)
    return None, ()


def _bare(
    statement: tree.Statement,
    items: Sequence[tree.Item],
    encoder: Sequence[Layer],
    in_shape: Shape | None,
    scope: Scope,
) -> tuple[Bottleneck | None, Shape | None]:
    bound = bind("bottleneck", items, form_options("bare"), scope)
    asserted: Shape | None = bound.values.get("shape")
    if in_shape is not None and asserted is not None and asserted != in_shape:
        scope.report(
            "code-shape-mismatch",
            bound.spans["shape"],
            f"the encoder ends at {text(in_shape)}, but the bottleneck asserts {text(asserted)}",
            label=f"the code is {text(in_shape)}",
            related=(Label(encoder[-1].span, f"returns {text(in_shape)}"),) if encoder else (),
            notes=_path(encoder),
            help=f"write `bottleneck {text(in_shape)}`, or change the encoder",
        )
    code = in_shape or asserted
    if code is None:
        return None, None
    values = [bound.values.get(option.name, option.default) for option in CODE_OPTIONS]
    return Bottleneck("bare", code, (), (), values[0], values[1], statement.span), code


def _path(encoder: Sequence[Layer]) -> tuple[str, ...]:
    if not encoder:
        return ()
    steps = [text(encoder[0].in_shape), *(text(layer.out_shape) for layer in encoder)]
    return (" → ".join(step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1]),)


def _made(
    kind: Kind,
    values: dict[str, Any],
    bound: Bound,
    statement: tree.Statement,
    encoder: Sequence[Layer],
    in_shape: Shape,
    scope: Scope,
) -> tuple[Bottleneck | None, Shape | None]:
    penalty, noise = values.pop("l1"), values.pop("noise")
    options = settle(kind, {**values, "l1": 0.0})
    layer = place(kind, options, in_shape, statement.span, bound.spans, scope)
    if layer is None:
        return None, None
    inverse = _inverse(layer, activation_of(encoder), scope) if kind.name == "dense" else Placed(layer.out_shape)
    bottleneck = Bottleneck(kind.name, layer.out_shape, (layer,), tuple(inverse.layers), penalty, noise, statement.span)
    return bottleneck, inverse.out_shape


def _inverse(layer: Layer, activation: Activation, scope: Scope) -> Placed:
    """The map back from the code, with the activation of the map that it restores."""
    lines = layer.kind.twin(layer)
    assert lines is not None
    restored = {"norm": "none", "bias": None, "activation": activation} if activation != LINEAR else {}
    first = lines[0]._replace(options={**lines[0].options, **restored})
    return place_lines((first, *lines[1:]), layer.out_shape, layer.span, scope, layer)
