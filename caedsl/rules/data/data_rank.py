"""Data whose samples have another number of axes than the input.

## What it does
Compares the axes of the input with those of the data: an input `1x288` is a signal, `1x28x28` an image and
`1x64x64x64` a volume. The sources of data hold images.

## Why is this bad?
A signal cannot be filled with an image, nor an image with a volume, without a decision that only the author can make.

## Example
```cae
input 28x28
data mnist
encoder { conv 8 relu; maxpool 2 }
```

## Instead
```cae
input 1x28x28
data mnist
encoder { conv 8 relu; maxpool 2 }
```

## How sure
Certain.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import axes_text, noun, rank, text

RULE = Rule("CAE610", "data-rank", Severity.ERROR, partial=True)

IMAGES = 2
"""Axes of the samples that sources of data hold."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Report the first source, where the input is no image."""
    shape = model.input.shape
    if rank(shape) == IMAGES or not model.data:
        return
    source = model.data[0]
    yield RULE.found(
        source.span,
        f"`{source.name}` holds images, but the input {text(shape)} is a {noun(shape)} ({axes_text(rank(shape))})",
        related=(Label(model.input.span, f"a {noun(shape)}"),),
        help=f"write `input 1x{text(shape)}` for images"
        if rank(shape) == 1
        else "write an input of images: `input 1x28x28`",
    )
