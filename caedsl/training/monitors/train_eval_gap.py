"""The loss is much higher in eval mode than in train mode.

## What it does
Compares the training loss of the last steps with the loss of at least 16 training images in eval mode: with the
running statistics of batch normalisation, without dropout and noise. Reports after 500 steps and one epoch (warm-up
steps count by their share of the learning rate) if the loss in eval mode is more than one and a half times as high.
Images probed in the first 250 steps do not count.

## Why is this bad?
Models are evaluated and used in eval mode. A gap means that the running statistics of a batch normalisation differ
from those of its batches: they are updated too slowly (`momentum=`), the batches are too small, the weights change
faster than the statistics, or dropout changes the variance that enters them.

## Example
```cae
autoencoder differs
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; conv 4 norm=batch momentum=1e-4 relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 30 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; conv 4 norm=batch relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 21 }
```

## How sure
Both losses are measured on training images. The threshold of 50 % is TheDeepChecker's. The standard deviation of the
error over images is about half its mean, so the mean of 16 is known to an eighth. The other causes that the references
describe stayed below the threshold on the digits: with small batches, rates up to 0.3 and dropout before a
normalisation, the loss was lower in eval mode.

## References
- Li et al. 2019, "Understanding the disharmony between dropout and batch normalization by variance shift", CVPR.
- Ioffe 2017, "Batch renormalization", arXiv 1702.03275: small batches.
- Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs", ACM TOSEM.
"""

from collections.abc import Iterator
from math import gcd

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import PLATEAU_STEPS, RunSoFar
from caedsl.training.monitors.engine.wording import lower_rate, one_of, times
from caedsl.vocabulary.norms import GROUPS, MOMENTUM

GAP = 1.5
LEAST_IMAGES = 16


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the first layer with batch normalisation, or at the train block if there is none."""
    probes = [probe for probe in run.probes if probe.full_steps >= PLATEAU_STEPS / 2]
    images, windows = len(probes) * run.facts.images, run.windows[-2:]
    if not run.facts.differs_in_eval_mode or not run.had_time or images < LEAST_IMAGES or len(windows) < 2:
        return
    loss = sum(probe.loss for probe in probes) / len(probes)
    trained = max(window.mean for window in windows)
    if loss <= GAP * trained:
        return
    layers = run.facts.layers
    over_batch = [number for number, layer in enumerate(layers) if layer.norm and layer.norm.over_batch]
    first = over_batch[0] if over_batch else None
    common = gcd(GROUPS.default, *(layers[number].units for number in over_batch))
    groups = "" if common == GROUPS.default else f" groups={common}"
    momentum = any(layer.own_momentum for layer in layers)
    yield Symptom(
        first if first is not None else "train",
        f"{images} training {run.facts.noun}s have a loss of {loss:.4g} in eval mode, {times(loss / trained)} the "
        f"{trained:.4g} of the last steps: from this layer on, the running statistics differ from those of the batches",
        one_of(
            [
                *([f"`momentum={MOMENTUM:g}`"] if momentum else []),
                *([f"`batch {max(32, 2 * run.facts.settings.batch)}`"] if run.facts.settings.batch < 64 else []),
                *(["no `dropout` before the batch normalisation"] if any(layer.drops for layer in layers) else []),
                *lower_rate(run),
                f"`norm=group{groups}` instead of `norm=batch{' momentum=…' if momentum else ''}`",
            ]
        ),
    )
