"""A layer returns its input unchanged, or an option of a line does nothing.

## What it does
Looks for lines that change neither a value nor a shape: `maxpool 1`, `avgpool 1`, `pad 0`, `crop 0`, `upsample 1`,
`dropout 0`, `scale 1`, a `reshape` or an `upsample to` the shape that the map already has, and an activation that
returns every input that it can have, such as the second of `relu; relu`; for the second of `norm batch; norm batch`,
which normalises what is normalised; for `repeat 1`, `x1` and the copies of `relu x2`; for options of `decoder mirror`
without which the mirror is the same, such as `upsample=deconv` without a pool; for the dilation of a kernel of 1; and,
as information, for options that are written but switched off: `dropout=0`, `l1=0` and `l2=0`, unless they replace one
of `defaults`. A line that takes its number from a constant or a block's parameter is left alone, because another value
may have an effect.

## Why is this bad?
A reader would expect an effect: after `maxpool 1` a map is as large as before.

## Example
```cae
encoder { conv 16 relu; maxpool 1; conv 32 s2 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 16 relu; maxpool 2; conv 32 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## How sure
Certain.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import pairwise

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.value_bounds import ANY, bounds_before
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.mirroring.mirror import OPTIONS
from caedsl.resolve.outputs import AS
from caedsl.resolve.reading.lines import TIMES
from caedsl.rules.edits.plain_lines import plain_lines
from caedsl.rules.edits.trial import default_place, drop, tried, without_braces
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.syntax.tree import Item, Number, Statement, WrittenOption, WrittenWord
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.kind import DROPOUT
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.layers.activation import ActivationLine
from caedsl.vocabulary.layers.norm import NormLine
from caedsl.vocabulary.layers.repeat import Repeat
from caedsl.vocabulary.norms import NORM, NORMS
from caedsl.vocabulary.option import Options, Type, Written
from caedsl.vocabulary.shape import Shape, text
from caedsl.vocabulary.window import DILATION, KERNEL

RULE = Rule("CAE226", "layer-without-effect", Severity.WARNING)
_ONCE = "1"
_MIRROR_OPTIONS = ("upsample", "norm", "channels", "skips")
_NOT_CHOSEN = frozenset(f"{option.name}={option.default}" for option in OPTIONS)
"""Options that are written with their defaults, which an author may do to be explicit."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line whose layers all return their input, and for idle repeats and options."""
    fixed = plain_lines(compiled(model.source.text, model.source.path).spec)
    lines: dict[Span, list[Layer]] = {}
    twins: dict[Layer, list[Layer]] = {}
    for _, layer in model.layers():
        if layer.mirrors is not None:
            twins.setdefault(layer.mirrors, []).append(layer)
        elif layer.span in fixed:
            lines.setdefault(layer.span, []).append(layer)
    repeated = {layer for _, part in model.parts for layer in _repeated_norms(part)}
    for span, layers in lines.items():
        if repeated.intersection(layers):
            yield _idle_norm(model, layers, repeated)
        elif all(_has_no_effect(model, each) for layer in layers for each in (layer, *twins.get(layer, ()))):
            yield _idle_line(model, span, layers[0])
        elif span != model.bottleneck.span:  # `--set` and variants switch off options of that line
            yield from _idle_options(model, layers[0])
            yield from _idle_dilation(model, layers[0])
    for span, statement in fixed.items():
        yield from _single_repeat(model, statement)
        yield from _idle_copies(model, lines.get(span, []), twins)
    yield from _idle_mirror_options(model)


