"""Half of the code or more never changes from image to image.

## What it does
Looks for numbers of the code (channels, where it is a feature map) that are the same for all images: over 256 training
images their deviation is less than a thousandth of the liveliest one's. It speaks after 500 steps and one epoch (steps
of a warm-up count for their share) where they are half of the code or more, and what is left is less than a quarter of
the image. With an activity penalty (`l1` on the bottleneck), which is meant to silence some, nine tenths are asked for.

## Why is this bad?
Such numbers carry nothing: the code is smaller than the spec says, and so is what can be reconstructed. In the pilot a
`relu` on a code of 32 left 15 alive on MNIST and cost half as much error again.

## Example
```cae
autoencoder idles
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32 relu
decoder mirror
train { loss mse; optimizer adam lr=3e-2; batch 64; epochs 25 }
```

## Instead
```cae
autoencoder works
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The deviations are measured. That half of the code being idle is a fault is a heuristic: a spec may have more code than
it needs, which is why wide codes are left alone.

## References
- Burda et al. 2016, "Importance weighted autoencoders", arXiv 1509.00519: active units of a code.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import dying_activation, lower_rate, one_of

EXPLAINED_BY = ("constant-output", "dead-layer", "saturated-output")
IDLE = 0.5
IDLE_WITH_PENALTY = 0.9
PART_OF_IMAGE = 0.25


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer that returns the code."""
    facts, probes = seen.facts, seen.long_round()
    if not probes or not seen.had_time or facts.code_layer is None:
        return
    moves = ["1" in unit for unit in zip(*(probe.moving for probe in probes), strict=True)]
    idle = moves.count(False)
    left = facts.code_size * (1 - idle / len(moves))
    enough = IDLE_WITH_PENALTY if facts.code_l1 else IDLE
    if idle < enough * len(moves) or left >= PART_OF_IMAGE * facts.input_size:
        return
    units = "numbers" if len(moves) == facts.code_size else "channels"
    dying = dying_activation(facts.layers[facts.code_layer])
    yield Sign(
        facts.code_layer,
        f"{idle} of the {len(moves)} {units} of the code are the same for all of {2 * facts.probed} {facts.noun}s: "
        f"the code is really one of {left:.0f} numbers",
        one_of(
            [
                *([f"no `{dying}` on the code"] if dying else []),
                *(["a smaller `l1` on the bottleneck"] if facts.code_l1 else []),
                *(
                    ["a tenth of the weight penalties"]
                    if facts.penalised or facts.settings.optimizer.weight_decay
                    else []
                ),
                *lower_rate(facts),
                "a smaller code (if the result is good enough)",
            ]
        ),
    )
