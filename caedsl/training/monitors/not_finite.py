"""The loss is infinite or not a number.

## What it does
From the first such loss on the weights stand still, until it is noticed. Then the step is taken once more, layer by
layer, and the first that does not return finite numbers is named: forward, in the loss itself, or on the way back.

## Why is this bad?
One infinite gradient makes every weight that it reaches infinite or NaN, for good. The run ends here whatever `on
trouble` says; the weights of the best epoch are kept.

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
autoencoder stays
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu x2; maxpool 2 }
bottleneck dense 8
decoder { dense 64; reshape 1x8x8 }
train { loss mse; optimizer sgd lr=0.03; batch 64; epochs 5 }
```

## How sure
Arithmetic: the numbers are looked at. Where a gradient ceased to be finite a step before the loss did, that shows in
the weights: those of the layer where it happened and of all before are spoiled, those behind are not.

## References
- Micikevicius et al. 2018, "Mixed precision training", arXiv 1710.03740: steps that are skipped for such gradients.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import Broken, RunSoFar
from caedsl.training.monitors.engine.wording import CLIP, with_lower_rate

_WHAT = {
    "output": "its output is the first that is not finite; what comes in goes up to {value:.1e}",
    "loss": "it returns numbers up to {value:.1e}, and the loss of these is not finite",
    "gradient": "its gradient is the first on the way back that is not finite",
    "weights": "its weights are not finite and those behind it are: its gradient was not finite a step before",
}


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, once the origin of the non-finite number is known."""
    broken = seen.broken
    if broken is None:
        return
    if broken.what == "images" or broken.layer is None:
        name = seen.facts.noun
        yield Sign("data", f"the {name}s are not finite", f"{name}s without NaN and infinity")
        return
    yield Sign(broken.layer, _WHAT[broken.what].format(value=broken.value), _remedy(seen, broken))


def _remedy(seen: RunSoFar, broken: Broken) -> str:
    settings = seen.facts.settings
    return with_lower_rate(
        seen.facts,
        [
            *(CLIP if settings.clip is None else []),
            *(["`precision fp32`"] if settings.precision != "fp32" and broken.what != "weights" else []),
        ],
    )
