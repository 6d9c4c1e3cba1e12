"""A training step needs more memory than a large graphics card has.

## What it does
Estimates the memory of a training step and warns above 24 GB, the memory of the largest common consumer cards (data
centre cards have up to ten times as much).

## Why is this bad?
Training fails with an out-of-memory error at the first step, or becomes very slow because memory is swapped. A smaller
batch needs proportionally less.

## Example
```cae
input 3x512x512
data folder "photos/"
encoder { conv 64 k4 s2 relu; conv 64 relu x2; maxpool 2; conv 64 relu x2; maxpool 2; conv 16 relu }
bottleneck conv 8 k9
train { batch 256 }
```

## Instead
```cae
input 3x512x512
data folder "photos/"
encoder { conv 64 k4 s2 relu; conv 64 relu x2; maxpool 2; conv 64 relu x2; maxpool 2; conv 16 relu }
bottleneck conv 8 k9
train { batch 16 }
```

## How sure
An estimate, accurate to about 30 %. It counts weights, gradients and optimizer states and, for each image of the batch,
the output of every layer with its gradient, in fp32. Set your own limit with `require { memory < 8G }`.
"""

from collections.abc import Iterator
from dataclasses import replace

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.cost import beyond_machines, least_memory, training_memory
from caedsl.facts.stated_bounds import bounded_above
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import readable_bytes

RULE = Rule("CAE902", "memory-budget", Severity.WARNING)

BUDGET = 24 * 10**9
"""Warn above this number of bytes, the memory of the largest common consumer cards."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the batch, or at the train block if the batch is not written."""
    train = model.train
    if train is None or beyond_machines(model) or bounded_above(model, "memory") or isinstance(train.batch, str):
        return
    needed = training_memory(model)
    if needed <= BUDGET:
        return
    fitting = _fitting(model, train, train.batch)
    batch = f"a batch of {train.batch}"
    yield RULE.found(
        model.place("train.batch"),
        f"a step with {batch} needs about {readable_bytes(needed)} of memory, more than the 24 GB of a large "
        "graphics card",
        notes=(f"with a batch of 1 it needs {readable_bytes(least_memory(model))}",),
        help=f"write `batch {fitting}`" if fitting else "use fewer channels, or reduce the size of the maps earlier",
        fix=_smaller(model, fitting),
        data={"bytes": needed},
    )


def _fitting(model: Autoencoder, train: Train, batch: int) -> int:
    """Return the largest power of two below the batch that fits, or 0 if none does."""
    batch = 1 << (batch.bit_length() - 1)
    while batch and training_memory(model, replace(train, batch=batch)) > BUDGET:
        batch //= 2
    return batch


def _smaller(model: Autoencoder, fitting: int) -> Fix | None:
    place = model.places.get("train.batch.batch")
    if place is None or not fitting:
        return None
    return Fix(f"use a batch of {fitting}", (Edit(place, str(fitting)),), Applicability.UNSAFE)
