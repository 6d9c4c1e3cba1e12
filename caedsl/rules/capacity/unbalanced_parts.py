"""Encoder and decoder differ more than tenfold in their parameters.

## What it does
Counts the parameters on both sides of the code and informs where one side has more than ten times as many as the
other.

## Why is this bad?
It need not be: a light decoder behind a heavy encoder is a known design. But a decoder with next to no weights can
only paint what the code spells out, and a single upsampling in the place of several layers is often a forgotten
part.

## Example
```cae
encoder { conv 32 relu; maxpool 2; conv 64 relu; maxpool 2; conv 8 relu }
bottleneck
decoder { upsample 4; conv 1 sigmoid }
```

## Instead
```cae
encoder { conv 32 relu; maxpool 2; conv 64 relu; maxpool 2; conv 8 relu }
bottleneck
decoder mirror
```

## How sure
A heuristic; asymmetric designs work, so this never warns.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE304", "unbalanced-parts", Severity.INFO)

TIMES = 10
"""A ratio of parameters above which it informs (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the lighter part."""
    encoder = parameters((*model.encoder, *model.bottleneck.layers))
    decoder = parameters((*model.bottleneck.inverse, *model.decoder))
    light, heavy = sorted((encoder, decoder))
    if heavy <= TIMES * light:
        return
    part, other = ("decoder", "encoder") if decoder < encoder else ("encoder", "decoder")
    times = f"{heavy / light:,.0f} times as many" if light else "all of them"
    yield RULE.found(
        model.place(part),
        f"the {part} has {light:,} parameters and the {other} {heavy:,}: {times}",
        help=f"check that nothing is missing in the {part}; `decoder mirror` gives both sides the same layers",
        data={"light": light, "heavy": heavy},
    )
