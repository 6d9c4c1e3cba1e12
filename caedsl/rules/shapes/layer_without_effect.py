"""A line whose layer returns its input.

## What it does
Reports layers that return their input unchanged: `pad 0`, `crop 0`, `maxpool 1`, `upsample 1`, `dropout 0`, and a
`reshape` to the shape that is already there.

## Why is this bad?
It suggests that something happens here. Usually a number is wrong, or the line is left over.

## Example
```cae
input 1x28x28
encoder { conv 8 k4 s2 relu; maxpool 1; conv 16 k4 s2 relu }
bottleneck dense 32
```

## Instead
```cae
input 1x28x28
encoder { conv 8 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck dense 32
```

## How sure
Each output is the input at the same place.
"""

from collections.abc import Iterator

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import rank

RULE = Rule("CAE226", "layer-without-effect", Severity.WARNING)

_MOVING = (Role.PASSING, Role.RESHAPING)
"""Roles of layers that only select, average, drop or arrange numbers."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding per line; lines of a mirror follow from the encoder's."""
    seen = set()
    for _, layer in model.layers():
        if layer.mirrors is not None or layer.span in seen or not _returns_its_input(layer):
            continue
        seen.add(layer.span)
        line = model.source.slice(layer.span)
        yield RULE.found(
            layer.span,
            f"`{line}` returns its input",
            help="remove the line",
            fix=Fix("remove the line", (removal(model.source.text, layer.span),), Applicability.SAFE),
            data={"layer": line},
        )


def _returns_its_input(layer: Layer) -> bool:
    moves = layer.kind.has_line and layer.kind.role in _MOVING
    if not moves or layer.in_shape != layer.out_shape or layer.activation != LINEAR:
        return False
    if layer.options.get(layer.kind.drop_option, 0.0):
        return False
    if layer.kind.role is Role.RESHAPING:
        return True
    reads = layer.kind.reads(layer)
    sides = layer.in_shape[1 : 1 + rank(layer.in_shape)]
    return all(read(place) == (place, place) for read, side in zip(reads, sides, strict=True) for place in range(side))
