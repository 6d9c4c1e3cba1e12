"""The gradient has grown a thousandfold since the start, and the loss with it.

## What it does
Compares the norm of each kernel's gradient with what it was after the first step. It speaks where some layer's is a
thousand times that in two probes in a row, while the loss is no better than at the start. It names the layer whose
gradient grew most.

## Why is this bad?
A step is as long as the gradient says (with `sgd` in proportion, with `adam` for as long as the mean of the squares
takes to follow): weights are thrown far away, the gradient there is larger still, and the loss ends as infinity or NaN.

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
autoencoder calm
input 1x8x8 in 0..1
data digits
encoder { conv 8 leaky_relu; maxpool 2 }
bottleneck dense 8
decoder { dense 128 leaky_relu; dense 64; reshape 1x8x8 }
train { loss mse; optimizer adam lr=0.005; schedule constant warmup=40%; batch 64; epochs 16 }
```

## How sure
The growth is measured. A model that leaves the mean image also has a gradient that grows, by a factor of 30 or so, but
its loss falls: both together are not seen in a healthy run.

## References
- Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", arXiv 1211.5063.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import ProbeResult, RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, times, with_lower_rate

GROWTH = 1000.0


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer whose gradient grew most."""
    first, probes = seen.first_probe, seen.probes[-2:]
    if first is None or len(probes) < 2:
        return
    grown = [_growth(first, probe) for probe in probes]
    if any(max(growth.values(), default=0.0) < GROWTH for growth in grown) or probes[-1].loss < first.loss:
        return
    worst = max(grown[-1], key=grown[-1].__getitem__)
    now, then = probes[-1].layers[worst].gradient or 0.0, first.layers[worst].gradient or 0.0
    yield Sign(
        worst,
        f"its gradient is {times(now / then)} what it was at the start ({now:.1e} against {then:.1e}), and the loss "
        "has risen with it: the next stage is a loss that is not finite",
        with_lower_rate(seen.facts, CLIP if seen.facts.settings.clip is None else []),
    )


def _growth(first: ProbeResult, now: ProbeResult) -> dict[int, float]:
    return {
        number: layer.gradient / before.gradient
        for number, (layer, before) in enumerate(zip(now.layers, first.layers, strict=True))
        if layer.gradient is not None and before.gradient
    }
