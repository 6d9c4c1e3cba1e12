"""A gradient has grown a thousandfold, and the loss has not improved.

## What it does
Compares the norm of each kernel's gradient with its norm after the first step. Reports if some layer's gradient is a
thousand times as large in two probes in a row, while the loss is no better than at the start. Names the layer whose
gradient has grown most.

## Why is this bad?
The length of a step follows the gradient (in proportion with `sgd`; with `adam` until the mean of the squares has
adapted). The weights are moved far away, where the gradient is larger still, and the loss ends as infinity or NaN.

## Example
```cae
autoencoder explodes
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.5; schedule constant warmup=40%; batch 64; epochs 16 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.005; schedule constant warmup=40%; batch 64; epochs 16 }
```

## How sure
The growth is measured. The gradient also grows when a model leaves the mean image, by a factor of about 30, but then
the loss falls: a healthy run does not show both together.

## References
- Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", arXiv 1211.5063.
"""

from collections.abc import Iterator
from math import isnan

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import ProbeResult, RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, times, with_lower_rate

GROWTH = 1000.0


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer whose gradient grew most."""
    first, probes = run.first_probe, run.probes[-2:]
    if first is None or len(probes) < 2:
        return
    grown = [_growth(first, probe) for probe in probes]
    if any(max(growth.values(), default=0.0) < GROWTH for growth in grown) or probes[-1].loss < first.loss:
        return
    worst = max(grown[-1], key=grown[-1].__getitem__)
    now, then = probes[-1].layers[worst].gradient or 0.0, first.layers[worst].gradient or 0.0
    yield Symptom(
        worst,
        f"its gradient is {times(now / then)} as large as at the start ({now:.1e}, was {then:.1e}), and the loss has "
        "not improved: the loss may become infinite",
        with_lower_rate(run, CLIP if run.facts.settings.clip is None else []),
    )


def _growth(first: ProbeResult, now: ProbeResult) -> dict[int, float]:
    return {
        number: layer.gradient / before.gradient
        for number, (layer, before) in enumerate(zip(now.layers, first.layers, strict=True))
        if layer.gradient is not None and before.gradient and not isnan(layer.gradient / before.gradient)
    }
