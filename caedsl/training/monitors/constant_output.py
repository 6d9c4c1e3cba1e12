"""Every image has the same reconstruction.

## What it does
Compares the output with two predictors that ignore the image: the mean of the training images, and the best single
grey value. Reports after 500 steps and one epoch (warm-up steps count by their share of the learning rate) if, on 128
training images, the error is at least 95 % of the mean image's and the output varies between images by less than a
tenth of the images' own variation. Names the layer at which the differences between images are lost.

## Why is this bad?
The autoencoder has collapsed: only the bias of the output is learned. The loss still falls to that of the mean image
at first, which looks like training.

## Example
```cae
autoencoder collapses
input 1x8x8 in 0..1
data digits
encoder { maxpool 2; conv 4 sigmoid x3; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 24 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { maxpool 2; conv 4 relu x3; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 24 }
```

## How sure
The errors and variations are measured. The time of the report is a heuristic: healthy models become better than the
mean image after 40 to 240 steps, and at step 50 the same criteria are a false alarm in two runs of three. After 500
steps they found 39 of 55 failing runs on MNIST and 34 of 45 on Fashion-MNIST, and none of 108 successful ones.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition": without
  information in the code, the best output is the mean image.
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: a decoder that ignores its code.
"""

from collections.abc import Iterator, Sequence

from caedsl.facts.steps import momentum_factor
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import ProbeResult, RunSoFar
from caedsl.training.monitors.engine.wording import (
    DOCTOR,
    HIGHEST,
    HIGHEST_OF_SGD,
    LOWEST,
    higher_rate,
    lower_rate,
    one_of,
)

EXPLAINED_BY = ("unrelated-target",)
UNEXPLAINED = 0.95
"""Unexplained share of the variance; the mean image has 1."""

SPREAD = 0.1
"""Standard deviation of the output over images, relative to that of the images."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer that loses the image."""
    probes = run.round()
    if not probes or not run.had_time or not all(map(_constant, probes)):
        return
    error, mean, grey = (sum(values) / len(probes) for values in zip(*map(_errors, probes), strict=True))
    name = run.facts.noun
    known = f"mean {name} {mean:.4f}, best single value {grey:.4f}"
    losing = _losing_layer(run, probes)
    yield Symptom(
        losing,
        f"all {name}s have the same reconstruction (squared error {error:.4f}; {known}): the differences between "
        f"{name}s are lost here, and only the bias of the output is learned",
        _remedy(run, losing),
    )


def _constant(probe: ProbeResult) -> bool:
    return probe.unexplained >= UNEXPLAINED and probe.output_spread < SPREAD * probe.image_spread


def _errors(probe: ProbeResult) -> tuple[float, float, float]:
    return probe.error, probe.mean_error, probe.grey_error


def _losing_layer(run: RunSoFar, probes: Sequence[ProbeResult]) -> int:
    """Return the layer that most reduces the dependence on the image from its input to its output."""
    last = probes[-1].layers
    shares = [layer.spread / layer.size if layer.size else 0.0 for layer in last]
    losses = [shares[number] / before if (before := ([1.0, *shares])[number]) else 1.0 for number in range(len(shares))]
    return min(range(len(losses)), key=losses.__getitem__)


def _remedy(run: RunSoFar, losing: int) -> str:
    """Return the remedies. None concerns the output layer's activation, which follows from the range of the images."""
    settings, remedies = run.facts.settings, []
    adaptive, lr = settings.optimizer.kind.adaptive, settings.optimizer.lr * momentum_factor(settings.optimizer)
    if run.still_falls or run.creeps or lr < (LOWEST if adaptive else HIGHEST_OF_SGD):
        remedies += higher_rate(run)
    elif lr > (HIGHEST if adaptive else HIGHEST_OF_SGD):  # Adam trained best at 0.01 in the pilot, and never at 0.1
        remedies += lower_rate(run)
    if run.facts.penalised or settings.optimizer.weight_decay:
        remedies.append("a tenth of the weight penalties")
    if all(layer.norm is None for layer in run.facts.layers):
        remedies.append("`norm=batch` on the hidden layers around it")
    function = run.facts.layers[losing].function
    if function.saturates and losing != run.facts.output_layer:
        remedies.append(f"`relu` instead of `{function.name}` on this line")
    return one_of(remedies or ["another `seed`", DOCTOR])
