"""Most vectors of a codebook are taken by no place of any image.

## What it does
Looks at the share of the vectors of a quantized code that places of held-out images take, at most 1,000 of them. It
speaks where fewer than one vector in ten is taken after each of the last three epochs, 500 steps after the start.

## Why is this bad?
A vector that nothing takes carries nothing: the code has fewer bits than the spec says, and so has what can be
reconstructed. Vectors that are not taken start again from inputs while training, so that a codebook that stays empty is
too large for the data, or the encoder returns the same for all images.

## Example
```cae
autoencoder empty
input 1x8x8 in 0..1
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 2048x4
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## Instead
```cae
autoencoder full
input 1x8x8 in 0..1
data digits
encoder { conv 16 k4 s2 relu; conv 16 k4 s2 relu }
bottleneck quantized 64x4
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The share is measured. That one in ten is too few is a heuristic.

## References
- van den Oord et al. 2017, "Neural discrete representation learning", arXiv 1711.00937.
- Dhariwal et al. 2020, "Jukebox", arXiv 2005.00341: codebook collapse, and vectors that start again.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar

EPOCHS = 3
FEW = 0.1


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the codebook."""
    facts, last = seen.facts, seen.epochs[-EPOCHS:]
    used = [epoch.code["used_codes"] for epoch in last if "used_codes" in epoch.code]
    if len(used) < EPOCHS or not seen.had_time or facts.code_layer is None:
        return
    if max(used) < FEW:
        yield Sign(
            facts.code_layer,
            f"{used[-1]:.1%} of the vectors of the codebook are taken by some place of the {facts.noun}s, with a "
            f"perplexity of {last[-1].code['perplexity']:.3g}",
            f"a smaller codebook, or more {facts.noun}s",
        )
