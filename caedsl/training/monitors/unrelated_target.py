"""The targets are not what the network could return for the samples.

## What it does
Compares up to 256 samples with their targets, if they have some of their own. Reports labels at once: at least 95 % of
the targets have a single value in every pixel, and not all the same one. Reports targets that do not follow from the
samples after 500 steps and one epoch (warm-up steps count by their share of the learning rate), if the error is still
at least 95 % of the mean image's: a linear map of the samples explains less than 2 % of the variance of the targets,
and the targets of similar samples are as far apart as those of any two. In a PyTorch loop of your own that passes no
targets, reports after 100 steps that the loss has fallen at least ten times as far as the samples' own reconstruction
loss (see `loss` of `caedsl.watch`), while the error is still at least 95 % of the mean image's.

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

LEAST_STEPS = 100
FURTHER = 10.0
"""Ratio of the fall of a loop's loss to that of the samples' own from which it is about something else."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the data."""
    pairs, probes = run.pairs, run.round()
    if pairs is None:
        yield from _other_targets(run)
        return
    if not pairs.cause:
        return
    fails = run.had_time and bool(probes) and all(probe.unexplained >= FAILING for probe in probes)
    if fails or pairs.cause == LABELS:
        cause = KNOWN[pairs.cause]
        yield Symptom("data", f"{cause.what}: {pairs.evidence}", cause.remedy, cause.name)


def _other_targets(run: RunSoFar) -> Iterator[Symptom]:
    """Yield the symptom of a custom loop whose loss falls, but not because its samples are reconstructed better."""
    start, first, probes = run.first_probe, run.first_window, run.round(since=LEAST_STEPS)
    if start is None or first is None or not probes or not run.measures_steps or start.loss * first.mean <= 0:
        return
    fall, own = run.windows[-1].mean / first.mean, probes[-1].loss / start.loss
    if 0 <= fall * FURTHER < own and all(probe.unexplained >= FAILING for probe in probes):
        yield Symptom(
            "data",
            f"the loss has fallen to {fall:.1%} of its start, but that of reconstructing the samples only to "
            f"{own:.1%}, and their error is {probes[-1].unexplained:.3g} times that of the mean image: the loss is "
            "about something else",
            "compare the output with the samples, or pass `step` what it is compared with as `target`; if other terms "
            "outweigh the reconstruction, weight them less",
            "unrelated-target",
        )
