"""At least half of the code is the same for every image.

## What it does
Looks for units of the code (channels, if it is a feature map) that are the same for all images: over 256 training
images, their standard deviation is less than a thousandth of that of the most variable unit. Reports after 500 steps
and one epoch (warm-up steps count by their share of the learning rate) if at least half of the units are idle and the
others hold fewer numbers than a quarter of the image. With an activity penalty (`l1` on the bottleneck), which is meant
to silence units, at least nine tenths must be idle.

With `topk=`, it suggests keeping more numbers instead of a smaller learning rate: a unit that is never among the
largest gets no gradient, whatever the rate. On digits with a code of 64 numbers and `lr=3e-3`, `topk=4` left 54 idle
after 25 epochs and ended at a squared error of 0.0232, `topk=8` at 0.0136 and without a report; a tenth of the learning
rate left 56 idle, with an error of 0.0417.

## Why is this bad?
Idle units carry no information: the code is smaller than the spec says, and reconstructions lose detail. In a
pilot on MNIST, a `relu` on a code of 32 left 15 active and increased the error by half.

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
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 16 relu; maxpool 2 }
bottleneck dense 32
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 25 }
```

## How sure
The deviations are measured. That half of the code being idle is a fault is a heuristic: a spec may have a larger code
than it needs, so wide codes are not reported.

## References
- Burda et al. 2016, "Importance weighted autoencoders", arXiv 1509.00519: active units of a code.
"""

from collections.abc import Iterator

from caedsl.diagnostics.text import counted
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import RunSoFar
from caedsl.training.monitors.engine.wording import dying_activation, lower_rate, one_of

EXPLAINED_BY = ("constant-output", "dead-layer", "saturated-output")
IDLE = 0.5
IDLE_WITH_PENALTY = 0.9
PART_OF_IMAGE = 0.25


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer that returns the code."""
    facts, probes = run.facts, run.long_round()
    if not probes or not run.had_time or facts.code_layer is None:
        return
    moves = ["1" in unit for unit in zip(*(probe.moving for probe in probes), strict=True)]
    idle = moves.count(False)
    left = facts.code_size * (1 - idle / len(moves))
    enough = IDLE_WITH_PENALTY if facts.code_l1 else IDLE
    if idle < enough * len(moves) or left >= PART_OF_IMAGE * facts.input_size:
        return
    units = "numbers" if len(moves) == facts.code_size else "channels"
    kept, dying = facts.code_topk, dying_activation(facts.layers[facts.code_layer])
    yield Symptom(
        facts.code_layer,
        f"{idle} of {len(moves)} {units} of the code are the same for all of {2 * facts.probed} {facts.noun}s: only "
        f"{counted(round(left), 'number')} of the code carry information",
        one_of(
            [
                *([f"`topk={2 * kept}` on the bottleneck"] if kept and 2 * kept < facts.code_size else []),
                *([f"no `{dying}` on the code"] if dying else []),
                *(["a smaller `l1` on the bottleneck"] if facts.code_l1 else []),
                *(
                    ["a tenth of the weight penalties"]
                    if facts.penalised or facts.settings.optimizer.weight_decay
                    else []
                ),
                *([] if kept else lower_rate(run)),
                "a smaller code (if the result is good enough)",
            ]
        ),
    )
