"""The samples of the data have a different number of axes than the input.

## What it does
Compares the axes of the input with those of the data: an input `1x288` is a signal, `1x28x28` an image and
`1x64x64x64` a volume. The standard sets and image files hold images; arrays may hold samples of any number of axes.

## Why is this bad?
An image cannot be converted to a signal, nor a volume to an image, without a decision that only the author can make.

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
from caedsl.vocabulary.shape import NOUNS, a_sample, axes_text, rank, text

RULE = Rule("CAE610", "data-rank", Severity.ERROR, partial=True, of_images=True)

EXAMPLES = {1: "input 1x288", 2: "input 1x28x28", 3: "input 1x64x64x64"}
"""Show an input for each number of axes."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every source with samples of another number of axes."""
    shape = model.input.shape
    for source in model.data:
        ranks = source.kind.ranks
        if rank(shape) in ranks:
            continue
        held = " or ".join(f"{NOUNS[axes]}s" for axes in ranks)
        yield RULE.found(
            source.span,
            f"`{source.name}` holds {held}, but the input {text(shape)} is {a_sample(shape)} "
            f"({axes_text(rank(shape))})",
            related=(Label(model.input.span, a_sample(shape)),),
            help=f"write `input 1x{text(shape)}` for images"
            if rank(shape) == 1 and 2 in ranks
            else f"write an input of {held}: `{EXAMPLES[ranks[0]]}`",
            data={"source": source.name, "rank": rank(shape)},
        )
