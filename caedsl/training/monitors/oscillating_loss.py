"""The loss jumps up and down from step to step by far more than batches differ.

## What it does
Takes the difference between the losses of neighbouring steps: its root mean square over the root of 2 is the deviation
that independent losses would have. It speaks where that is more than 20 % of the mean loss, and twice what the images
of a batch account for, in three windows in a row, after 100 steps (those of a warm-up count for their share). What a
batch accounts for is measured: the deviation of the error from image to image over the root of the batch size.

## Why is this bad?
The steps are too long for the valley that they are in: each jumps to the other side. What is learned is thrown away
again, and the weights that are kept are a matter of luck.

## Example
```cae
autoencoder swings
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.5; batch 64; epochs 16 }
```

## Instead
```cae
autoencoder settles
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.003; batch 64; epochs 16 }
```

## How sure
The jumps are measured. 20 % is AutoTrainer's border in spirit; the comparison with the batch keeps small batches, whose
losses jump by nature, out of it.

## References
- Zhang et al. 2021, "AutoTrainer", arXiv 2002.04845.
- Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability", arXiv 2103.00065.
"""

from collections.abc import Iterator
from math import sqrt

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import with_lower_rate

EXPLAINED_BY = ("diverging-loss",)
JUMP = 0.2
BEYOND_BATCHES = 2.0
WINDOWS = 3
LEAST_STEPS = 100


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the optimizer."""
    windows, settings = seen.windows[-WINDOWS:], seen.facts.settings
    if len(windows) < WINDOWS or seen.full_steps < LEAST_STEPS + sum(window.steps for window in windows):
        return
    uneven = sum(probe.unevenness for probe in seen.probes) / len(seen.probes) / sqrt(settings.batch)
    jumps = [window.jump or 0.0 for window in windows]
    if min(jumps) < max(JUMP, BEYOND_BATCHES * uneven):
        return
    yield Sign(
        "train.optimizer",
        f"the loss jumps by {min(jumps):.0%} of its mean from one step to the next, and batches of {settings.batch} "
        f"account for {uneven:.0%}: a step throws away what others have learned",
        with_lower_rate(
            seen.facts, ["a falling rate such as `schedule cosine`"] if settings.schedule.steady else [], factor=3
        ),
    )
