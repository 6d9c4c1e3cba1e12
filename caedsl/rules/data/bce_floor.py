"""Binary cross-entropy on grey pixels cannot fall to zero.

## What it does
States the smallest possible binary cross-entropy for the datasets where it was measured: the entropy of the grey
pixels.

## Why is this bad?
It is not: many good autoencoders are trained with it, and it has its minimum at the same image as the squared error.
But a loss that stops at 0.06 on MNIST, or at 0.24 on Fashion-MNIST, looks like a failure, although it is the optimum.

## Example
```cae
data fashion_mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
train { loss bce }
```

## Instead
```cae
data fashion_mnist
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
train { loss mse }
```

## How sure
Arithmetic: -t·log(p) - (1 - t)·log(1 - p) is least at p = t, where it is the entropy of t. Measured on all
training images (test images for the second number).

## References
- Cross Validated question 441750: why the binary cross-entropy of an autoencoder never reaches 0.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.presets import as_published
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.shape import elements

RULE = Rule("CAE607", "bce-floor", Severity.INFO)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the loss, if cross-entropy is the only loss and the pixels are in 0..1."""
    known = as_published(model)
    if known is None or model.preprocessing is not None or known.bce_floor is None or model.train is None:
        return
    loss, values = model.train.loss, model.target.range
    if not all(term.kind.entropy for term in loss.terms) or (values.low, values.high) != (0, 1):
        return
    scale = loss.terms[0].weight * (elements(model.target.shape) if loss.reduction == "sum" else 1)
    floor = f"{known.bce_floor * scale:.3g}"
    name = model.data[0].name
    others = (known.bce_floor_test or 0.0) * scale
    images = f"the training images of {name} (on its test images {others:.3g})" if others else name
    yield RULE.found(
        model.place("train.loss"),
        f"this loss cannot fall below {floor} on {images}, the entropy of the grey pixels",
        help=f"subtract {floor} when you compare losses, or use `loss mse`, which can fall to 0",
        data={"floor": known.bce_floor * scale, "source": name},
    )
