"""A layer of ReLUs none of which fires for any image.

## What it does
Looks for layers ending in `relu` whose every channel is 0 at every pixel of every image, over 128 training images (half
of them where there are fewer than 256) and at least 50 steps, although what comes in still differs from image to image.

## Why is this bad?
The layer's output is 0 whatever the image. No gradient passes a ReLU that is 0, so that neither this layer nor any
before it learns any more: a dead layer cannot come back by training on. In a residual the shortcut still carries the
image; the layers inside add nothing.

## Example
```cae
autoencoder dies
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=1; batch 64; epochs 10 }
```

## Instead
```cae
autoencoder lives
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 10 }
```

## How sure
That a unit is 0 on 128 images is measured; that it stays so is arithmetic, but for what momentum and penalties still
move, for which the 50 steps allow. Half of a layer being dead says nothing: in 104 trainings on MNIST and as many on
Fashion-MNIST the two best learning rates ended with 50 to 88 % dead in one layer, and at the start up to 46 % are dead
in models that train well. So this monitor is silent as long as one channel lives.

## References
- Lu et al. 2019, "Dying ReLU and initialization", arXiv 1903.06733.
- Zhang et al. 2021, "AutoTrainer", arXiv 2002.04845: the problem as a monitor of trainings sees it.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import with_lower_rate

BY_LAYER = True
LEAST_STEPS = 50


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield a sign for each dead layer whose input varies between images."""
    probes, name = seen.round(), seen.facts.noun
    if not probes or probes[-1].step - probes[0].step < LEAST_STEPS:
        return
    for number, layer in enumerate(seen.facts.layers):
        fires = any(probe.layers[number].firing != 0 for probe in probes)
        fed = number == 0 or any(probe.layers[number - 1].spread > 0 for probe in probes)
        if fed and not fires:
            yield Sign(
                number,
                f"none of its {layer.units} channels is above 0 for any of {seen.facts.probed} {name}s: its output is "
                f"0 whatever the {name}, no gradient passes, and neither it nor what comes before can learn any more",
                with_lower_rate(seen.facts, ["`leaky_relu` instead of `relu` on this line", "another `seed`"]),
            )
