"""The input is written as height x width x channels.

## What it does
Reports inputs such as `28x28x1` and `32x32x3`: as in PyTorch, a spec writes the channels first. It is an error if the
output's shape, or a layer that fits only with the channels first, shows that the input is wrong.

## Why is this bad?
Read as written, `28x28x1` is an image of 28 channels, 28 pixels high and one pixel wide. All other shape findings would
follow from this one line, so the other shape rules are silent until it is corrected.

## Example
```cae
input 28x28x1
encoder { conv 8 relu }
decoder { conv 1 sigmoid }
```

## Instead
```cae
input 1x28x28
encoder { conv 8 relu; maxpool 2 }
```

## How sure
A likely guess: images with 28 channels that are one pixel wide are rare. If the model fits such an input, this is only
a warning.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import text

RULE = Rule("CAE218", "channels-last", Severity.WARNING, partial=True, escalates=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the shape of the input."""
    if not channels_last(model):
        return
    height, width, channels = model.input.shape
    meant = f"{channels}x{height}x{width}"
    edits = (Edit(model.input.span, meant),)
    contradicted = model.out_shape != model.target.shape if model.complete else tried(model, edits) is not None
    yield RULE.found(
        model.input.span,
        f"`{text(model.input.shape)}` means {height} channels of {width}x{channels} pixels, but the channels come "
        f"first",
        help=f"write `input {meant}`",
        fix=Fix(
            f"write the channels first: {meant}",
            edits,
            Applicability.SAFE if height == width else Applicability.UNSAFE,
        ),
        severity=Severity.ERROR if contradicted else None,
        data={"meant": (channels, height, width)},
    )
