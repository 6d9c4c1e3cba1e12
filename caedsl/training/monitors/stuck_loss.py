"""The training loss does not fall.

## What it does
Compares the mean training loss of the last steps with that of the first, after 500 steps and one epoch (warm-up steps
count by their share of the learning rate). Reports if it has fallen by less than 1 %, and whether the gradient is
exactly 0.

## Why is this bad?
Nothing is learned: the steps are too short to change anything, or there is no gradient.

## Example
```cae
autoencoder stuck
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-7; batch 64; epochs 24 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 24 }
```

## How sure
The loss is measured. A random start is far worse than the mean image, and even a model that collapses reaches the mean
image: a model that has not improved by 1 % in 500 steps does not learn. A loss that falls slowly is not reported here:
the learning rate may be low on purpose, and `constant-output` reports a collapse.

## References
- Wardat et al. 2022, "DeepDiagnosis", arXiv 2112.04103: an unchanged loss as a symptom.
"""

from collections.abc import Iterator

from caedsl.diagnostics.text import counted
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import higher_rate, one_of

EXPLAINED_BY = ("constant-output", "dead-layer", "diverging-loss", "saturated-output", "unrelated-target")
FALL = 0.01


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the optimizer, or at the last layer with a kernel if there is no gradient at all."""
    first, windows, probes = run.first_window, run.windows[-4:], run.round()
    if first is None or len(windows) < 4 or not probes or not run.had_time:
        return
    if any(window.mean < (1 - FALL) * first.mean or window.mean > (1 + FALL) * first.mean for window in windows):
        return
    weighted = [number for number, layer in enumerate(probes[-1].layers) if layer.gradient is not None]
    now = f"the training loss is {windows[-1].mean:.6g} after {probes[-1].step:,} steps"
    moved = f"{now}, and was {first.mean:.6g} at the start"
    if weighted and not any(probe.layers[number].gradient for probe in probes for number in weighted):
        yield Symptom(
            weighted[-1],
            f"{moved}: the gradient of this layer and of all before it is exactly 0 for "
            f"{counted(run.facts.probed, run.facts.noun)}",
            "another `seed` or `leaky_relu` on the lines after it",
        )
        return
    yield Symptom("train.optimizer", f"{moved}: nothing is learned", one_of(higher_rate(run)))
