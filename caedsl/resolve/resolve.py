"""From a syntax tree to an ``Autoencoder``: statements found, then resolved in the order of the data."""

from collections.abc import Sequence
from typing import Any

from caedsl.diagnostics.finding import Finding
from caedsl.model.autoencoder import Autoencoder, Bottleneck, Bound, Input
from caedsl.model.data import DataSource, InputRange
from caedsl.model.settings import Train
from caedsl.resolve.binding import bind, filled
from caedsl.resolve.bottleneck import read_bottleneck
from caedsl.resolve.mirror import OPTIONS as MIRROR_OPTIONS
from caedsl.resolve.mirror import mirror, plan
from caedsl.resolve.placing import Placed, place_block
from caedsl.resolve.require import read_bound
from caedsl.resolve.scope import Scope
from caedsl.resolve.settings_table import read_train
from caedsl.resolve.sources_table import read_data
from caedsl.resolve.statements import Found, find, report_missing
from caedsl.source import Source
from caedsl.syntax import tree
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, text

INPUT_OPTIONS = (
    Option("shape", Type.SHAPE, REQUIRED, "channels, height and width", Written.FIRST, Domain(low=1, high=2**16)),
    Option("in", Type.RANGE, InputRange(), "the values that pixels have", Written.WORDED),
)


def resolve(spec: tree.Spec, source: Source) -> tuple[Autoencoder | None, tuple[Finding, ...]]:
    """The model that ``spec`` describes, as far as it can be understood, and what is wrong with it.

    None where there is no input shape to start from.
    """
    scope = Scope(source)
    found = find(spec, scope)
    report_missing(spec, found, scope)
    model = _assemble(spec, found, scope)
    for name, constant in scope.constants.items():
        if name not in scope.used and spec.complete:
            scope.report(
                "unused-constant",
                constant.span,
                f"the constant `{name}` is never used",
                help="use it, or remove the line",
            )
    return model, tuple(scope.findings)


def _assemble(spec: tree.Spec, found: Found, scope: Scope) -> Autoencoder | None:
    name = _read_name(found.single.get("autoencoder"), scope)
    train = _read_train(found, scope)
    data = _read_data(found, scope)
    image = _read_input(found.single.get("input"), scope)
    if image is None:
        return None
    encoder = _read_encoder(found, image.shape, scope)
    bottleneck, start = _read_bottleneck(found, encoder, scope)
    decoder = _read_decoder(found, encoder, bottleneck, start, image, scope)
    complete = (
        spec.complete and bottleneck is not None and encoder.out_shape is not None and decoder.out_shape is not None
    )
    if bottleneck is None:
        known = encoder.layers[-1].out_shape if encoder.layers else image.shape
        bottleneck = Bottleneck("bare", known, (), (), 0.0, 0.0, found.places.get("bottleneck", image.span))
    return Autoencoder(
        name=name,
        source=scope.source,
        input=image,
        data=data,
        encoder=tuple(encoder.layers),
        bottleneck=bottleneck,
        decoder=tuple(decoder.layers),
        mirrored="decoder" in found.single and found.single["decoder"].block is None,
        train=train,
        require=_read_bounds(found, scope),
        allowances=tuple(found.allowances),
        places=found.places,
        complete=complete,
    )


def _read_name(statement: tree.Statement | None, scope: Scope) -> str:
    if statement is None:
        return "unnamed"
    options = (Option("name", Type.NAME, REQUIRED, "the model's name", Written.FIRST),)
    values = filled(bind("autoencoder", statement.items, options, scope), options, statement, scope)
    return "unnamed" if values is None else str(values["name"])


def _read_train(found: Found, scope: Scope) -> Train | None:
    statement = found.single.get("train")
    if statement is None or statement.block is None:
        return None
    return read_train(statement.block, found.places, scope)


def _read_data(found: Found, scope: Scope) -> tuple[DataSource, ...]:
    statement = found.single.get("data")
    return () if statement is None else read_data(statement, scope)


def _read_bounds(found: Found, scope: Scope) -> tuple[Bound, ...]:
    statement = found.single.get("require")
    bounds = (read_bound(line, scope) for line in (statement.block or ())) if statement else ()
    return tuple(bound for bound in bounds if bound is not None)


