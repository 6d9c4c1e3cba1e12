"""Most vectors of the codebook are unused.

## What it does
Measures the share of the codebook's vectors that a quantized code uses for up to 1,000 held-out images, or, if their
codes have fewer positions than the codebook has vectors, the share of as many vectors as positions. Reports if the
share is below one in ten after each of the last three epochs, from 500 steps on.

## Why is this bad?
An unused vector carries no information: the code has fewer bits than the spec says, and reconstructions lose detail.
With `update=ema`, training restarts unused vectors from inputs, so a codebook that stays unused is too large for the
data, or the encoder returns the same for all images. With `update=gradient`, a vector that is never the nearest gets no
gradient and stays where it started. On digits, 256 vectors for 25 epochs ended with 23 % in use, and with `update=ema`
with 85 % and a smaller error.

## Example
```cae
autoencoder unused
input 1x8x8 in 0..1
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 2048x16 update=gradient
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 64x4
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The share is measured. The threshold of one in ten is a heuristic.

## References
- van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937.
- Dhariwal et al. 2020, "Jukebox", arXiv 2005.00341: codebook collapse, and the restart of unused vectors.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import one_of

EPOCHS = 3
FEW = 0.1


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the codebook."""
    facts, last = run.facts, run.epochs[-EPOCHS:]
    used = [epoch.code["used_codes"] for epoch in last if "used_codes" in epoch.code]
    if len(used) < EPOCHS or not run.had_time or facts.code_layer is None:
        return
    if max(used) < FEW:
        yield Symptom(
            facts.code_layer,
            f"held-out {facts.noun}s use only {used[-1]:.1%} of the vectors that they could, with a perplexity of "
            f"{last[-1].code['perplexity']:.3g}",
            one_of(
                [
                    *(["`update=ema` on the bottleneck"] if facts.trained_codebook else []),
                    "a smaller codebook",
                    f"more {facts.noun}s",
                ]
            ),
        )
