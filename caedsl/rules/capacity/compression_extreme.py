"""The code is hundreds of times smaller than the image.

## What it does
Informs above 400 pixel values for each number of the code. For data sets of which the answer is known,
`code-too-small` gives it, and this rule is silent.

## Why is this bad?
It may be right: smooth images bear several hundred to one, and a code of two numbers is a map to look at. But a
reconstruction of anything detailed will be blurred.

## Example
```cae
input 3x64x64
data folder "photos/"
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; conv 32 relu }
bottleneck dense 16
```

## Instead
```cae
input 3x64x64
data folder "photos/"
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu; conv 32 relu }
bottleneck dense 256
```

## How sure
A heuristic; `caedsl doctor` measures on your data what the best linear code of that size keeps.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.presets import as_published
from caedsl.facts.promises import bounded_above
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE303", "compression-extreme", Severity.INFO)

EXTREME = 400
"""Pixel values a number of the code above which it informs (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """The finding at the bottleneck line."""
    known = as_published(model)
    if model.compression <= EXTREME or (known and known.unexplained) or bounded_above(model, "compression"):
        return
    whole, code = elements(model.input.shape), elements(model.code_shape)
    yield RULE.found(
        model.bottleneck.span,
        f"the code has {code:,} number{'' if code == 1 else 's'} for {whole:,} pixel values: compression {model.compression:,.0f} to 1",
        related=(Label(model.input.span, f"{text(model.input.shape)} = {whole:,}"),),
        help="a larger code keeps more detail, unless the images are smooth or the code is made to be looked at",
    )
