"""Dropout removes more than half of the features in each step.

## What it does
Warns about dropout above 50 %, as a layer or as an option.

## Why is this bad?
The decoder cannot reconstruct dropped features, so it returns the average of the possible images, which is blurred. In
a pilot on MNIST, dropout of 90 % before the code left 0.41 to 0.45 of the variance, against 0.22 without (0.28 against
0.20 on Fashion-MNIST).

## Example
```cae
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu dropout=90% }
```

## Instead
```cae
encoder { conv 16 k4 s2 relu; conv 32 k4 s2 relu dropout=20% }
```

## How sure
Measured at 90 %; the limit of one half is a heuristic.

## References
- Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15: rates up to 0.5.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.dropout import Drop, drops
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.spelling import written

RULE = Rule("CAE702", "heavy-dropout", Severity.WARNING)

HALF = 0.5


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every line with too much dropout."""
    for drop in drops(model):
        if drop.rate > HALF:
            yield RULE.found(
                drop.layer.place(drop.option),
                f"dropout of {drop.rate:.0%}: dropped features cannot be reconstructed, and the outputs become blurred",
                help="use 10% to 20%",
                fix=Fix("use 10%", (write(drop.layer, drop.option, _written(drop)),), Applicability.UNSAFE),
                data={"rate": drop.rate},
            )


def _written(drop: Drop) -> str:
    return written(drop.option, 0.1)
