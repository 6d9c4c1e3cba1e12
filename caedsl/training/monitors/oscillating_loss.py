"""The loss changes from step to step by far more than the batches explain.

## What it does
Takes the difference between the losses of successive steps: its root mean square, divided by the square root of 2,
estimates the standard deviation of the loss. Reports if this exceeds 20 % of the mean loss, and twice what the batches
explain, in three windows in a row after 100 steps (warm-up steps count by their share of the learning rate). What the
batches explain is measured: the standard deviation of the error over images, divided by the square root of the batch
size.

## Why is this bad?
The steps are too long for the valley of the loss: each one jumps across it. What is learned is lost again, and the
quality of the saved weights is a matter of luck.

## Example
```cae
autoencoder oscillates
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.5; batch 64; epochs 16 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.003; batch 64; epochs 16 }
```

## How sure
The jumps are measured. The threshold of 20 % follows AutoTrainer's. The comparison with the batches excludes small
batches, whose losses vary anyway.

## References
- Zhang et al. 2021, "AutoTrainer", arXiv 2002.04845.
- Cohen et al. 2021, "Gradient descent on neural networks typically occurs at the edge of stability", arXiv 2103.00065.
"""

from collections.abc import Iterator
from math import sqrt

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import with_lower_rate

EXPLAINED_BY = ("diverging-loss", "unrelated-target")
JUMP = 0.2
BEYOND_BATCHES = 2.0
WINDOWS = 3
LEAST_STEPS = 100


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the optimizer."""
    windows, settings = run.windows[-WINDOWS:], run.facts.settings
    if len(windows) < WINDOWS or run.full_steps < LEAST_STEPS + sum(window.steps for window in windows):
        return
    uneven = sum(probe.unevenness for probe in run.probes) / len(run.probes) / sqrt(settings.batch)
    jumps = [window.jump or 0.0 for window in windows]
    if min(jumps) < max(JUMP, BEYOND_BATCHES * uneven):
        return
    yield Symptom(
        "train.optimizer",
        f"the loss changes by {min(jumps):.0%} of its mean from step to step, but batches of {settings.batch} explain "
        f"only {uneven:.0%}: a step undoes what others have learned",
        with_lower_rate(
            run, ["a falling rate such as `schedule cosine`"] if settings.schedule.steady else [], factor=3
        ),
    )
