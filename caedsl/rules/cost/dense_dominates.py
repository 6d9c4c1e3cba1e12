"""One dense layer holds nearly all weights.

## What it does
Reports a dense layer with more than 95 % of the parameters and more than five million of them as an info, and warns
above a hundred million.

## Why is this bad?
A dense layer on a large map loses the advantage of convolutions: 64x32x32 numbers to a code of 256 need 16.8 million
weights, and as many on the way back. Reducing the map first costs little and does not change the size of the code.

## Example
```cae
input 3x128x128
encoder { conv 32 k4 s2 relu; conv 64 relu }
bottleneck dense 1024
```

## Instead
```cae
input 3x128x128
encoder { conv 32 k4 s2 relu; conv 64 k4 s2 relu; conv 64 k4 s2 relu; conv 64 k4 s2 relu }
bottleneck dense 256
```

## How sure
The count is arithmetic, the limits are heuristics.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import beyond_machines, total_parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.shape import elements, text

RULE = Rule("CAE903", "dense-dominates", Severity.WARNING)

SHARE, MANY, TOO_MANY = 0.95, 5_000_000, 100_000_000
"""Report an info above this share and this number of parameters, and a warning above the last number (heuristics)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the dense layer; the bottleneck and its inverse count as one layer."""
    dense = [layer for _, layer in model.layers() if layer.kind.joins_all and layer.kind.role is Role.WEIGHTED]
    if not dense or beyond_machines(model):
        return
    counts = {layer.span: 0 for layer in dense}
    for layer in dense:
        counts[layer.span if layer.mirrors is None else layer.mirrors.span] += layer.parameters
    span, count = max(counts.items(), key=lambda pair: pair[1])
    whole = total_parameters(model)
    if count <= MANY or count <= SHARE * whole:
        return
    heaviest = next(layer for layer in dense if layer.span == span)
    shapes = f"{text(heaviest.in_shape)} to {text(heaviest.out_shape)}"
    back = " and back" if model.bottleneck.inverse and heaviest in model.bottleneck.layers else ""
    yield RULE.found(
        span,
        f"one dense layer holds {count / 1e6:,.1f} of the {whole / 1e6:,.1f} million parameters ({shapes}{back})",
        notes=(
            f"{elements(heaviest.in_shape):,} · {elements(heaviest.out_shape):,} weights{' each way' if back else ''}",
        ),
        help="reduce the map before it, for example with one more `conv 64 k4 s2 relu`",
        severity=None if count > TOO_MANY else Severity.INFO,
        data={"parameters": count, "all": whole},
    )
