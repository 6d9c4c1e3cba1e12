"""Two lines in a row undo each other, so together they do nothing.

## What it does
Looks for two neighbouring lines that return exactly what they are given: `pad 1` before `crop 1`, an `upsample 2` that
repeats values before `maxpool 2` or `avgpool 2`, and `pixelshuffle 2` before `pixelunshuffle 2` or the other way
round. The reverse of the others is left alone: `crop 1` before `pad 1` replaces the border by zeros. So are lines with
dropout, with a name for their output or with a number of copies, and lines that take their number from a constant or
a parameter.

## Why is this bad?
A reader would expect an effect, and the larger map between the two lines takes memory and time.

## Example
```cae
encoder { conv 16 relu; upsample 2; maxpool 2; conv 32 s2 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 16 relu; conv 32 s2 relu }
decoder { upsample 2; conv 1 sigmoid }
```

## How sure
Certain.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.plain_lines import plain_lines
from caedsl.rules.edits.trial import drop_lines
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.rule import Rule
from caedsl.source import Span
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.crop import Crop
from caedsl.vocabulary.layers.pad import Pad
from caedsl.vocabulary.layers.pixelshuffle import PixelShuffle
from caedsl.vocabulary.layers.pixelunshuffle import PixelUnshuffle
from caedsl.vocabulary.layers.upsample import MODE, Upsample
from caedsl.vocabulary.margin import pairs
from caedsl.vocabulary.pooling import Pool
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.window import axes

RULE = Rule("CAE227", "cancelling-layers", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every two neighbouring lines that cancel wherever they are placed."""
    placed: dict[Span, list[Layer]] = {}
    twins: dict[Layer, list[Layer]] = {}
    for _, layer in model.layers():
        if layer.mirrors is None:
            placed.setdefault(layer.span, []).append(layer)
        else:
            twins.setdefault(layer.mirrors, []).append(layer)
    found: dict[tuple[Span, Span], list[Layer]] = {}
    for _, part in model.parts:
        for first, second in _cancelling(part):
            if _mirrors_cancel(twins.get(first, []), twins.get(second, [])):
                found.setdefault((first.span, second.span), []).append(first)
    read = {layer.source for _, layer in model.layers()}
    plain = plain_lines(compiled(model.source.text, model.source.path).spec) if found else {}
    for (one, other), layers in found.items():
        is_everywhere = len(layers) == len(placed[one]) == len(placed[other])
        if is_everywhere and one in plain and other in plain and not read.intersection((*placed[one], *placed[other])):
            yield _cancelled(model, one, other, layers[0])


def _cancelled(model: Autoencoder, one: Span, other: Span, layer: Layer) -> Finding:
    title = "remove both lines"
    return RULE.found(
        other,
        f"`{model.source.slice(other)}` undoes `{model.source.slice(one)}`: together they return their input of "
        f"{text(layer.in_shape)} unchanged",
        related=(Label(one, "undone by the next line"),),
        help=f"{title}, or choose other numbers",
        fix=Fix(title, drop_lines(model, one, other), Applicability.SAFE),
        data={"shape": layer.in_shape},
    )


def _cancelling(layers: Sequence[Layer]) -> Iterator[tuple[Layer, Layer]]:
    """Yield the neighbours in a sequence, and in the groups inside it, of which the second undoes the first."""
    taken: Layer | None = None
    for first, second in pairwise(layers):
        if first is not taken and first.mirrors is None and second.mirrors is None and _cancel(first, second):
            taken = second
            yield first, second
    for layer in layers:
        yield from _cancelling(layer.children)


def _mirrors_cancel(firsts: Sequence[Layer], seconds: Sequence[Layer]) -> bool:
    """Return whether the mirrors of two neighbours, which come in reverse order, cancel too."""
    return len(firsts) == len(seconds) and all(map(_cancel, seconds, firsts))


def _cancel(first: Layer, second: Layer) -> bool:
    """Return whether ``second`` returns exactly what ``first`` was given, and neither is idle alone."""
    if first.in_shape != second.out_shape or first.in_shape == first.out_shape or first.span.start > second.span.start:
        return False
    is_plain = all(layer.copies == 1 and not layer.named and not layer.kind.finish(layer) for layer in (first, second))
    return is_plain and _undoes(first, second)


def _undoes(first: Layer, second: Layer) -> bool:
    match first.kind, second.kind:
        case Pad(), Crop():
            return pairs(first.options, first.in_shape) == pairs(second.options, second.in_shape)
        case Upsample(), Pool():
            sides = zip(axes(second.options, second.in_shape), first.in_shape[1:], first.out_shape[1:], strict=True)
            covers = all(axis.kernel == axis.stride and axis.kernel * before == after for axis, before, after in sides)
            return covers and first.options[MODE] == MODE.default
        case (PixelShuffle(), PixelUnshuffle()) | (PixelUnshuffle(), PixelShuffle()):
            return True
        case _:
            return False
