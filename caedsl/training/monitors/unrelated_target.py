"""The targets are not what the network could return for the samples.

## What it does
Compares up to 256 samples with their targets, if they have some of their own. Reports labels at once: at least 95 % of
the targets have a single value in every pixel, and not all the same one. Reports targets that do not follow from the
samples after 500 steps and one epoch (warm-up steps count by their share of the learning rate), if the error is still
at least 95 % of the mean image's: a linear map of the samples explains less than 2 % of the variance of the targets,
and the targets of similar samples are as far apart as those of any two.

## Why is this bad?
If samples and targets were shuffled apart, the mean of all targets is the best that the network can return. If the
targets are labels, it becomes a bad classifier, and its loss looks healthy.

## Example
```cae
autoencoder unpaired
input 1x8x8 in 0..1
data npy "digits.npy" target="shuffled.npy"
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 24 }
```

## Instead
```cae
autoencoder paired
input 1x8x8 in 0..1
data npy "digits.npy" target="inverted.npy"
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 24 }
```

## How sure
All of this is measured. A network could find a relation that neither a linear map nor the nearest neighbours show, but
this one has not.

## References
- Zhang et al. 2017, "Understanding deep learning requires rethinking generalization", arXiv 1611.03530: networks that
  are trained on random labels.
"""

from collections.abc import Iterator

from caedsl.rules.engine.causes import KNOWN
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar

LABELS = "label-target"
FAILING = 0.95
"""Share of the variance left above which the network has not learned the targets."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the data."""
    pairs, probes = run.pairs, run.round()
    if pairs is None or not pairs.cause:
        return
    fails = run.had_time and bool(probes) and all(probe.unexplained >= FAILING for probe in probes)
    if fails or pairs.cause == LABELS:
        cause = KNOWN[pairs.cause]
        yield Symptom("data", f"{cause.what}: {pairs.evidence}", cause.remedy, cause.name)
