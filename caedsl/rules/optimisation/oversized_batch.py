"""The batch is so large that training has too few steps.

## What it does
Warns if an epoch has fewer than 10 batches and the whole run fewer than 300 steps, and a smaller batch would give
enough steps. If the run has enough steps, it only reports an info, for a batch larger than the dataset, with which
every step sees all images. The number of images must be known, from a published dataset or from `limit=`.

## Why is this bad?
Each batch is one step, however many images it holds. In a pilot with 8,000 images, batches of 4,000 left 2.7 to 3.3
times the variance on MNIST after 4 epochs (1.7 to 1.9 on Fashion-MNIST), and batches of 64 left 0.2.

## Example
```cae
data mnist limit=8000
train { loss mse; batch 4000; epochs 4 }
```

## Instead
```cae
data mnist limit=8000
train { loss mse; batch 64; epochs 4 }
```

## How sure
The counts are arithmetic; the limit of 300 steps was measured on two datasets and is a heuristic for others.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.presets import training_images
from caedsl.facts.steps import FEWEST_STEPS, better_batch, steps, steps_per_epoch
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE505", "oversized-batch", Severity.WARNING)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the batch."""
    train, images, count = model.train, training_images(model), steps(model)
    if train is None or images is None or count is None or isinstance(train.batch, str):
        return
    better = better_batch(model)
    if better is not None:
        epoch = steps_per_epoch(model)
        edits = write_setting(model, "batch", "batch", str(better))
        yield RULE.found(
            model.place("train.batch"),
            f"batches of {train.batch:,} from {counted(images, 'image')} give "
            f"{counted(epoch or 0, 'step')} per epoch, {count} in total",
            notes=(f"ceil({images:,} / {train.batch:,}) = {epoch}, times {counted(train.epochs, 'epoch')} = {count}",),
            help=f"use `batch {better}`, or more epochs",
            fix=Fix(f"use batch {better}", edits, Applicability.UNSAFE) if edits else None,
            data={"batch": train.batch, "images": images},
        )
    elif train.batch > images and count >= FEWEST_STEPS:
        yield RULE.found(
            model.place("train.batch"),
            f"batch {train.batch:,} is larger than the {counted(images, 'training image')}: every step sees all "
            "of them",
            severity=Severity.INFO,
            data={"batch": train.batch, "images": images},
        )
