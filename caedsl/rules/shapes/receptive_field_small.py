"""Each number of the code sees only a small patch of the image.

## What it does
Computes the receptive field of the code: the height and width of the patch that one of its numbers can depend on. It
warns if that is less than an eighth of the image's shorter side, or if no kernel of the encoder sees more than one
pixel, so that only pools combine pixels. It reports an info below a quarter, and if the code is not smaller than the
image. A fully connected layer sees everything and is never reported.

## Why is this bad?
A network that sees one pixel at a time cannot learn shapes: it can only change colours, but neither denoise nor
compress. With a small patch it learns textures, but not objects. On digits of 16x16 pixels, 1x1 kernels between two
pools left 2.2 times as much of the variance as 3x3 kernels.

## Example
```cae
encoder { conv 8 k1 relu; maxpool 2 }
bottleneck
decoder { upsample 2; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 8 relu x2; maxpool 2; conv 1 relu }
bottleneck
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
The size of the patch is arithmetic: each layer adds (extent - 1)·jump, where the jump is the product of the strides so
far. The limit of an eighth is a heuristic.

## References
- Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.receptive_field import code_field
from caedsl.facts.sizes import channels_last, encoder_path, size
from caedsl.facts.stated_bounds import bounded_below
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Window
from caedsl.vocabulary.shape import noun, places, text
from caedsl.vocabulary.window import KERNEL

RULE = Rule("CAE217", "receptive-field-small", Severity.WARNING)

LITTLE = 8
"""Warn if the field is smaller than the image's shorter side divided by this (heuristic)."""

NOTED = 4
"""Report an info if the field is smaller than the image's shorter side divided by this (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding for the code's receptive field, unless the code is dense."""
    whole, field = size(model.input.shape), code_field(model)
    side, seen, alone = min(whole), min(field), _sees_pixels_alone(model)
    if side < LITTLE or channels_last(model) or bounded_below(model, "receptive_field"):
        return
    if seen >= side or (seen * NOTED >= side and not alone):
        return
    warned = alone or (seen * LITTLE < side and not model.compression <= 1)
    patch = text(field)
    yield RULE.found(
        model.bottleneck.span,
        f"a number of the code sees {patch} {places(model.input.shape)} of a {text(whole)} {noun(model.input.shape)}"
        + (", and no kernel of the encoder sees more than one" if alone else ""),
        related=(Label(model.input.span, text(whole)),),
        notes=() if alone else (_arithmetic(patch, seen, side, LITTLE if seen * LITTLE < side else NOTED),),
        help="reduce the map once more (`s2`, `maxpool 2`), use larger kernels or more layers, or end with "
        "`bottleneck dense 64`",
        severity=None if warned else Severity.INFO,
        data={"field": field, "image": whole},
    )


def _sees_pixels_alone(model: Autoencoder) -> bool:
    """Return whether the encoder has convolutions, none of which sees more than one pixel."""
    kernels = [
        layer.options[KERNEL]
        for layer in encoder_path(model)
        if layer.kind.window in (Window.CONVOLUTION, Window.TRANSPOSED)
    ]
    return bool(kernels) and all(set(kernel) == {1} for kernel in kernels)


def _arithmetic(patch: str, seen: int, side: int, share: int) -> str:
    return f"receptive field {patch}: {seen} < {side}/{share} = {side / share:g}"
