"""A ReLU layer outputs 0 for every image.

## What it does
Looks for layers that end in `relu` and are 0 in every channel at every pixel, for 128 training images (or half of
them, if there are fewer than 256) and over at least 50 steps, although their input still varies between images.

## Why is this bad?
The output of the layer is 0 whatever the image. No gradient passes a ReLU whose output is 0, so neither this layer
nor any before it learns any more: a dead layer does not recover. In a residual, the shortcut still carries the image,
but the layers inside contribute nothing.

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
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 10 }
```

## How sure
That the units are 0 on 128 images is measured. That they stay 0 is arithmetic, apart from the effect of momentum and
penalties, for which the 50 steps allow. A layer that is half dead is not a fault: in 104 training runs on MNIST and as
many on Fashion-MNIST, the two best learning rates ended with 50 to 88 % of a layer dead, and up to 46 % are dead at the
start in models that train well. The monitor therefore reports nothing while a single channel is active.

## References
- Lu et al. 2019, "Dying ReLU and initialization", arXiv 1903.06733.
- Zhang et al. 2021, "AutoTrainer", arXiv 2002.04845: detection of dying ReLUs during training.
"""

from collections.abc import Iterator

from caedsl.diagnostics.text import counted
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import RANDOM, with_lower_rate

BY_LAYER = True
LEAST_STEPS = 50


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield a symptom for each dead layer whose input varies between images."""
    probes, name = run.round(), run.facts.noun
    if not probes or probes[-1].step - probes[0].step < LEAST_STEPS:
        return
    for number, layer in enumerate(run.facts.layers):
        fires = any(probe.layers[number].firing != 0 for probe in probes)
        fed = number == 0 or any(probe.layers[number - 1].spread > 0 for probe in probes)
        alike = probes[-1].layers[number].alike
        if fed and not fires:
            yield Symptom(
                number,
                f"its {counted(layer.units, 'channel')} output 0 for all of {run.facts.probed} {name}s: no gradient "
                "passes, so neither this layer nor any before it can learn",
                RANDOM
                if alike
                else with_lower_rate(run, ["`leaky_relu` instead of `relu` on this line", "another `seed`"]),
                cause="dead-start" if alike else "",
            )
