"""No layer is smaller than the image: the network can copy it.

## What it does
Reports models that never reduce the size (no stride, pool or dense layer) and in which every layer of the encoder holds
at least as many numbers as the input. It skips denoisers and codes with noise or an activity penalty, which prevent
copying in another way.

## Why is this bad?
A stack of convolutions that never narrows can learn the identity: its loss falls to 0, and its code is a copy of the
image.

## Example
```cae
encoder { conv 8 relu; conv 4 relu }
bottleneck
```

## Instead
```cae
encoder { conv 8 relu; maxpool 2; conv 4 relu; maxpool 2 }
bottleneck conv 2
```

## How sure
The sizes are arithmetic. That a network copies if it can is the textbook argument, so this is a warning.

## References
- Goodfellow, Bengio and Courville 2016, "Deep Learning", section 14.1.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.facts.code import can_copy, kept_from_copying
from caedsl.facts.stated_bounds import bounded_below
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE301", "no-bottleneck", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the bottleneck line."""
    if not can_copy(model) or kept_from_copying(model) or bounded_below(model, "compression"):
        return
    whole, code = elements(model.input.shape), elements(model.code_shape)
    yield RULE.found(
        model.bottleneck.span,
        f"no layer is smaller than the image: the code holds {code:,} numbers for {whole:,} pixels",
        label=f"the code is {text(model.code_shape)}",
        related=(Label(model.input.span, f"{whole:,} pixel values"),),
        help="reduce the size with `maxpool 2` or `s2`, or end with `bottleneck dense 32`; for a denoiser add "
        "`corrupt gaussian=0.2`",
        data={"code": code, "values": whole},
    )
