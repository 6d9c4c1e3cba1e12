"""The code is squeezed by a sigmoid or tanh.

## What it does
Informs of a sigmoid or tanh on the code.

## Why is this bad?
It need not be: a bounded code is handy to store or to draw from. But where it saturates it learns slowly, and codes of
different images pile up at the ends of the range.

## Example
```cae
bottleneck dense 32 sigmoid
```

## Instead
```cae
bottleneck dense 32
```

## How sure
A heuristic, so it only informs.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.code import is_sparse
from caedsl.facts.outputs import activation_of, code_layer
from caedsl.facts.signal import saturating_sides
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import ACTIVATION

RULE = Rule("CAE406", "saturating-code", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the code's activation, unless `saturating-hidden` counts it already."""
    layer = code_layer(model)
    if layer is None or not activation_of(layer).function.saturates or is_sparse(model):
        return
    if any(layer in layers for layers in saturating_sides(model).values()):
        return
    activation = activation_of(layer)
    yield RULE.found(
        layer.place(ACTIVATION),
        f"the code is squeezed into {activation.low:g}..{activation.high:g} by {activation.name}: "
        "it learns slowly where it saturates",
        help="leave the code linear, unless it has to be bounded",
        data={"low": activation.low, "high": activation.high},
    )
