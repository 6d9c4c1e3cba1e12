"""The pixels are not scaled to numbers around one.

## What it does
Reports a declared range beyond -10..10, such as `in 0..255`. It warns for SGD, whose steps grow with the square of the
range, for a summed loss, and for an output that is bounded on one side. For Adam with an averaged loss and an unbounded
output it is only an info. `output-range` reports an output that cannot reach such values, and `bce-range` a
cross-entropy on them. No fix changes the declared range, because only the author knows what the data are.

## Why is this bad?
The loss of images in 0..255 is 65,025 times that of images in 0..1, so a learning rate, penalty or loss weight chosen
for one is wrong for the other. Adam is independent of the scale: in a pilot, a linear output on 0..255 trained as well
as on 0..1.

## Example
```cae
input 1x28x28 in 0..255
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder mirror
train { loss mse; optimizer sgd lr=1e-2 momentum=0.9 }
```

## Instead
```cae
input 1x28x28 in 0..1
data mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
decoder mirror
train { loss mse; optimizer adam lr=1e-3 }
```

## How sure
The factor is arithmetic. That SGD fails at the usual rates is a heuristic; that Adam does not was measured.

## References
- keras-team/keras issue 3642: images of 0..255, and a maintainer's advice to normalise them.
"""

from collections.abc import Iterator
from math import isinf

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.outputs import output_layer, unreachable
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_statement
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE602", "unscaled-data", Severity.WARNING)

LARGEST_SCALED = 10
"""Treat values beyond this as unscaled (DeepDiagnosis and others use 1; standardised pixels reach about 3)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the declared range."""
    values = model.input.range if model.preprocessing is None else model.output_range
    if (
        values.low is None
        or values.high is None
        or max(-values.low, values.high) <= LARGEST_SCALED
        or _reported_elsewhere(model)
    ):
        return
    times = (values.high - values.low) ** 2
    harms = tuple(_harms(model))
    yield RULE.found(
        model.input.range_span,
        f"pixels are {values}: squared errors are {times:,.0f} times those of 0..1" + "".join(harms[:1]),
        help="declare `in 0..1` if the data are integers, which are then scaled; otherwise scale the data",
        fix=_adam(model),
        severity=None if harms else Severity.INFO,
        data={"low": values.low, "high": values.high, "squared_error": times},
    )


def _harms(model: Autoencoder) -> Iterator[str]:
    """Yield the parts of the spec that suffer from large values."""
    train, output = model.train, output_layer(model)
    if train is not None and train.optimizer.kind.scales:
        yield ", and so are the steps of SGD"
    if train is not None and train.loss.reduction == "sum":
        yield f", and the loss sums them over {elements(model.input.shape):,} values"
    if output is not None and not (isinf(output.activation.low) and isinf(output.activation.high)):
        yield f", and the output ends in `{output.activation}`, which is made for numbers around one"


def _adam(model: Autoencoder) -> Fix | None:
    """Return the optimizer whose steps do not depend on the scale; keep the range that the author declared."""
    if model.train is None or not model.train.optimizer.kind.scales or "train.optimizer" not in model.places:
        return None
    edits = write_statement(model, "optimizer", "optimizer adam lr=1e-3")
    return Fix("use `optimizer adam lr=1e-3`, whose steps do not depend on the scale", edits, Applicability.UNSAFE)


def _reported_elsewhere(model: Autoencoder) -> bool:
    """Return whether the range is wrong for the output or the loss, which other rules report."""
    cross_entropy = model.train is not None and model.train.loss.probabilities
    return cross_entropy or unreachable(model) is not None
