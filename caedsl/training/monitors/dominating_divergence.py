"""The KL divergence suppresses a code that had been learned.

## What it does
Looks at a variational autoencoder after each epoch. Reports if the reconstruction loss of the last three epochs is a
fifth above the lowest of the run, the divergence per sample is less than half of what it was then, and the squared
error exceeds three quarters of the mean image's.

## Why is this bad?
`warmup` has raised the weight of the divergence until the code costs more than it gains. The loss then falls by
forgetting: one unit of the code after another becomes idle, until the output is the mean image.

## Example
```cae
autoencoder suppressed
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=2 warmup=95%
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 30 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck variational 8 beta=0.05 warmup=50%
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
All of this is measured. The divergence must be the cause, because no other term of the loss gains from a worse
reconstruction. The thresholds are heuristics.

## References
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: the collapse, and the warm-up.
- Alemi et al. 2018, "Fixing a broken ELBO", arXiv 1711.00464: the reconstruction that a given divergence allows.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar

NATS = "kl_nats"
EXPLAINED_BY = ("dead-layer", "diverging-loss", "saturated-output")
EPOCHS = 3
WORSE = 1.2
LEFT = 1 / 2
LOST = 3 / 4


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer that returns the code."""
    facts, epochs, probes = run.facts, run.epochs, run.round()
    known = [epoch for epoch in epochs if NATS in epoch.code]
    if len(known) <= EPOCHS or not probes or facts.code_layer is None:
        return
    best = min(known, key=lambda epoch: epoch.reconstruction)
    last, now = known[-EPOCHS:], min(probe.unexplained for probe in probes)
    worse = all(epoch.reconstruction > WORSE * best.reconstruction for epoch in last)
    silent = all(epoch.code[NATS] < LEFT * best.code[NATS] for epoch in last)
    if worse and silent and now > LOST:
        yield Symptom(
            facts.code_layer,
            f"since epoch {best.epoch}, the divergence has fallen from {best.code[NATS]:.2g} to "
            f"{last[-1].code[NATS]:.2g} nats and the reconstruction loss has risen from {best.reconstruction:.4g} to "
            f"{last[-1].reconstruction:.4g}: the code is suppressed",
            "a tenth of `beta`, or `free_bits=0.1` on the bottleneck",
        )
