"""The model violates a bound that the spec requires.

## What it does
Computes every quantity of the `require` block and compares it with its bound. `compression` is the size of the input
divided by the size of the code; `parameters` and `macs` (for one image) are counted; `receptive_field` is that of the
code; `memory` is the number of bytes that a training step needs (within about 30 %).

## Why is this bad?
The author has set this bound, and a later change violates it.

## Example
```cae
encoder { conv 64 relu; conv 64 relu; maxpool 2; conv 4 relu }
require { parameters < 20k }
```

## Instead
```cae
encoder { conv 16 relu; conv 16 relu; maxpool 2; conv 2 relu }
require { parameters < 20k }
```

## How sure
Arithmetic; `memory` is an estimate.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import parameters
from caedsl.facts.quantities import MEASURES
from caedsl.model.autoencoder import Autoencoder, Bound
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import readable_bytes

RULE = Rule("CAE307", "require-violated", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every violated bound."""
    for bound in model.require:
        value = MEASURES[bound.quantity](model)
        if not _holds(bound, value) and not _still_open(model, bound, value):
            yield _finding(model, bound, value)


def _holds(bound: Bound, value: float) -> bool:
    above = bound.low is None or value > bound.low or (value == bound.low and not bound.low_open)
    below = bound.high is None or value < bound.high or (value == bound.high and not bound.high_open)
    return above and below


def _still_open(model: Autoencoder, bound: Bound, value: float) -> bool:
    """Return whether the memory may still meet its bound, because `batch auto` is unknown: it is that of one image."""
    unknown_batch = model.train is not None and isinstance(model.train.batch, str)
    return unknown_batch and bound.quantity == "memory" and (bound.high is None or value < bound.high)


def _finding(model: Autoencoder, bound: Bound, value: float) -> Finding:
    shown = _shown(bound.quantity, value)
    high = bound.high is not None and value >= bound.high
    limit = bound.high if high else bound.low
    assert limit is not None
    off = f"{shown} is {'too many' if bound.quantity in _COUNTED else 'too much'}" if high else f"{shown} is too little"
    return RULE.found(
        bound.span,
        f"{_NAMES[bound.quantity]} is {shown}, but the spec requires `{bound.text}`"
        if bound.quantity not in _COUNTED
        else f"the model has {shown} {_NAMES[bound.quantity]}, but the spec requires `{bound.text}`",
        label=off,
        notes=_heaviest(model) if bound.quantity == "parameters" and high else (),
        help="change the model or the bound",
        data={"quantity": bound.quantity, "low": bound.low, "high": bound.high},
    )


_NAMES = {
    "compression": "the compression",
    "parameters": "parameters",
    "macs": "multiply-accumulates",
    "receptive_field": "the receptive field of the code",
    "memory": "the memory of a training step",
}
_COUNTED = ("parameters", "macs")


def _shown(quantity: str, value: float) -> str:
    if quantity == "memory":
        return f"about {readable_bytes(value)}"
    return f"{value:,.4g}" if quantity == "compression" else f"{value:,.0f}"


def _heaviest(model: Autoencoder) -> tuple[str, ...]:
    """Return the layer with the most parameters."""
    counted = [(parameters([layer]), layer) for _, layers in model.parts for layer in layers]
    most, layer = max(counted, key=lambda pair: pair[0], default=(0, None))
    if layer is None:
        return ()
    return (f"`{model.source.slice(layer.span)}` has the most: {most:,}",)
