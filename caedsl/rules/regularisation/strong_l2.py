"""The L2 penalty on the weights outweighs the reconstruction.

## What it does
Estimates the smallest penalty λ·Σw² of a network that still transmits images, and compares it with the loss of the mean
image, which is the most that a network can gain. It warns from 15 %, and reports an info from 1 %, where the penalty
slows training and blurs slightly. A weight decay that is part of the gradient, as with every optimizer except `adamw`,
counts as d/2·Σw² on every layer; `strong-weight-decay` covers that of `adamw`.

The least of Σ λ_l·r_l·g_l over gains whose product is 1 is L·(Π λ_l·r_l)^(1/L), for L penalised layers. A layer without
a penalty can compensate for the others, as far as the learning rate allows: it divides the product by up to 100. A
normalisation removes the scale of all layers before it, so only the layers after the last one count. r is 1 for a
convolution; for a dense layer it is twice the numbers that pass through it, at most 32.

## Why is this bad?
From about 100 %, weights of 0 are the best solution, and training finds it: the output is the same grey for all images.
The formula uses neither the learning rate alone nor the size of the penalty before training, because both are
misleading. For a published autoencoder (l2=1e-3 on four of its five convolutions) the estimate is 2 %: it trains, but
more slowly (0.20 of the variance left after one epoch, 0.15 without), with a rate of 1e-4 or of 1e-3. The same λ on a
model with a dense code of 32 gives 36 %: 0.33 of the variance is left after 2,000 steps, against 0.12.

## Example
```cae
data mnist
defaults conv relu l2=3e-3
encoder { conv 16 k4 s2; conv 32 k4 s2 }
bottleneck dense 32 l2=3e-3
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
```

## Instead
```cae
data mnist
defaults conv relu l2=1e-5
encoder { conv 16 k4 s2; conv 32 k4 s2 }
bottleneck dense 32 l2=1e-5
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
```

## How sure
The inequality is arithmetic; r, the factor 100 and the limits are heuristics, fitted to training runs on MNIST. The
table shows the estimate and the FVU (the share of variance left) after 500 to 2,000 steps, with and without the
penalty:

| model | λ | estimate | with | without |
| --- | --- | --- | --- | --- |
| dense code of 32, all layers | 1e-4 | 4 % | 0.20 | 0.21 |
| the same | 5e-4 | 18 % | 0.20 | 0.12 |
| the same | 1e-3 | 36 % | 0.33 | 0.12 |
| the same | 3e-3 | 107 % | 1.03 | 0.12 |
| convolutions, all five | 1e-3 | 7 % | 0.046 | 0.027 |
| the same | 1e-2 | 74 % | 0.18 | 0.027 |
| convolutions, all but the output | 1e-3 | 2 % | 0.050 | 0.037 |
| the same | 1e-2 | 19 % | 0.107 | 0.027 |

For the weight decays of the pilot the estimates are 2 % (1e-4, harmless), 18 % and 14 % (1e-3, fatal on MNIST and mild
on Fashion-MNIST), 178 % and 138 % (1e-2, fatal on both), and 0.02 % (1e-3 with a summed loss, harmless).

## References
- Krogh and Hertz 1992, "A simple weight decay can improve generalization", NIPS 4.
- Loshchilov and Hutter 2019, "Decoupled weight decay regularization", arXiv 1711.05101: how Adam's decay differs.
"""

from collections.abc import Iterator
from math import floor, log10

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Severity
from caedsl.facts.penalty import L2Cost, l2_cost
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.source import Span
from caedsl.vocabulary.kernel_options import L2

RULE = Rule("CAE701", "strong-l2", Severity.WARNING)

