"""Every image is reconstructed as the same picture.

## What it does
Compares the output with two predictors that ignore the image: the mean of the training images, and the best single
grey. It speaks after 500 steps and one epoch (steps of a warm-up count for the share of the learning rate that they
have), if over 128 training images the error is at least 95 % of the mean image's and the output varies from image to
image less than a tenth as much as the images do. It names the layer at which the difference between images is lost.

## Why is this bad?
This is the collapsed autoencoder: only the bias of the output is learned. The loss falls at first, to that of the mean
image, and looks like training.

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
What is said is measured. The moment is a heuristic: healthy models leave the mean image at steps 40 to 240, so that at
step 50 the same numbers are a false alarm in two runs of three. At the end of 500 steps the verdict found 39 of 55
failing trainings on MNIST and 34 of 45 on Fashion-MNIST, and none of 108 that trained.

## References
- Bourlard and Kamp 1988, "Auto-association by multilayer perceptrons and singular value decomposition": the mean image
  is what is left where the code carries nothing.
- Bowman et al. 2016, "Generating sentences from a continuous space", arXiv 1511.06349: the decoder that ignores its
  code.
"""

from collections.abc import Iterator, Sequence

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import ProbeResult, RunSoFar
from caedsl.training.monitors.engine.wording import DOCTOR, HIGHEST, lower_rate, one_of

UNEXPLAINED = 0.95
"""Unexplained share of the variance; the mean image has 1."""

SPREAD = 0.1
"""Standard deviation of the output over images, relative to that of the images."""


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer that loses the image."""
    probes = seen.round()
    if not probes or not seen.had_time or not all(map(_constant, probes)):
        return
    error, mean, grey = (sum(values) / len(probes) for values in zip(*map(_errors, probes), strict=True))
    name = seen.facts.noun
    known = f"mean {name} {mean:.4f}, best single value {grey:.4f}"
    losing = _losing_layer(seen, probes)
    yield Sign(
        losing,
        f"every {name} is reconstructed alike (squared error {error:.4f}; {known}): the difference between {name}s is "
        "lost here, and only the bias of the output is learned",
        _remedy(seen, losing),
    )


def _constant(probe: ProbeResult) -> bool:
    return probe.unexplained >= UNEXPLAINED and probe.output_spread < SPREAD * probe.image_spread


def _errors(probe: ProbeResult) -> tuple[float, float, float]:
    return probe.error, probe.mean_error, probe.grey_error


def _losing_layer(seen: RunSoFar, probes: Sequence[ProbeResult]) -> int:
    """Return the layer that most reduces the dependence on the image from its input to its output."""
    last = probes[-1].layers
    kept = [layer.spread / layer.size if layer.size else 0.0 for layer in last]
    losses = [kept[number] / before if (before := ([1.0, *kept])[number]) else 1.0 for number in range(len(kept))]
    return min(range(len(losses)), key=losses.__getitem__)


def _remedy(seen: RunSoFar, losing: int) -> str:
    """Return the remedies. None concerns the output layer's activation, which follows from the range of the images."""
    settings, remedies = seen.facts.settings, []
    if settings.optimizer.lr > HIGHEST:  # 0.01 trained best in the pilot, 0.1 never
        remedies += lower_rate(seen.facts)
    if seen.facts.penalised or settings.optimizer.weight_decay:
        remedies.append("a tenth of the weight penalties")
    if all(layer.norm is None for layer in seen.facts.layers):
        remedies.append("`norm=batch` on the hidden layers around it")
    function = seen.facts.layers[losing].function
    if function.saturates and losing != seen.facts.output_layer:
        remedies.append(f"`relu` instead of `{function.name}` on this line")
    return one_of(remedies or ["another `seed`", DOCTOR])
