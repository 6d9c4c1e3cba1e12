"""The learning rate is too high for an adaptive optimizer.

## What it does
Warns about a rate of 0.05 or more with an adaptive optimizer: `adam`, `adamw`, `adamax`, `nadam`, `radam` or `rmsprop`.

## Why is this bad?
These optimizers divide the gradient by its size, so a step moves each weight by up to about the rate, whatever the
loss. Weights start at about 0.05, so a single step of 0.1 overwrites them. In a pilot on MNIST and Fashion-MNIST, every
run of Adam with 0.1 or 1 failed (8 of 8); 0.01 was the best rate, and 0.03 was good.

## Example
```cae
data mnist
train { loss mse; optimizer adam lr=0.1; batch 128; epochs 20 }
```

## Instead
```cae
data mnist
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
```

## How sure
Measured at 0.03 and at 0.1; the limit of 0.05 is a heuristic.

## References
- Kingma and Ba 2015, "Adam: a method for stochastic optimization", section 2.1, arXiv 1412.6980.
"""

from collections.abc import Iterator
from math import sqrt

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.signal import weighted_layers
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.vocabulary.layer_initialisation import variance

RULE = Rule("CAE501", "high-learning-rate", Severity.WARNING, partial=True)

HIGHEST = 0.05
"""Warn from this rate on: a step is then as large as an initial weight (heuristic, between 0.03 and 0.1)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the learning rate."""
    train = model.train
    if train is None or not train.optimizer.kind.adaptive:
        return
    lr = train.optimizer.lr
    if isinstance(lr, str) or lr < HIGHEST:
        return
    yield RULE.found(
        model.place("train.optimizer.lr"),
        f"{train.optimizer.name} with lr={plain(lr)} moves every weight by up to {plain(lr)} per step"
        + _initial_weights_text(model),
        help="use `lr=1e-3`; up to 0.01 often works",
        fix=Fix("use lr=1e-3", write_setting(model, "optimizer", "lr", "lr=1e-3"), Applicability.UNSAFE),
        data={"lr": lr},
    )


def _initial_weights_text(model: Autoencoder) -> str:
    deviations = [sqrt(variance(layer)) for layer in weighted_layers(model)]
    from statistics import median  # importing this takes as long as importing half of the rules

    return f", but weights start at about {plain(median(deviations), 2)}" if deviations else ""
