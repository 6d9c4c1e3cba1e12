"""An input that is written as height x width x channels.

## What it does
Reports inputs such as `28x28x1` and `32x32x3`: a spec has the channels first, as PyTorch has. It is an error where
the output's shape, or a layer that fits only with the channels first, shows that the sizes cannot have been meant so.

## Why is this bad?
Read as written, `28x28x1` is an image of 28 channels, 28 pixels high and one pixel wide. Everything that is said of
such a model follows from this one line, so the other shape rules wait until it is put right.

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
A guess, and a good one: images with 28 channels that are one pixel wide are rare. Hence a warning where the model
fits.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.sizes import channels_last
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import text

RULE = Rule("CAE218", "channels-last", Severity.WARNING, partial=True)


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
        f"`{text(model.input.shape)}` is an image of {height} channels, {width}x{channels} pixels: the channels "
        "come first",
        help=f"write `input {meant}`",
        fix=Fix(
            f"write the channels first: {meant}",
            edits,
            Applicability.SAFE if height == width else Applicability.UNSAFE,
        ),
        severity=Severity.ERROR if contradicted else None,
        data={"meant": (channels, height, width)},
    )
