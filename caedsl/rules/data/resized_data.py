"""The images are enlarged to the input's size.

## What it does
Reports an info if the first data source is a published dataset with images that are less than half as high or wide as
the input. A source after `else` is only a fallback and is not checked.

## Why is this bad?
Enlarging adds pixels but no detail: 8x8 digits enlarged to 28x28 pixels are smooth blobs, which every model reproduces
easily. An error measured on them says nothing about images that were recorded at that size.

## Example
```cae
input 1x28x28
data digits
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## Instead
```cae
input 1x8x8
data digits
encoder { conv 16 relu x2; maxpool 2; conv 8 relu }
```

## How sure
The sizes are known; the limit of one half is a heuristic.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.presets import preset
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import text

RULE = Rule("CAE608", "resized-data", Severity.INFO)

TIMES = 2
"""Report an info if images are enlarged by more than this factor along an axis (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the first source."""
    known = preset(model)
    if known is None or channels_last(model) or len(known.shape) != len(model.input.shape):
        return
    native, wanted = known.shape[1:], model.input.shape[1:]
    if all(side <= TIMES * own for side, own in zip(wanted, native, strict=True)):
        return
    yield RULE.found(
        model.data[0].span,
        f"{model.data[0].name} are images of {text(native)} pixels: enlarging them to {text(wanted)} adds no detail",
        related=(Label(model.input.span, text(wanted)),),
        help=f"write `input {known.shape[0]}x{text(native)}`, or use images of that size",
        data={"native": native, "wanted": wanted},
    )
