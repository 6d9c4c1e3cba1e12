"""The model is too large for any machine.

## What it does
Estimates the memory for training on one image at a time and reports more than a terabyte, as well as tensors with more
than 2^63 - 1 numbers, which cannot be addressed. The finding names the largest layer.

## Why is this bad?
The largest accelerators hold less than a third of a terabyte. Usually a size has one digit too many.

## Example
```cae
encoder { conv 1000000 relu; conv 1000000 relu; maxpool 2; conv 4 relu }
```

## Instead
```cae
encoder { conv 64 relu; conv 64 relu; maxpool 2; conv 2 relu }
```

## How sure
The memory is arithmetic: 4 bytes for each weight, gradient and optimizer state, and for each value and gradient of
every layer's output. The limit of a terabyte holds for today's single machines.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import TERABYTE, least_memory, parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.rules.engine.wording import readable_bytes
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import ADDRESSABLE, elements, text

RULE = Rule("CAE901", "too-large", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the layer that needs the most memory."""
    needed = least_memory(model)
    if needed <= TERABYTE:
        return
    size, layer = max(((_size(layer), layer) for _, layer in model.layers()), key=lambda pair: pair[0])
    weights = parameters([layer]) > elements(layer.out_shape)
    what = (
        f"{parameters([layer]):,} parameters"
        if weights
        else f"{elements(layer.out_shape):,} outputs per image ({text(layer.out_shape)})"
    )
    beyond = f"; {size:,} numbers cannot even be addressed" if size > ADDRESSABLE else ""
    yield RULE.found(
        layer.span if layer.mirrors is None else layer.mirrors.span,
        f"this layer has {what}; training on one image at a time would need {readable_bytes(needed)}{beyond}",
        label="the largest layer",
        help="use fewer channels or a smaller input, or reduce the size before the wide layers",
        data={"bytes": needed},
    )


def _size(layer: Layer) -> int:
    return max(layer.parameters, elements(layer.out_shape))