HARMFUL, NOTICEABLE, HARMLESS = 0.15, 0.01, 0.01
"""Warn from the first share of the gain, report an info from the second; the fix aims at the third."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield one finding, at the first penalty in the text."""
    cost = l2_cost(model)
    if cost is None or cost.share < NOTICEABLE:
        return
    places = _places(model, cost)
    harmful = cost.share >= HARMFUL
    edits = _weaker(model, cost) if harmful else ()
    yield RULE.found(
        places[0],
        _message(cost),
        related=tuple(Label(span, "another penalty") for span in places[1:]),
        notes=_arithmetic(cost),
        help=f"use {_advice(model, cost)}" if harmful else "lower the penalty if training takes too long",
        fix=Fix(f"use {_advice(model, cost)}", edits, Applicability.UNSAFE) if edits else None,
        severity=None if harmful else Severity.INFO,
        data={"cost": cost.cost},
    )


def _message(cost: L2Cost) -> str:
    if cost.share >= 1:
        return (
            f"the L2 penalty drives all weights to 0: transmitting images costs about {plain(cost.cost, 2)}, but can "
            f"reduce the loss by only {plain(cost.loss, 2)}"
        )
    if cost.share >= HARMFUL:
        return f"the L2 penalty costs about {cost.share:.0%} of what the reconstruction can gain, and outweighs it"
    return f"the L2 penalty costs about {cost.share:.0%} of what the reconstruction can gain, and slows training"


def _arithmetic(cost: L2Cost) -> tuple[str, ...]:
    layers = len(cost.layers)
    strongest, weakest = max(lam for _, lam in cost.layers), min(lam for _, lam in cost.layers)
    lambdas = (
        f"λ = {plain(strongest, 3)}" if strongest == weakest else f"λ = {plain(weakest, 3)} to {plain(strongest, 3)}"
    )
    free = " and a layer without a penalty that compensates for them" if cost.free else ""
    return (
        f"{layers} layers with {lambdas}{free}: {layers}·(Π λ·r)^(1/{layers}) = {plain(cost.cost, 2)} at least (an "
        f"estimate)",
        f"loss of the mean image: about {plain(cost.loss, 2)}",
    )


def _places(model: Autoencoder, cost: L2Cost) -> list[Span]:
    spans = {layer.place(L2) for layer, _ in cost.layers if layer.mirrors is None and layer.options[L2]}
    decay = model.places.get("train.optimizer.weight_decay")
    if decay is not None and _decays(model):
        spans.add(decay)
    return sorted(spans) or [model.place("train.optimizer")]


def _decays(model: Autoencoder) -> bool:
    return (
        model.train is not None and not model.train.optimizer.kind.decoupled and model.train.optimizer.weight_decay > 0
    )


def _lowered(cost: L2Cost) -> float:
    """Return a power of ten at which the cost is small; the cost is nearly proportional to λ."""
    strongest = max(lam for _, lam in cost.layers)
    target = max(strongest * HARMLESS / cost.share, 1e-30)
    return float(10.0 ** floor(log10(target)))


def _written(cost: L2Cost) -> str:
    return f"l2={plain(_lowered(cost), 1)}"


def _advice(model: Autoencoder, cost: L2Cost) -> str:
    """Return the weaker penalties, written as the author wrote them."""
    words = [f"`{_written(cost)}`"] if any(layer.options[L2] for layer, _ in cost.layers) else []
    return " and ".join([*words, *([f"`{_weaker_decay(cost)}`"] if _decays(model) else [])])


def _weaker_decay(cost: L2Cost) -> str:
    return f"weight_decay={plain(_lowered(cost), 1)}"


def _weaker(model: Autoencoder, cost: L2Cost) -> tuple[Edit, ...]:
    edits = {}
    for layer, _ in cost.layers:
        if layer.mirrors is None and layer.options[L2] > _lowered(cost):
            edits[layer.span] = write(layer, L2, _written(cost))
    found = list(edits.values())
    if _decays(model):
        found += write_setting(model, "optimizer", "weight_decay", _weaker_decay(cost))
    return tuple(sorted(found, key=lambda edit: edit.span))
