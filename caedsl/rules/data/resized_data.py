"""Images are enlarged to the input's size.

## What it does
Informs where the first data source is a published set whose images are less than half as high or wide as the input.
A source behind `else` is a stand-in, and nothing is said of it.

## Why is this bad?
Enlarging adds pixels and no detail: 8x8 digits drawn on 28x28 pixels are smooth blobs, which every model reproduces
easily. An error measured on them says nothing about images that were taken at that size.

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
The sizes are known; that half is the limit is a heuristic.
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
"""Enlarged to more than so many times on a side it informs (heuristic)."""


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
        f"{model.data[0].name} are images of {text(native)} pixels: enlarged to {text(wanted)} they hold no more "
        "detail",
        related=(Label(model.input.span, text(wanted)),),
        help=f"write `input {known.shape[0]}x{text(native)}`, or use images of that size",
        data={"native": native, "wanted": wanted},
    )
