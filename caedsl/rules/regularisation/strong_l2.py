"""The L2 penalty on the weights costs so much that images lose against it.

## What it does
Estimates what the penalties λ·Σw² cost a network that still passes images on, at their cheapest, and compares that
with the loss of the mean image, which is all there is to gain. It warns from 15 % on, and informs from 1 %: there,
the penalty slows training and blurs a little. Weight decay of `adam`, `rmsprop` and `sgd` is part of the gradient and
counts as d/2·Σw² on every layer; that of `adamw` is `strong-weight-decay`'s.

The least of Σ λ_l·r_l·g_l over gains whose product is 1 is L·(Π λ_l·r_l)^(1/L), for L penalised layers. A layer that
is not penalised makes up for the others, as far as the learning rate travels: it divides the product by up to 100. A
normalisation undoes the scale of all before it, so that only the layers behind the last one count. r is 1 for a
convolution and twice the numbers that get through, 32 at most, for a dense layer.

## Why is this bad?
From about 100 % on, weights of 0 are the best answer, and training finds it: the output is one grey for all images.
The formula does not look at the learning rate alone, nor at the penalty's size before training; both mislead. The
published autoencoder of the article (l2=1e-3 on four of its five convolutions) costs 2 %: it trains, only slower
(0.20 of the variance left after one epoch, 0.15 without), at a rate of 1e-4 or of 1e-3. The same λ on a model with a
dense code of 32 costs 36 %: 0.33 of the variance is left after 2,000 steps, against 0.12.

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
The inequality is arithmetic; r, the factor 100 and the borders are heuristics, fitted to trainings on MNIST. In
FVU (the share of variance left) after 500 to 2,000 steps, and in the estimate's share:

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

The pilot's weight decays (1e-4 harmless, 1e-3 fatal on MNIST and mild on Fashion-MNIST, 1e-2 fatal on both, 1e-3 with a
summed loss harmless) come to 2 %, 18 % and 14 %, 178 % and 138 %, and 0.02 %.

## References
- Krogh and Hertz 1992, "A simple weight decay can improve generalization", NIPS 4.
- Loshchilov and Hutter 2019, "Decoupled weight decay regularization", arXiv 1711.05101: why Adam's decay is another
  one.
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
from caedsl.vocabulary.weights import L2

RULE = Rule("CAE701", "strong-l2", Severity.WARNING)

HARMFUL, FELT, SMALL = 0.15, 0.01, 0.01


def check(model: Autoencoder) -> Iterator[Finding]:
    """One finding, at the first penalty that is written."""
    cost = l2_cost(model)
    if cost is None or cost.share < FELT:
        return
    places = _places(model, cost)
    harmful = cost.share >= HARMFUL
    edits = _weaker(model, cost) if harmful else ()
    yield RULE.found(
        places[0],
        _message(cost),
        related=tuple(Label(span, "and here") for span in places[1:]),
        notes=_arithmetic(cost),
        help=f"use {_advice(model, cost)}" if harmful else "lower it where training takes too long",
        fix=Fix(f"use {_advice(model, cost)}", edits, Applicability.UNSAFE) if edits else None,
        severity=None if harmful else Severity.INFO,
        data={"cost": cost.cost},
    )


def _message(cost: L2Cost) -> str:
    if cost.share >= 1:
        return (
            f"the L2 penalty is cheapest with all weights at 0: passing images on costs about {plain(cost.cost, 2)}, "
            f"and the loss to gain is {plain(cost.loss, 2)}"
        )
    if cost.share >= HARMFUL:
        return f"the L2 penalty takes about {cost.share:.0%} of all there is to gain: the images lose against it"
    return f"the L2 penalty takes about {cost.share:.0%} of all there is to gain: it slows training, and little more"


def _arithmetic(cost: L2Cost) -> tuple[str, ...]:
    layers = len(cost.layers)
    strongest, weakest = max(lam for _, lam in cost.layers), min(lam for _, lam in cost.layers)
    lambdas = (
        f"λ = {plain(strongest, 3)}" if strongest == weakest else f"λ = {plain(weakest, 3)} to {plain(strongest, 3)}"
    )
    free = " and a layer without it that makes up for them" if cost.free else ""
    return (
        f"{layers} layers with {lambdas}{free}: {layers}·(Π λ·r)^(1/{layers}) = {plain(cost.cost, 2)} at the "
        "least (an estimate)",
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
    """Return a power of ten at which the cost is small; it falls in proportion to λ, or nearly."""
    strongest = max(lam for _, lam in cost.layers)
    target = max(strongest * SMALL / cost.share, 1e-30)
    return float(10.0 ** floor(log10(target)))


def _written(cost: L2Cost) -> str:
    return f"l2={plain(_lowered(cost), 1)}"


def _advice(model: Autoencoder, cost: L2Cost) -> str:
    """Return the weaker penalties in the words of those that are written."""
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
