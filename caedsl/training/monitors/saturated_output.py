"""The output is saturated at the wrong end of its range and gets no gradient.

## What it does
Looks at the pixels where the output's `sigmoid`, `tanh` or `relu` is flat: its slope is below 1e-4. Reports if these
pixels cause at least half of the squared error while the error is larger than 90 % of the mean image's, on 128 training
images and at least 100 steps after the start (warm-up steps count by their share of the learning rate).

## Why is this bad?
A flat activation passes no gradient: these pixels stay as they are, however wrong. Background that is 0 and should be
0 is correct and does not count.

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
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 10 }
```

## How sure
The shares are measured, and that a flat activation passes no gradient is arithmetic. That the output will not recover
is a heuristic: other images of a batch may still correct some pixels, so at least half of the error is required.

## References
- Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
- PyOD pull request 651: an autoencoder's final ReLU that returned 0 for every input.
"""

from collections.abc import Iterator

from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import Facts, RunSoFar
from caedsl.training.monitors.engine.wording import DOCTOR, GOOD_RATE, dying_activation, with_lower_rate

SHARE = 0.5
FAILING = 0.9
LEAST_STEPS = 100


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer that gives the output its values."""
    facts, probes, output = run.facts, run.round(since=LEAST_STEPS), run.facts.output_layer
    if not probes or output is None:
        return
    if any(probe.flat is None or probe.flat < SHARE or probe.unexplained < FAILING for probe in probes):
        return
    share = sum(probe.flat or 0.0 for probe in probes) / len(probes)
    dying = dying_activation(facts.layers[output])
    yield Symptom(
        output,
        f"{share:.0%} of the squared error comes from {facts.places} where its activation is flat, at an end of its "
        f"range: they get no gradient (the error is {probes[-1].unexplained:.2g} times that of the mean {facts.noun})",
        with_lower_rate(
            run, [*([f"`sigmoid` instead of `{dying}` at the output"] if dying else []), *_for_dark(facts), DOCTOR]
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
        remedies.append(f"`loss mse worst=10%` (0 everywhere is a cheap optimum if most {facts.places} are 0)")
    if all(layer.norm is None for layer in facts.layers):
        remedies.append("`norm=batch` on the hidden layers")
    return remedies
