"""The rate of plain SGD does not suit the scale of the loss.

## What it does
SGD steps by the rate times the gradient, and the gradient of a mean over 784 pixels is 784 times smaller than that of
their sum. This rule brings the rate to one scale (squared error, averaged over pixels, behind a sigmoid, without
momentum) and warns above 31, and where all steps together come to less than 800. It is an error where the output's own
bias must diverge. Too few steps are `too-few-steps`'s, and unscaled images `unscaled-data`'s; `clip` bounds every
step, so that no rate is called too high. The number of images must be known for the lower bound.

## Why is this bad?
A rate that is too low leaves the network as it was; one that is too high throws it about. On MNIST, 500 steps at 1 (a
sum of 500) left 0.54 of the variance or more, at 3 to 30 (1,500 to 15,000) 0.29 to 0.38, and 78 was dead; Adam at
1e-3 left 0.21. Behind a linear output, which bears less, 450 steps at 0.1 (45) left 0.97 and at 3 (1,350) 0.38.

## Example
```cae
data mnist
train { loss mse; optimizer sgd lr=1e-3; batch 128; epochs 20 }
```

## Instead
```cae
data mnist
train { loss mse; optimizer adam lr=1e-3; batch 128; epochs 20 }
```

## How sure
The scale of the loss is arithmetic, and so is the error: an output bias sees the loss as a parabola of curvature h, on
which SGD with momentum μ diverges from lr·h = 2·(1 + μ) on. The two borders are heuristics, measured on 28x28 images.

## References
- Polyak 1964, "Some methods of speeding up the convergence of iteration methods": the bound with momentum.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.facts.outputs import activation_of, output_layer
from caedsl.facts.presets import pixel_range
from caedsl.facts.steps import FEWEST_STEPS, gathered, loss_scale, mean_factor, pixels, sgd_pace, sgd_rate, steps
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.rules.edits.settings import write_statement
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.weights import BIAS

RULE = Rule("CAE503", "mismatched-sgd-rate", Severity.WARNING)

HIGHEST, SHORTEST = 31.0, 800.0
LARGEST_PIXEL = 10
"""Images beyond this are not scaled, which is then the cause."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the learning rate."""
    if model.train is None or not model.train.optimizer.kind.scales or _unscaled(model):
        return
    rate, pace, lr = sgd_rate(model, model.train), sgd_pace(model, model.train), model.train.optimizer.lr
    if rate is None or pace is None or isinstance(lr, str):
        return
    limit = _bias_limit(model, model.train)
    count = steps(model)
    if limit is not None and lr >= limit:
        yield _divergent(model, model.train, lr, limit)
    elif rate > HIGHEST and model.train.clip is None:
        yield _high(model, model.train, lr, rate)
    elif count is not None and count >= FEWEST_STEPS:
        distance = pace * count * mean_factor(model)
        if distance < SHORTEST:
            yield _low(model, model.train, lr, count, distance)


def _unscaled(model: Autoencoder) -> bool:
    values = pixel_range(model)
    return values.low is not None and values.high is not None and max(-values.low, values.high) > LARGEST_PIXEL


def _bias_limit(model: Autoencoder, train: Train) -> float | None:
    """Return the rate above which the bias of a linear output diverges under squared error; None if not proven.

    The bias of one of C output channels adds to 1/C of the pixels: h = 2·scale / C.
    """
    layer = output_layer(model)
    steady = train.schedule.steady and train.clip is None
    if layer is None or not steady or not train.loss.terms[0].kind.quadratic or CHANNELS not in layer.options:
        return None
    if activation_of(layer) != LINEAR or layer.norm is not None or not layer.options[BIAS]:
        return None
    return (1 + train.optimizer.momentum) * layer.out_shape[0] / loss_scale(model, train.loss)


def _divergent(model: Autoencoder, train: Train, lr: float, limit: float) -> Finding:
    momentum = f" with momentum {plain(train.optimizer.momentum)}" if train.optimizer.momentum else ""
    return RULE.found(
        model.place("train.optimizer.lr"),
        f"SGD with lr={plain(lr)}{momentum} diverges: the output's bias alone bears no more than {plain(limit, 2)}",
        notes=(f"{_scale(model, train)}; stable below lr = (1 + momentum) · channels / scale = {plain(limit, 3)}",),
        help="use `optimizer adam lr=1e-3`, or a rate well below the limit",
        fix=_adam(model),
        severity=Severity.ERROR,
        data={"lr": lr, "limit": limit},
    )


def _high(model: Autoencoder, train: Train, lr: float, rate: float) -> Finding:
    summed = f": a sum over {pixels(model):,} pixels has large gradients" if train.loss.reduction == "sum" else ""
    return RULE.found(
        model.place("train.optimizer.lr"),
        f"SGD with lr={plain(lr)} is too fast here{summed}",
        notes=(
            _scale(model, train),
            f"as a rate on the mean squared error of a sigmoid: {plain(rate, 3)}, and 30 is the most",
        ),
        help=f"use `optimizer adam lr=1e-3`, or lr={plain(lr * 10 / rate, 1)}",
        fix=_adam(model),
        data={"lr": lr, "scaled": rate},
    )


def _low(model: Autoencoder, train: Train, lr: float, count: int, distance: float) -> Finding:
    averaged = f": a mean over {pixels(model):,} pixels has small gradients" if train.loss.reduction == "mean" else ""
    return RULE.found(
        model.place("train.optimizer.lr"),
        f"SGD with lr={plain(lr)} is too slow for {count:,} steps{averaged}",
        notes=(
            _scale(model, train),
            f"all steps come to {plain(distance, 3)} of the {plain(SHORTEST)} that training takes at the least",
        ),
        help="use `optimizer adam lr=1e-3`, or SGD with momentum=0.9 and "
        f"lr={plain(_enough(train, lr, distance, count), 1)}",
        fix=_adam(model),
        data={"lr": lr, "steps": count, "travel": distance},
    )


def _enough(train: Train, lr: float, distance: float, count: int) -> float:
    """Return the rate with momentum 0.9 at which the steps come to five times the least, or that acts as 10."""
    alone = lr * gathered(train.optimizer) / 10
    return alone * min(5 * SHORTEST, 10.0 * count) / distance


def _scale(model: Autoencoder, train: Train) -> str:
    return (
        f"scale of the loss: {plain(loss_scale(model, train.loss))} ({train.loss.reduction} over "
        f"{pixels(model):,} pixels)"
    )


def _adam(model: Autoencoder) -> Fix:
    edits: tuple[Edit, ...] = write_statement(model, "optimizer", "optimizer adam lr=1e-3")
    return Fix("use adam, whose steps do not depend on the scale of the loss", edits, Applicability.UNSAFE)
