"""An augmentation needs axes that the samples do not have.

## What it does
Compares the axes of the input with those that each augmentation changes: `rotate` and `rot90` rotate images, `vflip`
flips images and volumes vertically, and all others work on signals, images and volumes.

## Why is this bad?
A signal has no plane to rotate in, and a volume has three. Training would stop with an error.

## Example
```cae
input 1x64
encoder { conv 8 relu; maxpool 2 }
train { augment rotate=10 }
```

## Instead
```cae
input 1x64x64
data npy "images.npy"
encoder { conv 8 relu; maxpool 2 }
train { augment rotate=10 }
```

## How sure
Certain.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.shape import noun, rank

RULE = Rule("CAE611", "augmentation-rank", Severity.ERROR, partial=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every augmentation that needs other axes."""
    axes = rank(model.input.shape)
    for name in model.train.augment.amounts() if model.train is not None else ():
        if axes in AUGMENTATIONS[name].ranks:
            continue
        fitting = ", ".join(f"`{kind.name}`" for kind in AUGMENTATIONS.values() if axes in kind.ranks)
        yield RULE.found(
            model.place(f"train.augment.{name}"),
            f"`{name}` cannot change a {noun(model.input.shape)}",
            related=(Label(model.input.span, f"a {noun(model.input.shape)}"),),
            help=f"a {noun(model.input.shape)} can be changed by {fitting}",
            data={"augmentation": name, "rank": len(model.input.shape) - 1},
        )
