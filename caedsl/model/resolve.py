"""From a syntax tree to an ``Autoencoder``: statements found, then resolved in the order of the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from caedsl.diagnostics.finding import Finding, Label
from caedsl.layers import KINDS
from caedsl.layers.layer import Layer
from caedsl.layers.option import REQUIRED, Domain, Option, Type, Written
from caedsl.layers.shape import Shape, text
from caedsl.model.autoencoder import Allowance, Autoencoder, Bottleneck, Bound, Input
from caedsl.model.binding import bind, filled
from caedsl.model.bottleneck import read_bottleneck
from caedsl.model.data import DataSource, InputRange
from caedsl.model.mirror import OPTIONS as MIRROR_OPTIONS
from caedsl.model.mirror import mirror, plan
from caedsl.model.placing import Placed, find_kind, options_of, place_block
from caedsl.model.require import read_bound
from caedsl.model.scope import Constant, Defaults, Scope
from caedsl.model.settings import Train
from caedsl.model.settings_table import read_train
from caedsl.model.sources_table import read_data
from caedsl.model.values import Misread, quantity
from caedsl.source import Source, Span
from caedsl.syntax import tree

STATEMENTS = (
    "autoencoder",
    "input",
    "data",
    "let",
    "defaults",
    "encoder",
    "bottleneck",
    "decoder",
    "train",
    "require",
    "allow",
)
REQUIRED_STATEMENTS = {
    "autoencoder": "autoencoder NAME",
    "input": "input 1x28x28",
    "encoder": "encoder { conv 16 relu; maxpool 2 }",
    "bottleneck": "bottleneck",
    "decoder": "decoder mirror",
}
"""What every spec has, and an example of each."""

MANY = ("let", "defaults", "allow")
BLOCKS = {"encoder": True, "decoder": None, "train": True, "require": True}
"""Whether a statement has a block: yes, or (None) as it likes; the others have none."""

INPUT_OPTIONS = (
    Option("shape", Type.SHAPE, REQUIRED, "channels, height and width", Written.FIRST, Domain(low=1, high=2**16)),
    Option("in", Type.RANGE, InputRange(), "the values that pixels have", Written.WORDED),
)


@dataclass
class _Found:
    """The statements of a spec by their word, and the ``defaults`` that stand above each."""

    single: dict[str, tree.Statement] = field(default_factory=dict)
    defaults: dict[str, dict[str, Defaults]] = field(default_factory=dict)
    allowances: list[Allowance] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)


def resolve(spec: tree.Spec, source: Source) -> tuple[Autoencoder | None, tuple[Finding, ...]]:
    """The model that ``spec`` describes, as far as it can be understood, and what is wrong with it.

    None where there is no input shape to start from.
    """
    scope = Scope(source)
    found = _find(spec, scope)
    _report_missing(spec, found, scope)
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


def _find(spec: tree.Spec, scope: Scope) -> _Found:
    found = _Found()
    for position, statement in enumerate(spec.statements):
        word = _statement_word(statement, scope)
        if word is None:
            continue
        _check_block(word, statement, scope)
        if word == "autoencoder" and position:
            scope.report(
                "misplaced-statement",
                statement.head.span,
                "`autoencoder` is the first statement of a spec",
                help="move it to the top",
            )
        if word in MANY:
            _read_many(word, statement, found, scope)
        elif word in found.single:
            scope.report(
                "duplicate-statement",
                statement.span,
                f"`{word}` stands twice in the spec",
                related=(Label(found.single[word].span, "first here"),),
                help="keep one of them; a spec describes one model",
            )
        else:
            found.single[word] = statement
            found.places[word] = statement.span
            found.defaults[word] = dict(scope.defaults)
    return found


def _statement_word(statement: tree.Statement, scope: Scope) -> str | None:
    word = statement.head.text
    if word in STATEMENTS:
        return word
    from caedsl.diagnostics.suggest import did_you_mean

    near = did_you_mean(word, STATEMENTS, {"latent": "bottleneck", "model": "autoencoder", "training": "train"})
    if near is None and (word in KINDS or word.lower() in ("relu", "sigmoid", "tanh")):
        help_line = "layers stand inside `encoder { ... }` or `decoder { ... }`"
    else:
        help_line = f"did you mean `{near}`?" if near else f"statements are {', '.join(STATEMENTS)}"
    scope.report("unknown-statement", statement.head.span, f'unknown statement "{word}"', help=help_line)
    return near


def _check_block(word: str, statement: tree.Statement, scope: Scope) -> None:
    wanted = BLOCKS.get(word, False)
    if statement.block is not None and wanted is False:
        scope.report("unexpected-block", statement.span, f"`{word}` takes no block", help="remove the braces")
    if wanted and statement.block is None and not statement.broken:
        scope.report("missing-block", statement.span, f"`{word}` needs a block", help=f"write `{word} {{ ... }}`")
    if wanted and statement.items:
        item = statement.items[0]
        text_ = scope.source.slice(item.span)
        scope.report("unexpected-value", item.span, f"`{text_}` has no place between `{word}` and its block")


def _read_many(word: str, statement: tree.Statement, found: _Found, scope: Scope) -> None:
    readers: dict[str, Callable[[tree.Statement, _Found, Scope], None]] = {
        "let": _read_let,
        "defaults": _read_defaults,
        "allow": _read_allow,
    }
    readers[word](statement, found, scope)


def _read_let(statement: tree.Statement, found: _Found, scope: Scope) -> None:
    match statement.items:
        case (tree.Option() as option,):
            value = quantity(option.value, scope)
            if isinstance(value, Misread):
                scope.report(value.name, value.span, value.message, help=value.help)
            elif option.name.text in scope.constants:
                scope.report(
                    "duplicate-statement",
                    option.name.span,
                    f"the constant `{option.name.text}` is defined twice",
                    related=(Label(scope.constants[option.name.text].span, "first here"),),
                    help="give one of them another name",
                )
            else:
                scope.constants[option.name.text] = Constant(value.value, option.name.span)
        case _ if not statement.broken:
            scope.report("missing-value", statement.span, "`let` defines one constant", help="write `let width = 32`")
        case _:
            pass


def _read_defaults(statement: tree.Statement, found: _Found, scope: Scope) -> None:
    if not statement.items or not isinstance(statement.items[0], tree.Word):
        if not statement.broken:
            scope.report(
                "missing-value", statement.span, "`defaults` needs a layer kind", help="write `defaults conv k3 relu`"
            )
        return
    kind = find_kind(statement.items[0], scope)
    if kind is None:
        return
    allowed = tuple(option for option in options_of(kind) if option.name != "times")
    bound = bind(f"defaults {kind.name}", statement.items[1:], allowed, scope)
    scope.defaults[kind.name] = Defaults(
        {**scope.defaults.get(kind.name, Defaults({}, {})).values, **bound.values}, bound.spans
    )


def _read_allow(statement: tree.Statement, found: _Found, scope: Scope) -> None:
    match statement.items:
        case (tree.Word() | tree.Operation() as name, tree.Text() as reason) if reason.value.strip():
            # A name with hyphens is read as a difference of words.
            found.allowances.append(Allowance(scope.source.slice(name.span), reason.value, statement.span))
        case _ if not statement.broken:
            scope.report(
                "allowance-without-reason",
                statement.span,
                "`allow` needs the name of a finding and a reason",
                help='write `allow overcomplete "a denoiser: the noise is the limit"`',
            )
        case _:
            pass


def _report_missing(spec: tree.Spec, found: _Found, scope: Scope) -> None:
    if not spec.complete:
        return
    missing = [word for word in REQUIRED_STATEMENTS if word not in found.single]
    if not missing:
        return
    end = Span(len(scope.source.text), len(scope.source.text))
    listed = ", ".join(f"`{word}`" for word in missing)
    if not spec.statements:
        message = "the spec is empty"
        help_line = (
            "start with `caedsl new NAME`, or write `autoencoder NAME`, `input`, `encoder`, `bottleneck`, `decoder`"
        )
    else:
        message = f"the spec lacks {listed}"
        help_line = "; ".join(f"add `{REQUIRED_STATEMENTS[word]}`" for word in missing)
    scope.report("missing-statement", end, message, help=help_line)


def _assemble(spec: tree.Spec, found: _Found, scope: Scope) -> Autoencoder | None:
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


def _read_train(found: _Found, scope: Scope) -> Train | None:
    statement = found.single.get("train")
    if statement is None or statement.block is None:
        return None
    return read_train(statement.block, found.places, scope)


def _read_data(found: _Found, scope: Scope) -> tuple[DataSource, ...]:
    statement = found.single.get("data")
    return () if statement is None else read_data(statement, scope)


def _read_bounds(found: _Found, scope: Scope) -> tuple[Bound, ...]:
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


def _read_encoder(found: _Found, in_shape: Shape, scope: Scope) -> Placed:
    statement = found.single.get("encoder")
    if statement is None or statement.block is None:
        nothing = Placed(in_shape)
        nothing.out_shape = None
        return nothing
    return _block_of_layers("encoder", statement, in_shape, found, scope)


def _block_of_layers(word: str, statement: tree.Statement, in_shape: Shape, found: _Found, scope: Scope) -> Placed:
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


def _read_bottleneck(found: _Found, encoder: Placed, scope: Scope) -> tuple[Bottleneck | None, Shape | None]:
    statement = found.single.get("bottleneck")
    if statement is None:
        return None, encoder.out_shape
    return read_bottleneck(statement, encoder.layers, encoder.out_shape, scope)


def _read_decoder(
    found: _Found, encoder: Placed, bottleneck: Bottleneck | None, start: Shape | None, image: Input, scope: Scope
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


def _mirror_values(statement: tree.Statement, found: _Found, scope: Scope) -> dict[str, Any] | None:
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
