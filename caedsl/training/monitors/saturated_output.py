"""The output sits at an end of its range where the images are not, and cannot come back.

## What it does
Looks at the pixels where the output's `sigmoid`, `tanh` or `relu` is flat: its slope is below 1e-4. It speaks where
such pixels make up half of the squared error or more while the error is larger than 90 % of the mean image's, over 128
training images, at least 100 steps after the start (steps of a warm-up count for their share).

## Why is this bad?
Where the activation is flat the error gives no gradient: these pixels stay as they are, however wrong. Background at 0
that is meant to be 0 is no trouble, and is not counted.

## Example
```cae
autoencoder saturates
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1; batch 64; epochs 16 }
```

## Instead
```cae
autoencoder ranges
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 10 }
```

## How sure
The shares are measured, and that a flat activation passes no gradient is arithmetic. That it will not recover is a
heuristic: the mean over a batch may still pull some pixels back, which is why half of the error is asked for.

## References
- Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
- PyOD pull request 651: an autoencoder's final ReLU that answered 0 to everything.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Sign
from caedsl.training.monitors.engine.observation import Facts, RunSoFar
from caedsl.training.monitors.engine.wording import DOCTOR, GOOD_RATE, dying_activation, with_lower_rate

SHARE = 0.5
FAILING = 0.9
LEAST_STEPS = 100


def look(seen: RunSoFar) -> Iterator[Sign]:
    """Yield one sign, at the layer that gives the output its values."""
    facts, probes, output = seen.facts, seen.round(since=LEAST_STEPS), seen.facts.output_layer
    if not probes or output is None:
        return
    if any(probe.flat is None or probe.flat < SHARE or probe.unexplained < FAILING for probe in probes):
        return
    share = sum(probe.flat or 0.0 for probe in probes) / len(probes)
    dying = dying_activation(facts.layers[output])
    yield Sign(
        output,
        f"{share:.0%} of the squared error is on {facts.places} where its activation is flat, at an end of its range: "
        "they get no gradient and stay wrong (the error is "
        f"{probes[-1].unexplained:.2g} times the mean {facts.noun}'s)",
        with_lower_rate(
            facts, [*([f"`sigmoid` instead of `{dying}` at the output"] if dying else []), *_for_dark(facts), DOCTOR]
        ),
    )


def _for_dark(facts: Facts) -> list[str]:
    """Return remedies for mostly dark images if the learning rate is the usual one, or lower: it may have been lowered.

    None of them is in use already.
    """
    settings = facts.settings
    if settings.optimizer.lr > GOOD_RATE:
        return []
    remedies = []
    if settings.loss.worst is None:
        remedies.append(f"`loss mse worst=10%` (0 everywhere is a cheap optimum where most {facts.places} are 0)")
    if all(layer.norm is None for layer in facts.layers):
        remedies.append("`norm=batch` on the hidden layers")
    return remedies
