"""The validation loss rises while the training loss falls.

## What it does
Reports if the validation loss has been at least 10 % above its minimum in each of the last three epochs, the training
loss is at least 10 % lower than in the best epoch, and training images also have a lower loss in eval mode.

## Why is this bad?
The model memorises its training images and gets worse on others. The weights of the best epoch are saved in any case;
only the remaining time is wasted.

## Example
```cae
autoencoder overfits
input 1x8x8 in 0..1
data digits limit=16
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder { dense 256 relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=1e-2; batch 12; epochs 60; validation 50% }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 10; stop patience=5 }
```

## How sure
Both losses are measured on all their images, without the terms of a variational or quantized code. The threshold of
10 % in three epochs is a heuristic: with few held-out images, the validation loss fluctuates by some percent.

## References
- Prechelt 1998, "Early stopping - but when?", in Neural Networks: Tricks of the Trade.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import one_of

EXPLAINED_BY = ("constant-output", "dead-layer", "diverging-loss", "oscillating-loss")
APART = 0.1
EPOCHS = 3
LOWEST = 1.05
"""How far the training loss may be above its lowest value; a loss that jumps is a fault of its own."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the setting that would have ended the run.

    Reconstruction losses are compared, without the terms of a code, which may rise while the network learns.
    """
    rows = [row for row in run.epochs if row.validation is not None]
    losses = [row.validation for row in run.epochs if row.validation is not None]
    if not losses:
        return
    lowest, latest = min(losses), losses[-1]
    best = rows[losses.index(lowest)]
    if rows[-1].epoch < best.epoch + EPOCHS:
        return
    if any(loss < (1 + APART) * lowest for loss in losses[-EPOCHS:]):
        return
    if any(row.reconstruction > (1 - APART) * best.reconstruction for row in rows[-EPOCHS:]):
        return
    if rows[-1].reconstruction > LOWEST * min(row.reconstruction for row in rows):
        return
    if run.probes and latest < (1 + APART) * sum(probe.loss for probe in run.probes) / len(run.probes):
        return  # training images are as bad in eval mode, so the mode is to blame: see train-eval-gap
    settings, name, now = run.facts.settings, run.facts.noun, rows[-1]
    remedies = [f"`stop patience={EPOCHS}`"] if settings.stop.patience is None else []
    if not settings.augment.amounts():
        remedies.append("`augment shift=1`")
    yield Symptom(
        "train.stop",
        f"the validation loss has risen to {latest:.4g} from {lowest:.4g} in epoch {best.epoch}, while the "
        f"training loss fell from {best.reconstruction:.4g} to {now.reconstruction:.4g}: the model memorises the "
        f"training {name}s",
        one_of([*remedies, f"more {name}s", "a smaller code"]),
    )
