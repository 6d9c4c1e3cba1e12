"""The KL divergence takes back what the code had learned.

## What it does
Looks at a variational autoencoder after each epoch. It speaks where the reconstruction loss of the last three epochs is
a fifth above the lowest of the run, the divergence of a sample is less than half of what it was then, and the squared
error is above 3/4 of the mean image's.

## Why is this bad?
The weight of the divergence has risen by `warmup` until a code costs more than it saves. The loss then falls by
forgetting: numbers of the code fall silent one after another, and the end is the mean image.

## Example
```cae
autoencoder forgets
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=2 warmup=95%
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 30 }
```

## Instead
```cae
autoencoder works
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=0.05 warmup=50%
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
All of it is measured. That the divergence is the cause follows from the loss, which has no other term that gains by a
worse reconstruction. The borders are heuristics.

## References
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: the collapse, and the warm-up.
- Alemi et al. 2018, "Fixing a broken ELBO", arXiv 1711.00464: what a divergence of so many nats lets a decoder know.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar

NATS = "kl_nats"
EXPLAINED_BY = ("dead-layer", "diverging-loss", "saturated-output")
EPOCHS = 3
WORSE = 1.2
LEFT = 1 / 2
LOST = 3 / 4


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer that returns the code."""
    facts, epochs, probes = seen.facts, seen.epochs, seen.round()
    known = [epoch for epoch in epochs if NATS in epoch.code]
    if len(known) <= EPOCHS or not probes or facts.code_layer is None:
        return
    best = min(known, key=lambda epoch: epoch.reconstruction)
    last, now = known[-EPOCHS:], min(probe.unexplained for probe in probes)
    worse = all(epoch.reconstruction > WORSE * best.reconstruction for epoch in last)
    silent = all(epoch.code[NATS] < LEFT * best.code[NATS] for epoch in last)
    if worse and silent and now > LOST:
        yield Sign(
            facts.code_layer,
            f"the divergence has won: from epoch {best.epoch} on it fell from {best.code[NATS]:.2g} to "
            f"{last[-1].code[NATS]:.2g} nats, and the reconstruction loss rose from {best.reconstruction:.4g} to "
            f"{last[-1].reconstruction:.4g}",
            "a tenth of `beta`, or `free_bits=0.1` on the bottleneck",
        )
