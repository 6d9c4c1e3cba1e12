"""A `reshape` to a shape with a different number of values.

## What it does
Compares the number of values of both shapes.

## Why is this bad?
A reshape rearranges values; it can neither add nor drop any.

## Example
```cae
encoder { conv 8 relu; maxpool 2; reshape 8x7x7 }
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2; reshape 32x7x7 }
```

## How sure
Arithmetic. `--fix` writes the map that has the input's proportions and the right number of values and with which the
decoder returns the input's size. If there are several, the nearest is an unsafe fix.
"""

from collections.abc import Iterator
from itertools import islice
from math import prod

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import Shape, text

RULE = Rule("CAE205", "reshape-mismatch", Severity.ERROR)


def repair(model: Autoencoder, finding: Finding) -> Fix | None:
    """Return the shape that fits on both sides, or the nearest if there are several."""
    shape, numbers = finding.data["shape"], finding.data["numbers"]
    if not isinstance(shape, tuple) or not isinstance(numbers, int) or len(shape) != len(model.input.shape):
        return None
    fitting = list(islice(_fitting(model, finding, numbers, shape), 2))
    if not fitting:
        return None
    edits = (Edit(finding.primary.span, text(fitting[0])),)
    # With other channels, the layer before the reshape may be what is wrong.
    sure = Applicability.SAFE if len(fitting) == 1 and fitting[0][0] == shape[0] else Applicability.UNSAFE
    return Fix(f"write `reshape {text(fitting[0])}`", edits, sure)


def _fitting(model: Autoencoder, finding: Finding, numbers: int, written: Shape) -> Iterator[Shape]:
    """Yield shapes with which the spec returns the input's size, those nearest to the written sizes first."""
    for shape in sorted(_maps(model, numbers), key=lambda shape: abs(shape[1] - written[1])):
        changed = tried(model, (Edit(finding.primary.span, text(shape)),))
        if changed is not None and changed.out_shape == changed.target.shape:
            yield shape


def _maps(model: Autoencoder, numbers: int) -> Iterator[Shape]:
    """Yield maps with this many values that are no larger than the input and have its proportions, up to rounding."""
    _, first, *others = model.input.shape
    for side in range(1, first + 1):
        sizes = (side, *(max(1, round(other * side / first)) for other in others))
        if numbers % prod(sizes) == 0:
            yield (numbers // prod(sizes), *sizes)