def _read_input(statement: tree.Statement | None, scope: Scope) -> Input | None:
    if statement is None:
        return None
    items = tuple(_image_shape(item, scope) for item in statement.items)
    bound = bind("input", items, INPUT_OPTIONS, scope)
    values = filled(bound, INPUT_OPTIONS, statement, scope)
    if values is None:
        return None
    shape: Shape = values["shape"]
    span = bound.spans["shape"]
    if len(shape) != 3:
        scope.report(
            "wrong-type",
            span,
            f"an input has channels, height and width, and `{text(shape)}` has not all three",
            help="write `input 1x28x28`",
        )
        return None
    return Input(shape, values["in"], span, bound.spans.get("in", span))


def _image_shape(item: tree.Item, scope: Scope) -> tree.Item:
    """``28x28`` read as one channel of 28x28, with a finding, so that the rest can be checked."""
    if isinstance(item, tree.Size) and len(item.dims) == 2:
        shape = (1, *item.dims)
        scope.report(
            "wrong-type",
            item.span,
            f"an input has channels, height and width, and `{text(item.dims)}` has two numbers",
            help=f"write `input {text(shape)}` for grey images, `input 3x{text(item.dims)}` for colour",
        )
        return tree.Size(shape, item.span)
    return item


def _read_encoder(found: Found, in_shape: Shape, scope: Scope) -> Placed:
    statement = found.single.get("encoder")
    if statement is None or statement.block is None:
        nothing = Placed(in_shape)
        nothing.out_shape = None
        return nothing
    return _block_of_layers("encoder", statement, in_shape, found, scope)


def _block_of_layers(word: str, statement: tree.Statement, in_shape: Shape, found: Found, scope: Scope) -> Placed:
    assert statement.block is not None
    if not statement.block and not statement.broken:
        scope.report(
            "missing-block",
            statement.span,
            f"the {word} has no layers",
            help=f"write `{word} {{ conv 16 relu; maxpool 2 }}`",
        )
    scope.defaults = found.defaults[word]
    return place_block(statement.block, in_shape, scope)


def _read_bottleneck(found: Found, encoder: Placed, scope: Scope) -> tuple[Bottleneck | None, Shape | None]:
    statement = found.single.get("bottleneck")
    if statement is None:
        return None, encoder.out_shape
    return read_bottleneck(statement, encoder.layers, encoder.out_shape, scope)


def _read_decoder(
    found: Found, encoder: Placed, bottleneck: Bottleneck | None, start: Shape | None, image: Input, scope: Scope
) -> Placed:
    statement = found.single.get("decoder")
    unknown = Placed(image.shape)
    unknown.out_shape = None
    if statement is None:
        return unknown
    if statement.block is not None:
        _refuse_items(statement, scope)
        if start is None:
            return unknown
        return _block_of_layers("decoder", statement, start, found, scope)
    values = _mirror_values(statement, found, scope)
    if values is None or start is None or encoder.out_shape is None or bottleneck is None:
        return unknown
    layers: Sequence[Layer] = encoder.layers
    if bottleneck.form == "conv":
        layers = (*layers, *bottleneck.layers)
    return mirror(layers, start, plan(values, image.range, statement.span), scope)


def _refuse_items(statement: tree.Statement, scope: Scope) -> None:
    if statement.items:
        span = statement.items[0].span.to(statement.items[-1].span)
        text_ = scope.source.slice(span)
        scope.report(
            "unexpected-value",
            span,
            f"`{text_}` has no place before the decoder's block",
            help="write `decoder mirror` with its options, or `decoder { layers }`",
        )


def _mirror_values(statement: tree.Statement, found: Found, scope: Scope) -> dict[str, Any] | None:
    bound = bind("decoder", statement.items, MIRROR_OPTIONS, scope)
    found.places.update({f"decoder.{option}": span for option, span in bound.spans.items()})
    if "mode" in bound.failed:
        return None
    if "mode" not in bound.values:
        if not statement.broken:
            scope.report(
                "missing-value",
                statement.span,
                "`decoder` needs `mirror` or a block of layers",
                help="write `decoder mirror`, or `decoder { ... }`",
            )
        return None
    return filled(bound, MIRROR_OPTIONS, statement, scope)