def _repeated_norms(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield the lines that normalise each channel as the layer before has just done."""
    yield from (layer for before, layer in pairwise(layers) if _normalises_again(before, layer))
    for layer in layers:
        yield from _repeated_norms(layer.children)


def _normalises_again(before: Layer, layer: Layer) -> bool:
    if not isinstance(layer.kind, NormLine) or not NORMS[layer.options[NORM]].centres:
        return False
    alike = all(
        option in before.options and before.options.of_any_type(option) == layer.options.of_any_type(option)
        for option in layer.kind.options
    )
    return alike and before.activation == LINEAR and not before.options.get(DROPOUT, 0)


def _idle_norm(model: Autoencoder, layers: Sequence[Layer], repeated: Container[Layer]) -> Finding:
    """Return the finding for a line that normalises what is normalised, or for its copies that do."""
    is_line = all(layer in repeated for layer in layers)
    place = layers[0].span if is_line else layers[0].place(TIMES)
    edit = removal(model.source.text, place) if is_line else drop(model, place)
    return RULE.found(
        place,
        f"`{model.source.slice(place)}` has no effect: its input is normalised in the same way",
        help="remove the line" if is_line else "remove it",
        fix=Fix("remove the line" if is_line else "remove it", (edit,), Applicability.SAFE),
    )


def _idle_line(model: Autoencoder, span: Span, layer: Layer) -> Finding:
    other = "" if isinstance(layer.kind, ActivationLine) else "choose another number, or "
    return RULE.found(
        span,
        f"`{model.source.slice(span)}` has no effect: it returns its input of {text(layer.in_shape)} unchanged",
        help=f"{other}remove the line",
        fix=Fix("remove the line", (removal(model.source.text, span),), Applicability.SAFE),
        data={"shape": layer.in_shape},
    )


def _idle_options(model: Autoencoder, layer: Layer) -> Iterator[Finding]:
    """Yield a finding for every option that the line switches off, although nothing switches it on."""
    for option in layer.kind.options:
        place = layer.spans.get(option.name)
        if option.off is None or place is None or layer.options.of_any_type(option) != option.off:
            continue
        if default_place(model, layer, option) is None:
            yield RULE.found(
                place,
                f"`{model.source.slice(place)}` has no effect: it is the default",
                help="choose another number, or remove it",
                fix=Fix("remove it", (drop(model, place),), Applicability.SAFE),
                severity=Severity.INFO,
            )


def _idle_dilation(model: Autoencoder, layer: Layer) -> Iterator[Finding]:
    """Yield the finding for a dilation of a kernel that has nothing to spread."""
    place = layer.spans.get(DILATION.name)
    if place is None:
        return
    spread = list(zip(layer.options[KERNEL], layer.options[DILATION], strict=True))
    if any(dilation > 1 for _, dilation in spread) and all(1 in axis for axis in spread):
        yield RULE.found(
            place,
            f"`{model.source.slice(place)}` has no effect: a kernel of 1 has no gaps",
            help="use a larger kernel, or remove it",
            fix=Fix("remove it", (drop(model, place),), Applicability.SAFE),
        )


def _idle_mirror_options(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every option of ``decoder mirror`` without which the network is the same."""
    for name in _MIRROR_OPTIONS if model.mirrored else ():
        place = model.places.get(f"decoder.{name}")
        written = "" if place is None else model.source.slice(place)
        if place is None or written in _NOT_CHOSEN:
            continue
        edit = drop(model, place)
        without = tried(model, (edit,))
        if without is not None and _network(without) == _network(model):
            yield RULE.found(
                place,
                f"`{written}` has no effect: the mirror is the same without it",
                help="choose another value, or remove it",
                fix=Fix("remove it", (edit,), Applicability.SAFE),
            )


def _network(model: Autoencoder) -> list[tuple[str, Options, Shape, Shape]]:
    return [(layer.kind.name, layer.options, layer.in_shape, layer.out_shape) for _, layer in model.layers()]


def _single_repeat(model: Autoencoder, statement: Statement) -> Iterator[Finding]:
    """Yield the finding for a line or a block that is repeated only once."""
    for before, item in pairwise((statement.head, *statement.items)):
        if _makes_one_copy(item) and not _is_followed_by_a_name(before):
            fix = Fix("remove it", (drop(model, item.span),), Applicability.SAFE)
            yield _once(item.span, model.source.slice(item.span), fix)
    if statement.head.text == Repeat.name and statement.block:
        items = statement.items  # any items, in a block that no line uses: it is not read
        if len(items) == 1 and isinstance(items[0], Number) and items[0].text == _ONCE:
            fix = Fix("remove the braces", without_braces(model, statement), Applicability.SAFE)
            yield _once(statement.span, f"{Repeat.name} {_ONCE}", fix)


def _idle_copies(model: Autoencoder, layers: list[Layer], twins: Mapping[Layer, list[Layer]]) -> Iterator[Finding]:
    """Yield the finding for a line whose first copy has an effect and whose other copies have none: `relu x2`.

    The decoder of a mirror has the copies in reverse order.
    """
    copies = layers[0].copies if layers else 1
    if copies == 1 or _has_no_effect(model, layers[0]):
        return
    others = [layer for number, layer in enumerate(layers) if number % copies]
    mirrored = [twin for number, layer in enumerate(layers) if (number + 1) % copies for twin in twins.get(layer, ())]
    if all(_has_no_effect(model, layer) for layer in (*others, *mirrored)):
        place = layers[0].place(TIMES)
        yield RULE.found(
            place,
            f"`{model.source.slice(place)}` has no effect: only the first copy changes its input",
            help="remove it",
            fix=Fix("remove it", (drop(model, place),), Applicability.SAFE),
        )


def _makes_one_copy(item: Item) -> bool:
    """Return whether an item is ``x1`` or ``x=1``."""
    match item:
        case WrittenWord(text=word):
            return word == f"{TIMES.short}{_ONCE}"
        case WrittenOption(name=WrittenWord(text=TIMES.short), value=Number(text=written)):
            return written == _ONCE
        case _:
            return False


def _is_followed_by_a_name(before: Item) -> bool:
    """Return whether the next item names an output or a stage: `as x1`, `concat x1`, `stage x1 { ... }`."""
    if not isinstance(before, WrittenWord):
        return False
    options = KINDS[before.text].options if before.text in KINDS else ()
    named = any(option.type is Type.NAME and option.written is Written.FIRST for option in options)
    return named or before.text == AS.name


def _once(span: Span, written: str, fix: Fix) -> Finding:
    return RULE.found(
        span, f"`{written}` has no effect: it repeats nothing", help="choose another number, or remove it", fix=fix
    )


def _has_no_effect(model: Autoencoder, layer: Layer) -> bool:
    if isinstance(layer.kind, ActivationLine):
        return layer.activation.keeps(*bounds_before(model).get(layer, ANY))
    return layer.kind.has_no_effect(layer)
