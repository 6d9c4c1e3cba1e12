"""The run has too few steps to learn anything.

## What it does
Counts the steps of the run, ceil(images / batch) · epochs, and warns below 300. If a smaller batch would give enough,
`oversized-batch` reports that instead. The number of images must be known, from a published dataset or from `limit=`.

## Why is this bad?
An autoencoder first learns the mean image and stays there for a while: in a pilot, good models needed 40 to 240 steps
to become better. After 50 steps they were no better than the mean image (0.9 to 1.1 of the variance left, against 0.2
after 500).

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
The count is arithmetic; the limit of 300 was measured on two datasets and is a heuristic for others.
"""

from collections.abc import Iterator
from math import ceil

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.diagnostics.text import counted
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
        f"{counted(count, 'step')} in total: the first 40 to 240 steps only learn the mean image",
        notes=(
            f"ceil({counted(images, 'image')} / {train.batch}) · {counted(train.epochs, 'epoch')} = {epoch} · "
            f"{train.epochs} = {count}",
        ),
        help=f"use `epochs {epochs}`, for {counted(epoch * epochs, 'step')}",
        fix=Fix(f"use epochs {epochs}", edits, Applicability.UNSAFE) if edits else None,
        data={"steps": count},
    )
