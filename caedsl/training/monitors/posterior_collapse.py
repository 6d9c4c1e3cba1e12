"""Almost no unit of a variational code depends on the image.

## What it does
Counts the active units of a variational code: those whose mean has a variance above 0.01 over held-out images.
Reports if at most one unit in twenty is active after each of the last three epochs, from 500 steps on (warm-up steps
count by their share of the learning rate). A run that ends no better than the mean image, without any report of a
monitor, gets the same finding from its evaluation if its divergence is below one nat and less than half of what it was.

## Why is this bad?
The divergence is 0 if the distribution of the code is the same for every image. The decoder then receives only noise
and returns the mean image: the divergence term of the loss has silenced the code. `warmup` only delays this: on digits,
`beta=20` ended with no active unit with and without `warmup=20%`.

## Example
```cae
autoencoder collapses
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=20
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=0.05
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The variances are measured. Some idle units are not a fault, since a code may be larger than the data need. The
threshold of one in twenty is a heuristic.

## References
- Burda et al. 2016, "Importance weighted autoencoders", arXiv 1509.00519: active units.
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: the collapse, and the warm-up.
"""

from collections.abc import Iterator, Sequence

from caedsl.runs.history import Epoch
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar

EXPLAINED_BY = ("dead-layer", "dominating-divergence", "saturated-output")
EPOCHS = 3
FEW = 1 / 20
NATS = "kl_nats"
FALLEN = 1 / 2
REMEDY = "a tenth of `beta`, or `free_bits=0.1` on the bottleneck"


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer that returns the code."""
    facts, last = run.facts, run.epochs[-EPOCHS:]
    active = [epoch.code["active_units"] for epoch in last if "active_units" in epoch.code]
    if len(active) < EPOCHS or not run.had_time or facts.code_layer is None:
        return
    if max(active) <= FEW * facts.code_size:
        nats, few = last[-1].code[NATS] / facts.code_size, f"only {active[-1]:.0f}" if active[-1] else "none"
        verb = "vary" if active[-1] > 1 else "varies"
        yield Symptom(
            facts.code_layer,
            f"{few} of the {facts.code_size} numbers of the code {verb} with the {facts.noun}, and their divergence is "
            f"{nats:.2g} nats each: the decoder returns the mean {facts.noun}",
            REMEDY,
        )


def at_end(epochs: Sequence[Epoch]) -> Symptom | None:
    """Return the symptom of a run that has learned nothing, if its code was about to collapse; None otherwise.

    The divergence bounds the information about the sample that the code holds. It also starts near 0, and rises in a
    run that learns.
    """
    known = [epoch for epoch in epochs if NATS in epoch.code]
    if not known:
        return None
    most, last = max(known, key=lambda epoch: epoch.code[NATS]), known[-1]
    if last.code[NATS] >= min(1, FALLEN * most.code[NATS]):
        return None
    return Symptom(
        "bottleneck",
        f"since epoch {most.epoch}, the divergence has fallen from {most.code[NATS]:.2g} to {last.code[NATS]:.2g} "
        "nats: the code holds almost nothing about a sample",
        REMEDY,
    )
