"""AdamW's weight decay keeps all weights smaller than training needs.

## What it does
Warns about `adamw` with a weight decay of 1 or more if the run is long enough for it to act: lr · decay · steps,
including the schedule, above 1. The number of images must be known, from a published dataset or from `limit=`.

## Why is this bad?
AdamW multiplies every weight by 1 - lr·d in each step, and the gradient moves it by at most about lr. When the two
balance, no weight is larger than 1/d, and with gradients of changing sign it is a tenth of that. Without a gradient,
e^(-lr·d·T) of a weight is left after T steps.

## Example
```cae
data mnist
train { loss mse; optimizer adamw lr=1e-3 weight_decay=10; batch 128; epochs 20 }
```

## Instead
```cae
data mnist
train { loss mse; optimizer adamw lr=1e-3 weight_decay=0.01; batch 128; epochs 20 }
```

## How sure
The balance is arithmetic; the limit of 1 is a heuristic. The usual 0.01 is harmless in a run of any length.

## References
- Loshchilov and Hutter 2019, "Decoupled weight decay regularization", arXiv 1711.05101.
"""

from collections.abc import Iterator
from math import exp

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.steps import travel
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain

RULE = Rule("CAE707", "strong-weight-decay", Severity.WARNING)

STRONG = 1.0
"""Warn from this decay on (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the weight decay."""
    train, distance = model.train, travel(model)
    if train is None or distance is None or not train.optimizer.kind.decoupled:
        return
    decay = train.optimizer.weight_decay
    if decay < STRONG or distance * decay <= 1:
        return
    edits = write_setting(model, "optimizer", "weight_decay", "weight_decay=0.01")
    yield RULE.found(
        model.place("train.optimizer.weight_decay"),
        f"AdamW with weight_decay={plain(decay)} keeps every weight below {plain(1 / decay, 2)}",
        notes=(
            f"lr · decay · steps = {plain(distance, 3)} · {plain(decay)} = {plain(distance * decay, 3)}: "
            f"e^-{plain(distance * decay, 3)} = {plain(exp(-distance * decay), 1)} of a weight is left without a "
            f"gradient",
        ),
        help="use `weight_decay=0.01`",
        fix=Fix("use weight_decay=0.01", edits, Applicability.UNSAFE),
        data={"decay": decay},
    )
