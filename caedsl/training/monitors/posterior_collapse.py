"""Almost no number of a variational code tells images apart.

## What it does
Looks at the active units of a variational code, those whose mean has a variance above 0.01 over held-out images. It
speaks where one in twenty or fewer are active after each of the last three epochs, 500 steps after the start (steps of
a warm-up of the learning rate count for their share).

## Why is this bad?
The divergence is 0 where every image has the same distribution. The decoder then gets noise alone and returns the mean
image: what is added to the loss for the code has silenced it.

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
autoencoder works
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=0.05
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The variances are measured. Some idle units are no fault: a code may have more numbers than the data need. That one in
twenty is too few is a heuristic.

## References
- Burda et al. 2016, "Importance weighted autoencoders", arXiv 1509.00519: active units.
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: the collapse, and the warm-up.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar

EXPLAINED_BY = ("dead-layer", "dominating-divergence", "saturated-output")
EPOCHS = 3
FEW = 1 / 20


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer that returns the code."""
    facts, last = seen.facts, seen.epochs[-EPOCHS:]
    active = [epoch.code["active_units"] for epoch in last if "active_units" in epoch.code]
    if len(active) < EPOCHS or not seen.had_time or facts.code_layer is None:
        return
    if max(active) <= FEW * facts.code_size:
        nats = last[-1].code["kl_nats"] / facts.code_size
        yield Sign(
            facts.code_layer,
            f"{active[-1]:.0f} of the {facts.code_size} numbers of the code tell {facts.noun}s apart, with a "
            f"divergence of {nats:.2g} nats each: the decoder returns the mean {facts.noun}",
            "a tenth of `beta`, `warmup=20%` or `free_bits=0.1` on the bottleneck",
        )
