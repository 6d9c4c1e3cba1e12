"""The code ends in a ReLU: some of its numbers may be 0 for every image.

## What it does
Warns about a ReLU on a code of up to 16 numbers, and reports an info for a larger vector. The rule skips sparse codes
(`l1=` on the bottleneck) and feature maps of more than 16 numbers, because published autoencoders have a ReLU there and
train.

## Why is this bad?
A unit whose input is negative for every image is dead, and the code is smaller than it looks. In a pilot on MNIST with
a code of 32, 17 of the 32 numbers died, which left 0.35 of the variance against 0.22; a code of 2 left 0.93 against
0.85. On Fashion-MNIST a code of 32 lost almost nothing. On digits, codes of 12 and 16 left 1.8 times as much variance
as linear ones.

## Example
```cae
bottleneck dense 4 relu
```

## Instead
```cae
bottleneck dense 4
```

## How sure
Measured on three small datasets; the limit of 16 numbers is a heuristic.

## References
- pixelite1201/pytorch_coma issue 21: a ReLU on the code.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Severity
from caedsl.facts.code import is_sparse
from caedsl.facts.outputs import code_layer
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.shape import elements, is_map

RULE = Rule("CAE405", "relu-code", Severity.WARNING)

FEW = 16
"""Warn about codes of up to this many numbers (heuristic)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the code's activation."""
    layer, numbers = code_layer(model), elements(model.code_shape)
    if layer is None or not layer.activation.function.dies or is_sparse(model):
        return
    if numbers > FEW and is_map(model.code_shape):
        return
    yield RULE.found(
        layer.place(ACTIVATION),
        f"`{layer.activation}` on the code: any of its {numbers:,} numbers that is 0 for every image is lost",
        help="make the code linear, or add `l1=1e-4` to the bottleneck for a sparse code",
        fix=Fix("make the code linear", (write(layer, ACTIVATION, "linear"),), Applicability.UNSAFE),
        severity=None if numbers <= FEW else Severity.INFO,
        data={"numbers": numbers},
    )
