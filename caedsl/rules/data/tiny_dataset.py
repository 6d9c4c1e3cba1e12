"""The dataset is small for the number of parameters.

## What it does
Reports an info if there are fewer than 1,000 training images and more than 50 parameters for each of them. The number
of images must be known, from a published dataset or from `limit=`.

## Why is this bad?
It need not be, because an autoencoder learns to reproduce every pixel of every image. But such a model can memorise its
images, so you should watch the loss on held-out images.

## Example
```cae
data mnist limit=100
encoder { conv 32 relu x2; maxpool 2; conv 32 relu; maxpool 2; conv 8 relu }
train { epochs 500 }
```

## Instead
```cae
data mnist limit=10000
encoder { conv 32 relu x2; maxpool 2; conv 32 relu; maxpool 2; conv 8 relu }
train { epochs 50 }
```

## How sure
A heuristic, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.cost import total_parameters
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE606", "tiny-dataset", Severity.INFO)

FEW, TIMES = 1_000, 50
"""Report an info for fewer images than the first number and more parameters per image than the second (heuristics)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the data line."""
    images = training_images(model)
    if images is None or images >= FEW or model.train is None:
        return
    weights = total_parameters(model)
    if weights <= TIMES * images:
        return
    validation = model.train.validation
    yield RULE.found(
        model.place("data"),
        f"{counted(images, 'image')} for {counted(weights, 'parameter')}: the model can memorise them",
        notes=(f"{weights:,} / {images:,} = {weights / images:,.0f} parameters per image",),
        help="watch the loss on held-out images: `validation 10%` and `stop patience=10`"
        if not validation
        else "watch the validation loss; `stop patience=10` stops when it no longer falls, `augment shift=2` adds "
        "variation",
        data={"images": images, "parameters": weights},
    )
