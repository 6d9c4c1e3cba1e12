"""The same images are reconstructed far worse in eval mode than while training.

## What it does
Compares the training loss of the last steps with the loss of at least 16 training images in eval mode: running
statistics of batch normalisation, no dropout, no noise. It speaks after 500 steps and one epoch (steps of a warm-up
count for their share) where the second is more than half as large again as the first. Images that were seen in the
first 250 steps do not count.

## Why is this bad?
In use, and when it is judged, a model is in eval mode. A gap means that the running averages of a batch normalisation
are not what its batches have: they move too slowly (`momentum=`), the batches are too small, the weights move faster
than the averages, or dropout changes the variance that they average.

## Example
```cae
autoencoder gap
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; conv 4 norm=batch momentum=1e-4 relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 30 }
```

## Instead
```cae
autoencoder level
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; conv 4 norm=batch relu; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 21 }
```

## How sure
Both losses are measured, on training images. 50 % is TheDeepChecker's border; the error differs by about half from
image to image, so that the mean over 16 is known to an eighth. What else the references warn of stayed below the border
on the digits: small batches, rates up to 0.3 and dropout before a normalisation all left the eval mode better.

## References
- Li et al. 2019, "Understanding the disharmony between dropout and batch normalization by variance shift", CVPR.
- Ioffe 2017, "Batch renormalization", arXiv 1702.03275: small batches.
- Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs", ACM TOSEM.
"""

from collections.abc import Iterator
from math import gcd

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import PLATEAU_STEPS, RunSoFar
from caedsl.training.monitors.engine.wording import lower_rate, one_of, times
from caedsl.vocabulary.norms import GROUPS, MOMENTUM

GAP = 1.5
LEAST_IMAGES = 16


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the first layer with batch normalisation, or at the train block if there is none."""
    probes = [probe for probe in seen.probes if probe.full_steps >= PLATEAU_STEPS / 2]
    images, windows = len(probes) * seen.facts.images, seen.windows[-2:]
    if not seen.facts.judged_apart or not seen.had_time or images < LEAST_IMAGES or len(windows) < 2:
        return
    judged = sum(probe.loss for probe in probes) / len(probes)
    trained = max(window.mean for window in windows)
    if judged <= GAP * trained:
        return
    layers = seen.facts.layers
    over_batch = [number for number, layer in enumerate(layers) if layer.norm and layer.norm.over_batch]
    first = over_batch[0] if over_batch else None
    common = gcd(GROUPS.default, *(layers[number].units for number in over_batch))
    groups = "" if common == GROUPS.default else f" groups={common}"
    momentum = any(layer.own_momentum for layer in layers)
    yield Sign(
        first if first is not None else "train",
        f"{images} training {seen.facts.noun}s have a loss of {judged:.4g} in eval mode, {times(judged / trained)} the "
        f"{trained:.4g} of "
        f"the last steps: the running averages from this layer on are not what the batches have",
        one_of(
            [
                *([f"`momentum={MOMENTUM:g}`"] if momentum else []),
                *([f"`batch {max(32, 2 * seen.facts.settings.batch)}`"] if seen.facts.settings.batch < 64 else []),
                *(["no `dropout` before the batch normalisation"] if any(layer.drops for layer in layers) else []),
                *lower_rate(seen.facts),
                f"`norm=group{groups}` instead of `norm=batch{' momentum=…' if momentum else ''}`",
            ]
        ),
    )
