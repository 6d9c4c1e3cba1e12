"""The images hold values too large for 16-bit floats.

## What it does
Reports `precision fp16` if the input's range exceeds -65504..65504. Losses and weights use 32 bits with every
precision, so neither a summed loss nor squares of 255 overflow.

## Why is this bad?
In `fp16` the largest number is 65504. An image of 0..65535, the range of 16-bit pictures, becomes infinite in the first
convolution, and the loss is NaN from the first step.

## Example
```cae
input 1x28x28 in 0..65535
data npy "x.npy"
decoder mirror
train { loss mse; precision fp16; epochs 20 }
```

## Instead
```cae
input 1x28x28 in 0..1
data npy "x.npy"
decoder mirror
train { loss mse; precision fp16; epochs 20 }
```

## How sure
Arithmetic.

## References
- IEEE 754-2019, binary16: (2 - 2⁻¹⁰)·2¹⁵ = 65504.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.settings import write_setting
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.precisions import PRECISIONS

RULE = Rule("CAE803", "fp16-overflow", Severity.ERROR)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the precision."""
    values = model.input.range
    if model.train is None or values.low is None or values.high is None:
        return
    kind = PRECISIONS.get(model.train.precision)
    if kind is None or max(-values.low, values.high) <= kind.largest:
        return
    yield RULE.found(
        model.place("train.precision"),
        f"{kind.name} cannot represent numbers above {kind.largest:.0f}, and the images are in {values}: they become "
        f"infinite",
        related=(Label(model.input.range_span, f"images are in {values}"),),
        help="declare `in 0..1` (integer images are scaled to it), or use `precision bf16`",
        fix=Fix("use precision bf16", write_setting(model, "precision", "precision", "bf16"), Applicability.UNSAFE),
        data={"low": values.low, "high": values.high, "largest": kind.largest},
    )
