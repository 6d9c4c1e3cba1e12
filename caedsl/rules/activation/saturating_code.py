"""The code ends in a sigmoid or tanh.

## What it does
Reports a sigmoid or tanh on the code as an info.

## Why is this bad?
It need not be: a bounded code is easy to store or to sample from. But a saturated unit learns slowly, and the codes of
different images cluster at the ends of the range.

## Example
```cae
bottleneck dense 32 sigmoid
```

## Instead
```cae
bottleneck dense 32
```

## How sure
A heuristic, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.code import is_sparse
from caedsl.facts.outputs import code_layer
from caedsl.facts.signal import saturating_sides
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import ACTIVATION

RULE = Rule("CAE406", "saturating-code", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the code's activation, unless `saturating-hidden` counts it."""
    layer = code_layer(model)
    if layer is None or not layer.activation.function.saturates or is_sparse(model):
        return
    if any(layer in layers for layers in saturating_sides(model).values()):
        return
    activation = layer.activation
    yield RULE.found(
        layer.place(ACTIVATION),
        f"{activation.name} limits the code to {activation.low:g}..{activation.high:g}: saturated numbers learn slowly",
        help="make the code linear, unless it must be bounded",
        data={"low": activation.low, "high": activation.high},
    )
