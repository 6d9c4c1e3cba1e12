"""The loss is infinite or NaN.

## What it does
The weights are frozen from the first such loss until it is detected. Then the step is repeated layer by layer, and
the first layer whose numbers are not finite is named: in the forward pass, in the loss itself, or in the backward
pass.

## Why is this bad?
A single infinite gradient permanently makes every weight that it reaches infinite or NaN. The run ends here, whatever
`on trouble` says; the weights of the best epoch are saved.

## Example
```cae
autoencoder overflows
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer sgd lr=1000; batch 64; epochs 5 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer sgd lr=0.03; batch 64; epochs 5 }
```

## How sure
Arithmetic: the numbers are inspected. A gradient that became non-finite one step before the loss shows in the weights:
those of its layer and of all layers before it are not finite, those after it are.

## References
- Micikevicius et al. 2018, "Mixed precision training", arXiv 1710.03740: skipping steps with such gradients.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import NonFiniteOrigin, RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, with_lower_rate

_WHAT = {
    "output": "its output is the first that is not finite; its largest input is {value:.1e}",
    "loss": "its output reaches {value:.1e}, for which the loss is not finite",
    "gradient": "its gradient is the first in the backward pass that is not finite",
    "weights": "its weights are not finite, but those of later layers are: its gradient was not finite one step before",
}


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, once the origin of the non-finite number is known."""
    origin = run.non_finite
    if origin is None:
        return
    if origin.what == "images" or origin.layer is None:
        name = run.facts.noun
        yield Symptom("data", f"the {name}s contain NaN or infinity", f"{name}s without NaN and infinity")
        return
    yield Symptom(origin.layer, _WHAT[origin.what].format(value=origin.value), _remedy(run, origin))


def _remedy(run: RunSoFar, origin: NonFiniteOrigin) -> str:
    settings = run.facts.settings
    return with_lower_rate(
        run,
        [
            *(CLIP if settings.clip is None else []),
            *(["`precision fp32`"] if settings.precision != "fp32" and origin.what != "weights" else []),
        ],
    )
