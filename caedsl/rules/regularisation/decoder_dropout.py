"""Dropout on the code or in the decoder.

## What it does
Informs of dropout on the code or behind it, up to 50 %; more is `heavy-dropout`'s.

## Why is this bad?
A classifier drops features that others can stand in for. In a decoder there is often nothing to stand in, and each
step asks for an image of which a part is gone: reconstructions tend to be blurred. Noise on the input (`corrupt`)
limits what is learned by heart without that.

## Example
```cae
decoder { conv 8 relu dropout=20%; upsample 2; conv 1 sigmoid }
```

## Instead
```cae
decoder { conv 8 relu; upsample 2; conv 1 sigmoid }
```

## How sure
A heuristic, so it only informs.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.drops import drops
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.rules.regularisation.heavy_dropout import HALF

RULE = Rule("CAE703", "decoder-dropout", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line that drops features behind the encoder."""
    for drop in drops(model):
        if drop.part != "encoder" and drop.rate <= HALF:
            where = "on the code" if drop.part == "bottleneck" else "in the decoder"
            yield RULE.found(
                drop.layer.place(drop.option),
                f"dropout {where}: nothing stands in for what is dropped, so reconstructions tend to blur",
                help="drop features in the encoder, or use `corrupt gaussian=0.2`",
                data={"rate": drop.rate},
            )
