"""AdamW's weight decay lets no weight be as large as training needs it.

## What it does
Warns of `adamw` with a weight decay of 1 or more, where the decay has the time to act: lr · decay · steps, the schedule
included, above 1. The number of images must be known: for the published sets, or by `limit=`.

## Why is this bad?
AdamW multiplies every weight by 1 - lr·d in each step, and the gradient moves it by about lr at most: where the two
balance no weight is larger than 1/d, and gradients that do not always agree hold a tenth of that. Where nothing
pulls, e^(-lr·d·T) of a weight is left after T steps.

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
The balance is arithmetic; that a decay of 1 is too much is a heuristic. The usual 0.01 is harmless however long the
run.

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
        f"AdamW with weight_decay={plain(decay)} lets no weight stay above {plain(1 / decay, 2)}",
        notes=(
            f"lr · decay · steps = {plain(distance, 3)} · {plain(decay)} = {plain(distance * decay, 3)}: "
            f"e^-{plain(distance * decay, 3)} = {plain(exp(-distance * decay), 1)} is left of a weight that "
            "nothing pulls",
        ),
        help="use `weight_decay=0.01`",
        fix=Fix("use weight_decay=0.01", edits, Applicability.UNSAFE),
        data={"decay": decay},
    )
