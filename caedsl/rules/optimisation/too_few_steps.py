"""The settings allow too few steps to learn anything.

## What it does
Counts the steps of the run, ceil(images / batch) · epochs, and warns below 300. Where a smaller batch would give
enough, `oversized-batch` says so instead. The number of images must be known: for the published sets, or by `limit=`.

## Why is this bad?
An autoencoder first learns the mean picture and stays there for a while: in a pilot healthy models left it after 40
to 240 steps. After 50 steps in all they were no better than the mean picture (0.9 to 1.1 of the variance left,
against 0.2 after 500).

## Example
```cae
data mnist limit=1000
train { loss mse; batch 32; epochs 3 }
```

## Instead
```cae
data mnist limit=1000
train { loss mse; batch 32; epochs 40 }
```

## How sure
The count is arithmetic; that 300 are few is measured on two data sets (a heuristic elsewhere).
"""

from collections.abc import Iterator
from math import ceil

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.presets import training_images
from caedsl.facts.steps import ENOUGH_STEPS, FEWEST_STEPS, better_batch, steps, steps_per_epoch
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE504", "too-few-steps", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the epochs."""
    train, images, count, epoch = model.train, training_images(model), steps(model), steps_per_epoch(model)
    if train is None or images is None or count is None or epoch is None:
        return
    if count >= FEWEST_STEPS or better_batch(model) is not None:
        return
    epochs = ceil(ENOUGH_STEPS / epoch)
    edits = write_setting(model, "epochs", "epochs", str(epochs))
    yield RULE.found(
        model.place("train.epochs"),
        f"{count} steps in all: the first 40 to 240 only find the mean picture",
        notes=(
            f"ceil({images:,} images / {train.batch}) · {train.epochs} epochs = {epoch} · {train.epochs} = {count}",
        ),
        help=f"use `epochs {epochs}`, for {epoch * epochs:,} steps",
        fix=Fix(f"use epochs {epochs}", edits, Applicability.UNSAFE) if edits else None,
        data={"steps": count},
    )
