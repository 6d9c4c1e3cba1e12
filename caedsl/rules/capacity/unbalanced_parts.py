"""The encoder or the decoder has more than ten times as many parameters as the other.

## What it does
Counts the parameters on both sides of the code and reports an info if one side has more than ten times as many as the
other.

## Why is this bad?
It need not be: a small decoder after a large encoder is a known design. But a decoder with very few weights can only
show what the code contains explicitly, and a single upsampling instead of several layers often means that layers were
forgotten.

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
A heuristic. Asymmetric designs work, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE304", "unbalanced-parts", Severity.INFO)

TIMES = 10
"""Report an info above this ratio of parameters (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the part with fewer parameters."""
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
