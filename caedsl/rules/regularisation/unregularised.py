"""Nothing keeps a large model from memorising its images.

## What it does
Reports an info if a model has more than 1,000 parameters per training image and nothing that limits it: no penalty,
dropout, noise, augmentation or early stopping. `tiny-dataset` covers fewer than 1,000 images. The number of images must
be known, from a published dataset or from `limit=`.

## Why is this bad?
It need not be: the code itself limits an autoencoder, and in a pilot a lack of regularisation was never the cause of a
failure. But with so many parameters per image, you should watch the validation loss.

## Example
```cae
data mnist limit=1500
encoder { conv 64 k4 s2 relu; conv 128 k4 s2 relu }
bottleneck dense 256
train { epochs 50 }
```

## Instead
```cae
data mnist limit=1500
encoder { conv 64 k4 s2 relu; conv 128 k4 s2 relu }
bottleneck dense 256
train { epochs 50; augment shift=2; stop patience=10 }
```

## How sure
A heuristic, so the finding is only an info.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.diagnostics.text import counted
from caedsl.facts.cost import total_parameters
from caedsl.facts.dropout import drops
from caedsl.facts.presets import training_images
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Augment, Corrupt, Train
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.kernel_options import L1, L2

RULE = Rule("CAE704", "unregularised", Severity.INFO)

FEWEST_IMAGES, TIMES = 1_000, 1_000
"""Report an info from this many images on, and above this many parameters per image (heuristics)."""


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield the finding at the training settings."""
    images = training_images(model)
    if images is None or images < FEWEST_IMAGES or model.train is None or _limited(model, model.train):
        return
    weights = total_parameters(model)
    if weights > TIMES * images:
        yield RULE.found(
            model.place("train"),
            f"{counted(weights, 'parameter')} for {counted(images, 'image')}, and nothing keeps the model from "
            "memorising them",
            notes=(f"{weights:,} / {images:,} = {weights / images:,.0f} parameters per image",),
            help="watch the validation loss, or add `augment shift=2`, `corrupt gaussian=0.2`, or `stop patience=10`",
            data={"parameters": weights, "images": images},
        )


def _limited(model: Autoencoder, train: Train) -> bool:
    code = model.bottleneck
    varied = train.corrupt != Corrupt() or train.augment != Augment() or train.stop.patience is not None
    penalised = train.optimizer.weight_decay or code.l1 or code.noise
    held = any(layer.options.get(L1, None) or layer.options.get(L2, None) for _, layer in model.layers())
    return bool(varied or penalised or held or drops(model))
