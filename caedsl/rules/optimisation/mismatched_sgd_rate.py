"""The learning rate of SGD does not suit the scale of the loss.

## What it does
SGD steps by the rate times the gradient, and the gradient of a mean over 784 pixels is 784 times smaller than that of
their sum. This rule converts the rate to a common scale (squared error, averaged over pixels, after a sigmoid, without
momentum). It warns if the rate is above 31, or if the sum over all steps is below 800, or below 300 to 800 for images
between 8x8 and 28x28. It is an error if the output's bias must diverge. `too-few-steps` covers short runs, and
`unscaled-data` unscaled images. `clip` bounds every step, so with it no rate is too high. The lower limit requires that
the number of images is known.

## Why is this bad?
With a rate that is too low the network hardly changes; with one that is too high training diverges. On MNIST, 500 steps
at 1 (a sum of 500) left 0.54 of the variance or more, rates of 3 to 30 (1,500 to 15,000) left 0.29 to 0.38, and 78
failed; Adam at 1e-3 left 0.21. With a linear output, which tolerates less, 450 steps at 0.1 (45) left 0.97, and at 3
(1,350) 0.38.

On the 8x8 digits, 1,040 steps with momentum left 0.87 of the variance at a sum of 52, 0.45 at 104, 0.36 at 208, 0.32 at
416 and 0.22 at 3,120; Adam left 0.23. A rate of 40 did no harm there, and one of 80 diverged.

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
The scale of the loss is arithmetic, and so is the error: as a function of an output bias, the loss is a parabola of
curvature h, on which SGD with momentum μ diverges from lr·h = 2·(1 + μ). The limits are heuristics, measured on 28x28
images; the lower one also on 8x8 images, and interpolated between them.

## References
- Polyak 1964, "Some methods of speeding up the convergence of iteration methods": the bound with momentum.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.outputs import output_layer
from caedsl.facts.presets import pixel_range
from caedsl.facts.steps import FEWEST_STEPS, loss_scale, mean_factor, momentum_factor, pixels, sgd_pace, sgd_rate, steps
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.rules.data.unscaled_data import LARGEST_SCALED
from caedsl.rules.edits.settings import write_statement
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import plain
from caedsl.vocabulary.activations import LINEAR
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kernel_options import BIAS

RULE = Rule("CAE503", "mismatched-sgd-rate", Severity.WARNING, escalates=True)

HIGHEST, SHORTEST = 31.0, 800.0
"""Largest effective rate, and least sum of the effective rates of all steps (heuristics, measured at 28x28)."""

_MEASURED, _GROWTH = 784, 0.4
"""Number of pixels from which ``SHORTEST`` holds, and the power of the number with which it falls below: 300 at 64."""


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
        if distance < _shortest(model):
            yield _low(model, model.train, lr, count, distance)


def _shortest(model: Autoencoder) -> float:
    """Return the sum of all steps below which SGD is too slow for images of this size."""
    return float(f"{SHORTEST * min(1.0, pixels(model) / _MEASURED) ** _GROWTH:.2g}")


def _unscaled(model: Autoencoder) -> bool:
    """Return whether the pixels are so large that their scale is the cause, which `unscaled-data` reports."""
    values = pixel_range(model)
    return values.low is not None and values.high is not None and max(-values.low, values.high) > LARGEST_SCALED


def _bias_limit(model: Autoencoder, train: Train) -> float | None:
    """Return the rate above which the bias of a linear output diverges with squared error, or None without a proof.

    Each output channel's bias contributes to 1/C of the pixels: h = 2·scale / C.
    """
    layer = output_layer(model)
    steady = train.schedule.steady and train.clip is None
    if layer is None or not steady or not train.loss.terms[0].kind.quadratic or CHANNELS not in layer.options:
        return None
    if layer.activation != LINEAR or layer.norm is not None or not layer.options[BIAS]:
        return None
    return (1 + train.optimizer.momentum) * layer.out_shape[0] / loss_scale(model, train.loss)


def _divergent(model: Autoencoder, train: Train, lr: float, limit: float) -> Finding:
    momentum = f" with momentum {plain(train.optimizer.momentum)}" if train.optimizer.momentum else ""
    return RULE.found(
        model.place("train.optimizer.lr"),
        f"SGD with lr={plain(lr)}{momentum} diverges: the output's bias alone tolerates at most {plain(limit, 2)}",
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
        f"SGD with lr={plain(lr)} is too high here{summed}",
        notes=(
            _scale(model, train),
            f"as a rate for the mean squared error of a sigmoid: {plain(rate, 3)}, and the limit is {plain(HIGHEST)}",
        ),
        help=f"use `optimizer adam lr=1e-3`, or lr={plain(lr * 10 / rate, 1)}",
        fix=_adam(model),
        data={"lr": lr, "scaled": rate},
    )


def _low(model: Autoencoder, train: Train, lr: float, count: int, distance: float) -> Finding:
    averaged = f": a mean over {pixels(model):,} pixels has small gradients" if train.loss.reduction == "mean" else ""
    return RULE.found(
        model.place("train.optimizer.lr"),
        f"SGD with lr={plain(lr)} is too low for {counted(count, 'step')}{averaged}",
        notes=(
            _scale(model, train),
            f"all steps sum to {plain(distance, 3)}, but training needs at least {plain(_shortest(model))}",
        ),
        help="use `optimizer adam lr=1e-3`, or SGD with momentum=0.9 and "
        f"lr={plain(_enough(model, train, lr, distance), 1)}",
        fix=_adam(model),
        data={"lr": lr, "steps": count, "travel": distance},
    )


def _enough(model: Autoencoder, train: Train, lr: float, distance: float) -> float:
    """Return the rate with momentum 0.9 at which the steps sum to five times the least, at most one that acts as 10."""
    alone = lr * momentum_factor(train.optimizer) / 10
    return alone * min(5 * _shortest(model), 10.0 * (steps(model) or 0)) / distance


def _scale(model: Autoencoder, train: Train) -> str:
    return (
        f"scale of the loss: {plain(loss_scale(model, train.loss))} ({train.loss.reduction} over "
        f"{pixels(model):,} pixels)"
    )


def _adam(model: Autoencoder) -> Fix:
    edits: tuple[Edit, ...] = write_statement(model, "optimizer", "optimizer adam lr=1e-3")
    return Fix("use adam, whose steps do not depend on the scale of the loss", edits, Applicability.UNSAFE)
