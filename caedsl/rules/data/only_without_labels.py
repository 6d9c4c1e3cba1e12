"""`only=` selects a class of images without labels.

## What it does
Reports `only=` on a source of arrays, such as `npy` or `idx`, without `labels=`. Published datasets include their
labels, and a folder uses its subfolders.

## Why is this bad?
Without labels, the images of that class cannot be selected, and the data cannot be loaded.

## Example
```cae
data npy "images.npy" only=3
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## Instead
```cae
data npy "images.npy" only=3 labels="labels.npy"
encoder { conv 16 relu x2; maxpool 2; conv 8 relu; maxpool 2 }
```

## How sure
Certain.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Finding, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.rule import Rule

RULE = Rule("CAE605", "only-without-labels", Severity.ERROR, partial=True)


def check(model: Autoencoder) -> Iterator[Finding]:
    """Yield a finding for every such source."""
    for source in model.data:
        if source.only is not None and source.labels is None and source.kind.arrays:
            yield RULE.found(
                source.span,
                f"`only={source.only}` needs labels, but this `{source.name}` source has none",
                help=f"{source.kind.labels}, or remove `only=`",
                data={"source": source.name},
            )
