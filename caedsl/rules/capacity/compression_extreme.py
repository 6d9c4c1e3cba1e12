"""The code is hundreds of times smaller than the image.

## What it does
Reports an info above 400 pixel values per number of the code, and warns above 1,000 on colour images. Codes of two or
three numbers are skipped, because they are meant for plots, and so are the published datasets, for which
`code-too-small` gives a measured answer.

## Why is this bad?
Smooth images tolerate a compression of several hundred. Photographs and textures do not: their detail is spread over
many components, and the reconstruction keeps only colours and a blurred outline.

## Example
```cae
input 3x64x64
data folder "photos/"
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; conv 32 relu }
bottleneck dense 8
```

## Instead
```cae
input 3x64x64
data folder "photos/"
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; conv 32 relu }
bottleneck dense 256
```

## How sure
A heuristic; `caedsl doctor` measures how much the best linear code of that size keeps of your data.
"""

from collections.abc import Iterator
from math import ceil

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.presets import as_published
from caedsl.facts.stated_bounds import bounded_above
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.capacity.code_too_small import SKETCH
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE303", "compression-extreme", Severity.INFO)

EXTREME = 400
"""Report an info above this number of pixel values per number of the code (heuristic)."""

BLURRING, COLOURS = 1_000, 3
"""Warn above the first number if the images have as many channels as the second (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck line."""
    known = as_published(model)
    if model.compression <= EXTREME or (known and known.unexplained) or bounded_above(model, "compression"):
        return
    whole, code = elements(model.input.shape), elements(model.code_shape)
    blurs = model.compression > BLURRING and model.input.shape[0] >= COLOURS and code not in SKETCH
    yield RULE.found(
        model.bottleneck.span,
        f"the code has {counted(code, 'number')} for {whole:,} values: compression {model.compression:,.0f} to 1"
        + ("; photographs and textures become blurred" if blurs else ""),
        related=(Label(model.input.span, f"{text(model.input.shape)} = {whole:,}"),),
        help=f"use a code of {counted(ceil(whole / EXTREME), 'number')} or more to keep detail; smooth images "
        "may need fewer",
        severity=Severity.WARNING if blurs else None,
        data={"compression": model.compression, "code": code, "values": whole},
    )
