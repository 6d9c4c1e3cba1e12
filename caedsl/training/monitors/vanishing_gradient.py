"""The first layers receive almost no gradient.

## What it does
Compares the norm of the gradient of the first kernel with that of the last, on 128 training images. Reports if it is
less than a ten-thousandth of the last, at least 100 steps after the start (warm-up steps count by their share of the
learning rate) and while the error exceeds half of the mean image's. Names the layer at which most of the gradient is
lost. In a PyTorch loop of your own, it also names layers that do not learn whatever the error: first layers that get
no gradient at all, because `detach` or `no_grad` cuts the graph after them, and layers whose weights are missing from
the optimizer and do not change, or whose units all have the same weights, or had the same while the error is still at
least 95 % of the mean image's.

## Why is this bad?
Noise outweighs what the first layers learn from their gradient: the model trains as if it had only its last layers.
Each `sigmoid` passes at most a quarter of the gradient, and each `tanh` and each small kernel reduces it further.

## Example
```cae
autoencoder fades
input 1x8x8 in 0..1
data digits
encoder { maxpool 2; conv 4 sigmoid x5; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 20 }
```

## Instead
```cae
autoencoder trains
input 1x8x8 in 0..1
data digits
encoder { maxpool 2; conv 4 relu x5; maxpool 2 }
bottleneck dense 8
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 64; epochs 20 }
```

## How sure
The ratio is measured; the threshold is a heuristic. Healthy models stayed above 0.0018 in 200 training runs;
AutoTrainer's threshold of 0.001 would report one of them, and a tenth of it reports none.

## References
- Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
- Zhang et al. 2021, "AutoTrainer", arXiv 2002.04845.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from caedsl.diagnostics.text import counted
from caedsl.facts.steps import SMALL_UPDATE
from caedsl.runs.trouble import Symptom
from caedsl.training.monitors.engine.observation import ProbeResult, RunSoFar
from caedsl.training.monitors.engine.wording import RANDOM, one_of

EXPLAINED_BY = ("dead-layer",)
RATIO = 1e-4
LEAST_STEPS = 100
FAILING = 0.5
NOTHING_LEARNED = 0.95
CLIPPED = 0.01
"""Norm of the gradients that the optimizer gets, over that of the loss's, below which they are clipped to nothing."""


def look(run: RunSoFar) -> Iterator[Symptom]:
    """Yield one symptom, at the layer where the gradient ends or most of it is lost."""
    probes = run.round(since=LEAST_STEPS)
    if probes and (blocked := next(_blocked(probes), None)) is not None:
        yield blocked
        return
    weighted = (
        [number for number, layer in enumerate(probes[-1].layers) if layer.gradient is not None] if probes else []
    )
    if len(weighted) < 3 or not all(_faint(probe, weighted) for probe in probes):
        return
    norms = [probes[-1].layers[number].gradient or 0.0 for number in weighted]
    passed = [before / behind if behind else 1.0 for before, behind in pairwise(norms)]
    worst = min(range(len(passed)), key=passed.__getitem__)
    yield Symptom(
        weighted[worst + 1],
        f"the gradient of the first kernel is {norms[0]:.1e}, that of the last {norms[-1]:.1e}; most is lost here "
        f"({passed[worst]:.2g} is left), and the layers before do not learn",
        one_of(
            [
                "`relu` instead of `sigmoid` and `tanh`",
                "`norm=batch`",
                "`residual` around some of the layers",
                "fewer layers",
            ]
        ),
    )


def _blocked(probes: Sequence[ProbeResult]) -> Iterator[Symptom]:
    """Yield what keeps layers from learning, whatever the network and its data are; only custom loops have these."""
    layers = probes[-1].layers
    if (last := _last_cut(probes[-1])) is not None:
        yield Symptom(
            last,
            "no gradient of the reconstruction reaches this layer or any before it, so they do not learn from it",
            "remove `detach`, `no_grad` or `.data` after this layer",
            cause="frozen-layer",
        )
    if untrained := [number for number, layer in enumerate(layers) if layer.untrained]:
        yield Symptom(
            untrained[0],
            f"the optimizer does not have the weights of this layer{_and_others(untrained)}: they are the same as at "
            "the first step",
            "pass all weights to the optimizer, as in `Adam(model.parameters(), lr=1e-3)`",
            cause="frozen-layer",
        )
    if alike := [number for number, layer in enumerate(layers) if layer.alike]:
        yield Symptom(
            alike[0],
            f"all units of this layer{_and_others(alike)} still compute the same, and get the same gradient, if any",
            RANDOM,
            cause="dead-start",
        )
    elif (began := [number for number, layer in enumerate(layers) if layer.began_alike]) and all(
        probe.unexplained > NOTHING_LEARNED for probe in probes
    ):
        yield Symptom(
            began[0],
            f"at the start, all units of this layer{_and_others(began)} had the same weights, and the network is still "
            "no better than the mean image",
            RANDOM,
            cause="dead-start",
        )
    if all(_clipped(probe) for probe in probes):
        yield Symptom(
            "train.optimizer",
            f"the gradients that the optimizer gets are {probes[-1].passed:.1e} times as large as those of the loss, "
            f"and its last step changed the weights by {probes[-1].update:.1e} of their size",
            "a larger norm for `clip_grad_norm_`, such as 1.0, or a larger weight of the loss",
            cause="tight-clip",
        )


def _and_others(numbers: Sequence[int]) -> str:
    return f", and {counted(len(numbers) - 1, 'other layer')}" if len(numbers) > 1 else ""


def _clipped(probe: ProbeResult) -> bool:
    """Return whether the gradients arrive too small for the steps to teach anything."""
    if probe.passed is None or probe.update is None:
        return False
    return probe.passed < CLIPPED and probe.update < SMALL_UPDATE and probe.unexplained > FAILING


def _last_cut(probe: ProbeResult) -> int | None:
    """Return the last of the first layers that get no gradient, if others do; None if the first one gets some.

    Layers that are cut off after one that is not, such as another head, need not take part in the reconstruction.
    """
    trained = [number for number, layer in enumerate(probe.layers) if layer.cut or layer.gradient is not None]
    cut = list(takewhile(lambda number: probe.layers[number].cut, trained))
    return cut[-1] if cut and len(cut) < len(trained) else None


def _faint(probe: ProbeResult, weighted: list[int]) -> bool:
    first, last = (probe.layers[number].gradient or 0.0 for number in (weighted[0], weighted[-1]))
    return 0 < first < RATIO * last and probe.unexplained > FAILING
