"""The learning rate is too low to move the weights far enough in this number of steps.

## What it does
Adds up the rates of all steps, including the schedule, and warns if the sum is below 0.1 with an adaptive optimizer
(`adam`, `adamw`, `adamax`, `nadam`, `radam` or `rmsprop`). `too-few-steps` covers short runs. The number of images must
be known, from a published dataset or from `limit=`.

## Why is this bad?
A step of these optimizers moves a weight by at most about the rate, so 500 steps of 1e-5 move it by 0.005: the network
stays close to its random initialisation. In a pilot on two datasets, a sum of 0.5 trained, and sums of 0.05 and less
failed in every run.

## Example
```cae
data mnist
train { loss mse; optimizer adam lr=1e-6; batch 128; epochs 20 }
```

## Instead
```cae
data mnist
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
```

## How sure
That a weight cannot move further is arithmetic, up to a small factor: a step can be a few times the rate when gradients
shrink fast. The limit of 0.1 is a heuristic between the measured sums of 0.05 and 0.5.

## References
- Kingma and Ba 2015, "Adam: a method for stochastic optimization", section 2.1, arXiv 1412.6980.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.steps import FEWEST_STEPS, mean_factor, steps, travel
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain

RULE = Rule("CAE502", "low-learning-rate", Severity.WARNING)

SHORTEST, USUAL = 0.1, 1e-3
"""Warn if a weight can move less than the first; a rate below the second is then too low, else the run too short."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the learning rate."""
    train, count, distance = model.train, steps(model), travel(model)
    if train is None or count is None or distance is None or not train.optimizer.kind.adaptive:
        return
    if count < FEWEST_STEPS or distance >= SHORTEST:
        return
    lr = train.optimizer.lr
    if isinstance(lr, str):
        return
    slow = lr < USUAL
    share = mean_factor(model)
    scheduled = f" · {plain(share, 3)} ({train.schedule.name})" if share < 1 else ""
    yield RULE.found(
        model.place("train.optimizer.lr"),
        f"{count:,} steps of lr={plain(lr)} move a weight by at most {plain(distance, 2)}, but training needs 0.1 or "
        f"more",
        notes=(f"{plain(lr)} · {count:,} steps{scheduled} = {plain(distance, 3)}",),
        help="use `lr=1e-3`, or train for more epochs"
        if slow
        else "lower the rate later in the schedule, or train for more epochs",
        fix=Fix("use lr=1e-3", write_setting(model, "optimizer", "lr", "lr=1e-3"), Applicability.UNSAFE)
        if slow
        else None,
        data={"lr": lr, "steps": count, "travel": distance},
    )
