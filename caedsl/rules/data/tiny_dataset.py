"""Few images for many weights.

## What it does
Informs where fewer than 1,000 images are trained on and the model has more than 50 parameters for each of them. The
number of images is known for the published sets and where `limit=` is given.

## Why is this bad?
It need not be, for an autoencoder is to reproduce every pixel of every image. But such a model can learn its images
by heart: the loss on images held out is then the one to watch.

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
A heuristic, so it only informs.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.facts.cost import total_parameters
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE606", "tiny-dataset", Severity.INFO)

FEW, TIMES = 1_000, 50
"""Fewer images than the first, and more parameters an image than the second (heuristic)."""


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
        f"{images:,} images for {weights:,} parameters: the model can learn them by heart",
        notes=(f"{weights:,} / {images:,} = {weights / images:,.0f} parameters an image",),
        help="watch the loss on images held out: `validation 10%` and `stop patience=10`"
        if not validation
        else "watch the validation loss; `stop patience=10` ends when it no longer falls, `augment shift=2` "
        "makes more of few",
        data={"images": images, "parameters": weights},
    )
