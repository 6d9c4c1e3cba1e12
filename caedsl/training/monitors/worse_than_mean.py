"""The error is still larger than that of the mean image.

## What it does
Compares the error on 128 training images with that of their mean image, after 500 steps and one epoch (warm-up steps
count by their share of the learning rate). Reports if the error was larger in every probe, and at least 5 % larger over
all probes together. Losses without a value per pixel (`ssim` alone) do not minimise this error and are ignored. A run
that ends no better than the mean image of its held-out images, without any report of a monitor, gets the same finding
from its evaluation.

## Why is this bad?
The mean image is the best output that ignores the input. A network that is worse has learned nothing yet. The table at
the end of a run shows the same, but only after the time is spent.

## Example
```cae
autoencoder slow
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror output=linear
train { loss mse; optimizer adam lr=1e-5; batch 64; epochs 24 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror output=linear
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 24 }
```

## How sure
Both errors are measured. The time of the report is a heuristic: healthy models become better than the mean
image after 40 to 240 steps.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition": without
  information in the code, the best output is the mean image.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import DOCTOR, higher_rate, one_of, with_lower_rate

EXPLAINED_BY = (
    "constant-output",
    "dead-layer",
    "diverging-loss",
    "dominating-divergence",
    "exploding-gradient",
    "oscillating-loss",
    "posterior-collapse",
    "saturated-output",
    "stuck-loss",
    "train-eval-gap",
    "unrelated-target",
)
CLEARLY = 1.05
"""Error, relative to that of the mean image, above which the monitor reports."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the optimizer."""
    probes, settings, name = run.round(), run.facts.settings, run.facts.noun
    if not probes or not run.had_time or not any(term.kind.pixelwise for term in settings.loss.terms):
        return
    worse = sum(probe.unexplained for probe in probes) / len(probes)
    if worse < CLEARLY or any(probe.unexplained < 1 for probe in probes):
        return
    now = f"after {probes[-1].step:,} steps, the error is {worse:.2g} times that of the mean {name}"
    if run.still_falls:
        remedy = f"{one_of([*higher_rate(run), 'more epochs'])}: the loss still falls"
    elif run.creeps:
        remedy = one_of([*higher_rate(run), DOCTOR])
    else:
        penalties = ["a tenth of the weight penalties"] if run.facts.penalised else []
        remedy = with_lower_rate(run, [*penalties, DOCTOR])
    yield Symptom("train.optimizer", f"{now}: nothing is learned about single {name}s yet", remedy)
