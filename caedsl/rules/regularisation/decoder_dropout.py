"""Dropout on the code or in the decoder.

## What it does
Reports dropout of up to 50 % on the code or after it as an info; `heavy-dropout` covers higher rates.

## Why is this bad?
In a classifier, other features can replace those that are dropped. In a decoder there is often no replacement, and each
step asks for an image from incomplete features: reconstructions tend to be blurred. Noise on the input (`corrupt`)
limits memorisation without this effect.

## Example
```cae
decoder { conv 8 relu dropout=20%; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
A heuristic, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.dropout import drops
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.rules.regularisation.heavy_dropout import HALF

RULE = Rule("CAE703", "decoder-dropout", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line with dropout after the encoder."""
    for drop in drops(model):
        if drop.part != "encoder" and drop.rate <= HALF:
            where = "on the code" if drop.part == "bottleneck" else "in the decoder"
            yield RULE.found(
                drop.layer.place(drop.option),
                f"dropout {where}: nothing replaces the dropped features, so reconstructions tend to be blurred",
                help="move the dropout to the encoder, or use `corrupt gaussian=0.2`",
                data={"rate": drop.rate},
            )
